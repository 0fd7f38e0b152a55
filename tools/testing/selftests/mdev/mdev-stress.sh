#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: smp=2 accel=tcg,thread=single timeout=900 kernels=6.1,6.12,7.3,6.1-builtin,7.3-builtin usual=6.1-builtin
# Everything that can be done to mdevs and their functions at once, at random, for
# VPV_STRESS seconds (40): see vfio-stress.c. The kernel log is what tells of bugs; and
# then all has to work as before. The two processors take turns, at any instruction; at
# the same time would be too much for QEMU's own memory map.
# Functions are called through others, which shellcheck does not see.
# shellcheck disable=SC2317
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh

seconds=$(sed -n 's/.*vpv\.stress=\([0-9]*\).*/\1/p' /proc/cmdline)
mdevs=/sys/bus/mdev/devices
names="edu0 edu1 e1000e0 nvme0"
bdfs=
for name in $names; do
	bdfs+=" $(dev_bdf "$name")" || bail "no $name"
done

check "vfio-pci-mdev loads" load_mdev
for bdf in $bdfs; do
	check "$bdf binds" bind_override "$bdf" vfio-pci-mdev
done

diag "$seconds s"
# shellcheck disable=SC2086
vfio-stress "$seconds" $bdfs >/tmp/stress 2>&1
is "all of it ends, and nothing fails in another way than it may" $? 0
diag "$(cat /tmp/stress)"
# How often depends on the machine; that each of them was at work does not.
for action in create remove use "use, too" unbind bind power probe read; do
	check "$action: more than once" grep -Eq "^$action: ([2-9]|[1-9][0-9]+)(,|\$)" /tmp/stress
done

for bdf in $bdfs; do
	uuid=$(new_uuid)
	unbind "$bdf" 2>/dev/null
	check "$bdf: unbound it has no mdev" test ! -e \
		"/sys/bus/pci/devices/$bdf/mdev_supported_types"
	check "$bdf: it binds" bind_override "$bdf" vfio-pci-mdev
	is "$bdf: an mdev can be had" \
		"$(cat "$(mdev_type "$bdf")/available_instances")" 1
	check "$bdf: is made" mdev_create "$bdf" "$uuid"
	check "$bdf: and opened" vfio-do "$uuid" read 4 0
	check "$bdf: and removed" mdev_remove "$uuid"
	bind_override "$bdf" ""
done
is "no mdev is left" "$(ls $mdevs)" ""
check "the modules unload" unload_vfio_pci
done_testing
