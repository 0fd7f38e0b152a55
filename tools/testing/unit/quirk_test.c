// SPDX-License-Identifier: GPL-2.0-only
/* The text form of quirks: what is taken, what it means, what is refused. */
#include <stdlib.h>
#include <string.h>

#include <linux/mod_devicetable.h>

#include "kselftest_harness.h"
#include "quirk_text.h"

#define ANY 0xffffffffu

/* Each piece, and what it is when it is written out again. */
static const struct {
	const char *text;
	const char *selector;
	const char *flags;
} good[] = {
	{ "10de:1eb8:deny", "10de:1eb8", "deny" },
	{ "10de:1eb8:10de:12a2:deny", "10de:1eb8:10de:12a2", "deny" },
	{ "10DE:1eb8:10de:deny", "10de:1eb8:10de:*", "deny" },
	{ "8086:ffffffff:deny", "8086:*", "deny" },
	{ "8086:*:deny", "8086:*", "deny" },
	{ "*:*:deny", "*:*", "deny" },
	{ "*:10d3:*:1100:deny", "*:10d3:*:1100", "deny" },
	{ "0x8086:0X10d3:deny", "8086:10d3", "deny" },
	{ "8086:10d3:0000:0000:deny", "8086:10d3:0000:0000", "deny" },
	{ "0000:03:00.0:deny", "0000:03:00.0", "deny" },
	{ "03:00.0:deny", "0000:03:00.0", "deny" },
	{ "10000:e1:1f.7:deny", "10000:e1:1f.7", "deny" },
	{ "1:2:3.4:deny", "0001:02:03.4", "deny" },
	{ "ff:1f.7:deny", "0000:ff:1f.7", "deny" },
	{ "0000:04:00.*:deny", "0000:04:00.*", "deny" },
	{ "04:00.*:deny", "0000:04:00.*", "deny" },
	/* both */
	{ "8086:10d3@0000:03:00.0:deny", "8086:10d3@0000:03:00.0", "deny" },
	{ "8086:*@03:00.*:deny", "8086:*@0000:03:00.*", "deny" },
	{ "8086:10d3:1af4:1100@10000:e1:1f.7:deny",
	  "8086:10d3:1af4:1100@10000:e1:1f.7", "deny" },
	{ "*:*@03:00.0:deny", "0000:03:00.0", "deny" },
	{ " 0001:0002:deny\n", "0001:0002", "deny" },
	{ "0001:0002:deny=1", "0001:0002", "deny" },
	{ "0001:0002:deny=0", "0001:0002", "deny=0" },
	{ "0001:0002:deny+deny=0", "0001:0002", "deny=0" },
	{ "0001:0002:deny=0+deny", "0001:0002", "deny" },
	{ "0001:0002:no_reset+nointxmask=0+disable_vga", "0001:0002",
	  "disable_vga+no_reset+nointxmask=0" },
	{ "0001:0002:no_intx+disable_idle_d3", "0001:0002",
	  "disable_idle_d3+no_intx" },
	{ "0001:0002:no_flr+no_pm_reset+no_bus_reset", "0001:0002",
	  "no_flr+no_pm_reset+no_bus_reset" },
	{ "0001:0002:no_mmap=5+no_mmap=0", "0001:0002", "no_mmap=0+no_mmap=5" },
	{ "0001:0002:hide_cap=5+hide_cap=0x11", "0001:0002",
	  "hide_cap=0x05+hide_cap=0x11" },
	{ "0001:0002:hide_ext_cap=0010", "0001:0002", "hide_ext_cap=0x0010" },
	{ "0001:0002:config=3d/0", "0001:0002", "config=0x03d/0x00/0xff" },
	{ "0001:0002:config=0xfff/0x12/0x1f", "0001:0002", "config=0xfff/0x12/0x1f" },
	{ "0001:0002:config=6/10/10+config=28/1", "0001:0002",
	  "config=0x006/0x10/0x10+config=0x028/0x01/0xff" },
	{ "0001:0002:reset=bus", "0001:0002", "reset=bus" },
	{ "0001:0002:reset=flr+bus+no_intx", "0001:0002", "no_intx+reset=flr+bus" },
	{ "0001:0002:config=40/1+reset=pm+af_flr", "0001:0002",
	  "reset=pm+af_flr+config=0x040/0x01/0xff" },
	{ "0001:0002:reset=cxl_bus+bus+pm+af_flr+flr+acpi+device_specific", "0001:0002",
	  "reset=cxl_bus+bus+pm+af_flr+flr+acpi+device_specific" },
	{ "0001:0002:reset=flr+pm+reset=bus", "0001:0002", "reset=bus" },
	/* just outside of what is VFIO's own */
	{ "0001:0002:config=3/1", "0001:0002", "config=0x003/0x01/0xff" },
	{ "0001:0002:config=f/1", "0001:0002", "config=0x00f/0x01/0xff" },
	{ "0001:0002:config=2f/1", "0001:0002", "config=0x02f/0x01/0xff" },
	{ "0001:0002:config=34/1", "0001:0002", "config=0x034/0x01/0xff" },
	/* selectors made of what could be the start of a flag */
	{ "00de:00ad:deny", "00de:00ad", "deny" },
	{ "dead:beef:fade:c0de:deny", "dead:beef:fade:c0de", "deny" },
};

static const char * const bad[] = {
	"", ":", "deny", ":deny", "1:deny", "1:2", "0001:0002:", "0001:0002:0003:0004",
	"0001:0002:0003:0004:0005:deny", "1:2 :deny", "0001:0002: deny", "1 :2:deny",
	"10000:0001:deny", "0001:fffffffe:deny", "100000000:0001:deny",
	/* an address without a function, not an ID */
	"0000:04:00:deny", "04:00:deny", "4:0:deny", "0000:04:deny",
	"0000:0004:0000:deny", "10000:04:00:deny", "de:ad:deny",
	/* fields of other lengths */
	"8086:10d:deny", "8086:010d3:deny", "808:10d3:deny", "8086:0x0d3:deny",
	"8086:10d3:1af:deny", "8086:10d3:1af4:110:deny", "00000000:10d3:deny",
	"8086:**:deny", "8086:1*:deny", "8086:10d*:deny", "*:deny", "*",
	/* vendors that are none */
	"0000:0000:deny", "0000:10d3:deny", "ffff:10d3:deny", "ffff:*:deny",
	"0000:0000:0000:0000:deny", "0:0:0:0:deny",
	/* both */
	"8086:10d3@:deny", "8086:10d3@deny", "8086:10d3@0000:03:00:deny",
	"8086:10d3@8086:10d3:deny", "8086@03:00.0:deny", "@03:00.0:deny",
	"03:00.0@8086:10d3:deny", "8086:10d3:@03:00.0:deny",
	"8086:10d3@03:00.0@03:00.0:deny", "0000:10d3@03:00.0:deny",
	"8086:10d3@03:00.0", "8086:10d3@03:20.0:deny",
	/* addresses */
	"0000:03:00.8:deny", "0000:03:20.0:deny", "0000:100:00.0:deny",
	"0000:03:00:deny.0", "0000:03:00.:deny", "0000:03:00.0", "00.0:deny",
	"0:0000:03:00.0:deny", "0000:03:00.0.0:deny", "0000:03:00.0:",
	"0000:03:00.0deny", "0000:03:00.ff:deny", "0000:03:00.*0:deny",
	"0000:03:*.0:deny", "0000:*:00.0:deny", "0000:03:*:deny",
	"0000:03:00.**:deny", "0000:03:00.*deny",
	/* flags */
	"0001:0002:denied", "0001:0002:den", "0001:0002:DENY", "0001:0002:deny=",
	"0001:0002:deny=2",
	"0001:0002:deny=yes", "0001:0002:deny+", "0001:0002:+deny", "0001:0002:deny++deny",
	"0001:0002:deny deny", "0001:0002:deny;deny", "0001:0002:deny=1=1", "0001:0002:fixup=x",
	"0001:0002:no_mmap", "0001:0002:no_mmap=6", "0001:0002:no_mmap=",
	"0001:0002:no_mmap=-1",
	"0001:0002:hide_cap", "0001:0002:hide_cap=0", "0001:0002:hide_cap=100",
	"0001:0002:hide_ext_cap=0", "0001:0002:hide_ext_cap=10000",
	"0001:0002:reset", "0001:0002:reset=", "0001:0002:reset=fl", "0001:0002:reset=flrs",
	"0001:0002:reset=1", "0001:0002:reset=flr+flr", "0001:0002:reset=flr+", "0001:0002:flr",
	"0001:0002:reset=FLR", "0001:0002:reset=flr,bus=1", "0001:0002:reset=flr+bus=1",
	"0001:0002:reset=flr+deny+bus",
	"0001:0002:reset=flr+bus+pm+acpi+af_flr+cxl_bus+device_specific+flr",
	/* config bytes */
	"0001:0002:config", "0001:0002:config=", "0001:0002:config=40", "0001:0002:config=40/",
	"0001:0002:config=40/100", "0001:0002:config=40/1/", "0001:0002:config=40/1/0",
	"0001:0002:config=40/1/100", "0001:0002:config=40/10/f", "0001:0002:config=1000/0",
	"0001:0002:config=40/1/1/1", "0001:0002:config=/1",
	"0001:0002:config=4/0", "0001:0002:config=5/0", "0001:0002:config=10/0",
	"0001:0002:config=27/0", "0001:0002:config=30/0", "0001:0002:config=33/0",
	/* hostile */
	"%s%s%n:1:deny", "0001:0002:%n", "0001:0002:deny%n", "\xff\xfe:\xff:deny",
	"0001:0002:deny\x01", "0001:0002:\x1b[2J", "0001:0002:deny=ffffffffffffffff",
};

/* A copy of exact size: the address sanitizer sees any read past its end. */
static const char *parse(const char *text, struct vpv_user_quirk *user)
{
	char *copy = strdup(text);
	const char *fault = vpv_parse_quirk(copy, NULL, user);

	free(copy);
	return fault;
}

TEST(good_pieces_mean_what_they_say)
{
	char selector[VPV_SELECTOR_TEXT], flags[VPV_QUIRK_TEXT];
	struct vpv_user_quirk user;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		const char *fault = parse(good[i].text, &user);

		EXPECT_EQ(NULL, fault)
			TH_LOG("\"%s\": %s", good[i].text, fault);
		if (fault)
			continue;
		vpv_format_selector(&user, selector, sizeof(selector));
		vpv_format_quirk(&user.quirk, flags, sizeof(flags));
		EXPECT_STREQ(good[i].selector, selector);
		EXPECT_STREQ(good[i].flags, flags);
	}
}

TEST(the_parts_end_up_where_they_belong)
{
	struct vpv_user_quirk user;

	ASSERT_EQ(NULL, parse("000a:000b:000c:000d:config=41/1/3", &user));
	EXPECT_FALSE(user.by_address);
	EXPECT_TRUE(vpv_has_id(&user));
	EXPECT_EQ(0xa, user.quirk.match.vendor);
	EXPECT_EQ(0xb, user.quirk.match.device);
	EXPECT_EQ(0xc, user.quirk.match.subvendor);
	EXPECT_EQ(0xd, user.quirk.match.subdevice);
	EXPECT_EQ(0x41, user.quirk.config[0].offset);
	EXPECT_EQ(1, user.quirk.config[0].value);
	EXPECT_EQ(3, user.quirk.config[0].mask);
	EXPECT_EQ(0, user.quirk.config[1].mask);

	ASSERT_EQ(NULL, parse("1:2:3.4:deny", &user));
	EXPECT_TRUE(user.by_address);
	EXPECT_EQ(1, user.domain);
	EXPECT_EQ(2, user.bus);
	EXPECT_EQ(3, user.slot);
	EXPECT_EQ(4, user.function);
	EXPECT_EQ(VFIO_PCI_QUIRK_DENY, user.quirk.set);
	EXPECT_FALSE(vpv_has_id(&user));
	EXPECT_EQ(ANY, user.quirk.match.vendor & user.quirk.match.device &
		       user.quirk.match.subvendor & user.quirk.match.subdevice);

	ASSERT_EQ(NULL, parse("8086:10d3@5:6.*:deny", &user));
	EXPECT_TRUE(user.by_address);
	EXPECT_TRUE(vpv_has_id(&user));
	EXPECT_EQ(0x8086, user.quirk.match.vendor);
	EXPECT_EQ(0x10d3, user.quirk.match.device);
	EXPECT_EQ(0, user.domain);
	EXPECT_EQ(5, user.bus);
	EXPECT_EQ(6, user.slot);
	EXPECT_EQ(VPV_ANY_FUNCTION, user.function);
}

/* Written out again, a flag that is mistaken for another one looks right. */
TEST(each_flag_is_what_its_name_says)
{
	static const struct {
		const char *text;
		u32 flag;
	} names[] = {
		{ "1:2.3:deny", VFIO_PCI_QUIRK_DENY },
		{ "1:2.3:nointxmask", VFIO_PCI_QUIRK_NOINTXMASK },
		{ "1:2.3:disable_vga", VFIO_PCI_QUIRK_DISABLE_VGA },
		{ "1:2.3:disable_idle_d3", VFIO_PCI_QUIRK_DISABLE_IDLE_D3 },
		{ "1:2.3:no_intx", VFIO_PCI_QUIRK_NO_INTX },
		{ "1:2.3:no_flr", VFIO_PCI_QUIRK_NO_FLR },
		{ "1:2.3:no_pm_reset", VFIO_PCI_QUIRK_NO_PM_RESET },
		{ "1:2.3:no_bus_reset", VFIO_PCI_QUIRK_NO_BUS_RESET },
		{ "1:2.3:no_reset", VFIO_PCI_QUIRK_NO_RESET },
		{ "1:2.3:always_reset", VFIO_PCI_QUIRK_ALWAYS_RESET },
		{ "1:2.3:standby", VFIO_PCI_QUIRK_STANDBY },
		{ "1:2.3:no_d3cold", VFIO_PCI_QUIRK_NO_D3COLD },
	};
	struct vpv_user_quirk user;
	u32 all = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		ASSERT_EQ(NULL, parse(names[i].text, &user));
		EXPECT_EQ(names[i].flag, user.quirk.set)
			TH_LOG("%s", names[i].text);
		EXPECT_EQ(0, user.quirk.clear);
		all |= names[i].flag;
	}
	EXPECT_EQ(VFIO_PCI_QUIRK_FLAGS, all);
}

/* What people write for a whole slot names what to write instead. */
TEST(an_address_without_function_is_told_from_an_id)
{
	static const char * const texts[] = {
		"0000:04:00:deny", "04:00:deny", "8086:10d3@04:00:deny",
	};
	struct vpv_user_quirk user;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		const char *fault = parse(texts[i], &user);

		ASSERT_NE(NULL, fault);
		EXPECT_NE(NULL, strstr(fault, "04:00.*"))
			TH_LOG("\"%s\": %s", texts[i], fault);
	}
}

/* Rows of tables that can never do anything, each good but for one thing. */
TEST(rows_without_effect_are_refused)
{
	const struct vfio_pci_quirk good = {
		.match = { 0x8086, 0x10d3, ANY, ANY, 0x020000, ANY },
		.hide_caps = { 1, 0xff }, .hide_ext_caps = { 1, 0xffff },
		.resets = { VFIO_PCI_RESET_BUS, VFIO_PCI_RESET_CXL_BUS },
		.config = { { 0x40, 0xff, 1 }, { 0x41, 0x80, 0 } },
	};
	struct vfio_pci_quirk bad;

	EXPECT_EQ(NULL, vpv_quirk_fault(&good));
	EXPECT_EQ(NULL, vpv_match_fault(&good.match));

#define BAD(__field, __value, __fault)					\
	do {								\
		bad = good;						\
		bad.__field = __value;					\
		EXPECT_NE(NULL, __fault)				\
			TH_LOG(#__field " = " #__value);		\
	} while (0)

	BAD(hide_caps[0], 0x100, vpv_quirk_fault(&bad));
	BAD(hide_caps[0], 0, vpv_quirk_fault(&bad));
	BAD(hide_caps[3], 5, vpv_quirk_fault(&bad));
	BAD(hide_caps[VFIO_PCI_QUIRK_MAX_CAPS - 1], 5, vpv_quirk_fault(&bad));
	BAD(hide_ext_caps[0], 0, vpv_quirk_fault(&bad));
	BAD(hide_ext_caps[VFIO_PCI_QUIRK_MAX_CAPS - 1], 5, vpv_quirk_fault(&bad));
	BAD(resets[0], 0, vpv_quirk_fault(&bad));
	BAD(resets[1], VFIO_PCI_RESET_BUS, vpv_quirk_fault(&bad));
	BAD(resets[1], VFIO_PCI_RESET_CXL_BUS + 1, vpv_quirk_fault(&bad));
	BAD(resets[VFIO_PCI_QUIRK_MAX_RESETS - 1], VFIO_PCI_RESET_FLR, vpv_quirk_fault(&bad));
	BAD(config[0].mask, 0, vpv_quirk_fault(&bad));
	BAD(config[1].mask, 0, vpv_quirk_fault(&bad));
	BAD(config[3].mask, 1, vpv_quirk_fault(&bad));
	BAD(config[3].value, 1, vpv_quirk_fault(&bad));
	BAD(config[VFIO_PCI_QUIRK_MAX_CONFIG - 1].offset, 1, vpv_quirk_fault(&bad));
	BAD(config[1].offset, 0x1000, vpv_quirk_fault(&bad));
	BAD(no_mmap, BIT(6), vpv_quirk_fault(&bad));
	BAD(set, VFIO_PCI_QUIRK_FLAGS + 1, vpv_quirk_fault(&bad));
	BAD(clear, VFIO_PCI_QUIRK_FLAGS + 1, vpv_quirk_fault(&bad));
	BAD(match.vendor, 0, vpv_match_fault(&bad.match));
	BAD(match.vendor, 0xffff, vpv_match_fault(&bad.match));
	BAD(match.vendor, 0x10000, vpv_match_fault(&bad.match));
	BAD(match.device, 0x10000, vpv_match_fault(&bad.match));
	BAD(match.subvendor, 0x10000, vpv_match_fault(&bad.match));
	BAD(match.subdevice, 0x10000, vpv_match_fault(&bad.match));
	BAD(match.class, 0x1020000, vpv_match_fault(&bad.match));
#undef BAD

	/* What only looks like it: a class in the mask of PCI_DEVICE_CLASS(). */
	bad = good;
	bad.match.vendor = ANY;
	bad.match.device = ANY;
	EXPECT_EQ(NULL, vpv_match_fault(&bad.match));
	bad.match.class = 0xff020000;
	bad.match.class_mask = 0xffffff;
	EXPECT_EQ(NULL, vpv_match_fault(&bad.match));
}

static int fixup(struct vfio_pci_variant_device *vvdev)
{
	return 0;
}

/* Of a table, one of which parameters can't have. */
TEST(one_effect_makes_a_row)
{
	static const struct vfio_pci_quirk rows[] = {
		{ .set = VFIO_PCI_QUIRK_DENY }, { .clear = VFIO_PCI_QUIRK_DENY },
		{ .no_mmap = BIT(5) }, { .fixup = fixup },
		{ .hide_caps = { 5 } }, { .hide_ext_caps = { 5 } },
		{ .resets = { VFIO_PCI_RESET_FLR } },
		{ .config = { { 0x40, 0xff, 1 } } }, { },
	};
	struct vfio_pci_quirk both = rows[0];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		EXPECT_EQ(i == ARRAY_SIZE(rows) - 1, !!vpv_quirk_fault(&rows[i]))
			TH_LOG("row %zu", i);
	both.clear = both.set;
	EXPECT_NE(NULL, vpv_quirk_fault(&both));
}

TEST(what_rows_say_is_compared)
{
	static const char * const flags[] = {
		"deny", "deny=0", "no_mmap=1", "hide_cap=5", "hide_ext_cap=5",
		"config=40/1", "config=40/1/1", "config=41/1", "deny+no_mmap=1",
		"reset=flr", "reset=bus", "reset=flr+bus",
	};
	struct vpv_user_quirk a, b;
	char text[64];
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		for (j = 0; j < ARRAY_SIZE(flags); j++) {
			snprintf(text, sizeof(text), "8086:10d3:%s", flags[i]);
			ASSERT_EQ(NULL, parse(text, &a));
			snprintf(text, sizeof(text), "04:00.*:%s", flags[j]);
			ASSERT_EQ(NULL, parse(text, &b));
			EXPECT_EQ(i == j, vpv_row_is_same(&a, &b))
				TH_LOG("%s, %s", flags[i], flags[j]);
		}
	}
}

TEST(bad_pieces_are_refused_with_a_reason)
{
	struct vpv_user_quirk user;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		const char *fault = parse(bad[i], &user);

		EXPECT_NE(NULL, fault)
			TH_LOG("\"%s\" was taken", bad[i]);
	}
}

/* As many of one kind as a row may hold, and one more. */
TEST(a_full_row_takes_no_more)
{
	static const struct {
		const char *flag;
		int max;
	} kinds[] = {
		{ "hide_cap=1", VFIO_PCI_QUIRK_MAX_CAPS },
		{ "hide_ext_cap=1", VFIO_PCI_QUIRK_MAX_CAPS },
		{ "config=40/0", VFIO_PCI_QUIRK_MAX_CONFIG },
	};
	struct vpv_user_quirk user;
	size_t i;
	int n;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		char text[512] = "0001:0002:";

		for (n = 1; n <= kinds[i].max + 1; n++) {
			strcat(text, kinds[i].flag);
			EXPECT_EQ(n > kinds[i].max, !!parse(text, &user))
				TH_LOG("%d of %s", n, kinds[i].flag);
			strcat(text, "+");
		}
	}
}

/* The largest row fits into the buffer that its users have. */
TEST(the_largest_row_is_not_cut_off)
{
	struct vfio_pci_quirk quirk = {
		.set = VFIO_PCI_QUIRK_FLAGS, .clear = VFIO_PCI_QUIRK_FLAGS,
		.no_mmap = 0x3f,
	};
	char text[VPV_QUIRK_TEXT];
	int i;

	for (i = 0; i < VFIO_PCI_QUIRK_MAX_CAPS; i++) {
		quirk.hide_caps[i] = 0xff;
		quirk.hide_ext_caps[i] = 0xffff;
	}
	for (i = 0; i < VFIO_PCI_QUIRK_MAX_RESETS; i++)
		quirk.resets[i] = i + 1;
	for (i = 0; i < VFIO_PCI_QUIRK_MAX_CONFIG; i++)
		quirk.config[i] = (struct vfio_pci_quirk_byte) { 0xfff, 0xff, 0xff };

	/* Room is left for as many settings as there may be, see setting_test.c. */
	EXPECT_LT(vpv_format_quirk(&quirk, text, sizeof(text)), 1060);
	EXPECT_STREQ("+config=0xfff/0xff/0xff", text + strlen(text) - 23);
}

TEST(a_short_buffer_is_not_overrun)
{
	struct vfio_pci_quirk quirk = { .set = VFIO_PCI_QUIRK_FLAGS };
	char *full = malloc(VPV_QUIRK_TEXT);
	size_t size;
	int len;

	vpv_format_quirk(&quirk, full, VPV_QUIRK_TEXT);
	for (size = 1; size < strlen(full); size++) {
		char *text = malloc(size);

		len = vpv_format_quirk(&quirk, text, size);
		EXPECT_EQ(strlen(text), (size_t)len);
		EXPECT_EQ(0, strncmp(full, text, len));
		free(text);
	}
	free(full);
}

TEST_HARNESS_MAIN
