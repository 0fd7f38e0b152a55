#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: devices=none timeout=120 usual=6.12
# append: intel_iommu=off
# A platform without an IOMMU.
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh
# shellcheck source=tools/testing/selftests/clients/verdicts.inc
. ./clients/verdicts.inc

# The machine's own; all machines have it.
rng=0000:00:03.0

check "loads" load_ours
bind_override $rng vfio-pci 2>/dev/null
is "no IOMMU: it is not bound" "$(driver_of $rng)" ""
is "no IOMMU: one line says so" "$(dmesg | grep -c \
	"vfio-pci $rng: vfio-pci: not bound: it is in no IOMMU group, so nothing would confine its DMA; switch the IOMMU on in the firmware (VT-d, AMD-Vi, SMMU) and, on Intel, with intel_iommu=on on the kernel's command line")" 1
check "no IOMMU: lsvfio says so" verdict 1 "no  *IOMMU: there is none, or it is off" $rng
done_testing
