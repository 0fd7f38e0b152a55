#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: timeout=900 kernels=6.1,6.12,7.3,6.1-debug,7.3-debug usual=6.12
# append: memmap=16M$0x38000000
# vfio-pci-nvlink2 on functions that pass for a V100 and bridges of its links, with
# firmware's description in software nodes: regions and capabilities, access at every
# edge, what is said of bad descriptions, adoption, libvirt.
# Functions are called through others, which shellcheck does not see.
# shellcheck disable=SC2317
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh
# shellcheck source=tools/testing/selftests/nvlink2/nvlink2.inc
. ./nvlink2/nvlink2.inc

gpu=$(dev_bdf edu0) || bail "no edu0"
bridge=$(dev_bdf edu1) || bail "no edu1"
bridge2=$(dev_bdf e1000e0) || bail "no e1000e0"
pf=$(dev_bdf igb0) || bail "no igb0"
# Kept from the kernel: the RAM, and registers behind it.
ram=0x38000000
register=0x38f00000
# These functions have a node of ACPI's, whose parents know nothing of it.
atsd_at=bridge0

bind_override "$bridge2" ""
modprobe vfio_iommu_type1

area alias
for id in 10de:1db1 10de:1db5 10de:1db8 10de:1df5 1014:04ea; do
	alias=$(printf 'vfio_pci:v0000%sd0000%ssv*sd*bc*sc*i*' ${id/:/ })
	is "there is an alias for $id" \
		"$(grep -cixF "alias $alias vfio_pci_nvlink2" "$modules_dir/modules.alias")" 1
done
is "and no other" "$(grep -c '^alias vfio_pci:.* vfio_pci_nvlink2$' "$modules_dir/modules.alias")" 5

area regions
check "modprobe vfio-pci-nvlink2" modprobe vfio-pci-nvlink2
fake
check "modinfo tells what allow_unmanaged_link=1 means" eval \
	"modinfo -p vfio-pci-nvlink2 | grep -q '^allow_unmanaged_link:.*no kernel since 5.13'"
is "it binds nothing by itself" "$(driver_of "$gpu")" ""
check "it takes the GPU" bind_override "$gpu" vfio-pci-nvlink2
check "and the bridge" bind_override "$bridge" vfio-pci-nvlink2
is "the GPU's regions" "$(vfio-region "$gpu" list)" "$gpu_type 1 800000 f"
is "its capabilities" "$(vfio-region "$gpu" caps $gpu_type 1)" "$(lines \
	"size 800000 flags f" "tgt 4000000000 version 1")"
is "the bridge's regions" "$(vfio-region "$bridge" list)" "$bridge_type 1 1000 f"
is "its capabilities" "$(vfio-region "$bridge" caps $bridge_type 1)" "$(lines \
	"size 1000 flags f" "tgt 4000000000 version 1" "speed 9 version 1")"
tap_from vfio-region "$gpu" test $gpu_type 1
tap_from vfio-region "$bridge" test $bridge_type 1
is "what is in memory is the pattern" "$(bytes_at $((ram + 0x100)) 8)" \
	"$(vfio-region "$gpu" dump $gpu_type 1 | od -An -v -tx1 -j $((0x100)) -N 8)"
is "the register is at its address" "$(bytes_at $((register + 0x1000)) 8)" \
	"$(vfio-region "$bridge" dump $bridge_type 1 | od -An -v -tx1 -N 8)"

area mapping
vfio-region "$gpu" hold $gpu_type 1 >/tmp/held &
holder=$!
wait_for 30 grep -qx open /tmp/held
unbind "$gpu" &
unbinding=$!
check "a mapping keeps the device: unbind waits" \
	wait_for 20 grep -q vfio_pci_variant_wait_for_close "/proc/$unbinding/stack"
kill $holder
wait_exit 30 $holder
is "the holder ends" $? 0
is "the mapping worked until then" "$(tail -n 1 /tmp/held)" works
wait_exit 30 $unbinding
is "then unbind does" $? 0
is "the GPU is unbound" "$(driver_of "$gpu")" ""
unbind "$bridge"
unfake

area optional
fake bridge0.ibm,nvlink-speed
bind_both
is "speed unknown: 0" "$(vfio-region "$bridge" caps $bridge_type 1 | tail -n 1)" \
	"speed 0 version 1"
unfake
fake host.ibm,mmio-atsd
bind_both
is "no registers: the region is there, for its capabilities" \
	"$(vfio-region "$bridge" caps $bridge_type 1)" "$(lines \
	"size 0 flags 8" "tgt 4000000000 version 1" "speed 9 version 1")"
is "it can't be read" "$(vfio-region "$bridge" dump $bridge_type 1 | wc -c
	echo "${PIPESTATUS[0]}")" "$(lines 0 0)"
unfake
fake "link0.ibm,npu-link-index=7;host.ibm,mmio-atsd=0,0,0,0,0,0,0,register"
bind_both
is "the last register of eight" "$(vfio-region "$bridge" list)" "$bridge_type 1 1000 f"
unfake
for index in 2 8 0xffffffff; do
	log_mark
	fake "link0.ibm,npu-link-index=$index"
	bind_both
	is "link $index of two registers: the bridge has a region" \
		"$(vfio-region "$bridge" list)" "$bridge_type 1 1000 f"
	is "link $index of two registers: the first" "$(bytes_at $register 8)" \
		"$(vfio-region "$bridge" dump $bridge_type 1 | od -An -v -tx1 -N 8)"
	check "link $index of two registers: the log says so" \
		grep -q "$bridge: vfio-pci-nvlink2: .* the first register stands in" <(log_since)
	unfake
done
log_mark
fake "link0.ibm,npu-link-index=8;host.ibm,mmio-atsd=register,0,0,0,0,0,0,0,0"
bind_both
is "the ninth register of nine: the first" "$(vfio-region "$bridge" list)" \
	"$bridge_type 1 1000 f"
check "the log says so, too" grep -q "the first register stands in" <(log_since)
unfake
atsd_at=bridge1
fake
bind_both
bind_override "$bridge2" vfio-pci-nvlink2
is "two bridges: the GPU" "$(vfio-region "$gpu" list)" "$gpu_type 1 800000 f"
is "two bridges: the second" "$(vfio-region "$bridge2" list)" "$bridge_type 1 1000 f"
unfake
atsd_at=bridge0
log_mark
for what in gpu.ibm,npu bridge0.ibm,gpu; do
	fake $what
	bind_both
	f=$gpu
	[ $what = gpu.ibm,npu ] || f=$bridge
	is "without $what: a plain device" "$(vfio-region "$f" list; echo $?)" 0
	unfake
done
is "none of it is complained of" "$(log_since | grep -c "vfio-pci-nvlink2:")" 0

area "bad description"
bad_ones nvlink2

area adoption
check "vfio-pci loads" load_ours
fake
check "vfio-pci takes the GPU" bind_override "$gpu" vfio-pci
is "it adopts" "$(cat "/sys/bus/pci/devices/$gpu/vfio_pci_variant/adopts")" vfio-pci-nvlink2
is "with the region" "$(vfio-region "$gpu" caps $gpu_type 1)" "$(lines \
	"size 800000 flags f" "tgt 4000000000 version 1")"
tap_from vfio-region "$gpu" test $gpu_type 1
check "vfio-pci-mdev loads" load_mdev
check "vfio-pci-mdev takes the bridge" bind_override "$bridge" vfio-pci-mdev
uuid=$(new_uuid)
check "it makes an mdev of it" mdev_create "$bridge" "$uuid"
is "with the region" "$(vfio-region "$uuid" caps $bridge_type 1 | tail -n 1)" \
	"speed 9 version 1"
tap_from vfio-region "$uuid" test $bridge_type 1
unfake

area VFs
# With its own driver, so that nobody needs a token for the VF.
modprobe igb
check "a PF has a VF" eval "wait_for 20 test -e /sys/bus/pci/drivers/igb/$pf &&
	echo 1 >/sys/bus/pci/devices/$pf/sriov_numvfs"
saved=$gpu
gpu=$(basename "$(readlink "/sys/bus/pci/devices/$pf/virtfn0")")
unbind "$gpu"
fake
log_mark
check "the VF binds" bind_override "$gpu" vfio-pci-nvlink2
is "a VF that the firmware describes: a plain device" "$(vfio-region "$gpu" list; echo $?)" 0
is "it is not complained of" "$(log_since | grep -c "$gpu: vfio-pci-nvlink2:")" 0
unfake
gpu=$saved
echo 0 >"/sys/bus/pci/devices/$pf/sriov_numvfs"
rmmod igb

area libvirt
# 9.0, on the older kernel's Debian, knows no variants. Kernels that watch themselves have not
# got what libvirtd needs.
if [ "$VPV_K" != 6.1 ] && ! is_watched; then
	check "all unload" unload_vfio_pci
	fake
	check "udev starts" start_udev
	check "libvirtd answers" start_libvirt
	node=pci_$(tr ':.' '__' <<<"$gpu")
	check "virsh nodedev-detach" virsh nodedev-detach "$node"
	is "takes vfio-pci-nvlink2, by its alias" "$(driver_of "$gpu")" vfio-pci-nvlink2
	is "with the region" "$(vfio-region "$gpu" list)" "$gpu_type 1 800000 f"
	check "virsh nodedev-reattach" virsh nodedev-reattach "$node"
	is "gives it back" "$(driver_of "$gpu")" ""
	check "libvirtd ends" pkill -x libvirtd
	wait_for 20 fails pgrep -x libvirtd
	unfake
fi
check "all unload" unload_vfio_pci
done_testing
