/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_LINUX_IOPORT_H
#define UNIT_LINUX_IOPORT_H

#include <linux/types.h>

#define IORESOURCE_SYSTEM_RAM	1
#define IORES_DESC_NONE		0

enum { REGION_INTERSECTS, REGION_DISJOINT, REGION_MIXED };

/* What the processor can address, and where the kernel's RAM is: the test says so. */
extern struct resource {
	u64 end;
} iomem_resource;
int region_intersects(u64 start, size_t size, unsigned long flags, unsigned long desc);

#endif
