// SPDX-License-Identifier: GPL-2.0-only
/*
 * The text form of a PCI ID match. No allocation, no devices, no kernel state:
 * the unit tests build this file for the host as well.
 */
#include <linux/ctype.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mod_devicetable.h>
#include <linux/types.h>

#include "ids.h"

/* In the order in which the text names them; only the first two must be there. */
enum { VENDOR, DEVICE, SUBVENDOR, SUBDEVICE, CLASS, CLASS_MASK, NR_FIELDS };

/**
 * vpv_parse_hex - read one hexadecimal number
 * @s: at most eight digits, with or without 0x
 * @value: the number
 *
 * Return: where it ended, or NULL if there is none or it is too long.
 */
const char *vpv_parse_hex(const char *s, u32 *value)
{
	const char *first;

	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		s += 2;

	*value = 0;
	for (first = s; isxdigit(*s); s++) {
		if (s - first == 8)
			return NULL;
		*value = *value << 4 | (isdigit(*s) ? *s - '0' :
					tolower(*s) - 'a' + 10);
	}

	return s == first ? NULL : s;
}

/**
 * vpv_valid_id - can this be an ID to match?
 * @id: a number that was read
 *
 * Return: whether it is 16 bits wide, or ffffffff (PCI_ANY_ID) for "any".
 */
bool vpv_valid_id(u32 id)
{
	return id <= 0xffff || id == (u32)PCI_ANY_ID;
}

/**
 * vpv_parse_id - read one piece of the ids parameter
 * @piece: "vendor:device[:subvendor[:subdevice[:class[:class_mask]]]]", numbers
 *	in hex, white space around the whole ignored
 * @id: the match; what @piece leaves out is PCI_ANY_ID, or 0 for class and
 *	mask, which matches any class
 *
 * Return: 0, or -EINVAL if @piece is anything else: a field missing, too many,
 * or out of range (IDs 0 to ffff or ffffffff, class 0 to ffffff). @id is
 * complete on success and untouched on error.
 */
int vpv_parse_id(const char *piece, struct pci_device_id *id)
{
	u32 field[NR_FIELDS] = {
		[SUBVENDOR] = PCI_ANY_ID,
		[SUBDEVICE] = PCI_ANY_ID,
	};
	const char *s = piece;
	int n = 0, i;

	while (isspace(*s))
		s++;

	for (;;) {
		s = vpv_parse_hex(s, &field[n++]);
		if (!s)
			return -EINVAL;
		if (*s != ':' || n == NR_FIELDS)
			break;
		s++;
	}

	while (isspace(*s))
		s++;
	if (*s || n <= DEVICE)
		return -EINVAL;

	for (i = VENDOR; i <= SUBDEVICE; i++)
		if (!vpv_valid_id(field[i]))
			return -EINVAL;
	if (field[CLASS] > 0xffffff)
		return -EINVAL;

	*id = (struct pci_device_id) {
		.vendor = field[VENDOR],
		.device = field[DEVICE],
		.subvendor = field[SUBVENDOR],
		.subdevice = field[SUBDEVICE],
		.class = field[CLASS],
		.class_mask = field[CLASS_MASK],
	};
	return 0;
}
