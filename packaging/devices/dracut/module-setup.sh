#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# For dracut: what it takes to bind functions before the drivers of the host can.
# dracut's variables and functions:
# shellcheck disable=SC2154
vpv_conf=/etc/vfio-pci-variants/devices.conf

check()
{
	/usr/sbin/vfio-pci-devices needed >/dev/null || return 255
}

installkernel()
{
	# Words.
	# shellcheck disable=SC2046
	hostonly='' instmods $(/usr/sbin/vfio-pci-devices needed) \
		$(sed -n 's/^alias vfio_pci_variant:[^ ]* //p' "/lib/modules/$kernel/modules.alias" | sort -u)
}

install()
{
	local file

	inst_script /usr/sbin/vfio-pci-devices
	for file in "$vpv_conf" /etc/modprobe.d/*.conf /etc/driverctl.d/*; do
		[ ! -e "$file" ] || inst_simple "$file"
	done
	inst_rules 10-vfio-pci-devices.rules
	inst_hook pre-udev 10 "$moddir/vfio-pci-devices.sh"
}
