#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: rest=no
# The machine boots, and the modules in use are the ones that were built.
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh

bdf=$(dev_bdf nvme0) || bail "no nvme0"
sys=/sys/bus/pci/devices/$bdf

for d in nvme0 nvme1 e1000e0 e1000e1 igb0 virtio0 edu0 edu1 vga0; do
	b=$(dev_bdf $d)
	check "$d has an IOMMU group of its own" \
		test "$(ls "/sys/kernel/iommu_groups/$(group_of "$b")/devices")" = "$b"
done

check "our vfio-pci loads" load_ours
for m in vfio-pci vfio-pci-variant; do
	file=$(module_file $m)
	note=$(file_id "$file")
	# A note is 16 bytes of header and 20 of hash: not empty on both sides.
	is "$m: $file has a build id" ${#note} 72
	is "$m: the loaded one has the same" "$(loaded_id $m)" "$note"
done

check "nvme0 binds by driver_override" bind_override "$bdf" vfio-pci
is "its driver is vfio-pci" "$(driver_of "$bdf")" vfio-pci
check "its group has a device node in sysfs" \
	test -e "/sys/class/vfio/$(group_of "$bdf")"
is "sysfs: variant" "$(cat "$sys/vfio_pci_variant/variant")" vfio-pci
for a in nointxmask disable_vga disable_idle_d3; do
	is "sysfs: $a" "$(cat "$sys/vfio_pci_variant/$a")" 0
done

check "nvme0 unbinds" unbind "$bdf"
is "it has no driver" "$(driver_of "$bdf")" ""
check "its attributes are gone" test ! -e "$sys/vfio_pci_variant"

check "the modules unload" unload_vfio_pci
check "and are gone" test ! -e /sys/module/vfio_pci -a ! -e /sys/module/vfio_pci_variant
done_testing
