/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VPV_CAPS_H
#define VPV_CAPS_H

#include <linux/types.h>

#include "compat_map.h"

/**
 * struct vpv_space - a config space as vfio-pci-core keeps it for a user
 * @config: the copy; what stands there of the lists is what the user is shown
 * @map: for each byte the ID of the capability that it belongs to
 * @size: of both
 */
struct vpv_space {
	u8 *config;
	u8 *map;
	int size;
};

void vpv_hide_cap(struct vpv_space *space, u16 id);
void vpv_hide_ext_cap(struct vpv_space *space, u16 id);

#endif /* VPV_CAPS_H */
