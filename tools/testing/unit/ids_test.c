// SPDX-License-Identifier: GPL-2.0-only
/* The text form of PCI IDs: what is taken, and that nothing else is. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/mod_devicetable.h>

#include "kselftest_harness.h"
#include "ids.h"

#define ANY 0xffffffffu

static const struct {
	const char *text;
	struct pci_device_id id;
} good[] = {
	{ "10de:1eb8", { 0x10de, 0x1eb8, ANY, ANY, 0, 0 } },
	{ "0:0", { 0, 0, ANY, ANY, 0, 0 } },
	{ "FFFF:ffff", { 0xffff, 0xffff, ANY, ANY, 0, 0 } },
	{ "0x8086:0X10d3", { 0x8086, 0x10d3, ANY, ANY, 0, 0 } },
	{ "00008086:000010d3", { 0x8086, 0x10d3, ANY, ANY, 0, 0 } },
	{ "8086:ffffffff", { 0x8086, ANY, ANY, ANY, 0, 0 } },
	{ "8086:10d3:1af4", { 0x8086, 0x10d3, 0x1af4, ANY, 0, 0 } },
	{ "8086:10d3:1af4:1100", { 0x8086, 0x10d3, 0x1af4, 0x1100, 0, 0 } },
	{ "8086:10d3:1af4:1100:020000",
	  { 0x8086, 0x10d3, 0x1af4, 0x1100, 0x020000, 0 } },
	{ "ffffffff:ffffffff:ffffffff:ffffffff:030000:ffff00",
	  { ANY, ANY, ANY, ANY, 0x030000, 0xffff00 } },
	{ "1:2:3:4:ffffff:ffffffff", { 1, 2, 3, 4, 0xffffff, ANY } },
	{ "  8086:10d3\t\n", { 0x8086, 0x10d3, ANY, ANY, 0, 0 } },
};

static const char * const bad[] = {
	"", " ", ":", "8086", "8086:", ":10d3", "8086::10d3",
	"8086:10d3:", "8086:10d3:1af4:", "1:2:3:4:5:6:7", "1:2:3:4:5:6:",
	/* not hexadecimal */
	"10de:1eb8z", "10dg:1eb8", "hello", "10de-1eb8", "10de:1eb8;",
	"-1:1", "1:-1", "+1:1", "0x:1", "1:0x", "0x0x1:1", "x1:1",
	/* white space inside */
	"10de :1eb8", "10de: 1eb8", "10 de:1eb8",
	/* out of range */
	"10000:1", "1:10000", "fffffffe:1", "1:2:10000:4", "1:2:3:10000",
	"1:2:3:4:1000000:0", "100000000:1", "1:fffffffff",
	"000000000000000000000000000000000001:1",
	/* hostile */
	"%s%s%n:1", "10de:1eb8%n", "\xff\xfe:\xff", "10de:\x80", "\x1b[2J:1",
	"10de:1eb8\x01", "0000:03:00.0",
};

/* A copy of exact size: the address sanitizer sees any read past its end. */
static int parse(const char *text, struct pci_device_id *id)
{
	char *copy = strdup(text);
	int ret = vpv_parse_id(copy, id);

	free(copy);
	return ret;
}

TEST(good_ids_are_read)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		struct pci_device_id id;

		memset(&id, 0x5a, sizeof(id));
		EXPECT_EQ(0, parse(good[i].text, &id))
			TH_LOG("\"%s\"", good[i].text);
		EXPECT_EQ(0, memcmp(&id, &good[i].id, sizeof(id)))
			TH_LOG("\"%s\"", good[i].text);
	}
}

TEST(bad_ids_are_refused_and_change_nothing)
{
	struct pci_device_id id, before;
	size_t i;

	memset(&id, 0x5a, sizeof(id));
	before = id;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EINVAL, parse(bad[i], &id))
			TH_LOG("\"%s\"", bad[i]);
		EXPECT_EQ(0, memcmp(&id, &before, sizeof(id)))
			TH_LOG("\"%s\"", bad[i]);
	}
}

/* Every single byte in every place of a good ID, against what a hex digit is. */
TEST(one_byte_changed)
{
	const char *base = "10de:1eb8";
	size_t at;
	int c;

	for (at = 0; at < strlen(base); at++) {
		for (c = 1; c < 256; c++) {
			struct pci_device_id id;
			char text[] = "10de:1eb8";
			bool space = strchr(" \t\n\v\f\r", c) &&
				     (at == 0 || at == strlen(base) - 1);
			/* one more field, with a digit on either side */
			bool split = c == ':' && at % 5 != 0 && at % 5 != 3;
			bool fine = at == 4 ? c == ':' : space || split ||
				strchr("0123456789abcdefABCDEF", c);

			text[at] = (char)c;
			EXPECT_EQ(fine ? 0 : -EINVAL, parse(text, &id))
				TH_LOG("byte 0x%02x at %zu", c, at);
		}
	}
}

/* Every prefix of a full ID: exactly those that end a field are good. */
TEST(every_prefix)
{
	const char *full = "8086:10d3:1af4:1100:020000:ffff00";
	size_t len;

	for (len = 0; len <= strlen(full); len++) {
		struct pci_device_id id;
		char text[64] = "";
		int fine;

		memcpy(text, full, len);
		fine = strchr(text, ':') && text[len - 1] != ':';
		EXPECT_EQ(fine ? 0 : -EINVAL, parse(text, &id))
			TH_LOG("\"%s\"", text);
	}
}

TEST_HARNESS_MAIN
