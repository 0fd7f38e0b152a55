#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: mem=3G timeout=240
# Known faults of kernels that our users are spared: an eventfd can't be used to write
# to kernel memory, and QEMU does without such eventfds; what is mapped of a BAR is not
# left behind when memory is disabled.
# Functions are called through others, which shellcheck does not see.
# shellcheck disable=SC2317
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh
# shellcheck source=tools/testing/selftests/nested.inc
. ./nested.inc

edu=$(dev_bdf edu0) || bail "no edu0"
vga=$(dev_bdf vga0) || bail "no vga0"
bit63=8000000000000000

# What each kernel's core does with VFIO_DEVICE_IOEVENTFD: EINVAL is for an offset
# outside of all BARs, ENOTTY is ours.
case $VPV_K in
6.1 | 6.12) good="errno 25" bad="errno 25" refusals=1 by_kernel=0 ;;
*) good=ok bad="errno 22" refusals=0 by_kernel=1 ;;
esac

refusals()
{
	log_since | grep -c 'VFIO_DEVICE_IOEVENTFD refused'
}

area ioeventfd

check "the in-tree vfio-pci loads" load_intree
check "and takes edu0" bind_override "$edu" vfio-pci
is "ioeventfd: in tree it works, which is why this test means something" \
	"$(vfio-do "$edu" ioeventfd 0)" ok
bind_override "$edu" ""
check "it unloads" unload_vfio_pci

log_mark
check "our vfio-pci loads" load_ours
check "and takes edu0" bind_override "$edu" vfio-pci
is "ioeventfd: a negative BAR is refused, whoever asks" \
	"$(vfio-do "$edu" ioeventfd $bit63)" "$bad"
is "ioeventfd: a good offset" "$(vfio-do "$edu" ioeventfd 0)" "$good"
is "ioeventfd: a refusal is logged once" "$(refusals)" $refusals
[ $refusals = 0 ] || check "ioeventfd: with device, driver, reason and remedy" \
	grep -q "^vfio-pci $edu: vfio-pci: VFIO_DEVICE_IOEVENTFD refused, .* use a kernel" \
	<(log_since)

area mmap

vfio-map "$edu" >/tmp/mappings 2>&1 || diag "$(cat /tmp/mappings)"
for way in "as it is" moved "its first page moved" "its second page moved" \
	"its last page moved" "of a child" "of a grandchild"; do
	is "mmap: without Memory Enable no BAR is mapped: $way" \
		"$(sed -n "s/^$way: //p" /tmp/mappings)" "revoked, then 010000ed"
done

area mdev

bind_override "$edu" ""
check "vfio-pci-mdev loads" load_mdev
check "and takes edu0" bind_override "$edu" vfio-pci-mdev
uuid=$(new_uuid)
check "an mdev is made" mdev_create "$edu" "$uuid"
is "ioeventfd: an mdev's is the same: a negative BAR" \
	"$(vfio-do "$uuid" ioeventfd $bit63)" "$bad"
is "ioeventfd: and a good offset" "$(vfio-do "$uuid" ioeventfd 0)" "$good"
mdev_remove "$uuid"
bind_override "$edu" ""

area QEMU

# What QEMU has eventfds for is Nvidia's mirror of config space in BAR 0, and it goes
# by the IDs that it shows to its guest: any VGA function will do.
cached=880f0
number=51a3c7e9

guest()
{
	rm -f /tmp/serial
	timeout -k 5 90 qemu-system-x86_64 -nodefaults -no-user-config -display none \
		-M q35 -accel tcg -m 64 -vga none -trace 'vfio_ioeventfd*' \
		-device "vfio-pci,host=$vga,addr=02.0,rombar=0,x-pci-vendor-id=0x10de,x-pci-device-id=0x1eb8" \
		-drive file=/tmp/boot.bin,format=raw,if=ide \
		-serial file:/tmp/serial -device isa-debug-exit,iobase=0xf4,iosize=4 \
		>/tmp/qemu.log 2>&1
	diag "$(cat /tmp/qemu.log)"
	grep -q '^boot sector: written' /tmp/serial
}

check "the boot sector is one" make_bootsector bootsector-ioeventfd.S /tmp/boot.bin
truncate -s 1M /tmp/boot.bin
check "vfio-pci takes vga0" bind_override "$vga" vfio-pci
check "QEMU: the register is not written yet" \
	test "$(vfio-do "$vga" region 4 0 $cached)" != $number
check "QEMU: a guest writes to the mirror" guest
is "QEMU: it made an eventfd, which the kernel serves if it may" \
	"$(sed -n 's/.*vfio_ioeventfd_init.* vfio:\([01]\).*/\1/p' /tmp/qemu.log)" $by_kernel
is "QEMU: what was written with the eventfd is in the hardware" \
	"$(vfio-do "$vga" region 4 0 $cached)" $number
bind_override "$vga" ""
check "all unload" unload_vfio_pci
done_testing
