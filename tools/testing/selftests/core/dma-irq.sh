#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# klog-allow: DMAR: .*fault addr -- devices are made to write where nothing is mapped
# DMA stays within what the user mapped; INTx and MSI arrive.
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh

bdf=$(dev_bdf edu0) || bail "no edu0"
# As the IOMMU driver writes it, with the domain on newer kernels.
device="\[(0000:)?${bdf#0000:}\]"

# faults IOVA: how often the IOMMU stopped a write of our device to that page.
faults()
{
	dmesg | grep -cE "DMAR: .*DMA Write.*$device.*fault addr $1"
}

check "our vfio-pci loads" load_ours
check "edu0 binds" bind_override "$bdf" vfio-pci
is "no faults so far" "$(dmesg | grep -c 'DMAR:.*fault addr')" 0
tap_from vfio-edu "$bdf"
check "the IOMMU stopped the write to the IOVA that was never mapped" \
	test "$(faults 0x300000)" -ge 1
check "and the one to the IOVA after unmap" test "$(faults 0x200000)" -ge 1
is "and none of the device's other transfers" \
	"$(dmesg | grep 'DMAR:.*fault addr' | grep -cvE 'fault addr 0x[234]0')" 0
is "the IOMMU has no complaint of other devices" \
	"$(dmesg | grep 'DMAR:.*fault addr' | grep -cvE "$device")" 0
bind_override "$bdf" ""
check "the modules unload" unload_vfio_pci

# The device masks INTx itself, unless it is told that it can't.
for nointxmask in 0 1; do
	check "our vfio-pci loads with nointxmask=$nointxmask" \
		load_ours nointxmask=$nointxmask
	bind_override "$bdf" vfio-pci
	[ $nointxmask = 0 ] && wanted=yes || wanted=no
	is "nointxmask=$nointxmask: INTx is masked in the device: $wanted" \
		"$(vfio-edu "$bdf" | sed -n 's/.*masked in the device: //p')" \
		"$wanted"
	bind_override "$bdf" ""
	unload_vfio_pci
done
done_testing
