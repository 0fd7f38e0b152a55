#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: kernels=7.3-builtin mem=3G timeout=600
# Devices that are opened in /dev/vfio/devices and mapped by /dev/iommu, which no Debian
# kernel has: those of vfio-pci as ever, those of mdevs only while there is an mdev.
# Functions are called through others, which shellcheck does not see.
# shellcheck disable=SC2317
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh
# shellcheck source=tools/testing/selftests/nested.inc
. ./nested.inc

edu=$(dev_bdf edu0) && nvme=$(dev_bdf nvme0) || bail "no edu0 or nvme0"
a=$(new_uuid) b=$(new_uuid)
mdevs=/sys/bus/mdev/devices
# shellcheck disable=SC2034
patience=240

# hold NAME COMMAND...: a user, whose PID is in $holder.
hold()
{
	vfio-do "$@" >/tmp/hold 2>&1 &
	holder=$!
	wait_for 20 grep -qx open /tmp/hold
}

let_go()
{
	kill $holder && wait_exit 30 $holder
}

check "there is an IOMMUFD" test -c /dev/iommu
check "edu0 binds" bind_override "$edu" vfio-pci-mdev

area access
node=$(basename "/sys/bus/pci/devices/$edu/vfio-dev/"vfio*)
check "the device is there without an mdev" test -c "/dev/vfio/devices/$node"
vfio-do "$edu" cdev >/tmp/hold 2>&1
is "but binding it fails: ENODEV" $? 19
check "create" mdev_create "$edu" "$a"
is "vfio-dev leads to it" "$(ls "$mdevs/$a/vfio-dev")" "$node"
hold "$a" cdev hold
is "with an mdev it is bound" "$(tail -n 1 /tmp/hold)" open
is "by group it can't be had meanwhile: EBUSY" \
	"$(vfio-do "$a" open-in "$(group_of "$edu")" 2>&1 | grep -c busy)" 1

mdev_remove "$a" &
remove=$!
check "remove asks the user" wait_for 30 grep -q asked /tmp/hold
check "and waits" kill -0 $remove
let_go
is "he lets go" $? 0
wait_exit 30 $remove
check "the mdev is removed" test ! -e "$mdevs/$a"
vfio-do "$edu" cdev >/tmp/hold 2>&1
is "binding it fails again: ENODEV" $? 19

# Open, but bound to no IOMMUFD: nothing can be done with it.
mdev_create "$edu" "$a"
hold "$a" cdev-unbound hold bind
check "a user has it open, not bound: remove does not wait" mdev_remove "$a"
unbind "$edu" &
unbinder=$!
check "unbind does, and the log says why" wait_for 20 eval \
	"dmesg | grep -q \"$edu: vfio-pci-mdev: somebody has its file of /dev/vfio/devices open\""
check "and waits on" kill -0 $unbinder
kill -USR1 $holder
check "he can't bind it any more: ENODEV" wait_for 20 grep -qx "bound: errno 19" /tmp/hold
let_go
is "he closes it" $? 0
wait_exit 30 $unbinder
is "unbind is done" "$? $(driver_of "$edu")" "0 "
bind_override "$edu" ""

area QEMU
for qemu in /usr/bin/qemu-system-x86_64 /opt/backports/usr/bin/qemu-system-x86_64; do
	version=$("$qemu" --version | sed -n 's/.*version \([0-9.]*\) .*/\1/p')
	for by in vfio-pci vfio-pci-mdev; do
		what="QEMU $version, iommufd, $by"
		device=host=$nvme
		bind_override "$nvme" $by
		if [ $by = vfio-pci-mdev ]; then
			mdev_create "$nvme" "$b"
			device=sysfsdev=$mdevs/$b
		fi
		check "$what: the image is filled" fill_image
		check "$what: boots" boots "$qemu" -object iommufd,id=iommufd0 \
			-device "vfio-pci,$device,iommufd=iommufd0,bootindex=1"
		check "$what: what it wrote is in the image" is_inverted
	done
done
check "remove" mdev_remove "$b"
bind_override "$nvme" ""
done_testing
