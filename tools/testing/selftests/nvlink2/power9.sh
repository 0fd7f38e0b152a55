#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: timeout=300 kernels=ppc64el,ppc64el-7.2 usual=ppc64el
# append: mem=1984M slub_debug=F,kmalloc-*
# An emulated POWER9, without a hypervisor below: vfio-pci on an NVMe drive and an
# e1000e, beside the in-tree driver's answers; then the drive passes for a V100 and the
# e1000e for a bridge of its links, in the device tree: vfio-pci-nvlink2 is off unless
# told otherwise, and DMA to the GPU's RAM, in every order of letting go.
# Functions are called through others, which shellcheck does not see.
# shellcheck disable=SC2317
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh
# shellcheck source=tools/testing/selftests/nvlink2/nvlink2.inc
. ./nvlink2/nvlink2.inc

# of_class CLASS: the function that is of it.
of_class()
{
	local d

	for d in /sys/bus/pci/devices/*; do
		[ "$(cat "$d/class")" = "$1" ] && echo "${d##*/}" && return
	done
	return 1
}

gpu=$(of_class 0x010802) || bail "no NVMe drive"
bridge=$(of_class 0x020000) || bail "no e1000e"
# Behind the end of what the kernel has.
ram=0x7c000000
register=0x7e000000
atsd_at=host

# What is there is unbound from the kernel's drivers, for good.
unbind "$gpu"
unbind "$bridge"
modprobe vfio_iommu_spapr_tce

find_module()
{
	find "$modules_dir" -name "$1.ko*" | grep .
}

area vfio-pci
parity()
{
	local f

	for f in "$gpu" "$bridge"; do
		check "$1: vfio-pci takes ${f%:*}" bind_override "$f" vfio-pci
		vfio-dump "$f" >"/tmp/$1.$f" || return
	done
	tap_from vfio-nvme "$gpu"
	for f in "$gpu" "$bridge"; do
		bind_override "$f" ""
	done
}

intree()
{
	insmod "$(ls "$modules_dir"/kernel/drivers/vfio/pci/vfio-pci.ko*)"
}

modprobe vfio-pci-core
check "the in-tree vfio-pci loads" intree
parity in-tree
check "it unloads" rmmod vfio-pci
check "our vfio-pci loads" modprobe vfio-pci
check "with our framework" test -e /sys/module/vfio_pci_variant/holders/vfio_pci
parity ours
for f in "$gpu" "$bridge"; do
	check "the same answers for ${f%:*}" diff "/tmp/in-tree.$f" "/tmp/ours.$f"
	check "there are answers" grep -q "^config 0f0:" "/tmp/ours.$f"
done
check "all unload" unload_vfio_pci
check "without mdevs in the kernel there is no vfio-pci-mdev" \
	fails find_module vfio-pci-mdev

area off
modprobe vfio-pci-nvlink2
fake
bind_both
log_mark
is "the GPU has no region" "$(vfio-region "$gpu" list; echo $?)" 0
is "nor has the bridge" "$(vfio-region "$bridge" list; echo $?)" 0
is "the log says why, and what to do" \
	"$(log_since | grep -c "left out: .*allow_unmanaged_link=1")" 2
tap_from vfio-nvme "$gpu"
echo 1 >/sys/module/vfio_pci_nvlink2/parameters/allow_unmanaged_link
is "it is latched" "$(vfio-region "$gpu" list)" ""

area on
bind_both
is "the GPU's regions" "$(vfio-region "$gpu" list)" "$gpu_type 1 800000 f"
is "its capabilities" "$(vfio-region "$gpu" caps $gpu_type 1)" "$(lines \
	"size 800000 flags f" "tgt 4000000000 version 1")"
is "the bridge's regions" "$(vfio-region "$bridge" list)" "$bridge_type 1 1000 f"
is "its capabilities" "$(vfio-region "$bridge" caps $bridge_type 1)" "$(lines \
	"size 1000 flags f" "tgt 4000000000 version 1" "speed 9 version 1")"
tap_from vfio-region "$gpu" test $gpu_type 1
tap_from vfio-region "$bridge" test $bridge_type 1

area DMA
refs()
{
	cat /sys/module/vfio_pci_nvlink2/refcnt
}

is_let_go()
{
	[ "$(refs)" = "$1" ]
}

rounds()
{
	local i end

	for ((i = 0; i < $1; i++)); do
		for end in "${ends[0]}" "${ends[-1]}"; do
			vfio-nvme "$gpu" "$gpu_type" 1 "$end" || return
		done
	done
}

idle=$(refs)
# The younger kernel is preemptible.
ends=(register leave unmap exit) simple=unmap
[ "$VPV_K" = ppc64el ] || ends=(refused) simple=refused
log_mark
for end in "${ends[@]}"; do
	tap_from vfio-nvme "$gpu" $gpu_type 1 "$end"
	check "$end: nothing is kept" wait_for 10 is_let_go "$idle"
	is "$end: it can be used again" "$(vfio-region "$gpu" list)" "$gpu_type 1 800000 f"
done
[ "${ends[0]}" = refused ] || is "the log says why it was busy, each time" \
	"$(log_since | grep -c "not opened, an earlier user still has")" 3
objects >/tmp/before
check "20 rounds" rounds 20
wait_for 10 is_let_go "$idle"
most=$(most_grown /tmp/before)
check "lose nothing: $most objects" test "${most##* }" -lt 18
unfake

area "bad description"
bad_ones power9
fake link0.ibm,npu-link-index=2
bind_both
log_mark
is "no register of its own: the bridge has a region" "$(vfio-region "$bridge" list)" \
	"$bridge_type 1 1000 f"
is "the log says that it is the first" \
	"$(log_since | grep -c "$bridge: vfio-pci-nvlink2: .* the first register stands in")" 1
unfake
fake gpu.ibm,npu
bind_both
is "without a bridge: a plain device" "$(vfio-region "$gpu" list; echo $?)" 0
unfake

area adoption
# With the GPU's variant loaded: busybox's modprobe need not know of its alias.
modprobe vfio-pci
fake
check "vfio-pci takes the GPU" bind_override "$gpu" vfio-pci
is "it adopts" "$(cat "/sys/bus/pci/devices/$gpu/vfio_pci_variant/adopts")" vfio-pci-nvlink2
is "with the region" "$(vfio-region "$gpu" list)" "$gpu_type 1 800000 f"
tap_from vfio-nvme "$gpu" $gpu_type 1 $simple
echo 0 >/sys/module/vfio_pci_nvlink2/parameters/allow_unmanaged_link
bind_override "$gpu" vfio-pci
is "off, it is off there, too" "$(vfio-region "$gpu" list; echo $?)" 0
unfake
check "all unload" unload_vfio_pci
done_testing
