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
	{ "always_reset", VFIO_PCI_QUIRK_ALWAYS_RESET },
	{ "standby", VFIO_PCI_QUIRK_STANDBY },
	{ "no_d3cold", VFIO_PCI_QUIRK_NO_D3COLD },
};

/* By VFIO_PCI_RESET_*. */
static const char * const ways[] = {
	[VFIO_PCI_RESET_DEVICE_SPECIFIC] = "device_specific",
	[VFIO_PCI_RESET_ACPI] = "acpi",
	[VFIO_PCI_RESET_FLR] = "flr",
	[VFIO_PCI_RESET_AF_FLR] = "af_flr",
	[VFIO_PCI_RESET_PM] = "pm",
	[VFIO_PCI_RESET_BUS] = "bus",
	[VFIO_PCI_RESET_CXL_BUS] = "cxl_bus",
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

/* IDs of capabilities, which 0 ends. */
static const char *caps_fault(const u16 *ids, u32 max)
{
	bool ended = false;
	int i;

	for (i = 0; i < VFIO_PCI_QUIRK_MAX_CAPS; i++) {
		if (ended && ids[i])
			return "a capability follows the 0 that ends the list";
		if (ids[i] > max)
			return "the ID of a capability is above 0xff";
		ended = !ids[i];
	}
	return NULL;
}

static const char *resets_fault(const u8 *resets)
{
	bool ended = false;
	u32 named = 0;
	int i;

	for (i = 0; i < VFIO_PCI_QUIRK_MAX_RESETS; i++) {
		if (ended && resets[i])
			return "a way to reset it follows the 0 that ends the list";
		if (resets[i] >= ARRAY_SIZE(ways))
			return "there is no such way to reset it";
		ended = !resets[i];
		if (!ended && named & BIT(resets[i]))
			return "a way to reset it is named twice";
		named |= BIT(resets[i]);
	}
	return NULL;
}

static const char *config_fault(const struct vfio_pci_quirk_byte *config)
{
	bool ended = false;
	int i;

	for (i = 0; i < VFIO_PCI_QUIRK_MAX_CONFIG; i++) {
		const struct vfio_pci_quirk_byte *byte = &config[i];

		if (!byte->mask && (byte->offset || byte->value))
			return "a config byte has no mask";
		if (ended && byte->mask)
			return "a config byte follows the one that ends the list";
		ended = !byte->mask;
		if (ended)
			continue;
		if (byte->offset >= 4096)
			return "config space ends at 0xfff";
		if (is_vfios(byte->offset))
			return "COMMAND and BARs can't be shown otherwise";
		if (byte->value & ~byte->mask)
			return "a shown value has bits outside its mask";
	}
	return NULL;
}

/**
 * vpv_match_fault - check whom a row is for
 * @match: its match, which is not empty
 *
 * Return: why no function can match, in words; NULL if one can.
 */
const char *vpv_match_fault(const struct pci_device_id *match)
{
	if (!vpv_valid_id(match->vendor) || !vpv_valid_id(match->device) ||
	    !vpv_valid_id(match->subvendor) || !vpv_valid_id(match->subdevice))
		return "an ID has more than 16 bits";
	if (match->vendor == 0 || match->vendor == 0xffff)
		return "no function has the vendor 0000 or ffff";
	if ((match->class & match->class_mask) > 0xffffff)
		return "a class has more than 24 bits";
	return NULL;
}

/**
 * vpv_quirk_is_empty - does a row do nothing?
 * @quirk: the row
 *
 * Return: whether it does nothing but set a variant's own settings.
 */
bool vpv_quirk_is_empty(const struct vfio_pci_quirk *quirk)
{
	return !quirk->set && !quirk->clear && !quirk->no_mmap &&
	       !quirk->fixup && !quirk->hide_caps[0] &&
	       !quirk->hide_ext_caps[0] && !quirk->resets[0] &&
	       !quirk->config[0].mask;
}

/**
 * vpv_quirk_fault - check what a row says, but for its match and reason
 * @quirk: the row
 *
 * Return: what is wrong with it, in words; NULL if nothing is.
 */
const char *vpv_quirk_fault(const struct vfio_pci_quirk *quirk)
{
	const char *fault;

	if ((quirk->set | quirk->clear) & ~VFIO_PCI_QUIRK_FLAGS)
		return "it has a flag that does not exist";
	if (quirk->set & quirk->clear)
		return "it sets a flag and clears it";
	if (quirk->no_mmap >= BIT(PCI_STD_NUM_BARS))
		return "a function has BARs 0 to 5";

	fault = caps_fault(quirk->hide_caps, 0xff);
	if (!fault)
		fault = caps_fault(quirk->hide_ext_caps, 0xffff);
	if (!fault)
		fault = resets_fault(quirk->resets);
	if (!fault)
		fault = config_fault(quirk->config);
	if (fault)
		return fault;
	return vpv_quirk_is_empty(quirk) ? "it does nothing" : NULL;
}

/**
 * vpv_row_is_same - do two rows of users say the same?
 * @a: a row
 * @b: another of the same parameter
 *
 * Return: whether they do, whomever they are for.
 */
bool vpv_row_is_same(const struct vpv_user_quirk *a,
		     const struct vpv_user_quirk *b)
{
	const struct vfio_pci_quirk *p = &a->quirk, *q = &b->quirk;

	return p->set == q->set && p->clear == q->clear &&
	       p->no_mmap == q->no_mmap &&
	       !memcmp(p->hide_caps, q->hide_caps, sizeof(p->hide_caps)) &&
	       !memcmp(p->hide_ext_caps, q->hide_ext_caps,
		       sizeof(p->hide_ext_caps)) &&
	       !memcmp(p->resets, q->resets, sizeof(p->resets)) &&
	       !memcmp(p->config, q->config, sizeof(p->config)) &&
	       vpv_values_are_same(&a->settings, &b->settings);
}

static const char no_function[] =
	"an address has a function: 04:00.0, or 04:00.* for all; an ID has fields of 4 digits";

/* Hexadecimal numbers with colons between, up to a point: only addresses have that. */
static bool is_address(const char *s)
{
	u32 unused;

	while ((s = vpv_parse_hex(s, &unused)) && *s == ':')
		s++;
	return s && *s == '.';
}

/* Read [domain:]bus:slot.function and the colon after it. */
static const char *parse_address(const char **s, struct vpv_user_quirk *user)
{
	u32 field[3], function;
	int n = 0;

	for (;;) {
		*s = vpv_parse_hex(*s, &field[n++]);
		if (!*s || (**s != '.' && (**s != ':' || n == ARRAY_SIZE(field))))
			return no_function;
		if (*(*s)++ == '.')
			break;
	}
	if (n < 2)
		return "an address is [domain:]bus:slot.function";
	if (field[n - 2] > 0xff || field[n - 1] > 0x1f)
		return "the address has no such bus or slot";

	if (**s == '*') {
		function = VPV_ANY_FUNCTION;
		(*s)++;
	} else {
		*s = vpv_parse_hex(*s, &function);
		if (!*s || function > 7)
			return "the address has no function, 0 to 7 or *";
	}
	if (*(*s)++ != ':')
		return "a colon and a flag are missing after the address";

	user->by_address = true;
	user->domain = n == 3 ? field[0] : 0;
	user->bus = field[n - 2];
	user->slot = field[n - 1];
	user->function = function;
	return NULL;
}

/* Does @s start with what can be meant as a field of an ID? */
static bool is_field(const char *s)
{
	u32 unused;

	s = *s == '*' ? s + 1 : vpv_parse_hex(s, &unused);
	return s && (*s == ':' || *s == '@');
}

/*
 * A field, for which is_field() holds. Four digits and no fewer: else the start of
 * an address would pass for an ID.
 */
static const char *parse_field(const char **s, u32 *value)
{
	const char *digits = *s;

	if (**s == '*') {
		*value = PCI_ANY_ID;
		(*s)++;
		return NULL;
	}

	*s = vpv_parse_hex(*s, value);
	if (digits[1] == 'x' || digits[1] == 'X')
		digits += 2;
	if (*s - digits != 4 && *value != (u32)PCI_ANY_ID)
		return no_function;
	return NULL;
}

/* Read vendor:device[:subvendor[:subdevice]] and the character after it. */
static const char *parse_id(const char **s, struct pci_device_id *match,
			    bool *at)
{
	u32 field[4] = { 0, 0, PCI_ANY_ID, PCI_ANY_ID };
	const char *fault;
	int n = 0;

	*at = false;
	while (!*at && is_field(*s)) {
		if (n == ARRAY_SIZE(field))
			return "the selector has too many parts";
		fault = parse_field(s, &field[n++]);
		if (fault)
			return fault;
		*at = *(*s)++ == '@';
	}
	if (n < 2)
		return "it does not start with an ID or an address and a colon";

	match->vendor = field[0];
	match->device = field[1];
	match->subvendor = field[2];
	match->subdevice = field[3];
	return vpv_match_fault(match);
}

/* Read the selector and the colon after it. */
static const char *parse_selector(const char **s, struct vpv_user_quirk *user)
{
	const char *fault;
	bool at;

	if (is_address(*s)) {
		user->quirk.match = (struct pci_device_id) {
			.vendor = PCI_ANY_ID,
			.device = PCI_ANY_ID,
			.subvendor = PCI_ANY_ID,
			.subdevice = PCI_ANY_ID,
		};
		return parse_address(s, user);
	}

	fault = parse_id(s, &user->quirk.match, &at);
	if (!fault && at)
		fault = parse_address(s, user);
	return fault;
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

/* The way that @s starts with, which is moved behind it; 0: none. */
static u8 parse_way(const char **s)
{
	const char *name = *s;
	size_t len, i;

	for (len = 0; islower(name[len]) || name[len] == '_'; len++)
		;
	for (i = 1; i < ARRAY_SIZE(ways); i++) {
		if (vpv_is_named(ways[i], name, len)) {
			*s += len;
			return i;
		}
	}
	return 0;
}

/* "=WAY[+WAY...]": no flag has the name of a way. */
static const char *parse_reset(const char **s, struct vfio_pci_quirk *quirk)
{
	int n = 0;
	u8 way;

	memset(quirk->resets, 0, sizeof(quirk->resets));
	if (*(*s)++ != '=')
		return "a value is missing";
	way = parse_way(s);
	if (!way)
		return "reset=WAY[+WAY...]: flr, af_flr, pm, bus, cxl_bus, acpi, device_specific";
	do {
		const char *next = *s + 1;

		if (n == VFIO_PCI_QUIRK_MAX_RESETS)
			return "a way to reset it is named twice";
		quirk->resets[n++] = way;
		if (**s != '+')
			break;
		way = parse_way(&next);
		if (way)
			*s = next;
	} while (way);
	return NULL;
}

/* Those with values of their own. */
static const struct {
	const char *name;
	const char *(*parse)(const char **s, struct vfio_pci_quirk *quirk);
} actions[] = {
	{ "no_mmap", parse_no_mmap },
	{ "hide_cap", parse_hide_cap },
	{ "hide_ext_cap", parse_hide_ext_cap },
	{ "reset", parse_reset },
	{ "config", parse_config },
};

/**
 * vpv_way_name - the name of a way to reset a function
 * @way: VFIO_PCI_RESET_*
 *
 * Return: as in reset_method in sysfs.
 */
const char *vpv_way_name(u8 way)
{
	return ways[way];
}

/**
 * vpv_is_flag - does a name mean something in all quirks parameters?
 * @name: the name, which need not end there
 * @len: its length
 *
 * Return: whether it does.
 */
bool vpv_is_flag(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		if (vpv_is_named(flags[i].name, name, len))
			return true;
	for (i = 0; i < ARRAY_SIZE(actions); i++)
		if (vpv_is_named(actions[i].name, name, len))
			return true;
	return parse_way(&name);
}

/* "=" and what the module parameter of that name takes; a bool may go without. */
static const char *parse_setting(const char **s,
				 const struct vfio_pci_variant_setting *setting,
				 unsigned int *value)
{
	const char *text;

	if (**s != '=') {
		*value = 1;
		return setting->is_bool ? NULL : "a value is missing";
	}
	text = ++*s;
	while (**s && **s != '+' && !isspace(**s))
		(*s)++;
	return vpv_parse_setting(setting, text, *s - text, value);
}

static const char *parse_flag(const char **s,
			      struct vfio_pci_variant_setting * const *settings,
			      struct vpv_user_quirk *user)
{
	const char *name = *s;
	size_t len, i;
	int n;

	while (islower(**s) || isdigit(**s) || **s == '_')
		(*s)++;
	len = *s - name;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		if (vpv_is_named(flags[i].name, name, len))
			return parse_bool(s, flags[i].flag, &user->quirk);
	for (i = 0; i < ARRAY_SIZE(actions); i++)
		if (vpv_is_named(actions[i].name, name, len))
			return actions[i].parse(s, &user->quirk);
	n = vpv_find_setting(settings, name, len);
	if (n < 0)
		return "there is no such flag, nor has this variant such a setting";
	user->settings.set |= BIT(n);
	return parse_setting(s, settings[n], &user->settings.values[n]);
}

/**
 * vpv_parse_quirk - read one piece of the quirks parameter
 * @piece: "SELECTOR:FLAG[+FLAG...]", white space around the whole ignored.
 *	SELECTOR is vendor:device[:subvendor[:subdevice]], or
 *	[domain:]bus:slot.function, or both with @ between; FLAG one of the names
 *	in flags[] and actions[], with its value, where numbers are hexadecimal; or a
 *	setting of the variant's own, with a value as its module parameter takes it
 * @settings: those of the variant whose parameter it is; NULL: none
 * @user: the row; undefined on error
 *
 * Return: NULL, or what is wrong with @piece, in words.
 */
const char *vpv_parse_quirk(const char *piece,
			    struct vfio_pci_variant_setting * const *settings,
			    struct vpv_user_quirk *user)
{
	const char *s = piece, *fault;

	*user = (struct vpv_user_quirk) { };
	while (isspace(*s))
		s++;

	fault = parse_selector(&s, user);
	while (!fault) {
		fault = parse_flag(&s, settings, user);
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
	if (user->settings.set && vpv_quirk_is_empty(&user->quirk))
		return NULL;
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
	for (i = 0; i < VFIO_PCI_QUIRK_MAX_RESETS && quirk->resets[i]; i++)
		n += scnprintf(buf + n, size - n, i ? "+%s" : "+reset=%s",
			       vpv_way_name(quirk->resets[i]));
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
 * vpv_format_row - the text form of what a user's row does
 * @user: the row
 * @settings: those of the variant whose parameter it is; NULL: none
 * @buf: at least VPV_QUIRK_TEXT bytes, or the text may be cut off
 * @size: of @buf, above 0
 *
 * Return: the length of the text, which the parameter understands.
 */
int vpv_format_row(const struct vpv_user_quirk *user,
		   struct vfio_pci_variant_setting * const *settings, char *buf,
		   size_t size)
{
	int n, i;

	n = vpv_format_quirk(&user->quirk, buf, size);
	for (i = 0; settings && settings[i]; i++) {
		if (!(user->settings.set & BIT(i)))
			continue;
		n += scnprintf(buf + n, size - n, "%s%s=", n ? "+" : "",
			       settings[i]->name);
		n += vpv_format_setting(settings[i], user->settings.values[i],
					buf + n, size - n);
	}
	return n;
}

static int format_field(char colon, u32 value, char *buf, size_t size)
{
	char lead[2] = { colon };

	if (value == (u32)PCI_ANY_ID)
		return scnprintf(buf, size, "%s*", lead);
	return scnprintf(buf, size, "%s%04x", lead, value);
}

static int format_id(const struct pci_device_id *match, char *buf, size_t size)
{
	int n;

	n = format_field('\0', match->vendor, buf, size);
	n += format_field(':', match->device, buf + n, size - n);
	if (match->subvendor == (u32)PCI_ANY_ID &&
	    match->subdevice == (u32)PCI_ANY_ID)
		return n;
	n += format_field(':', match->subvendor, buf + n, size - n);
	n += format_field(':', match->subdevice, buf + n, size - n);
	return n;
}

/**
 * vpv_format_selector - the text form of whom a user's row is for
 * @user: the row
 * @buf: at least VPV_SELECTOR_TEXT bytes, or the text may be cut off
 * @size: of @buf, above 0
 *
 * Return: the length of the text, which the parameter understands.
 */
int vpv_format_selector(const struct vpv_user_quirk *user, char *buf,
			size_t size)
{
	int n = 0;

	if (!user->by_address)
		return format_id(&user->quirk.match, buf, size);

	if (vpv_has_id(user)) {
		n = format_id(&user->quirk.match, buf, size);
		n += scnprintf(buf + n, size - n, "@");
	}
	n += scnprintf(buf + n, size - n, "%04x:%02x:%02x.", user->domain,
		       user->bus, user->slot);
	if (user->function == VPV_ANY_FUNCTION)
		n += scnprintf(buf + n, size - n, "*");
	else
		n += scnprintf(buf + n, size - n, "%x", user->function);
	return n;
}

/**
 * vpv_has_id - is a user's row for some ID only?
 * @user: the row
 *
 * Return: false if whatever is at its address is meant.
 */
bool vpv_has_id(const struct vpv_user_quirk *user)
{
	const struct pci_device_id *match = &user->quirk.match;

	return (match->vendor & match->device & match->subvendor &
		match->subdevice) != (u32)PCI_ANY_ID;
}
