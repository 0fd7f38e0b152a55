/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Settings that a variant adds to the standard ones. Each is a parameter of its
 * module; quirks= of the same module sets it for some functions. What holds for a
 * function is found out once, when it is bound, and shown in sysfs.
 */
#ifndef VFIO_PCI_SETTING_H
#define VFIO_PCI_SETTING_H

#include <linux/device.h>
#include <linux/moduleparam.h>
#include <linux/stringify.h>
#include <linux/types.h>

/* How many a variant may have. */
#define VFIO_PCI_VARIANT_MAX_SETTINGS	16

#ifndef __GENKSYMS__

/**
 * struct vfio_pci_variant_setting - a setting of a variant's own
 * @name: as parameter, in quirks= and in sysfs
 * @is_bool: it is 0 or 1
 * @choices: the names of its values, which NULL ends; NULL: it is a number
 * @min: the smallest number
 * @max: the largest one
 *
 * VFIO_PCI_VARIANT_BOOL(), VFIO_PCI_VARIANT_UINT() and VFIO_PCI_VARIANT_CHOICE() define
 * one. It is for one variant.
 */
struct vfio_pci_variant_setting {
	/* private: of the headers, as a parameter may be set before the variant is registered */
	u32 abi;

	/* public: */
	const char *name;
	bool is_bool;
	const char * const *choices;
	unsigned int min;
	unsigned int max;

	/* private: what the parameter says; at first the default */
	unsigned int value;
	/* private: in &vfio_pci_variant.settings; known once that is registered */
	unsigned int index;
	/* private: its file, the same for all devices */
	struct device_attribute file;
};

#endif /* !__GENKSYMS__ */

extern const struct kernel_param_ops vfio_pci_variant_setting_ops;
extern const struct kernel_param_ops vfio_pci_variant_bool_ops;

/**
 * VFIO_PCI_VARIANT_BOOL - define a setting that is on or off
 * @__name: of the setting, and of the struct vfio_pci_variant_setting
 * @__default: true or false
 * @__desc: a string: what is so when it is on
 *
 * Values are 1, y, yes, on, t and true; 0, n, no, off, f and false; in small letters or
 * capital ones.
 */
#define VFIO_PCI_VARIANT_BOOL(__name, __default, __desc)		\
	static struct vfio_pci_variant_setting __name = {		\
		.abi = VFIO_PCI_VARIANT_ABI,				\
		.name = #__name, .is_bool = true, .max = 1,		\
		.value = (__default),					\
	};								\
	module_param_cb(__name, &vfio_pci_variant_bool_ops, &__name, 0644); \
	MODULE_INFO(parmtype, #__name ":bool");				\
	MODULE_PARM_DESC(__name, __desc)

/**
 * VFIO_PCI_VARIANT_UINT - define a setting that is a number
 * @__name: as for VFIO_PCI_VARIANT_BOOL()
 * @__default: an unsigned int, from @__min to @__max
 * @__min: the smallest that is taken
 * @__max: the largest one
 * @__desc: a string: what it is, and in which unit
 */
#define VFIO_PCI_VARIANT_UINT(__name, __default, __min, __max, __desc)	\
	static struct vfio_pci_variant_setting __name = {		\
		.abi = VFIO_PCI_VARIANT_ABI,				\
		.name = #__name, .min = (__min), .max = (__max),	\
		.value = (__default),					\
	};								\
	module_param_cb(__name, &vfio_pci_variant_setting_ops, &__name, 0644); \
	MODULE_INFO(parmtype, #__name ":uint");				\
	MODULE_PARM_DESC(__name, __desc ", " __stringify(__min)		\
			 " to " __stringify(__max))

/**
 * VFIO_PCI_VARIANT_CHOICE - define a setting that is one of some names
 * @__name: as for VFIO_PCI_VARIANT_BOOL()
 * @__default: index of one of the names
 * @__desc: a string: what it is about
 *
 * The names follow, as strings; the setting's value is the index of one.
 */
#define VFIO_PCI_VARIANT_CHOICE(__name, __default, __desc, ...)		\
	static const char * const __name##_choices[] = { __VA_ARGS__, NULL }; \
	static struct vfio_pci_variant_setting __name = {		\
		.abi = VFIO_PCI_VARIANT_ABI,				\
		.name = #__name, .choices = __name##_choices,		\
		.max = sizeof(__name##_choices) / sizeof(char *) - 2,	\
		.value = (__default),					\
	};								\
	module_param_cb(__name, &vfio_pci_variant_setting_ops, &__name, 0644); \
	MODULE_INFO(parmtype, #__name ":string");			\
	MODULE_PARM_DESC(__name, __desc ": " #__VA_ARGS__)

#endif /* VFIO_PCI_SETTING_H */
