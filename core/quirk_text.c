// SPDX-License-Identifier: GPL-2.0-only
/*
 * The text form of quirks, and what makes a row a good one. No allocation, no
 * devices, no kernel state: the unit tests and the fuzzer build this file for
 * the host as well.
 */
#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/mod_devicetable.h>
#include <linux/pci_regs.h>
#include <linux/string.h>

#include "ids.h"
#include "quirk_text.h"

static const struct {
	const char *name;
	u32 flag;
} flags[] = {
	{ "deny", VFIO_PCI_QUIRK_DENY },
	{ "nointxmask", VFIO_PCI_QUIRK_NOINTXMASK },
	{ "disable_vga", VFIO_PCI_QUIRK_DISABLE_VGA },
	{ "disable_idle_d3", VFIO_PCI_QUIRK_DISABLE_IDLE_D3 },
	{ "no_intx", VFIO_PCI_QUIRK_NO_INTX },
	{ "no_flr", VFIO_PCI_QUIRK_NO_FLR },
	{ "no_pm_reset", VFIO_PCI_QUIRK_NO_PM_RESET },
	{ "no_bus_reset", VFIO_PCI_QUIRK_NO_BUS_RESET },
	{ "no_reset", VFIO_PCI_QUIRK_NO_RESET },
};

/*
 * Bytes of the header on which VFIO depends: COMMAND, and the BARs and the ROM
 * BAR, which it emulates (PCI Local Bus 3.0, 6.1).
 */
static bool is_vfios(u16 offset)
{
	return (offset >= 0x04 && offset < 0x06) ||
	       (offset >= 0x10 && offset < 0x28) ||
	       (offset >= 0x30 && offset < 0x34);
}

/**
 * vpv_quirk_fault - check what a row says, but for its match and reason
 * @quirk: the row
 *
 * Return: what is wrong with it, in words; NULL if nothing is.
 */
const char *vpv_quirk_fault(const struct vfio_pci_quirk *quirk)
{
	int i;

	if ((quirk->set | quirk->clear) & ~VFIO_PCI_QUIRK_FLAGS)
		return "it has a flag that does not exist";
	if (quirk->set & quirk->clear)
		return "it sets a flag and clears it";
	if (quirk->no_mmap >= BIT(PCI_STD_NUM_BARS))
		return "a function has BARs 0 to 5";

	for (i = 0; i < VFIO_PCI_QUIRK_MAX_CONFIG && quirk->config[i].mask; i++) {
		const struct vfio_pci_quirk_byte *byte = &quirk->config[i];

		if (byte->offset >= 4096)
			return "config space ends at 0xfff";
		if (is_vfios(byte->offset))
			return "COMMAND and BARs can't be shown otherwise";
		if (byte->value & ~byte->mask)
			return "a shown value has bits outside its mask";
	}

	if (!quirk->set && !quirk->clear && !quirk->no_mmap && !quirk->fixup &&
	    !quirk->hide_caps[0] && !quirk->hide_ext_caps[0] &&
	    !quirk->config[0].mask)
		return "it does nothing";
	return NULL;
}

/* Is the hexadecimal number that @s starts with a field of the selector? */
static bool is_field(const char *s)
{
	u32 unused;

	s = vpv_parse_hex(s, &unused);
	return s && (*s == ':' || *s == '.');
}

/* An address whose fields up to the point are read: @s is at the function. */
static const char *parse_function(const char **s, const u32 *field, int n,
				  struct vpv_user_quirk *user)
{
	u32 function;

	*s = vpv_parse_hex(*s, &function);
	if (!*s || **s != ':' || function > 7)
		return "the address has no function 0 to 7";
	(*s)++;

	if (n < 2 || n > 3)
		return "an address is domain:bus:slot.function";
	if (field[n - 2] > 0xff || field[n - 1] > 0x1f)
		return "the address has no such bus or slot";

	user->by_address = true;
	user->domain = n == 3 ? field[0] : 0;
	user->bus = field[n - 2];
	user->slot = field[n - 1];
	user->function = function;
	return NULL;
}

/* Read the selector and the colon after it. */
static const char *parse_selector(const char **s, struct vpv_user_quirk *user)
{
	u32 field[4] = { 0, 0, PCI_ANY_ID, PCI_ANY_ID };
	int n = 0, i;

	while (is_field(*s)) {
		if (n == ARRAY_SIZE(field))
			return "the selector has too many parts";
		*s = vpv_parse_hex(*s, &field[n++]);
		if (*(*s)++ == '.')
			return parse_function(s, field, n, user);
	}

	if (n < 2)
		return "it does not start with an ID or an address and a colon";
	for (i = 0; i < n; i++)
		if (!vpv_valid_id(field[i]))
			return "the ID has more than 16 bits";

	user->quirk.match = (struct pci_device_id) {
		.vendor = field[0],
		.device = field[1],
		.subvendor = field[2],
		.subdevice = field[3],
	};
	return NULL;
}

/* "=0", "=1", or nothing, which is "=1". */
static const char *parse_bool(const char **s, u32 flag,
			      struct vfio_pci_quirk *quirk)
{
	u32 value = 1;

	if (**s == '=') {
		*s = vpv_parse_hex(*s + 1, &value);
		if (!*s || value > 1)
			return "the value of a flag is 0 or 1";
	}

	quirk->set &= ~flag;
	quirk->clear &= ~flag;
	if (value)
		quirk->set |= flag;
	else
		quirk->clear |= flag;
	return NULL;
}

/* "=" and a number from @min to @max. */
static const char *parse_value(const char **s, u32 min, u32 max, u32 *value)
{
	if (**s != '=')
		return "a value is missing";
	*s = vpv_parse_hex(*s + 1, value);
	if (!*s || *value < min || *value > max)
		return "a value is not hexadecimal or out of range";
	return NULL;
}

static const char *parse_no_mmap(const char **s, struct vfio_pci_quirk *quirk)
{
	const char *fault;
	u32 bar;

	fault = parse_value(s, 0, PCI_STD_NUM_BARS - 1, &bar);
	if (!fault)
		quirk->no_mmap |= BIT(bar);
	return fault;
}

/* One more ID up to @max into @ids, which 0 ends. */
static const char *parse_cap(const char **s, u32 max, u16 *ids)
{
	const char *fault;
	u32 id;
	int i;

	fault = parse_value(s, 1, max, &id);
	if (fault)
		return fault;

	for (i = 0; i < VFIO_PCI_QUIRK_MAX_CAPS; i++) {
		if (!ids[i]) {
			ids[i] = id;
			return NULL;
		}
	}
	return "too many capabilities; write a second row for the same device";
}

static const char *parse_hide_cap(const char **s, struct vfio_pci_quirk *quirk)
{
	return parse_cap(s, 0xff, quirk->hide_caps);
}

static const char *parse_hide_ext_cap(const char **s,
				      struct vfio_pci_quirk *quirk)
{
	return parse_cap(s, 0xffff, quirk->hide_ext_caps);
}

/* "=OFFSET/VALUE" or "=OFFSET/VALUE/MASK" */
static const char *parse_config(const char **s, struct vfio_pci_quirk *quirk)
{
	u32 offset, value, mask = 0xff;
	const char *fault;
	int i;

	fault = parse_value(s, 0, 0xfff, &offset);
	if (fault)
		return fault;
	if (**s != '/')
		return "config is config=OFFSET/VALUE[/MASK]";
	*s = vpv_parse_hex(*s + 1, &value);
	if (*s && **s == '/')
		*s = vpv_parse_hex(*s + 1, &mask);
	if (!*s || value > 0xff || mask > 0xff || !mask)
		return "config is config=OFFSET/VALUE[/MASK], of one byte";

	for (i = 0; i < VFIO_PCI_QUIRK_MAX_CONFIG; i++) {
		if (!quirk->config[i].mask) {
			quirk->config[i] = (struct vfio_pci_quirk_byte) {
				.offset = offset, .mask = mask, .value = value,
			};
			return NULL;
		}
	}
	return "too many config bytes; write a second row for the same device";
}

/* Those with values of their own. */
static const struct {
	const char *name;
	const char *(*parse)(const char **s, struct vfio_pci_quirk *quirk);
} actions[] = {
	{ "no_mmap", parse_no_mmap },
	{ "hide_cap", parse_hide_cap },
	{ "hide_ext_cap", parse_hide_ext_cap },
	{ "config", parse_config },
};

static const char *parse_flag(const char **s, struct vfio_pci_quirk *quirk)
{
	const char *name = *s;
	size_t len, i;

	while (islower(**s) || isdigit(**s) || **s == '_')
		(*s)++;
	len = *s - name;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		if (strlen(flags[i].name) == len &&
		    !strncmp(flags[i].name, name, len))
			return parse_bool(s, flags[i].flag, quirk);
	for (i = 0; i < ARRAY_SIZE(actions); i++)
		if (strlen(actions[i].name) == len &&
		    !strncmp(actions[i].name, name, len))
			return actions[i].parse(s, quirk);
	return "there is no such flag";
}

/**
 * vpv_parse_quirk - read one piece of the quirks parameter
 * @piece: "SELECTOR:FLAG[+FLAG...]", white space around the whole ignored.
 *	SELECTOR is vendor:device[:subvendor[:subdevice]] or
 *	[domain:]bus:slot.function, FLAG one of the names in flags[] and
 *	actions[], with its value; numbers are hexadecimal
 * @user: the row; undefined on error
 *
 * Return: NULL, or what is wrong with @piece, in words.
 */
const char *vpv_parse_quirk(const char *piece, struct vpv_user_quirk *user)
{
	const char *s = piece, *fault;

	*user = (struct vpv_user_quirk) { };
	while (isspace(*s))
		s++;

	fault = parse_selector(&s, user);
	while (!fault) {
		fault = parse_flag(&s, &user->quirk);
		if (fault || *s != '+')
			break;
		s++;
	}
	if (fault)
		return fault;

	while (isspace(*s))
		s++;
	if (*s)
		return "something follows a flag that is not +";
	return vpv_quirk_fault(&user->quirk);
}

static int format_flags(u32 set, const char *suffix, char *buf, size_t size)
{
	int n = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		if (set & flags[i].flag)
			n += scnprintf(buf + n, size - n, "+%s%s",
				       flags[i].name, suffix);
	return n;
}

/**
 * vpv_format_quirk - the text form of what a row does
 * @quirk: the row; its fixup is left out
 * @buf: at least VPV_QUIRK_TEXT bytes, or the text may be cut off
 * @size: of @buf, above 0
 *
 * Return: the length of the text.
 */
int vpv_format_quirk(const struct vfio_pci_quirk *quirk, char *buf,
		     size_t size)
{
	int n, i;

	n = format_flags(quirk->set, "", buf, size);
	n += format_flags(quirk->clear, "=0", buf + n, size - n);
	for (i = 0; i < PCI_STD_NUM_BARS; i++)
		if (quirk->no_mmap & BIT(i))
			n += scnprintf(buf + n, size - n, "+no_mmap=%d", i);
	for (i = 0; i < VFIO_PCI_QUIRK_MAX_CAPS && quirk->hide_caps[i]; i++)
		n += scnprintf(buf + n, size - n, "+hide_cap=0x%02x",
			       quirk->hide_caps[i]);
	for (i = 0; i < VFIO_PCI_QUIRK_MAX_CAPS && quirk->hide_ext_caps[i]; i++)
		n += scnprintf(buf + n, size - n, "+hide_ext_cap=0x%04x",
			       quirk->hide_ext_caps[i]);
	for (i = 0; i < VFIO_PCI_QUIRK_MAX_CONFIG && quirk->config[i].mask; i++)
		n += scnprintf(buf + n, size - n, "+config=0x%03x/0x%02x/0x%02x",
			       quirk->config[i].offset, quirk->config[i].value,
			       quirk->config[i].mask);
	if (!n) {
		buf[0] = '\0';
		return 0;
	}

	/* Each wrote a + before itself. */
	memmove(buf, buf + 1, n);
	return n - 1;
}

/**
 * vpv_format_selector - the text form of whom a user's row is for
 * @user: the row
 * @buf: at least VPV_SELECTOR_TEXT bytes
 * @size: of @buf
 *
 * Return: the length of the text.
 */
int vpv_format_selector(const struct vpv_user_quirk *user, char *buf,
			size_t size)
{
	const struct pci_device_id *match = &user->quirk.match;
	int n;

	if (user->by_address)
		return scnprintf(buf, size, "%04x:%02x:%02x.%x", user->domain,
				 user->bus, user->slot, user->function);

	n = scnprintf(buf, size, "%04x:%04x", match->vendor, match->device);
	if (match->subvendor != (u32)PCI_ANY_ID ||
	    match->subdevice != (u32)PCI_ANY_ID)
		n += scnprintf(buf + n, size - n, ":%04x:%04x",
			       match->subvendor, match->subdevice);
	return n;
}
