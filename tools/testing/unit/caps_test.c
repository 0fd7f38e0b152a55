// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hiding capabilities. Each space is made of a list that the test spells out:
 * what is left of it must be the list without those that were hidden.
 */
#include <string.h>

#include <linux/pci_regs.h>

#include "kselftest_harness.h"
#include "caps.h"

#define SIZE	4096
#define LIST	8

struct cap {
	int pos;
	int id;
	int len;
};

FIXTURE(space)
{
	struct vpv_space space;
	/* Each on its own, so that who leaves one of them is seen. */
	u8 *config;
	u8 *map;
	u8 before[SIZE];
};

static void space_reset(struct _test_data_space *self)
{
	memset(self->config, 0xee, SIZE);
	memset(self->map, VPV_MAP_NONE, SIZE);
	memset(self->map, 0, 64);
	self->config[PCI_CAPABILITY_LIST] = 0;
	memset(self->config + 256, 0, 4);
	self->space = (struct vpv_space) { self->config, self->map, SIZE };
}

FIXTURE_SETUP(space)
{
	self->config = malloc(SIZE);
	self->map = malloc(SIZE);
	space_reset(self);
}

FIXTURE_TEARDOWN(space)
{
	free(self->config);
	free(self->map);
}

static void fill(u8 *config, u8 *map, const struct cap *cap, u8 owner)
{
	memset(config + cap->pos, 0x11, cap->len);
	memset(map + cap->pos, owner, cap->len);
}

/* A list of capabilities in that order, as the core leaves it. */
static void put_caps(u8 *config, u8 *map, const struct cap *caps)
{
	u8 *link = &config[PCI_CAPABILITY_LIST];

	for (; caps->pos; caps++) {
		fill(config, map, caps, caps->id);
		*link = caps->pos;
		config[caps->pos] = caps->id;
		link = &config[caps->pos + 1];
		*link = 0;
	}
}

static void put_header(u8 *config, int pos, u32 header)
{
	int i;

	for (i = 0; i < 4; i++)
		config[pos + i] = header >> 8 * i;
}

static u32 header(const u8 *config, int pos)
{
	return config[pos] | config[pos + 1] << 8 | config[pos + 2] << 16 |
	       (u32)config[pos + 3] << 24;
}

static void put_ext_caps(u8 *config, u8 *map, const struct cap *caps)
{
	for (; caps->pos; caps++) {
		fill(config, map, caps, caps->id);
		put_header(config, caps->pos,
			   caps->id | 0x10000 | (u32)caps[1].pos << 20);
	}
}

/* The list that a user finds, as "40:01 50:05". */
static void read_caps(const u8 *config, char *text)
{
	int pos, n = 0;

	*text = '\0';
	for (pos = config[PCI_CAPABILITY_LIST]; pos && n < 64;
	     pos = config[pos + 1])
		text += sprintf(text, "%s%02x:%02x", n++ ? " " : "", pos,
				config[pos]);
}

static void read_ext_caps(const u8 *config, char *text)
{
	int pos, n = 0;

	*text = '\0';
	for (pos = 256; pos && n < 64; pos = header(config, pos) >> 20) {
		if (!header(config, pos))
			break;
		text += sprintf(text, "%s%03x:%04x", n++ ? " " : "", pos,
				header(config, pos) & 0xffff);
	}
}

/* Zeros and nobody's in each that was hidden, nothing changed elsewhere. */
static bool is_gone(const struct vpv_space *space, const struct cap *cap)
{
	int i;

	for (i = 0; i < cap->len; i++)
		if ((i > 3 || cap->pos != 256) &&
		    (space->config[cap->pos + i] ||
		     space->map[cap->pos + i] != VPV_MAP_VIRTUAL))
			return false;
	return true;
}

static const struct cap descending[LIST] = {
	{ 0xc8, 1, 8 }, { 0xb0, 9, 16 }, { 0xa0, 9, 16 }, { 0x60, 5, 24 },
	{ 0x40, 9, 12 },
};

/* Two of one kind side by side, and one of it elsewhere. */
static const struct cap ascending[LIST] = {
	{ 0x40, 1, 8 }, { 0x48, 9, 16 }, { 0x58, 9, 16 }, { 0x68, 5, 24 },
	{ 0x80, 9, 12 }, { 0x8c, 0x10, 60 },
};

TEST_F(space, all_of_a_kind_are_hidden)
{
	static const struct {
		const struct cap *caps;
		int id;
		const char *left;
	} cases[] = {
		{ ascending, 9, "40:01 68:05 8c:10" },
		{ ascending, 1, "48:09 58:09 68:05 80:09 8c:10" },
		{ ascending, 0x10, "40:01 48:09 58:09 68:05 80:09" },
		{ ascending, 7, "40:01 48:09 58:09 68:05 80:09 8c:10" },
		{ descending, 9, "c8:01 60:05" },
	};
	char text[512];
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		space_reset(self);
		self->config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
		put_caps(self->config, self->map, cases[i].caps);
		memcpy(self->before, self->config, SIZE);
		vpv_hide_cap(&self->space, cases[i].id);
		read_caps(self->config, text);
		EXPECT_STREQ(cases[i].left, text);
		for (j = 0; cases[i].caps[j].pos; j++) {
			const struct cap *cap = &cases[i].caps[j];

			EXPECT_EQ(cap->id == cases[i].id,
				  is_gone(&self->space, cap));
			/* But for its link a capability is what it was. */
			if (cap->id != cases[i].id)
				EXPECT_EQ(0, memcmp(self->before + cap->pos + 2,
						    self->config + cap->pos + 2,
						    cap->len - 2));
		}
		EXPECT_TRUE(self->config[PCI_STATUS] & PCI_STATUS_CAP_LIST);
	}
}

TEST_F(space, the_last_one_takes_the_list_along)
{
	static const struct cap one[LIST] = { { 0x50, 5, 14 } };

	self->config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	put_caps(self->config, self->map, one);
	vpv_hide_cap(&self->space, 5);
	EXPECT_EQ(0, self->config[PCI_CAPABILITY_LIST]);
	EXPECT_FALSE(self->config[PCI_STATUS] & PCI_STATUS_CAP_LIST);
	EXPECT_EQ(0xee, self->config[0x50 + 14]);
	EXPECT_EQ(VPV_MAP_NONE, self->map[0x50 + 14]);
}

static const struct cap extended[LIST] = {
	{ 0x100, 0x0b, 16 }, { 0x110, 0x0b, 32 }, { 0x130, 0x03, 12 },
	{ 0x144, 0x0b, 8 }, { 0xff0, 0x01, 16 },
};

TEST_F(space, all_extended_ones_of_a_kind_are_hidden)
{
	static const struct {
		int id;
		const char *left;
	} cases[] = {
		{ 0x0b, "100:0000 130:0003 ff0:0001" },
		{ 0x03, "100:000b 110:000b 144:000b ff0:0001" },
		{ 0x01, "100:000b 110:000b 130:0003 144:000b" },
		{ 0x1234, "100:000b 110:000b 130:0003 144:000b ff0:0001" },
	};
	char text[512];
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		space_reset(self);
		put_ext_caps(self->config, self->map, extended);
		memcpy(self->before, self->config, SIZE);
		vpv_hide_ext_cap(&self->space, cases[i].id);
		read_ext_caps(self->config, text);
		EXPECT_STREQ(cases[i].left, text);
		for (j = 0; extended[j].pos; j++) {
			const struct cap *cap = &extended[j];

			EXPECT_EQ(cap->id == cases[i].id,
				  is_gone(&self->space, cap));
			if (cap->id == cases[i].id)
				continue;
			/* But for its link. */
			EXPECT_EQ(0x10000 | cap->id,
				  header(self->config, cap->pos) & 0xfffff);
			EXPECT_EQ(0, memcmp(self->before + cap->pos + 4,
					    self->config + cap->pos + 4,
					    cap->len - 4));
		}
	}
}

TEST_F(space, one_after_the_other)
{
	char text[512];

	put_ext_caps(self->config, self->map, extended);
	vpv_hide_ext_cap(&self->space, 0x0b);
	vpv_hide_ext_cap(&self->space, 0x03);
	read_ext_caps(self->config, text);
	EXPECT_STREQ("100:0000 ff0:0001", text);
	vpv_hide_ext_cap(&self->space, 0x01);
	read_ext_caps(self->config, text);
	EXPECT_STREQ("", text);
	EXPECT_EQ(0, header(self->config, 256));
}

/* Whatever the hardware says, the rest stays as it is, and it ends. */
TEST_F(space, what_is_no_list_is_not_followed)
{
	static const struct cap loop[LIST] = {
		{ 0x40, 1, 8 }, { 0x48, 5, 14 },
	};
	int pos;

	/* No list, though the pointer says so: bytes that nobody filled. */
	self->config[PCI_STATUS] &= ~PCI_STATUS_CAP_LIST;
	self->config[PCI_CAPABILITY_LIST] = 0x40;
	memcpy(self->before, self->config, SIZE);
	vpv_hide_cap(&self->space, 0xee);
	EXPECT_EQ(0, memcmp(self->before, self->config, SIZE));
	/* Not even if it would be one. */
	put_caps(self->config, self->map, loop);
	memcpy(self->before, self->config, SIZE);
	vpv_hide_cap(&self->space, 5);
	EXPECT_EQ(0, memcmp(self->before, self->config, SIZE));
	space_reset(self);

	/* A list that leads there, into the header, or over the end. */
	self->config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	for (pos = 0; pos < 256; pos++) {
		self->config[PCI_CAPABILITY_LIST] = pos;
		memcpy(self->before, self->config, SIZE);
		vpv_hide_cap(&self->space, 0xee);
		if (pos)
			EXPECT_EQ(0, memcmp(self->before, self->config, SIZE));
	}

	/* One that goes round. */
	self->config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	put_caps(self->config, self->map, loop);
	self->config[0x49] = 0x40;
	vpv_hide_cap(&self->space, 9);
	EXPECT_EQ(0x48, self->config[0x41]);
	vpv_hide_cap(&self->space, 5);
	EXPECT_EQ(0x40, self->config[0x41]);

	/* The same of extended ones. */
	memset(self->config + 256, 0xee, SIZE - 256);
	memcpy(self->before, self->config, SIZE);
	vpv_hide_ext_cap(&self->space, 0xeeee);
	EXPECT_EQ(0, memcmp(self->before, self->config, SIZE));
	put_ext_caps(self->config, self->map, extended);
	put_header(self->config, 0xff0, 0x10001 | 0x100u << 20);
	vpv_hide_ext_cap(&self->space, 0x03);
	EXPECT_EQ(0x144, header(self->config, 0x110) >> 20);
	put_header(self->config, 0xff0, 0x10001 | 0xffcu << 20);
	vpv_hide_ext_cap(&self->space, 0xee);
}

/* What is beside a list, and would pass for a part of it but for one thing. */
TEST_F(space, only_what_the_core_took_for_a_capability_is_one)
{
	static const struct cap nine[LIST] = { { 0x40, 9, 12 } };
	static const struct {
		const char *what;
		u8 link;
		u8 map;
		u8 id;
		u16 hidden;
	} cases[] = {
		{ "in the header", 0x30, 0, 0, 9 },
		{ "not at a dword", 0x4e, 9, 9, 9 },
		{ "nobody's", 0x50, VPV_MAP_NONE, VPV_MAP_NONE, VPV_MAP_NONE },
		{ "bytes of their own", 0x50, VPV_MAP_VIRTUAL, VPV_MAP_VIRTUAL, VPV_MAP_VIRTUAL },
		{ "of another kind", 0x50, 9, 5, 5 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		space_reset(self);
		self->config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
		put_caps(self->config, self->map, nine);
		self->config[PCI_CAPABILITY_LIST] = cases[i].link;
		memset(self->map + cases[i].link, cases[i].map, 4);
		self->config[cases[i].link] = cases[i].id;
		self->config[cases[i].link + 1] = 0x40;
		memcpy(self->before, self->config, SIZE);
		vpv_hide_cap(&self->space, cases[i].hidden);
		EXPECT_EQ(0, memcmp(self->before, self->config, SIZE))
			TH_LOG("%s", cases[i].what);
	}
}

TEST_F(space, only_what_the_core_took_for_an_extended_one_is_one)
{
	static const struct cap two[LIST] = {
		{ 0x100, 0x0b, 16 }, { 0x140, 0x03, 16 },
	};
	static const struct {
		const char *what;
		int next;
		u8 map;
	} cases[] = {
		{ "in the part for the others", 0x80, 0x03 },
		{ "nobody's", 0x120, VPV_MAP_NONE },
		{ "bytes of their own", 0x120, VPV_MAP_VIRTUAL },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		space_reset(self);
		put_ext_caps(self->config, self->map, two);
		memset(self->map + cases[i].next, cases[i].map, 16);
		put_header(self->config, 0x100, 0x1000b | cases[i].next << 20);
		put_header(self->config, cases[i].next, 0x10003 | 0x140 << 20);
		memcpy(self->before, self->config, SIZE);
		vpv_hide_ext_cap(&self->space, 0x03);
		EXPECT_EQ(0, memcmp(self->before, self->config, SIZE))
			TH_LOG("%s", cases[i].what);
	}
}

/* The first one of each kind of list may be of the same ID as the last of the other. */
TEST_F(space, a_capability_ends_where_its_part_does)
{
	static const struct cap last[LIST] = { { 0xf0, 9, 16 } };
	static const struct cap first[LIST] = { { 0x100, 9, 16 } };

	self->config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	put_caps(self->config, self->map, last);
	put_ext_caps(self->config, self->map, first);
	vpv_hide_cap(&self->space, 9);
	EXPECT_EQ(9, self->map[0x100]);
	EXPECT_EQ(0x10009, header(self->config, 0x100));
	EXPECT_EQ(0, self->config[0xff]);
}

TEST_F(space, a_small_space_has_no_extended_ones)
{
	u8 *small = malloc(256), *map = malloc(256);
	struct vpv_space space = { small, map, 256 };

	memset(small, 0xee, 256);
	memset(map, 0x05, 256);
	vpv_hide_ext_cap(&space, 0xeeee);
	vpv_hide_cap(&space, 0xee);
	free(small);
	free(map);
}

TEST_HARNESS_MAIN
