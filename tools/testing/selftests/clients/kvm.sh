#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: accel=tcg mem=3G timeout=300
# A Linux guest under KVM has the drive and a NIC: interrupts get to it as they do for
# everybody, from the interrupt handler of VFIO through an irqfd, which no emulated guest
# shows. What it reads and writes is judged in the image behind the drive, what it says
# of interrupts by the traces of KVM and of the interrupt handlers. The emulated CPU has
# SVM, whatever machine this is.
# Functions are called through others, which shellcheck does not see.
# shellcheck disable=SC2317
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh
# shellcheck source=tools/testing/selftests/nested.inc
. ./nested.inc

nvme=$(dev_bdf nvme0) && nic=$(dev_bdf e1000e0) && peer=$(dev_bdf e1000e1) ||
	bail "no nvme0, e1000e0 or e1000e1"
read_mib=8 write_at=16 guest=/tmp/initramfs

# make_initramfs: busybox, and the drivers of a drive and of a NIC.
make_initramfs()
{
	local n=10 file

	mkdir -p "$guest"/{bin,dev,lib,proc,sys} && cp /bin/busybox "$guest/bin/" &&
		cp clients/kvm-guest-init "$guest/init" && cp /tmp/pattern "$guest/" || return 1
	for file in $(modprobe --show-depends -a nvme e1000e | awk '{ print $2 }'); do
		case $file in
		*.xz) xz -dc "$file" ;;
		*.zst) zstd -qdc "$file" ;;
		*) cat "$file" ;;
		esac >"$guest/lib/$n.ko" || return 1
		n=$((n + 1))
	done
	(cd "$guest" && find . | cpio --quiet -o -H newc) >/tmp/initramfs.img
}

said()
{
	tr -d '\r' </tmp/serial | sed -n "s/^guest: $1 //p"
}

# traced EVENT: how often, in the handler of a hardware interrupt.
traced()
{
	awk -v event="$1:" '/^#/ { next } $5 == event && $3 ~ /[hH]/ { n++ } END { print n + 0 }' \
		/tmp/trace
}

# mib AT COUNT: of the image.
mib()
{
	dd if="$image" bs=1M skip="$1" count="$2" status=none
}

head -c 1M /dev/urandom >/tmp/pattern
head -c ${read_mib}M /dev/urandom | dd of="$image" bs=1M conv=notrunc,fsync status=none
modprobe -a kvm_amd e1000e vfio_iommu_type1
check "the CPU can run guests" test -c /dev/kvm
check "the guest has its drivers" make_initramfs
check "e1000e1 is the host's" eval "bind_override $peer e1000e && \
	wait_for 20 test -e /sys/bus/pci/devices/$peer/net"
net=$(ls "/sys/bus/pci/devices/$peer/net")
ip addr add 192.0.2.1/24 dev "$net" && ip link set "$net" up
check "our vfio-pci loads" load_ours
for f in $nvme $nic; do
	check "$f binds" bind_override "$f" vfio-pci
done

echo 1 >$trace/events/kvm/kvm_msi_set_irq/enable
echo 'name ~ "vfio-msi*"' >$trace/events/irq/irq_handler_entry/filter
echo 1 >$trace/events/irq/irq_handler_entry/enable
# Its exit status is 0 when it switches itself off.
check "the guest runs to its end" timeout -k 5 200 qemu-system-x86_64 -nodefaults \
	-no-user-config -display none -M q35 -accel kvm -cpu host -m 512 -vga none \
	-no-reboot -serial file:/tmp/serial -kernel "/boot/vmlinuz-$(uname -r)" \
	-initrd /tmp/initramfs.img -append "console=ttyS0 quiet panic=-1" \
	-device pcie-root-port,id=port0,chassis=1 -device "vfio-pci,host=$nvme,bus=port0" \
	-device pcie-root-port,id=port1,chassis=2 \
	-device "vfio-pci,host=$nic,bus=port1,rombar=0"
cp /tmp/serial "$OUT/serial.log"
cp $trace/trace /tmp/trace
diag "$(tr -d '\r' </tmp/serial | grep '^guest:')"

is "it read what is in the image" "$(said read)" "$(mib 0 $read_mib | sha256sum | cut -c1-64)"
is "it wrote what it says" "$(said wrote)" "$(sha256sum </tmp/pattern | cut -c1-64)"
check "that is in the image" cmp <(mib $write_at 1) /tmp/pattern
is "and nothing else is" "$({ mib $read_mib $((write_at - read_mib))
	mib $((write_at + 1)) 64; } | tr -d '\0' | wc -c)" 0
is "the NIC brought it five answers" "$(said answers)" 5
drive=$(said "drive's interrupts") cards=$(said "NIC's interrupts")
check "the drive interrupted it for each of its commands" test "${drive:-0}" -ge 8
check "so did the NIC" test "${cards:-0}" -ge 5
# What comes while one is pending counts once for the guest, and when it sets up a vector
# QEMU may have one or two itself.
irqs=$(traced irq_handler_entry) injected=$(traced kvm_msi_set_irq)
diag "interrupts of the functions: $irqs, injected by their handlers: $injected"
check "VFIO had as many interrupts" test "$irqs" -ge $((drive + cards))
check "KVM injects them from the handler, not from QEMU" \
	test "$injected" -ge $((drive + cards))

check "all unload" unload_vfio_pci
done_testing
