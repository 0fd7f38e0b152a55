/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VPV_CAPS_H
#define VPV_CAPS_H

#include <linux/types.h>

/*
 * Entries of vfio-pci-core's pci_config_map for bytes that no capability has. It
 * has them to itself; they are the same in every kernel we serve, and the tests
 * of hidden capabilities fail where they are not.
 */
#define VPV_MAP_VIRTUAL		0xfe	/* in the copy of config space only */
#define VPV_MAP_NONE		0xff	/* the function's, whatever it is */

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
