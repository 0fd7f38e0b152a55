/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Part of compat.h, in a file of its own as the unit tests build what uses it
 * (caps.c) for the host, where there are no kernel headers.
 */
#ifndef VPV_COMPAT_MAP_H
#define VPV_COMPAT_MAP_H

/*
 * Entries of vfio-pci-core's pci_config_map for bytes that no capability has. It
 * has them to itself; they are the same in every kernel we serve, and the tests
 * of hidden capabilities fail where they are not.
 */
#define VPV_MAP_VIRTUAL		0xfe	/* in the copy of config space only */
#define VPV_MAP_NONE		0xff	/* the function's, whatever it is */

#endif /* VPV_COMPAT_MAP_H */
