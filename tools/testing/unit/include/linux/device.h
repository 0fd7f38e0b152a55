/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_LINUX_DEVICE_H
#define UNIT_LINUX_DEVICE_H

/* What the code under test has in structures and does not look into. */
struct device_attribute {
	int unused;
};

#endif
