/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VPV_SETTING_TEXT_H
#define VPV_SETTING_TEXT_H

#include <linux/types.h>
#include <linux/vfio_pci_setting.h>

/* The longest name of a setting or of a choice, with its final 0. */
#define VPV_SETTING_NAME	25
#define VPV_CHOICE_NAME		17

/**
 * struct vpv_set_values - settings of a variant's own that a row sets
 * @set: BIT(n) for each that it sets, n being the index in the variant's list
 * @values: their values
 */
struct vpv_set_values {
	u32 set;
	unsigned int values[VFIO_PCI_VARIANT_MAX_SETTINGS];
};

bool vpv_is_named(const char *name, const char *text, size_t len);
const char *vpv_settings_fault(struct vfio_pci_variant_setting * const *settings);
int vpv_find_setting(struct vfio_pci_variant_setting * const *settings,
		     const char *name, size_t len);
const char *vpv_parse_setting(const struct vfio_pci_variant_setting *setting,
			      const char *text, size_t len, unsigned int *value);
int vpv_format_setting(const struct vfio_pci_variant_setting *setting,
		       unsigned int value, char *buf, size_t size);

void vpv_merge_values(struct vpv_set_values *to, const struct vpv_set_values *from);
bool vpv_values_are_same(const struct vpv_set_values *a,
			 const struct vpv_set_values *b);

#endif /* VPV_SETTING_TEXT_H */
