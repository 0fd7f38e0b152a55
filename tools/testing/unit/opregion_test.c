// SPDX-License-Identifier: GPL-2.0-only
/*
 * The OpRegion of Intel graphics: what is taken for one, where its VBT is, and
 * what the user is shown. On stdin is what "igd-layout.py all" writes.
 */
#include <stdlib.h>
#include <string.h>

#include "kselftest_harness.h"
#include "opregion.h"

/* @why: a part of what is said of a bad one; @shown_size: 0 if none of it is shown. */
static struct layout {
	char name[64];
	char why[64];
	u64 asls;
	u64 vbt_addr;
	u64 shown_size;
	u8 base[IGD_OPREGION_SIZE];
	u8 vbt[IGD_VBT_MAX];
	u8 shown[IGD_OPREGION_SIZE + IGD_VBT_MAX];
} layout;

/* Of exact size: the sanitizer sees a read past the end. */
static u8 *copy(const u8 *bytes, size_t size)
{
	u8 *new = malloc(size);

	if (!new)
		abort();
	return memcpy(new, bytes, size);
}

/* In the order in which the variant does it. */
static enum igd_fault look(struct igd_opregion *region, const u8 *base, u8 **vbt)
{
	enum igd_fault fault = igd_opregion_parse(region, base);

	if (fault != IGD_OK)
		return fault;
	fault = igd_vbt_find(region, layout.asls);
	if (fault == IGD_OK && region->vbt_size) {
		*vbt = copy(layout.vbt, region->vbt_size);
		region->vbt = *vbt;
		fault = igd_vbt_check(*vbt, region->vbt_size);
	}
	if (fault != IGD_OK)
		igd_vbt_hide(region);
	return fault;
}

/* Reads at each offset, in some lengths: what is not as it is to be, or NULL. */
static const char *reads(const struct igd_opregion *region)
{
	u32 size = igd_opregion_size(region), at, count;
	u8 buf[32];

	if (size != layout.shown_size)
		return "another size is shown";
	for (at = 0; at < size; at++)
		for (count = 0; count < sizeof(buf) && at + count <= size; count += count + 1) {
			memset(buf, 0xa5, sizeof(buf));
			igd_opregion_read(region, buf, count, at);
			if (memcmp(layout.shown + at, buf, count))
				return "other bytes are shown";
			if (buf[count] != 0xa5)
				return "more is read than was asked for";
		}
	return NULL;
}

static bool is_told(enum igd_fault fault)
{
	if (!layout.why[0])
		return fault == IGD_OK;
	return fault != IGD_OK && strstr(igd_fault_text(fault), layout.why);
}

static const char *judge(void)
{
	u8 *base = copy(layout.base, sizeof(layout.base)), *vbt = NULL;
	struct igd_opregion region;
	const char *wrong = NULL;
	enum igd_fault fault;

	fault = look(&region, base, &vbt);
	if (!is_told(fault))
		wrong = igd_fault_text(fault);
	else if (vbt && region.vbt_addr != layout.vbt_addr)
		wrong = "its VBT is looked for elsewhere";
	else if (layout.shown_size)
		wrong = reads(&region);
	free(base);
	free(vbt);
	return wrong;
}

TEST(each_layout_is_what_it_says)
{
	const char *wrong;
	int n = 0;

	while (fread(&layout, sizeof(layout), 1, stdin) == 1) {
		n++;
		wrong = judge();
		EXPECT_EQ(NULL, wrong)
			TH_LOG("%s: %s", layout.name, wrong);
	}
	EXPECT_LT(50, n);
}

TEST(what_is_a_vbt)
{
	static const u8 good[] = { '$', 'V', 'B', 'T', ' ' };
	static const u8 bad[] = { '$', 'V', 'B', 'U', 'T' };

	EXPECT_EQ(IGD_OK, igd_vbt_check(good, 5));
	EXPECT_EQ(IGD_OK, igd_vbt_check(good, 4));
	EXPECT_EQ(IGD_BAD_VBT, igd_vbt_check(good, 3));
	EXPECT_EQ(IGD_BAD_VBT, igd_vbt_check(bad, 5));
}

TEST_HARNESS_MAIN
