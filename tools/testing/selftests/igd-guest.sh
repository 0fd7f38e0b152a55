#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: mem=4G timeout=300 devices=none
# append: memmap=2M$0x60000000 memmap=1M$0x140000000
# qemu: -vga none -device VGA,addr=02.0
# A guest in the guest: QEMU takes the OpRegion out of the region, the firmware puts
# it into the guest's memory, and a boot sector finds it there, byte for byte.
# Functions are called through others, which shellcheck does not see.
# shellcheck disable=SC2317
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh
# shellcheck source=tools/testing/selftests/igd.inc
. ./igd.inc

check "the boot sector is one" make_bootsector bootsector-igd.S /tmp/boot.bin
# The firmware reads no AHCI disk that small.
truncate -s 1M /tmp/boot.bin
diag "$(qemu-system-x86_64 --version | head -n 1)"

# boots LAYOUT DRIVER: with what the boot sector said in /tmp/serial.
boots()
{
	put "$1"
	bind_override "$igd" "$2" || return
	rm -f /tmp/serial
	# It ends by its own exit, whose status is odd; what counts is what it said.
	timeout -k 5 60 qemu-system-x86_64 -nodefaults -no-user-config -display none \
		-M q35 -accel tcg -m 64 -vga none \
		-device "vfio-pci,host=$igd,addr=02.0,rombar=0,x-igd-opregion=on" \
		-drive file=/tmp/boot.bin,format=raw,if=ide \
		-serial file:/tmp/serial -device isa-debug-exit,iobase=0xf4,iosize=4 \
		>"/tmp/qemu.log" 2>&1
	tr -d '\r' <"/tmp/serial" >/tmp/said
	diag "$(cat /tmp/qemu.log)"
	diag "$(cat /tmp/said)"
	grep -q '^sum ' /tmp/said
}

said()
{
	sed -n "s/^$1 //p" /tmp/said
}

# What the sum of a file is, as the boot sector adds up.
sum_of()
{
	perl -e 'local $/; binmode STDIN; my $s = 0;
		for (unpack "C*", <STDIN>) {
			$s = ($s + $_) & 0xffffffff;
			$s = (($s << 1) | ($s >> 31)) & 0xffffffff;
		}
		printf "%08x\n", $s' <"$1"
}

# guest DESC LAYOUT DRIVER VERSION
guest()
{
	check "$1: the guest runs" boots "$2" "$3"
	is "$1: it has Intel graphics" "$(said IDs)" 59168086
	is "$1: ASLS points to an OpRegion" "$(said signature)" IntelGraphicsMem
	check "$1: in the guest's own memory" \
		test $((16#$(said ASLS))) -gt 0 -a $((16#$(said ASLS))) -lt $((64 << 20))
	is "$1: its version" "$(said version)" "$4"
	is "$1: each byte is right" "$(said sum)" "$(sum_of /tmp/expected)"
}

modprobe vfio_iommu_type1
fake 0
modprobe vfio-pci-igd
guest "vfio-pci-igd, no VBT" "2.0" vfio-pci-igd 02000700
guest "vfio-pci-igd, VBT" "2.0, VBT above 4 GiB" vfio-pci-igd 02010700
is "RVDA is its place behind the OpRegion" "$(said RVDA)" 00002000
is "RVDS is its size" "$(said RVDS)" 00002200
check "our vfio-pci loads" load_ours
guest "vfio-pci, VBT" "2.1, VBT distant" vfio-pci 02010700

# Without the region QEMU says so, and there is no guest.
put "bad signature"
bind_override $igd vfio-pci-igd
check "without an OpRegion: QEMU refuses x-igd-opregion" \
	fails boots "bad signature" vfio-pci-igd
check "and says why" grep -qi opregion /tmp/qemu.log
is "the register is what it was" "$(hw_asls)" "$asls"

bind_override $igd ""
check "all unload" unload_vfio_pci
done_testing
