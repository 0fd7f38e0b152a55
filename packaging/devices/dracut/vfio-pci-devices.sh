#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the initramfs of dracut, before udev loads drivers. What it had is left for
# "vfio-pci-devices check".
/usr/sbin/vfio-pci-devices apply
[ ! -e /etc/vfio-pci-variants/devices.conf ] ||
	cat /etc/vfio-pci-variants/devices.conf >/run/vfio-pci-devices.conf
