// SPDX-License-Identifier: GPL-2.0-only
/*
 * The text form of a variant's own settings, and what makes a list of them a good one.
 * As for quirks: the unit tests build this file for the host as well.
 */
#include <linux/bits.h>
#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "quirk_text.h"
#include "setting_text.h"

/**
 * vpv_is_named - is a piece of text a name?
 * @name: the name
 * @text: the text, which need not end there
 * @len: length of the piece
 *
 * Return: whether it is, all of it.
 */
bool vpv_is_named(const char *name, const char *text, size_t len)
{
	return strlen(name) == len && !strncmp(name, text, len);
}

/* A name that quirks= takes for one word, of up to @size - 1 characters. */
static bool is_name(const char *name, size_t size)
{
	size_t n;

	for (n = 0; name[n]; n++)
		if (!islower(name[n]) && !isdigit(name[n]) && name[n] != '_')
			return false;
	return n && n < size;
}

/* What the device's folder in sysfs or the module has already. */
static bool is_taken(const char *name)
{
	static const char * const names[] = {
		"variant", "adopts", "quirks", "needs_reset", "resets_spared",
		"ids", "enable_sriov", "disable_denylist", "disable_adoption",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], name))
			return true;
	return vpv_is_flag(name, strlen(name));
}

static const char *setting_fault(const struct vfio_pci_variant_setting *setting)
{
	unsigned int i;

	if (!setting->name || !is_name(setting->name, VPV_SETTING_NAME))
		return "a setting has no name of up to 24 of a to z, 0 to 9 and _";
	if (is_taken(setting->name))
		return "a setting has a name that means something else already";
	if (setting->value < setting->min || setting->value > setting->max)
		return "the default of a setting is out of range";
	for (i = 0; setting->choices && i <= setting->max; i++)
		if (!is_name(setting->choices[i], VPV_CHOICE_NAME))
			return "a choice has no name of up to 16 of a to z, 0 to 9 and _";
	return NULL;
}

/**
 * vpv_settings_fault - check a variant's own settings
 * @settings: the list, which NULL ends; NULL: none
 *
 * Return: what is wrong with it, in words; NULL if nothing is.
 */
const char *vpv_settings_fault(struct vfio_pci_variant_setting * const *settings)
{
	const char *fault;
	int i;

	for (i = 0; settings && settings[i]; i++) {
		if (i == VFIO_PCI_VARIANT_MAX_SETTINGS)
			return "it has more than VFIO_PCI_VARIANT_MAX_SETTINGS settings";
		fault = setting_fault(settings[i]);
		if (fault)
			return fault;
		if (vpv_find_setting(settings, settings[i]->name,
				     strlen(settings[i]->name)) != i)
			return "two settings have one name";
	}
	return NULL;
}

/**
 * vpv_find_setting - a setting by its name
 * @settings: a list, which NULL ends; NULL: none
 * @name: the name, which need not end there
 * @len: its length
 *
 * Return: its index in the list, or -1.
 */
int vpv_find_setting(struct vfio_pci_variant_setting * const *settings,
		     const char *name, size_t len)
{
	int i;

	for (i = 0; settings && settings[i]; i++)
		if (vpv_is_named(settings[i]->name, name, len))
			return i;
	return -1;
}

static const char *parse_bool(const char *text, size_t len, unsigned int *value)
{
	static const char * const words[] = {
		"0", "1", "n", "y", "no", "yes", "off", "on", "f", "t", "false", "true",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		if (strlen(words[i]) == len && !strncasecmp(words[i], text, len)) {
			*value = i % 2;
			return NULL;
		}
	}
	return "its value is 0 or 1";
}

static const char *parse_choice(const char * const *choices, const char *text,
				size_t len, unsigned int *value)
{
	unsigned int i;

	for (i = 0; choices[i]; i++) {
		if (vpv_is_named(choices[i], text, len)) {
			*value = i;
			return NULL;
		}
	}
	return "its value is none of its choices, which modinfo tells";
}

/* As the kernel reads numbers in parameters: 12, 0xc or 014. */
static const char *parse_number(const struct vfio_pci_variant_setting *setting,
				const char *text, size_t len, unsigned int *value)
{
	char digits[24];
	u64 number;

	if (!len || len >= sizeof(digits) || !isdigit(*text))
		return "its value is no number";
	memcpy(digits, text, len);
	digits[len] = '\0';
	if (kstrtoull(digits, 0, &number))
		return "its value is no number";
	if (number < setting->min || number > setting->max)
		return "its value is out of the range that modinfo tells";
	*value = number;
	return NULL;
}

/**
 * vpv_parse_setting - read a value
 * @setting: of which setting
 * @text: the value, which need not end there
 * @len: its length
 * @value: where to put it; untouched on error
 *
 * Return: NULL, or what is wrong with it, in words.
 */
const char *vpv_parse_setting(const struct vfio_pci_variant_setting *setting,
			      const char *text, size_t len, unsigned int *value)
{
	if (setting->is_bool)
		return parse_bool(text, len, value);
	if (setting->choices)
		return parse_choice(setting->choices, text, len, value);
	return parse_number(setting, text, len, value);
}

/**
 * vpv_format_setting - the text form of a value
 * @setting: of which setting
 * @value: the value
 * @buf: where to write it
 * @size: of @buf, above 0
 *
 * Return: the length of the text, which vpv_parse_setting() understands.
 */
int vpv_format_setting(const struct vfio_pci_variant_setting *setting,
		       unsigned int value, char *buf, size_t size)
{
	if (setting->choices)
		return scnprintf(buf, size, "%s", setting->choices[value]);
	return scnprintf(buf, size, "%u", value);
}

/**
 * vpv_merge_values - put values over others
 * @to: what they are put over
 * @from: they, which hold where both have one
 */
void vpv_merge_values(struct vpv_set_values *to, const struct vpv_set_values *from)
{
	unsigned int i;

	for (i = 0; i < VFIO_PCI_VARIANT_MAX_SETTINGS; i++)
		if (from->set & BIT(i))
			to->values[i] = from->values[i];
	to->set |= from->set;
}

/**
 * vpv_values_are_same - do two rows set the same?
 * @a: what a row sets
 * @b: what another sets
 *
 * Return: whether they do.
 */
bool vpv_values_are_same(const struct vpv_set_values *a,
			 const struct vpv_set_values *b)
{
	unsigned int i;

	if (a->set != b->set)
		return false;
	for (i = 0; i < VFIO_PCI_VARIANT_MAX_SETTINGS; i++)
		if (a->set & BIT(i) && a->values[i] != b->values[i])
			return false;
	return true;
}
