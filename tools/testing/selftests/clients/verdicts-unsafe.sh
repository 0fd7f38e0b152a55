#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: timeout=200 usual=6.12
# append: intremap=off
# What lsvfio says of a platform that does not remap interrupts.
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh
# shellcheck source=tools/testing/selftests/clients/verdicts.inc
. ./clients/verdicts.inc

modprobe -a vfio_iommu_type1 vfio-pci
bdf=$(dev_bdf nvme0)
allow=/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts
check "it says no" verdict 1 "no  *interrupts: they are not remapped" "$bdf"
check "it can't be opened" fails passes "$bdf"
echo 1 >$allow
check "allowed: it says yes, with a note" verdict 0 "note  *interrupts: .*allow_unsafe_interrupts" "$bdf"
check "allowed: it can be opened" passes "$bdf"
done_testing
