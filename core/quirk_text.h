/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VPV_QUIRK_TEXT_H
#define VPV_QUIRK_TEXT_H

#include <linux/types.h>
#include <linux/vfio_pci_quirk.h>

#include "setting_text.h"

/* All functions of a slot. */
#define VPV_ANY_FUNCTION	0xff

/**
 * struct vpv_user_quirk - one piece of the quirks parameter
 * @quirk: the row; without a reason; its match is that of any function if it is
 *	by address only
 * @settings: those of the variant's own that it sets
 * @by_address: it is for what is at one address, and matches
 * @domain: of that address
 * @bus: likewise
 * @slot: likewise
 * @function: likewise, or VPV_ANY_FUNCTION
 */
struct vpv_user_quirk {
	struct vfio_pci_quirk quirk;
	struct vpv_set_values settings;
	bool by_address;
	u32 domain;
	u8 bus;
	u8 slot;
	u8 function;
};

/* Long enough for any selector, and for all that one row can say. */
#define VPV_SELECTOR_TEXT	48
#define VPV_QUIRK_TEXT		1792

const char *vpv_match_fault(const struct pci_device_id *match);
const char *vpv_quirk_fault(const struct vfio_pci_quirk *quirk);
bool vpv_quirk_is_empty(const struct vfio_pci_quirk *quirk);
const char *vpv_way_name(u8 way);
bool vpv_is_flag(const char *name, size_t len);
bool vpv_row_is_same(const struct vpv_user_quirk *a,
		     const struct vpv_user_quirk *b);
const char *vpv_parse_quirk(const char *piece,
			    struct vfio_pci_variant_setting * const *settings,
			    struct vpv_user_quirk *user);
bool vpv_has_id(const struct vpv_user_quirk *user);
int vpv_format_selector(const struct vpv_user_quirk *user, char *buf,
			size_t size);
int vpv_format_quirk(const struct vfio_pci_quirk *quirk, char *buf,
		     size_t size);
int vpv_format_row(const struct vpv_user_quirk *user,
		   struct vfio_pci_variant_setting * const *settings, char *buf,
		   size_t size);

#endif /* VPV_QUIRK_TEXT_H */
