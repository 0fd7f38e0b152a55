#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: timeout=200 usual=6.1
# mdevctl has an mdev from types and define to undefine; one that it is to start by
# itself is there after a reboot, on a function that driverctl has bound by then.
# Functions are called through others, which shellcheck does not see.
# shellcheck disable=SC2317
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh

bdf=$(dev_bdf edu0) && nic=$(dev_bdf e1000e0) || bail "no edu0 or e1000e0"
mdevs=/sys/bus/mdev/devices
type=vfio-pci-mdev-function

# The VM's disk, as far as this test needs one: what mdevctl and driverctl keep.
for d in mdevctl.d driverctl.d; do
	mkdir -p /etc/$d
	[ -e "$OUT/$d" ] || cp -r /etc/$d "$OUT/"
	mount --bind "$OUT/$d" /etc/$d || bail "no /etc/$d"
done

# Debian's rule for udev calls mdevctl by a name that it does not have there
# (mdevctl issue 82). Documentation tells of this, too.
mend_rule()
{
	[ -e /usr/sbin/mdevctl ] || ln -s /usr/bin/mdevctl /usr/sbin/mdevctl
}

if is_second_boot; then
	read -r auto manual <"$OUT/uuids"
	check "after the reboot there is no mdev" test ! -e $mdevs/
	mend_rule
	check "udev starts" start_udev
	# What udev has systemd do for each function that has a file in driverctl.d.
	for d in "$bdf" "$nic"; do
		check "driverctl binds $d" driverctl load-override "pci/$d"
		is "to vfio-pci-mdev" "$(driver_of "$d")" vfio-pci-mdev
	done
	modprobe vfio_iommu_type1
	check "the mdev to be started comes by itself" wait_for 30 test -e "$mdevs/$auto"
	is "on its function" "$(basename "$(dirname "$(readlink -f "$mdevs/$auto")")")" "$bdf"
	check "and can be opened" vfio-do "$auto" read 4 0
	udevadm settle --timeout=30
	check "the other one does not" test ! -e "$mdevs/$manual"
	check "it is still defined" eval "mdevctl list --defined | grep -q $manual"
	check "and starts" mdevctl start -u "$manual"
	check "it can be opened, too" vfio-do "$manual" read 4 0

	# Bound again, it comes again.
	unbind "$bdf"
	check "gone with its function" test ! -e "$mdevs/$auto"
	echo "$bdf" >/sys/bus/pci/drivers_probe
	check "and back with it" wait_for 30 test -e "$mdevs/$auto"
	udevadm settle --timeout=30

	for uuid in $auto $manual; do
		check "stop" session mdevctl stop -u "$uuid"
		check "it is gone" test ! -e "$mdevs/$uuid"
		check "undefine" session mdevctl undefine -u "$uuid"
	done
	is "none is defined" "$(mdevctl list --defined)" ""
	check "no file is left" test -z "$(find /etc/mdevctl.d -type f)"
	for d in "$bdf" "$nic"; do
		# It fails where the function has no other driver.
		driverctl unset-override "$d"
		is "driverctl unset-override $d" "$(driver_of "$d" | grep -c vfio)" 0
	done
	check "the modules unload" unload_vfio_pci
	done_testing
fi

diag "mdevctl $(mdevctl --version)"
modprobe vfio_iommu_type1
for d in "$bdf" "$nic"; do
	check "driverctl set-override" session driverctl set-override "$d" vfio-pci-mdev
	is "$d has vfio-pci-mdev" "$(driver_of "$d")" vfio-pci-mdev
done
session mdevctl types >/tmp/types
check "types: the parent" grep -qx "$bdf" /tmp/types
check "types: the type" grep -qx "  $type" /tmp/types
check "types: one can be had" grep -q "Available instances: 1" /tmp/types
check "types: its API" grep -q "Device API: vfio-pci" /tmp/types
check "types: its name" grep -q "Name: PCI function 1234:11e8" /tmp/types
check "types: its description" grep -q "Description: .*address $bdf" /tmp/types

auto=$(new_uuid) manual=$(new_uuid)
echo "$auto $manual" >"$OUT/uuids"
check "define --auto" session mdevctl define --auto -u "$auto" -p "$bdf" --type $type
check "define" session mdevctl define -u "$manual" -p "$nic" --type $type
check "start" session mdevctl start -u "$auto"
check "the mdev is there" test -e "$mdevs/$auto"
check "it can be opened" vfio-do "$auto" read 4 0
session mdevctl list >/tmp/list
check "list has it" grep -q "^$auto $bdf $type" /tmp/list
session mdevctl list --defined >/tmp/list
check "list --defined has both" eval \
	"grep -q '^$auto $bdf $type auto' /tmp/list && grep -q '^$manual $nic $type manual' /tmp/list"
check "a second mdev of the function is refused" \
	fails mdevctl start -u "$(new_uuid)" -p "$bdf" --type $type
check "stop" session mdevctl stop -u "$auto"
check "it is gone" test ! -e "$mdevs/$auto"
check "start again" mdevctl start -u "$auto"
check "it is there" test -e "$mdevs/$auto"
# Switched off as it is: with an mdev, and functions bound.
reboot_vm
