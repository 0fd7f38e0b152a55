#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What an access costs under the in-tree vfio-pci and under ours, in one boot: with nothing
# to do, with a byte of config space that is shown otherwise, with an rw hook for config
# space that leaves it to the core, and with a register in that BAR, beside the register.
# vm: accel=tcg timeout=400
# qemu: -icount shift=0,sleep=on
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh

bdf=$(dev_bdf edu0) || bail "no edu0"

# measure NAME DRIVER LOAD...
measure()
{
	"${@:3}" && bind_override "$bdf" "$2" || bail "no $1"
	# The first run warms up caches of the kernel, the second counts.
	vfio-bench "$bdf" >/dev/null
	vfio-bench "$bdf" >"/tmp/$1" || bail "vfio-bench failed"
	bind_override "$bdf" ""
	rmmod "${2//-/_}"
}

measure intree vfio-pci load_intree
for what in ours shown hook register; do
	case $what in
	ours) measure ours vfio-pci load_ours ;;
	shown) measure shown vfio-pci load_ours "quirks=$bdf:config=80/12" ;;
	hook) measure hook vpv-s1 modprobe vpv-s1 no_rows=1 ;;
	register) measure register vfio-pci-edu load_variant vfio-pci-edu ;;
	esac
	join /tmp/intree /tmp/$what | awk -v what=$what '{
		printf "%s, %s: in-tree %s, ours %s ns; ratio %.3f\n", $1, what, $2, $3, $3 / $2
	}'
done | tee "$OUT/bench.txt"
