// SPDX-License-Identifier: GPL-2.0-only
/*
 * The OpRegion of Intel graphics: what is taken for one, where its VBT is, and
 * what the user is shown. Each region is made of what the test spells out.
 */
#include <stdlib.h>
#include <string.h>

#include "kselftest_harness.h"
#include "opregion.h"

#define ADDR	0x7bb37018u

struct fields {
	int major, minor;
	u32 size;
	u64 rvda;
	u32 rvds;
};

FIXTURE(opregion)
{
	struct igd_opregion region;
	u8 *base;
};

FIXTURE_SETUP(opregion)
{
	/* Of exact size: the sanitizer sees a read past the end. */
	self->base = malloc(IGD_OPREGION_SIZE);
	ASSERT_NE(NULL, self->base);
}

FIXTURE_TEARDOWN(opregion)
{
	free(self->base);
}

static void put_le(u8 *to, u64 value, int size)
{
	while (size--) {
		*to++ = value;
		value >>= 8;
	}
}

static void fill(u8 *base, const struct fields *fields)
{
	int i;

	for (i = 0; i < IGD_OPREGION_SIZE; i++)
		base[i] = i * 7 + i / 256;
	memcpy(base, "IntelGraphicsMem", 16);
	put_le(base + 0x10, fields->size ?: 8, 4);
	base[0x16] = fields->minor;
	base[0x17] = fields->major;
	put_le(base + 0x3ba, fields->rvda, 8);
	put_le(base + 0x3c2, fields->rvds, 4);
}

static enum igd_fault parse(struct igd_opregion *region, u8 *base,
			    struct fields fields)
{
	enum igd_fault fault;

	fill(base, &fields);
	fault = igd_opregion_parse(region, base);
	return fault == IGD_OK ? igd_vbt_find(region, ADDR) : fault;
}

TEST_F(opregion, what_has_no_vbt)
{
	static const struct fields none[] = {
		{ 0, 0, 8, 0, 0 },
		{ 1, 0, 8, 0, 0 },
		{ 1, 0, 8, 0x2000, 0x1000 },
		{ 1, 255, 8, ~0ull, ~0u },
		{ 2, 0, 8, 0, 0 },
		{ 2, 0, 8, 0, 0x1000 },
		{ 2, 0, 8, 0x1000, 0 },
		{ 2, 1, 8, 0, ~0u },
		{ 3, 0, 8, ~0ull, 0 },
	};
	u8 shown[IGD_OPREGION_SIZE];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(none); i++) {
		ASSERT_EQ(IGD_OK, parse(&self->region, self->base, none[i]));
		EXPECT_EQ(0, self->region.vbt_size);
		EXPECT_EQ(IGD_OPREGION_SIZE, igd_opregion_size(&self->region));
		igd_opregion_read(&self->region, shown, sizeof(shown), 0);
		EXPECT_EQ(0, memcmp(self->base, shown, sizeof(shown)));
	}
}

TEST_F(opregion, where_the_vbt_is)
{
	static const struct {
		struct fields fields;
		u64 addr;
		bool raise;
	} cases[] = {
		{ { 2, 0, 8, ADDR + 0x2000, 1 }, ADDR + 0x2000, true },
		{ { 2, 0, 8, 1, 0x10000 }, 1, true },
		{ { 2, 0, 8, ADDR - 0x10, 0x10 }, ADDR - 0x10, true },
		{ { 2, 0, 8, 0x123456789abcull, 0x2200 }, 0x123456789abcull, true },
		{ { 2, 0, 8, ~0ull, 1 }, ~0ull, true },
		{ { 2, 1, 8, 0x2000, 0x1fff }, ADDR + 0x2000, false },
		{ { 2, 1, 8, 0x100000000ull, 9 }, ADDR + 0x100000000ull, false },
		{ { 2, 255, 8, 0x2001, 9 }, ADDR + 0x2001, false },
		{ { 3, 0, 8, ~0ull - ADDR, 1 }, ~0ull, false },
		{ { 255, 0, 8, 0x4000, 9 }, ADDR + 0x4000, false },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		ASSERT_EQ(IGD_OK, parse(&self->region, self->base,
					cases[i].fields));
		EXPECT_EQ(cases[i].addr, self->region.vbt_addr);
		EXPECT_EQ(cases[i].fields.rvds, self->region.vbt_size);
		EXPECT_EQ(cases[i].raise, self->region.raise);
	}
}

TEST_F(opregion, what_is_wrong)
{
	static const struct {
		struct fields fields;
		enum igd_fault fault;
	} cases[] = {
		{ { 2, 0, 7, 0, 0 }, IGD_BAD_SIZE },
		{ { 2, 0, 9, 0, 0 }, IGD_BAD_SIZE },
		{ { 1, 0, 4, 0, 0 }, IGD_BAD_SIZE },
		{ { 2, 1, 0x80000008, 0x2000, 9 }, IGD_BAD_SIZE },
		{ { 2, 1, 8, 0x2000, 0x10001 }, IGD_BAD_RVDS },
		{ { 2, 0, 8, 0x2000, ~0u }, IGD_BAD_RVDS },
		{ { 2, 1, 8, 1, 1 }, IGD_BAD_RVDA },
		{ { 2, 1, 8, 0x1fff, 1 }, IGD_BAD_RVDA },
		{ { 2, 0, 8, ADDR, 1 }, IGD_BAD_RVDA },
		{ { 2, 0, 8, ADDR - 1, 2 }, IGD_BAD_RVDA },
		{ { 2, 0, 8, ADDR + 0x1fff, 1 }, IGD_BAD_RVDA },
		{ { 2, 0, 8, ~0ull, 2 }, IGD_BAD_RVDA },
		{ { 2, 1, 8, ~0ull - ADDR, 2 }, IGD_BAD_RVDA },
		{ { 2, 1, 8, ~0ull - ADDR + 1, 1 }, IGD_BAD_RVDA },
		{ { 3, 0, 8, ~0ull, 1 }, IGD_BAD_RVDA },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		EXPECT_EQ(cases[i].fault, parse(&self->region, self->base,
						cases[i].fields));
		EXPECT_LT(20, strlen(igd_fault_text(cases[i].fault)));
	}
	for (i = 0; i < 16; i++) {
		fill(self->base, &(struct fields) { 1, 0, 8, 0, 0 });
		self->base[i] ^= 0x20;
		EXPECT_EQ(IGD_BAD_SIGNATURE,
			  igd_opregion_parse(&self->region, self->base));
	}
}

/* Of an OpRegion that is good, whatever its VBT. */
TEST_F(opregion, a_bad_vbt_is_not_shown)
{
	static const struct fields cases[] = {
		{ 2, 0, 8, 0x2000, ~0u },
		{ 2, 0, 8, ~0ull, 2 },
		{ 2, 1, 8, 1, 1 },
		{ 3, 0, 8, ~0ull, 0x1000 },
		/* Its place is good; what is there turns out bad. */
		{ 2, 0, 8, 0x123456789abcull, 0x2200 },
		{ 2, 1, 8, 0x54321, 0x1000 },
	};
	u8 wanted[IGD_OPREGION_SIZE], buf[16];
	enum igd_fault fault;
	u32 at, count;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		fault = parse(&self->region, self->base, cases[i]);
		EXPECT_EQ(i < 4, fault != IGD_OK);
		EXPECT_EQ(i < 4, self->region.vbt_size == 0);
		igd_vbt_hide(&self->region);
		ASSERT_EQ(sizeof(wanted), igd_opregion_size(&self->region));
		memcpy(wanted, self->base, sizeof(wanted));
		memset(wanted + 0x3ba, 0, 12);
		for (at = 0x3a0; at < 0x3d0; at++)
			for (count = 0; count <= 15; count++) {
				memset(buf, 0xa5, sizeof(buf));
				igd_opregion_read(&self->region, buf, count, at);
				ASSERT_EQ(0, memcmp(wanted + at, buf, count));
				ASSERT_EQ(0xa5, buf[count]);
			}
		for (at = 0; at < sizeof(wanted); at++) {
			igd_opregion_read(&self->region, buf, 1, at);
			ASSERT_EQ(wanted[at], buf[0]);
		}
	}
}

TEST_F(opregion, what_is_a_vbt)
{
	static const u8 good[] = { '$', 'V', 'B', 'T', ' ' };
	static const u8 bad[] = { '$', 'V', 'B', 'U', 'T' };

	EXPECT_EQ(IGD_OK, igd_vbt_check(good, 5));
	EXPECT_EQ(IGD_OK, igd_vbt_check(good, 4));
	EXPECT_EQ(IGD_BAD_VBT, igd_vbt_check(good, 3));
	EXPECT_EQ(IGD_BAD_VBT, igd_vbt_check(bad, 5));
}

TEST_F(opregion, each_byte_at_each_offset)
{
	static const struct fields cases[] = {
		{ 2, 0, 8, 0x100000, 37 },
		{ 2, 1, 8, 0x54321, 37 },
		{ 3, 0, 8, 0x2000, 37 },
	};
	u8 wanted[IGD_OPREGION_SIZE + 37], vbt[37], buf[64];
	u32 at, count;
	size_t i;

	memset(vbt, 0x77, sizeof(vbt));
	vbt[0] = 0x11;
	vbt[36] = 0x22;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		ASSERT_EQ(IGD_OK, parse(&self->region, self->base, cases[i]));
		self->region.vbt = vbt;
		memcpy(wanted, self->base, IGD_OPREGION_SIZE);
		memcpy(wanted + IGD_OPREGION_SIZE, vbt, sizeof(vbt));
		put_le(wanted + 0x3ba, 0x2000, 8);
		if (i == 0)
			wanted[0x16] = 1;
		ASSERT_EQ(sizeof(wanted), igd_opregion_size(&self->region));
		for (at = 0; at < sizeof(wanted); at++)
			for (count = 0; count <= 33 &&
			     at + count <= sizeof(wanted); count++) {
				memset(buf, 0xa5, sizeof(buf));
				igd_opregion_read(&self->region, buf, count, at);
				ASSERT_EQ(0, memcmp(wanted + at, buf, count));
				ASSERT_EQ(0xa5, buf[count]);
			}
	}
}

TEST_HARNESS_MAIN
