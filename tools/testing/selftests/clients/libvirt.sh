#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: mem=3G timeout=300 usual=6.12
# libvirt takes nvme0 from its host driver, gives it to a nested guest through
# our vfio-pci and puts it back. The guest boots from the device and is one
# sector long (bootsector.S); what it wrote the host judges, in the image.
# `make demo` is this test, with what tell() says shown as it happens.
# Functions are called through others, which shellcheck does not see.
# shellcheck disable=SC2317
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh

bdf=$(dev_bdf nvme0) || bail "no nvme0"
sys=/sys/bus/pci/devices/$bdf
serial=/tmp/serial.log
: >"$OUT/story.log"

tell()
{
	printf '%s\n' "$*" | tee -a "$OUT/story.log" | sed 's/^/# /'
}

# show FILE LBA: the first bytes of a block, for the person who watches.
show()
{
	tell "    LBA $2: $(dd if="$1" bs=512 skip="$2" count=1 status=none |
		od -An -tx1 -N16)"
}

drive()
{
	[ "$(driver_of "$bdf")" = "$1" ]
}

area disk

tell "$(uname -sr), $(virsh --version | head -n 1 | sed 's/^/libvirt /')"
check "the boot sector is one" make_bootsector bootsector.S /tmp/boot.bin
head -c 512 /dev/urandom >/tmp/nonce
cp /tmp/nonce "$OUT/nonce"
cp /tmp/boot.bin "$OUT/boot.bin"

check "udev starts" start_udev
modprobe nvme
check "nvme0 comes up with its host driver" wait_for 20 drive nvme
# By its serial number: controllers and disks are numbered apart.
find_disk()
{
	local b

	b=$(grep -l NVME0 /sys/block/nvme*n1/device/serial) || return 1
	b=${b#/sys/block/}
	disk=/dev/${b%%/*}
	[ -b "$disk" ]
}
disk=
wait_for 20 find_disk
check "$disk is there" test -b "$disk"
cat /tmp/boot.bin /tmp/nonce | dd of="$disk" bs=1024 oflag=direct status=none
is "it holds the boot sector and the nonce" \
	"$(dd if="$disk" bs=1024 count=1 iflag=direct status=none | sha256sum)" \
	"$(cat /tmp/boot.bin /tmp/nonce | sha256sum)"
tell "$bdf is an NVMe disk, $disk, its driver is '$(driver_of "$bdf")'"
tell "it holds our boot sector, a random block, and nothing:"
for lba in 1 2; do
	show "$disk" $lba
done

area libvirt

check "libvirtd answers" start_libvirt

domain_of "$bdf" "$serial" >/tmp/domain.xml
cp /tmp/domain.xml "$OUT/domain.xml"

check "no vfio-pci is loaded: finding it is libvirt's work" \
	test ! -e /sys/module/vfio_pci
# Paused, so that the device can be looked at before its guest is over.
check "libvirt starts the guest with the device" \
	timeout 60 virsh create --paused /tmp/domain.xml
is "the device has moved to vfio-pci" "$(driver_of "$bdf")" vfio-pci
file=$(module_file vfio-pci)
check "the module that libvirt loaded is ours" \
	test -n "$file" -a "$(loaded_id vfio-pci)" = "$(file_id "$file")"
is "sysfs says so" "$(cat "$sys/vfio_pci_variant/variant")" vfio-pci
pid=$(pidof -s qemu-system-x86_64)
check "QEMU holds its VFIO group open" \
	sh -c "ls -l /proc/$pid/fd | grep -q '/dev/vfio/$(group_of "$bdf")\$'"
check "the host's disk is gone" wait_for 10 test ! -e "$disk"
tell "libvirt has started the guest, driver: '$(driver_of "$bdf")'"
tell "    module: $file"
id=$(loaded_id vfio-pci)
tell "    build id: ${id:32}"
tell "$(cd "$sys/vfio_pci_variant" && grep . ./* 2>/dev/null |
	sed 's/^\.\//    vfio_pci_variant\//; s/:/ = /')"

check "the guest runs" timeout 30 virsh resume bootsector
check "it comes to an end" wait_for 90 no_domain
cp "$serial" "$OUT/serial.log"
while IFS= read -r line; do
	tell "guest's serial port: $line"
done < <(tr -d '\r' <"$serial" | grep '^boot sector')
is "it printed what it read" \
	"$(tr -d '\r' <"$serial" | sed -n 's/^boot sector: LBA 1 starts with //p')" \
	"$(od -An -tx1 -N8 /tmp/nonce | tr -d ' \n')"
check "it says that it has written" grep -q '^boot sector: LBA 2 written' "$serial"

area afterwards

check "the device has its host driver again" wait_for 30 drive nvme
check "$disk is back" wait_for 20 test -b "$disk"
is "no override is left" "$(cat "$sys/driver_override")" "(null)"
check "its attributes are gone" test ! -e "$sys/vfio_pci_variant"
tell "the guest is over, driver: '$(driver_of "$bdf")', $disk is back"
check "the host driver reads the guest's block" \
	test "$(dd if="$disk" bs=512 skip=2 count=1 status=none | sha256sum)" = \
	"$(perl -pe 'BEGIN { binmode STDIN; binmode STDOUT } $_ = ~$_' </tmp/nonce | sha256sum)"

check "libvirtd ends" pkill -x libvirtd
wait_for 20 fails pgrep -x libvirtd
check "the modules unload" unload_vfio_pci
done_testing
