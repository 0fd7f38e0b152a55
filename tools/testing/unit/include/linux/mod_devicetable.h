/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_LINUX_MOD_DEVICETABLE_H
#define UNIT_LINUX_MOD_DEVICETABLE_H

#include <linux/types.h>

#define PCI_ANY_ID	(~0)

/* The members that the code under test uses. */
struct pci_device_id {
	u32 vendor, device;
	u32 subvendor, subdevice;
	u32 class, class_mask;
};

#endif
