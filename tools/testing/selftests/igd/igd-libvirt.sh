#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: mem=4G timeout=300 devices=none kernels=6.12,7.3 usual=7.3
# append: memmap=2M$0x60000000 memmap=1M$0x140000000
# append: modprobe.blacklist=i915,xe
# qemu: -vga none -device VGA,addr=02.0
# A managed hostdev that names no driver: libvirt finds vfio-pci-igd by its alias,
# loads it, and gives the guest Intel graphics with their OpRegion. libvirt 9.0, on
# the older kernel's Debian, knows no variants: there vfio-pci adopts it. i915,
# which udev would load, finds no hardware and taints the kernel.
# Functions are called through others, which shellcheck does not see.
# shellcheck disable=SC2317
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh
# shellcheck source=tools/testing/selftests/igd/igd.inc
. ./igd/igd.inc

check "the boot sector is one" make_bootsector bootsector-igd.S /tmp/boot.bin
fake 0
put "2.0, VBT distant"
check "udev starts" start_udev
check "libvirtd answers" start_libvirt
diag "libvirt $(virsh --version)"

cat >/tmp/domain.xml <<EOF
<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>graphics</name>
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
      <source><address domain='0x0000' bus='0x00' slot='0x02' function='0x0'/></source>
      <alias name='ua-igd'/>
      <rom bar='off'/>
      <address type='pci' domain='0x0000' bus='0x00' slot='0x02' function='0x0'/>
    </hostdev>
    <memballoon model='none'/>
  </devices>
  <qemu:commandline>
    <qemu:arg value='-device'/>
    <qemu:arg value='isa-debug-exit,iobase=0xf4,iosize=0x04'/>
  </qemu:commandline>
  <qemu:override>
    <qemu:device alias='ua-igd'>
      <qemu:frontend>
        <qemu:property name='x-igd-opregion' type='bool' value='true'/>
      </qemu:frontend>
    </qemu:device>
  </qemu:override>
</domain>
EOF

check "no variant is loaded: finding it is libvirt's work" \
	test ! -e /sys/module/vfio_pci_igd -a ! -e /sys/module/vfio_pci
check "libvirt starts the guest" timeout 60 virsh create --paused /tmp/domain.xml
is "the device has vfio-pci-igd" "$(driver_of $igd)" vfio-pci-igd
file=$(module_file vfio-pci-igd)
check "the module that libvirt loaded is ours" \
	test -n "$file" -a "$(loaded_id vfio-pci-igd)" = "$(file_id "$file")"
check "the guest runs" timeout 30 virsh resume graphics
check "it comes to an end" wait_for 60 no_domain
tr -d '\r' </tmp/serial >/tmp/said
diag "$(cat /tmp/said)"
check "it has found the OpRegion" grep -qx "signature IntelGraphicsMem" /tmp/said
check "with its VBT" grep -qx "RVDS 00001e00" /tmp/said
is "the device has no driver again" "$(driver_of $igd)" ""

check "virsh nodedev-detach" virsh nodedev-detach pci_0000_00_02_0
is "takes the same" "$(driver_of $igd)" vfio-pci-igd
is "with all regions" "$(subtypes)" 1,2,3
check "virsh nodedev-reattach" virsh nodedev-reattach pci_0000_00_02_0
is "gives it back" "$(driver_of $igd)" ""

check "libvirtd ends" pkill -x libvirtd
wait_for 20 fails pgrep -x libvirtd
check "the modules unload" unload_vfio_pci
done_testing
