/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VPV_IDS_H
#define VPV_IDS_H

#include <linux/types.h>

struct pci_device_id;

const char *vpv_parse_hex(const char *s, u32 *value);
bool vpv_valid_id(u32 id);
int vpv_parse_id(const char *piece, struct pci_device_id *id);

#endif /* VPV_IDS_H */
