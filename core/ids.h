/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VPV_IDS_H
#define VPV_IDS_H

struct pci_device_id;

int vpv_parse_id(const char *piece, struct pci_device_id *id);

#endif /* VPV_IDS_H */
