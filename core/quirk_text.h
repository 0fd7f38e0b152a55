/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VPV_QUIRK_TEXT_H
#define VPV_QUIRK_TEXT_H

#include <linux/types.h>
#include <linux/vfio_pci_quirk.h>

/**
 * struct vpv_user_quirk - one piece of the quirks parameter
 * @quirk: the row; without a reason, and with a match only if by ID
 * @by_address: it is for one function, not for an ID
 * @domain: of that function
 * @bus: likewise
 * @slot: likewise
 * @function: likewise
 */
struct vpv_user_quirk {
	struct vfio_pci_quirk quirk;
	bool by_address;
	u32 domain;
	u8 bus;
	u8 slot;
	u8 function;
};

/* Long enough for any selector, and for all that one row can say. */
#define VPV_SELECTOR_TEXT	48
#define VPV_QUIRK_TEXT		1024

const char *vpv_quirk_fault(const struct vfio_pci_quirk *quirk);
const char *vpv_parse_quirk(const char *piece, struct vpv_user_quirk *user);
int vpv_format_selector(const struct vpv_user_quirk *user, char *buf,
			size_t size);
int vpv_format_quirk(const struct vfio_pci_quirk *quirk, char *buf,
		     size_t size);

#endif /* VPV_QUIRK_TEXT_H */
