#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: mem=4G timeout=300 devices=none usual=7.3
# append: memmap=2M$0x60000000 memmap=1M$0x140000000
# qemu: -vga none -device VGA,addr=02.0
# A guest in the guest: QEMU takes the OpRegion out of the region, the firmware puts
# it into the guest's memory, and a boot sector finds it there, byte for byte. And
# what each QEMU that there is does for Intel graphics, with the region and without.
# Functions are called through others, which shellcheck does not see.
# shellcheck disable=SC2317
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh
# shellcheck source=tools/testing/selftests/igd/igd.inc
. ./igd/igd.inc
# shellcheck source=tools/testing/selftests/nested.inc
. ./nested.inc

case $VPV_K in
6.1) versions="7.2" ;;
*) versions="10.0 11.1" ;;
esac
parameters=/sys/module/vfio_pci_igd/parameters

check "the boot sector is one" make_bootsector bootsector-igd.S /tmp/boot.bin
# The firmware reads no AHCI disk that small.
truncate -s 1M /tmp/boot.bin

# start OPTIONS ARGS...: $qemu, with these options of -device vfio-pci, is started with
# the function; what it says is in /tmp/qemu.log.
start()
{
	local data

	read -ra data < <(data_of "$qemu")
	timeout -k 5 60 "$qemu" "${data[@]}" -nodefaults -no-user-config -display none \
		-M q35 -accel tcg -m 64 -vga none -trace 'vfio_pci_igd*' \
		-device "vfio-pci,host=$igd,addr=02.0,rombar=0$1" "${@:2}" \
		>/tmp/qemu.log 2>&1
}

# boots OPTIONS: what the boot sector said is in /tmp/said.
boots()
{
	rm -f /tmp/serial
	# It ends by its own exit, whose status is odd; what counts is what it said.
	start "$1" -drive file=/tmp/boot.bin,format=raw,if=ide -serial file:/tmp/serial \
		-device isa-debug-exit,iobase=0xf4,iosize=4
	tr -d '\r' </tmp/serial >/tmp/said
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

# guest DESC LAYOUT DRIVER VERSION OPTIONS
guest()
{
	put "$2"
	check "$1: it binds" bind_override "$igd" "$3"
	check "$1: the guest runs" boots "$5"
	is "$1: it has Intel graphics" "$(said IDs)" 59168086
	is "$1: ASLS points to an OpRegion" "$(said signature)" IntelGraphicsMem
	check "$1: in the guest's own memory" \
		test $((16#$(said ASLS))) -gt 0 -a $((16#$(said ASLS))) -lt $((64 << 20))
	is "$1: its version" "$(said version)" "$4"
	is "$1: each byte is right" "$(said sum)" "$(sum_of /tmp/expected)"
}

# does OPTIONS: what QEMU does for Intel graphics: "opregion", "bdsm" (a stolen memory
# of the guest's own), both or none. The guest never runs.
does()
{
	echo quit | start "$1" -S -monitor stdio &&
		sed -n 's/^vfio_pci_igd_\(.*\)_enabled .*/\1/p' /tmp/qemu.log | paste -sd,
}

# has LAYOUT: with vfio-pci-igd and the firmware's memory like that.
has()
{
	put "$1"
	bind_override "$igd" vfio-pci-igd
}

modprobe vfio_iommu_type1
fake 0
modprobe vfio-pci-igd
for version in $versions; do
	qemu=/usr/bin/qemu-system-x86_64 on=,x-igd-opregion=on
	# It is on by default there.
	[ "$version" != 11.1 ] || qemu=/opt/backports$qemu on=
	check "QEMU $version is there" eval "$qemu --version | grep -q 'version $version\.'"
	[ "$version" = 11.1 ] ||
		guest "QEMU $version, vfio-pci-igd, no VBT" "2.0" vfio-pci-igd 02000700 "$on"
	guest "QEMU $version, vfio-pci-igd, VBT" "2.0, VBT above 4 GiB" vfio-pci-igd 02010700 "$on"
	is "QEMU $version: RVDA is its place behind the OpRegion" "$(said RVDA)" 00002000
	is "QEMU $version: RVDS is its size" "$(said RVDS)" 00002200
	guest "QEMU $version, vfio-pci-igd, bad VBT" "RVDA to no VBT" vfio-pci-igd 02000700 "$on"
	is "QEMU $version: a bad VBT has no RVDS" "$(said RVDS)" 00000000
done
version=${versions% *} qemu=/usr/bin/qemu-system-x86_64
check "our vfio-pci loads" load_ours
guest "QEMU $version, vfio-pci, VBT" "2.1, VBT distant" vfio-pci 02010700 ,x-igd-opregion=on

# --- what QEMU does with the region and without -------------------------------------
# Before it knows Intel graphics by the region, it says so if it misses it.
has "bad signature"
check "QEMU $version, left out: x-igd-opregion=on is refused" fails does ,x-igd-opregion=on
check "QEMU $version: and it says why" grep -qi opregion /tmp/qemu.log
is "the register is what it was" "$(hw_asls)" "$asls"
if [ "$version" = 10.0 ]; then
	is "QEMU 10.0, left out: BDSM is emulated" "$(does "")" bdsm
	has "2.0"
	is "QEMU 10.0: no OpRegion if it is not told" "$(does "")" bdsm

	# By the region it knows Intel graphics: documented in vfio-pci-igd.rst, and in
	# what the driver logs.
	qemu=/opt/backports$qemu
	is "QEMU 11.1: all that there is, if it is not told" "$(does "")" opregion,bdsm
	is "QEMU 11.1: x-igd-opregion=off keeps BDSM" "$(does ,x-igd-opregion=off)" bdsm
	has "RVDA in the OpRegion"
	is "QEMU 11.1, bad VBT: all that there is" "$(does "")" opregion,bdsm
	has "bad signature"
	is "QEMU 11.1, left out: nothing" "$(does "")" ""
	is "QEMU 11.1, left out: x-igd-opregion=on is no error" "$(does ,x-igd-opregion=on)" ""
	echo 1 >$parameters/disable_opregion
	has "2.0"
	is "QEMU 11.1, disable_opregion=1: nothing" "$(does "")" ""
	echo 0 >$parameters/disable_opregion
fi

bind_override $igd ""
check "all unload" unload_vfio_pci
done_testing
