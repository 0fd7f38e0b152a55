// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows of quirks=, as far as they deny a function to users: "SELECTOR:FLAG[+FLAG...]", where
 * SELECTOR is an ID, an address, or "ID@ADDRESS" (Documentation/quirks.rst). One that the
 * kernel would refuse for that denies nothing; its other flags are not looked at.
 */
#define _GNU_SOURCE
#include "lsvfio.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANY 0xffffffffU

/* hex - a number of at most eight digits; where it ended, or NULL */
static const char *hex(const char *s, unsigned int *value)
{
	const char *first;

	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		s += 2;
	*value = 0;
	for (first = s; isxdigit((unsigned char)*s); s++) {
		if (s - first == 8)
			return NULL;
		*value = *value << 4 | (isdigit((unsigned char)*s) ?
					*s - '0' : (*s | 0x20) - 'a' + 10);
	}
	return s == first ? NULL : s;
}

/* is_at - is "[domain:]bus:slot.function" all of the text, and where the function is? */
static bool is_at(const struct function *f, const char *s)
{
	unsigned int field[4] = { 0 }, own[4];
	int n = 0;

	do {
		s = hex(s, &field[n++]);
	} while (s && *s == ':' && n < 3 && s++);
	if (!s || *s++ != '.' || n < 2)
		return false;
	if (n == 2) {
		field[2] = field[1];
		field[1] = field[0];
		field[0] = 0;
	}
	sscanf(f->address, "%x:%x:%x.%x", &own[0], &own[1], &own[2], &own[3]);
	if (*s == '*')
		return !s[1] && !memcmp(field, own, 3 * sizeof(*own));
	s = hex(s, &field[3]);
	return s && !*s && !memcmp(field, own, sizeof(own));
}

/* is_of - is "vendor:device[:subvendor[:subdevice]]" all of the text, and the function's? */
static bool is_of(const struct function *f, const char *s)
{
	const unsigned int id[] = { f->vendor, f->device, f->subvendor, f->subdevice };
	unsigned int value;
	bool is = true;
	size_t n = 0;

	for (;; s++) {
		if (n == ARRAY_SIZE(id))
			return false;
		const char *digits = s;

		value = ANY;
		s = *s == '*' ? s + 1 : hex(s, &value);
		if (digits[1] == 'x' || digits[1] == 'X')
			digits += 2;
		if (!s || (value != ANY && s - digits != 4))
			return false;
		is &= value == ANY || value == id[n];
		n++;
		if (*s != ':')
			break;
	}
	return is && !*s && n >= 2;
}

/* is_meant - is a selector for the function? */
static bool is_meant(const struct function *f, char *selector)
{
	char *address = strchr(selector, '@');

	if (address) {
		*address++ = 0;
		return is_of(f, selector) && is_at(f, address);
	}
	return strchr(selector, '.') ? is_at(f, selector) : is_of(f, selector);
}

/* What the kernel's own table and ours deny: QAT, DSA and IAX of Intel's. */
static bool is_listed(const struct function *f)
{
	static const unsigned int devices[] = {
		0x0435, 0x0443, 0x0b25, 0x0cfe, 0x19e2, 0x19e3, 0x37c8, 0x37c9
	};

	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		if (f->vendor == 0x8086 && f->device == devices[i])
			return true;
	return false;
}

/* rows_of - what the module has, or would have when it is loaded */
static char *rows_of(struct host *host, const char *module)
{
	char *rows;

	if (is_loaded(host, module))
		return parameter(host, module, "quirks");
	if (!is_ours(host, module))
		return NULL;
	rows = configured(host, module, "quirks");
	return rows;
}

/* flag_of - what a row's flags say of "deny": 1, 0, or nothing: -1 */
static int flag_of(char *flags)
{
	unsigned int number;
	const char *end;
	char *flag;
	int says = -1;

	while ((flag = strsep(&flags, "+"))) {
		if (!strcmp(flag, "deny"))
			says = 1;
		if (strncmp(flag, "deny=", 5))
			continue;
		end = hex(flag + 5, &number);
		if (!end || *end || number > 1)
			return -1;
		says = number;
	}
	return says;
}

static char *trim(char *text)
{
	char *end;

	while (isspace((unsigned char)*text))
		text++;
	for (end = text + strlen(text); end > text && isspace((unsigned char)end[-1]); end--)
		end[-1] = 0;
	return text;
}

/* denies - why a driver's module would refuse the function; NULL: it would not */
char *denies(const struct function *f, const char *module)
{
	char *rows, *rest, *row, *found = NULL, *off;

	off = is_ours(f->host, module) || !strcmp(module, "vfio-pci") ?
	      in_force(f->host, module, "disable_denylist") : must(strdup("Y"));
	if (is_listed(f) && !is_on(off))
		found = must(strdup("its own list of hardware that must not be handed out"));
	free(off);

	/* The last row that says something of it counts. */
	rows = rows_of(f->host, module);
	rest = rows;
	while ((row = strsep(&rest, ","))) {
		char *whole = must(strdup(trim(row))), *flags;
		int says;

		row = trim(row);
		flags = strrchr(row, ':');
		if (flags) {
			*flags++ = 0;
			says = is_meant(f, row) ? flag_of(flags) : -1;
			if (says >= 0) {
				free(found);
				found = says ? print("a row of its quirks=: %s", whole) : NULL;
			}
		}
		free(whole);
	}
	free(rows);
	return found;
}
