// SPDX-License-Identifier: GPL-2.0-only
/* The text form of quirks: what is taken, what it means, what is refused. */
#include <stdlib.h>
#include <string.h>

#include <linux/mod_devicetable.h>

#include "kselftest_harness.h"
#include "quirk_text.h"

/* Each piece, and what it is when it is written out again. */
static const struct {
	const char *text;
	const char *selector;
	const char *flags;
} good[] = {
	{ "10de:1eb8:deny", "10de:1eb8", "deny" },
	{ "10de:1eb8:10de:12a2:deny", "10de:1eb8:10de:12a2", "deny" },
	{ "10DE:1eb8:10de:deny", "10de:1eb8:10de:ffffffff", "deny" },
	{ "8086:ffffffff:deny", "8086:ffffffff", "deny" },
	{ "0000:03:00.0:deny", "0000:03:00.0", "deny" },
	{ "03:00.0:deny", "0000:03:00.0", "deny" },
	{ "10000:e1:1f.7:deny", "10000:e1:1f.7", "deny" },
	{ "1:2:3.4:deny", "0001:02:03.4", "deny" },
	{ " 1:2:deny\n", "0001:0002", "deny" },
	{ "1:2:deny=1", "0001:0002", "deny" },
	{ "1:2:deny=0", "0001:0002", "deny=0" },
	{ "1:2:deny+deny=0", "0001:0002", "deny=0" },
	{ "1:2:deny=0+deny", "0001:0002", "deny" },
	{ "1:2:no_reset+nointxmask=0+disable_vga", "0001:0002",
	  "disable_vga+no_reset+nointxmask=0" },
	{ "1:2:no_intx+disable_idle_d3", "0001:0002",
	  "disable_idle_d3+no_intx" },
	{ "1:2:no_flr+no_pm_reset+no_bus_reset", "0001:0002",
	  "no_flr+no_pm_reset+no_bus_reset" },
	{ "1:2:no_mmap=5+no_mmap=0", "0001:0002", "no_mmap=0+no_mmap=5" },
	{ "1:2:hide_cap=5+hide_cap=0x11", "0001:0002",
	  "hide_cap=0x05+hide_cap=0x11" },
	{ "1:2:hide_ext_cap=0010", "0001:0002", "hide_ext_cap=0x0010" },
	{ "1:2:config=3d/0", "0001:0002", "config=0x03d/0x00/0xff" },
	{ "1:2:config=0xfff/0x12/0x1f", "0001:0002", "config=0xfff/0x12/0x1f" },
	{ "1:2:config=6/10/10+config=28/1", "0001:0002",
	  "config=0x006/0x10/0x10+config=0x028/0x01/0xff" },
	/* just outside of what is VFIO's own */
	{ "1:2:config=3/1", "0001:0002", "config=0x003/0x01/0xff" },
	{ "1:2:config=f/1", "0001:0002", "config=0x00f/0x01/0xff" },
	{ "1:2:config=2f/1", "0001:0002", "config=0x02f/0x01/0xff" },
	{ "1:2:config=34/1", "0001:0002", "config=0x034/0x01/0xff" },
	/* selectors made of what could be the start of a flag */
	{ "de:ad:deny", "00de:00ad", "deny" },
	{ "dead:beef:fade:c0de:deny", "dead:beef:fade:c0de", "deny" },
};

static const char * const bad[] = {
	"", ":", "deny", ":deny", "1:deny", "1:2", "1:2:", "1:2:3:4",
	"1:2:3:4:5:deny", "1:2 :deny", "1:2: deny", "1 :2:deny",
	"10000:1:deny", "1:fffffffe:deny", "100000000:1:deny",
	/* addresses */
	"0000:03:00.8:deny", "0000:03:20.0:deny", "0000:100:00.0:deny",
	"0000:03:00:deny.0", "0000:03:00.:deny", "0000:03:00.0", "00.0:deny",
	"0:0000:03:00.0:deny", "0000:03:00.0.0:deny", "0000:03:00.0:",
	"0000:03:00.0deny",
	/* flags */
	"1:2:denied", "1:2:den", "1:2:DENY", "1:2:deny=", "1:2:deny=2",
	"1:2:deny=yes", "1:2:deny+", "1:2:+deny", "1:2:deny++deny",
	"1:2:deny deny", "1:2:deny;deny", "1:2:deny=1=1", "1:2:fixup=x",
	"1:2:no_mmap", "1:2:no_mmap=6", "1:2:no_mmap=", "1:2:no_mmap=-1",
	"1:2:hide_cap", "1:2:hide_cap=0", "1:2:hide_cap=100",
	"1:2:hide_ext_cap=0", "1:2:hide_ext_cap=10000",
	/* config bytes */
	"1:2:config", "1:2:config=", "1:2:config=40", "1:2:config=40/",
	"1:2:config=40/100", "1:2:config=40/1/", "1:2:config=40/1/0",
	"1:2:config=40/1/100", "1:2:config=40/10/f", "1:2:config=1000/0",
	"1:2:config=40/1/1/1", "1:2:config=/1",
	"1:2:config=4/0", "1:2:config=5/0", "1:2:config=10/0",
	"1:2:config=27/0", "1:2:config=30/0", "1:2:config=33/0",
	/* hostile */
	"%s%s%n:1:deny", "1:2:%n", "1:2:deny%n", "\xff\xfe:\xff:deny",
	"1:2:deny\x01", "1:2:\x1b[2J", "1:2:deny=ffffffffffffffff",
};

/* A copy of exact size: the address sanitizer sees any read past its end. */
static const char *parse(const char *text, struct vpv_user_quirk *user)
{
	char *copy = strdup(text);
	const char *fault = vpv_parse_quirk(copy, user);

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

	ASSERT_EQ(NULL, parse("a:b:c:d:config=41/1/3", &user));
	EXPECT_FALSE(user.by_address);
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
		char text[512] = "1:2:";

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
	for (i = 0; i < VFIO_PCI_QUIRK_MAX_CONFIG; i++)
		quirk.config[i] = (struct vfio_pci_quirk_byte) { 0xfff, 0xff, 0xff };

	EXPECT_LT(vpv_format_quirk(&quirk, text, sizeof(text)),
		  VPV_QUIRK_TEXT - 1);
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
