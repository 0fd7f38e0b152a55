#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What an access costs under the in-tree vfio-pci and under ours, in one boot.
# vm: timeout=400
# qemu: -icount shift=0,sleep=on
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh

bdf=$(dev_bdf edu0) || bail "no edu0"

# measure WHICH
measure()
{
	"load_$1" && bind_override "$bdf" vfio-pci || bail "no $1 vfio-pci"
	# The first run warms up caches of the kernel, the second counts.
	vfio-bench "$bdf" >/dev/null
	vfio-bench "$bdf" >"/tmp/$1" || bail "vfio-bench failed"
	bind_override "$bdf" ""
	unload_vfio_pci
}

measure intree
measure ours
join /tmp/intree /tmp/ours | awk '{
	printf "%s: in-tree %s, ours %s ns, ratio %.3f\n", $1, $2, $3, $3 / $2
}' | tee "$OUT/bench.txt"
