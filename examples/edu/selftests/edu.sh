#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: mem=4G timeout=300 usual=6.1,7.3
# klog-allow: DMAR: .*fault addr -- the device is made to write where nothing is mapped
# A variant from a repository of its own, built with what "make install" leaves: found by
# libvirt, adopted by vfio-pci, its register and its region used.
# Functions are called through others, which shellcheck does not see.
# shellcheck disable=SC2317
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh

edu=$(dev_bdf edu0) || bail "no edu0"
# Other tests are not to adopt it.
rm /etc/modprobe.d/variants.conf

# counters: how many factorials were asked for, and how many were limited.
counters()
{
	vfio-region "$edu" dump 80001234 1 | od -An -tu8 | xargs
}

check "the boot sector is one" make_bootsector variants/edu/bootsector-edu.S /tmp/boot.bin
truncate -s 1M /tmp/boot.bin

area libvirt
check "udev starts" start_udev
check "libvirtd answers" start_libvirt
IFS=:. read -r _ bus slot _ <<<"$edu"
cat >/tmp/domain.xml <<EOF
<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>edu</name>
  <memory unit='MiB'>64</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <features><acpi/></features>
  <on_crash>destroy</on_crash>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <controller type='usb' model='none'/>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='/tmp/boot.bin'/>
      <target dev='hda' bus='ide'/>
    </disk>
    <serial type='file'><source path='/tmp/serial'/></serial>
    <hostdev mode='subsystem' type='pci' managed='yes'>
      <source><address domain='0x0000' bus='0x$bus' slot='0x$slot' function='0x0'/></source>
      <address type='pci' domain='0x0000' bus='0x00' slot='0x05' function='0x0'/>
    </hostdev>
    <memballoon model='none'/>
  </devices>
  <qemu:commandline>
    <qemu:arg value='-device'/>
    <qemu:arg value='isa-debug-exit,iobase=0xf4,iosize=0x04'/>
  </qemu:commandline>
</domain>
EOF

# libvirt 9.0, on the oldest kernel's Debian, knows no variants: vfio-pci adopts it there.
case $VPV_K in
6.1) driver=vfio-pci ;;
*) driver=vfio-pci-edu ;;
esac
check "it starts a guest" timeout 60 virsh create --paused /tmp/domain.xml
is "the device has the driver" "$(driver_of "$edu")" $driver
check "the module was loaded for it" test -e /sys/module/vfio_pci_edu
check "the guest runs" timeout 30 virsh resume edu
check "it comes to an end" wait_for 60 no_domain
tr -d '\r' </tmp/serial >/tmp/said
is "the guest computed 5! and, asking for 20!, 12!" "$(xargs </tmp/said)" \
	"factorial 00000078 factorial 1c8cfc00"
is "the device has no driver again" "$(driver_of "$edu")" ""
check "libvirtd ends" pkill -x libvirtd
wait_for 20 fails pgrep -x libvirtd
[ ! -e /sys/module/vfio_pci ] || rmmod vfio_pci
check "the modules unload" rmmod vfio_pci_edu

# counted: what one user sees of what they asked for themselves, and the next one.
counted()
{
	vfio-do "$edu" region-write 4 0 8 d region 4 9 0 region 4 9 8 |
		tail -n 2 | sed 's/^0*\(.\)$/\1/' | xargs
	counters
}

# uses DRIVER: all that it has, with the device bound to that driver.
uses()
{
	check "it binds" bind_override "$edu" "$1"
	is "its quirk holds" \
		"$(cat "/sys/bus/pci/devices/$edu/vfio_pci_variant/disable_idle_d3")" 1
	is "its region" "$(vfio-region "$edu" list)" "80001234 1 10 9"
	is "nothing was asked for yet" "$(counters)" "0 0"
	check "DMA and interrupts are the device's" edu_works
	is "a factorial" "$(vfio-do "$edu" region-write 4 0 8 5 until 4 0 20 0 region 4 0 8 |
		tail -n 1)" 00000078
	is "one that is too large" "$(vfio-do "$edu" region-write 4 0 8 d until 4 0 20 0 region 4 0 8 |
		tail -n 1)" 1c8cfc00
	is "half a register is not written" \
		"$(vfio-do "$edu" region-write 2 0 8 5 until 4 0 20 0 region 4 0 8 | tail -n 1)" 1c8cfc00
	is "they were counted, and the next user is not told" "$(counted | xargs)" "1 1 0 0"
	is "its setting" "$(cat "/sys/bus/pci/devices/$edu/vfio_pci_variant/limit")" 12
	echo "$edu:limit=5" >/sys/module/vfio_pci_edu/parameters/quirks
	bind_override "$edu" ""
	bind_override "$edu" "$1"
	is "lower, it is for this device" "$(vfio-do "$edu" region-write 4 0 8 d until 4 0 20 0 \
		region 4 0 8 | tail -n 1)" 00000078
	echo >/sys/module/vfio_pci_edu/parameters/quirks
}

edu_works()
{
	vfio-edu "$edu" >/tmp/edu.tap && ! grep '^not ok' /tmp/edu.tap
}

area vfio-pci-edu
modprobe vfio_iommu_type1
check "it loads" modprobe vfio-pci-edu
uses vfio-pci-edu
bind_override "$edu" ""
check "it unloads" rmmod vfio_pci_edu

area adopted
check "vfio-pci loads" load_ours
uses vfio-pci
is "sysfs says so" "$(cat "/sys/bus/pci/devices/$edu/vfio_pci_variant/adopts")" vfio-pci-edu
bind_override "$edu" ""
rmmod vfio_pci_edu
echo "blacklist vfio-pci-edu" >/etc/modprobe.d/no.conf
check "blacklisted: vfio-pci binds it" bind_override "$edu" vfio-pci
check "blacklisted: it is not adopted" test ! -e /sys/module/vfio_pci_edu
bind_override "$edu" ""
check "all unload" unload_vfio_pci

# What was built against one version of the headers and the framework of another.
area "other headers"
rm /etc/modprobe.d/no.conf
refused()
{
	log_mark
	check "$1: refused as no module for this kernel" grep -q "Exec format error\|Invalid module format" <(insmod "$2" 2>&1)
	is "$1: one line says why and what to do" \
		"$(log_since | grep -c "vfio_pci_variant: $3: refused: it was built with other headers .*build it again")" 1
	check "$1: no driver stays" test ! -e "/sys/bus/pci/drivers/$4"
}

other=/lib/modules/other
modprobe vfio-pci-core
check "our framework loads" modprobe vfio-pci-variant
refused "a variant of others" $other/vfio-pci-smallest.ko vfio_pci_smallest vfio-pci-smallest
rmmod vfio_pci_variant
check "their framework loads" insmod $other/vfio-pci-variant.ko
file=$(modinfo -n vfio-pci-edu)
case $file in *.xz) xz -dc "$file" >/tmp/edu.ko ;; *) cp "$file" /tmp/edu.ko ;; esac
refused "a variant of ours" /tmp/edu.ko vfio_pci_edu vfio-pci-edu
log_mark
check "the same with a parameter" fails insmod /tmp/edu.ko limit=5 2>/dev/null
is "the same with a parameter: one line" \
	"$(log_since | grep -c "vfio_pci_edu.limit: refused: its module was built with other headers")" 1
check "a variant of theirs loads there" insmod $other/vfio-pci-smallest.ko
check "it takes the device" bind_override "$edu" vfio-pci-smallest
check "and it works" edu_works
bind_override "$edu" ""
check "all unload" rmmod vfio_pci_smallest vfio_pci_variant
done_testing
