/* SPDX-License-Identifier: GPL-2.0-only */
/* Settings of a variant, one of each kind, for the tests and the fuzzer. */
#ifndef UNIT_SETTINGS_H
#define UNIT_SETTINGS_H

#include "setting_text.h"

static const char * const unit_colours[] = { "red", "green", "blue_2", NULL };

static struct vfio_pci_variant_setting unit_bool = {
	.name = "strict", .is_bool = true, .max = 1,
};

static struct vfio_pci_variant_setting unit_number = {
	.name = "limit", .min = 3, .max = 4000000000u, .value = 12,
};

static struct vfio_pci_variant_setting unit_choice = {
	.name = "colour_1", .choices = unit_colours, .max = 2, .value = 1,
};

static struct vfio_pci_variant_setting * const unit_settings[] = {
	&unit_bool, &unit_number, &unit_choice, NULL
};

#endif
