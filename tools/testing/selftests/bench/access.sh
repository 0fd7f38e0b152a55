#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What an access costs under the in-tree vfio-pci, under ours, and under a variant with a
# register in that BAR, beside the register; in one boot.
# vm: timeout=400
# qemu: -icount shift=0,sleep=on
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh

bdf=$(dev_bdf edu0) || bail "no edu0"

load_edu()
{
	load_variant vfio-pci-edu
}

# measure WHICH DRIVER
measure()
{
	"load_$1" && bind_override "$bdf" "$2" || bail "no $1 $2"
	# The first run warms up caches of the kernel, the second counts.
	vfio-bench "$bdf" >/dev/null
	vfio-bench "$bdf" >"/tmp/$1" || bail "vfio-bench failed"
	bind_override "$bdf" ""
	rmmod "${2//-/_}"
}

measure intree vfio-pci
measure ours vfio-pci
measure edu vfio-pci-edu
join /tmp/intree /tmp/ours | join - /tmp/edu | awk '{
	printf "%s: in-tree %s, ours %s, with a register %s ns; ratios %.3f and %.3f\n",
		$1, $2, $3, $4, $3 / $2, $4 / $2
}' | tee "$OUT/bench.txt"
