#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: timeout=240 usual=6.12
# qemu: -device pcie-root-port,id=rp19,bus=pcie.0,addr=0x19,chassis=25,x-speed=5
# qemu: -device igb,bus=rp19,romfile=/usr/share/seabios/vgabios-stdvga.bin
# What README and Documentation tell to do, in their words; the functions are at the
# addresses of their examples. What is for a host with packages is in "hosts", Intel graphics
# in "igd", libvirt's mdevs in "mdev-libvirt".
# Functions are called through others, which shellcheck does not see; what is printed there
# is expanded there.
# shellcheck disable=SC2317,SC2016
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh

devices=/sys/bus/pci/devices
drive=0000:01:00.0
nic=0000:04:00.0
quirks=/sys/module/vfio_pci/parameters/quirks
is "the functions are where they should be" \
	"$(id_of $drive :) $(id_of $nic :) $(id_of 0000:0a:00.0 :)" "1b36:0010 8086:10d3 8086:10c9"
modprobe vfio_iommu_type1
at /

area quirks
as_printed README.md 'modprobe vfio-pci quirks=0000:01:00.0:disable_idle_d3,0000:04:00.0:deny'
check "a drive is bound" bind_override $drive vfio-pci
is "it is kept out of D3" "$(cat $devices/$drive/vfio_pci_variant/disable_idle_d3)" 1
check "a NIC is not" fails bind_override $nic vfio-pci
bind_override $nic ''
as_printed quirks.rst 'echo 0000:01:00.0:disable_idle_d3 >/sys/module/vfio_pci/parameters/quirks'
is "it holds" "$(cat $quirks)" 0000:01:00.0:disable_idle_d3
check "the NIC is not denied any more" bind_override $nic vfio-pci
as_printed when-it-does-not-work.rst 'dmesg | grep -e vfio -e 0000:01:00.0'
check "that shows what was said" grep "vfio-pci $nic: .*denied by the parameter quirks" /tmp/printed
bind_override $nic ''
bind_override $drive ''
check "vfio-pci is unloaded" modprobe -r vfio-pci
as_printed vfio-pci.rst 'modprobe vfio-pci quirks=0000:01:00.0:standby'
check "a drive is bound" bind_override $drive vfio-pci
check "it stands by" wait_for 20 grep -qx warm $devices/$drive/vfio_pci_variant/standby

area sysfs
as_printed vfio-pci.rst 'echo 10000 > /sys/bus/pci/devices/0000:01:00.0/power/autosuspend_delay_ms'
is "it is read back" "$(cat $devices/$drive/power/autosuspend_delay_ms)" 10000
check "a card with a ROM is bound, and sleeps" eval \
	'bind_override 0000:0a:00.0 vfio-pci && wait_for 20 is_suspended 0000:0a:00.0'
as_printed vfio-pci.rst 'cd /sys/bus/pci/devices/0000:0a:00.0'
as_printed vfio-pci.rst 'echo on > power/control'
as_printed vfio-pci.rst 'echo 1 > rom'
as_printed vfio-pci.rst 'cat rom > /tmp/rom'
check "that is a ROM" eval '[ "$(od -An -tx1 -N2 /tmp/rom)" = " 55 aa" ]'
as_printed vfio-pci.rst 'echo 0 > rom'
as_printed vfio-pci.rst 'echo auto > power/control'
check "it sleeps again" wait_for 20 is_suspended 0000:0a:00.0
bind_override 0000:0a:00.0 ''
at /
as_printed vfio-pci.rst 'echo 1 > /sys/bus/pci/devices/0000:01:00.0/remove'
check "it is gone" test ! -e $devices/$drive
as_printed vfio-pci.rst 'echo 1 > /sys/bus/pci/rescan'
check "it is back" test -e $devices/$drive
check "vfio-pci is unloaded" modprobe -r vfio-pci

area mdevctl
modprobe nvme
check "udev starts" start_udev
as_printed vfio-pci-mdev.rst 'driverctl set-override 0000:01:00.0 vfio-pci-mdev'
is "it is bound" "$(driver_of $drive)" vfio-pci-mdev
as_printed vfio-pci-mdev.rst 'mdevctl types'
is "that is what the page shows" "$(cat /tmp/printed)" \
	"$(sed -n '/# mdevctl types/,/# mdevctl define/{/#/d; s/^\t//; p}' pages/vfio-pci-mdev.rst)"
as_printed vfio-pci-mdev.rst 'mdevctl define --auto -u f0ff55d6-223f-45c4-a219-49a31cd95669 -p 0000:01:00.0 --type vfio-pci-mdev-function'
as_printed vfio-pci-mdev.rst 'mdevctl start -u f0ff55d6-223f-45c4-a219-49a31cd95669'
as_printed vfio-pci-mdev.rst 'mdevctl list'
is "that is what the page shows" "$(cat /tmp/printed)" \
	"$(sed -n '/# mdevctl list/ { n; s/^\t//; p }' pages/vfio-pci-mdev.rst)"
as_printed vfio-pci-mdev.rst 'mdevctl stop -u f0ff55d6-223f-45c4-a219-49a31cd95669'
as_printed vfio-pci-mdev.rst 'mdevctl undefine -u f0ff55d6-223f-45c4-a219-49a31cd95669'
as_printed vfio-pci-mdev.rst 'driverctl unset-override 0000:01:00.0'
is "the host has it again" "$(driver_of $drive)" nvme
rm -f /usr/sbin/mdevctl
as_printed vfio-pci-mdev.rst 'ln -s /usr/bin/mdevctl /usr/sbin/mdevctl'
check "udev's rule finds it" /usr/sbin/mdevctl --version
as_printed README.md 'driverctl set-override 0000:01:00.0 vfio-pci-mdev'
as_printed README.md 'mdevctl define --auto -u $(cat /proc/sys/kernel/random/uuid) -p 0000:01:00.0 --type vfio-pci-mdev-function'
is "one is defined" "$(mdevctl list --defined | grep -c "$drive vfio-pci-mdev-function auto")" 1
check "and undefined" mdevctl undefine -u "$(mdevctl list --defined | sed 's/ .*//')"
driverctl unset-override $drive
done_testing
