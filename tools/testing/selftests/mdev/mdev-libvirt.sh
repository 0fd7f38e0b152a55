#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: mem=3G timeout=400 usual=6.1
# An NVMe drive as an mdev in the hands of libvirt: found, made, defined, started,
# given to a guest that boots from it, and not destroyed under its feet. What the
# guest wrote is in the image.
# Functions are called through others, which shellcheck does not see.
# shellcheck disable=SC2317
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh
# shellcheck source=tools/testing/selftests/nested.inc
. ./nested.inc

bdf=$(dev_bdf nvme0) || bail "no nvme0"
node=pci_$(tr ':.' '__' <<<"$bdf")
group=$(group_of "$bdf")
uuid=$(new_uuid)
mdevs=/sys/bus/mdev/devices

# node_of UUID: libvirt's name of an mdev. 9.0 leaves out the parent.
node_of()
{
	virsh -q nodedev-list --cap mdev --all | grep "mdev_${1//-/_}"
}

node_of_is_there()
{
	[ -n "$(node_of "$1")" ]
}

node_of_is_gone()
{
	[ -z "$(node_of "$1")" ]
}

is_active()
{
	virsh -q nodedev-list --cap mdev | grep -q "mdev_${1//-/_}"
}

is_inactive()
{
	! is_active "$1"
}

mdev_xml()
{
	cat <<-EOF
	<device>
	  <parent>$node</parent>
	  <capability type='mdev'>
	    <type id='vfio-pci-mdev-function'/>
	    <uuid>$1</uuid>
	  </capability>
	</device>
	EOF
}

# domain_xml UUID [ELEMENTS]: boots from the mdev. libvirt refuses <boot order> on
# mdevs, QEMU does not.
domain_xml()
{
	cat <<-EOF
	<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
	  <name>bootsector</name>
	  <memory unit='MiB'>256</memory>
	  ${2:-}
	  <vcpu>1</vcpu>
	  <os><type arch='x86_64' machine='q35'>hvm</type></os>
	  <features><acpi/></features>
	  <on_crash>destroy</on_crash>
	  <devices>
	    <emulator>/usr/bin/qemu-system-x86_64</emulator>
	    <controller type='usb' model='none'/>
	    <serial type='file'><source path='/tmp/serial'/></serial>
	    <hostdev mode='subsystem' type='mdev' model='vfio-pci'>
	      <source><address uuid='$1'/></source>
	      <alias name='ua-nvme'/>
	    </hostdev>
	    <memballoon model='none'/>
	  </devices>
	  <qemu:commandline>
	    <qemu:arg value='-device'/>
	    <qemu:arg value='isa-debug-exit,iobase=0xf4,iosize=0x04'/>
	  </qemu:commandline>
	  <qemu:override>
	    <qemu:device alias='ua-nvme'>
	      <qemu:frontend>
	        <qemu:property name='bootindex' type='unsigned' value='1'/>
	      </qemu:frontend>
	    </qemu:device>
	  </qemu:override>
	</domain>
	EOF
}

# limit_of PID: its "Max locked memory", in MiB.
limit_of()
{
	awk '/^Max locked memory/ { print $4 == "unlimited" ? 1048576 : int($4 / 1048576) }' \
		"/proc/$1/limits"
}

# locked_of PID: memory that it has locked or that is pinned for it, in MiB.
locked_of()
{
	awk '/^Vm(Lck|Pin)/ { kb += $2 } END { print int(kb / 1024) }' "/proc/$1/status"
}

check "the image is filled" fill_image
check "udev starts" start_udev
check "libvirtd answers" start_libvirt libvirt-qemu
diag "libvirt $(virsh --version), $(qemu-system-x86_64 --version | head -n 1)"

area type
# libvirt runs already: it has to notice.
check "vfio-pci-mdev loads" load_mdev
check "nvme0 binds" bind_override "$bdf" vfio-pci-mdev
udevadm settle --timeout=20
has_types()
{
	virsh -q nodedev-list --cap mdev_types | grep -qx "$node"
}
check "nodedev-list --cap mdev_types has it" wait_for 20 has_types
session virsh nodedev-list --cap mdev_types >/dev/null
session virsh nodedev-dumpxml "$node" >/tmp/xml
check "its XML has the type" grep -q "<type id='vfio-pci-mdev-function'>" /tmp/xml
check "the type's name" grep -q "<name>PCI function 1b36:0010</name>" /tmp/xml
check "its API" grep -q "<deviceAPI>vfio-pci</deviceAPI>" /tmp/xml
check "one can be had" grep -q "<availableInstances>1</availableInstances>" /tmp/xml

area transient
mdev_xml "$uuid" >/tmp/mdev.xml
check "nodedev-create" session virsh nodedev-create /tmp/mdev.xml
check "the mdev is there" test -e "$mdevs/$uuid"
check "libvirt lists it" wait_for 20 is_active "$uuid"
session virsh nodedev-dumpxml "$(node_of "$uuid")" >/tmp/xml
check "its XML has the function's IOMMU group" \
	grep -q "<iommuGroup number='$group'/>" /tmp/xml
check "and its type" grep -q "<type id='vfio-pci-mdev-function'/>" /tmp/xml
check "and its parent" grep -q "<parent>$node</parent>" /tmp/xml
check "nodedev-destroy" virsh nodedev-destroy "$(node_of "$uuid")"
check "it is gone" test ! -e "$mdevs/$uuid"
check "for libvirt, too" wait_for 20 is_inactive "$uuid"

# In the words of the page.
area persistent
uuid=ff17da61-01a0-4d86-8826-48359e2b890a
sed -n '/# cat mdev.xml/,/^$/ { /#/d; s/^\t//; p }' pages/vfio-pci-mdev.rst >/tmp/mdev.xml
at /tmp
as_printed vfio-pci-mdev.rst 'virsh nodedev-list --cap mdev_types'
check "it lists the function" grep -qx "$node" /tmp/printed
as_printed vfio-pci-mdev.rst 'cat mdev.xml'
is "that is what is meant" "$(cat /tmp/printed)" "$(mdev_xml "$uuid")"
as_printed vfio-pci-mdev.rst 'virsh nodedev-define mdev.xml'
check "libvirt knows it" wait_for 20 node_of_is_there "$uuid"
check "there is none yet" test ! -e "$mdevs/$uuid"
name=$(node_of "$uuid")
if [[ $name = *_0000_01_00_0 ]]; then
	as_printed vfio-pci-mdev.rst 'virsh nodedev-start mdev_ff17da61_01a0_4d86_8826_48359e2b890a_0000_01_00_0'
else
	is "libvirt 9.0 leaves out the parent" "$name" "mdev_${uuid//-/_}"
	check "nodedev-start" session virsh nodedev-start "$name"
fi
check "the mdev is there" test -e "$mdevs/$uuid"
session virsh nodedev-list --cap mdev >/dev/null

area guest
domain_xml "$uuid" >/tmp/domain.xml
domain_xml "$uuid" | sed -n '/<hostdev/,/<\/hostdev>/p' >>"$OUT/session.log"
check "a guest starts, paused" timeout 60 virsh create --paused /tmp/domain.xml
pid=$(pidof -s qemu-system-x86_64)
check "QEMU has the function's VFIO group open" \
	sh -c "ls -l /proc/$pid/fd | grep -q '/dev/vfio/$group\$'"
is "it has no privilege to pass over its limit" \
	"$(sed -n 's/^CapEff:\t0*//p' "/proc/$pid/status")" ""
limit=$(limit_of "$pid")
check "the limit is enough for its 256 MiB ($limit MiB)" test "$limit" -ge 256
check "and its memory is pinned ($(locked_of "$pid") MiB)" \
	test "$(locked_of "$pid")" -ge 250
if [[ $name = *_0000_01_00_0 ]]; then
	check "nodedev-destroy while in use is refused" fails do_as_printed vfio-pci-mdev.rst \
		'virsh nodedev-destroy mdev_ff17da61_01a0_4d86_8826_48359e2b890a_0000_01_00_0'
	check "it says so" grep 'device in use' /tmp/printed
else
	check "nodedev-destroy while in use is refused" \
		fails session virsh nodedev-destroy "$name"
fi
check "the mdev is still there" test -e "$mdevs/$uuid"
check "the guest runs" timeout 30 virsh resume bootsector
check "it comes to an end" wait_for 90 no_domain
diag "$(tr -d '\r' </tmp/serial | grep '^boot sector')"
check "it has booted from the drive" grep -q '^boot sector' /tmp/serial
check "what it wrote is in the image" is_inverted
check "nothing else is" cmp -i 1536:0 -n $((64 * 1024 * 1024 - 1536)) "$image" /dev/zero

area "locked memory"
check "the image is filled anew" fill_image
domain_xml "$uuid" "<memoryBacking><locked/></memoryBacking>
	" >/tmp/domain.xml
check "a guest with locked memory starts, paused" \
	timeout 60 virsh create --paused /tmp/domain.xml
pid=$(pidof -s qemu-system-x86_64)
check "the limit is enough to lock and to pin it ($(limit_of "$pid") MiB)" \
	test "$(limit_of "$pid")" -ge 512
check "it is locked and pinned ($(locked_of "$pid") MiB)" \
	test "$(locked_of "$pid")" -ge 500
check "it runs" timeout 30 virsh resume bootsector
check "it comes to an end" wait_for 90 no_domain
check "what it wrote is in the image" is_inverted

area "the end"
check "nodedev-destroy" session virsh nodedev-destroy "$name"
check "the mdev is gone" test ! -e "$mdevs/$uuid"
check "its definition is not" wait_for 20 eval "is_inactive $uuid && node_of_is_there $uuid"
check "nodedev-undefine" session virsh nodedev-undefine "$name"
check "now it is" wait_for 20 node_of_is_gone "$uuid"

check "libvirtd ends" pkill -x libvirtd
wait_for 20 fails pgrep -x libvirtd
bind_override "$bdf" ""
check "the modules unload" unload_vfio_pci
done_testing
