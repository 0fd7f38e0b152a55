// SPDX-License-Identifier: GPL-2.0-only
/* The text form of settings: what is taken, what it means, what is refused. */
#include <stdlib.h>
#include <string.h>

#include "kselftest_harness.h"
#include "quirk_text.h"
#include "settings.h"

#define NONE	(~0u)

/* Each value, and what it is; NONE: it is refused. */
static const struct {
	struct vfio_pci_variant_setting *setting;
	const char *text;
	unsigned int value;
} values[] = {
	{ &unit_bool, "0", 0 }, { &unit_bool, "1", 1 }, { &unit_bool, "n", 0 },
	{ &unit_bool, "y", 1 }, { &unit_bool, "N", 0 }, { &unit_bool, "Y", 1 },
	{ &unit_bool, "off", 0 }, { &unit_bool, "on", 1 },
	{ &unit_bool, "yes", 1 }, { &unit_bool, "No", 0 }, { &unit_bool, "TRUE", 1 },
	{ &unit_bool, "", NONE }, { &unit_bool, "2", NONE }, { &unit_bool, "yess", NONE },
	{ &unit_bool, "o", NONE }, { &unit_bool, "onn", NONE }, { &unit_bool, "01", NONE },
	{ &unit_number, "3", 3 }, { &unit_number, "4000000000", 4000000000u },
	{ &unit_number, "0x10", 16 }, { &unit_number, "010", 8 },
	{ &unit_number, "2", NONE }, { &unit_number, "4000000001", NONE },
	{ &unit_number, "4294967299", NONE }, { &unit_number, "18446744073709551619", NONE },
	{ &unit_number, "000000000000000000000012", NONE },
	{ &unit_number, "", NONE }, { &unit_number, "-5", NONE }, { &unit_number, " 5", NONE },
	{ &unit_number, "5 ", NONE }, { &unit_number, "5x", NONE }, { &unit_number, "c", NONE },
	{ &unit_choice, "red", 0 }, { &unit_choice, "blue_2", 2 },
	{ &unit_choice, "", NONE }, { &unit_choice, "Red", NONE }, { &unit_choice, "re", NONE },
	{ &unit_choice, "redd", NONE }, { &unit_choice, "0", NONE },
};

TEST(values_mean_what_they_say)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		size_t len = strlen(values[i].text);
		unsigned int value = NONE;
		const char *fault;
		/* No byte behind it: the address sanitizer sees any read past its end. */
		char *text = malloc(len ?: 1);

		memcpy(text, values[i].text, len);
		fault = vpv_parse_setting(values[i].setting, text, len, &value);
		EXPECT_EQ(values[i].value == NONE, !!fault)
			TH_LOG("%s=%s: %s", values[i].setting->name, values[i].text, fault);
		EXPECT_EQ(values[i].value, value);
		free(text);
	}
}

/* Pieces of quirks=, and what they are when they are written out again. */
static const struct {
	const char *text;
	const char *row;
} rows[] = {
	{ "0001:0002:strict", "strict=1" },
	{ "0001:0002:strict=off", "strict=0" },
	{ "0001:0002:limit=12", "limit=12" },
	{ "0001:0002:limit=0xc+limit=13", "limit=13" },
	{ "0001:0002:colour_1=green+deny+strict=n", "deny+strict=0+colour_1=green" },
	{ "03:00.0:limit=5+no_mmap=1\n", "no_mmap=1+limit=5" },
	{ "0001:0002:limit", NULL }, { "0001:0002:limit=", NULL },
	{ "0001:0002:limit=+strict", NULL }, { "0001:0002:limit=2", NULL },
	{ "0001:0002:strict=2", NULL }, { "0001:0002:colour_1", NULL },
	{ "0001:0002:colour_1=white", NULL }, { "0001:0002:colour=red", NULL },
	{ "0001:0002:colour_1=red blue", NULL }, { "0001:0002:strict1", NULL },
	{ "0001:0002:stric", NULL }, { "0001:0002:strict=1;deny", NULL },
};

TEST(rows_may_set_them)
{
	struct vpv_user_quirk user;
	char text[VPV_QUIRK_TEXT];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *fault = vpv_parse_quirk(rows[i].text, unit_settings, &user);

		EXPECT_EQ(!rows[i].row, !!fault)
			TH_LOG("%s: %s", rows[i].text, fault);
		if (fault)
			continue;
		vpv_format_row(&user, unit_settings, text, sizeof(text));
		EXPECT_STREQ(rows[i].row, text);
	}
	EXPECT_NE(NULL, vpv_parse_quirk("0001:0002:strict", NULL, &user));
}

TEST(what_rows_set_is_compared_and_merged)
{
	struct vpv_user_quirk a, b, c;
	struct vpv_set_values all = { };

	ASSERT_EQ(NULL, vpv_parse_quirk("1:2.0:strict", unit_settings, &a));
	ASSERT_EQ(NULL, vpv_parse_quirk("1:2.0:strict=0", unit_settings, &b));
	ASSERT_EQ(NULL, vpv_parse_quirk("1:2.0:strict=y+limit=9", unit_settings, &c));
	EXPECT_FALSE(vpv_row_is_same(&a, &b));
	EXPECT_FALSE(vpv_row_is_same(&a, &c));
	EXPECT_TRUE(vpv_row_is_same(&c, &c));

	vpv_merge_values(&all, &a.settings);
	EXPECT_TRUE(vpv_values_are_same(&all, &a.settings));
	vpv_merge_values(&all, &c.settings);
	vpv_merge_values(&all, &b.settings);
	EXPECT_EQ(3, all.set);
	EXPECT_EQ(0, all.values[0]);
	EXPECT_EQ(9, all.values[1]);
}

#define NUMBER(__name) { .name = (__name), .max = 9, .value = 5 }

TEST(bad_lists_are_refused)
{
	static const char * const names[] = {
		NULL, "", "Limit", "li mit", "li+mit", "li-mit",
		"a_name_of_25_characters__", "variant", "adopts", "quirks", "ids",
		"enable_sriov", "disable_denylist", "disable_adoption", "deny",
		"nointxmask", "hide_cap", "config", "reset", "bus", "needs_reset",
		"resets_spared", "standby",
	};
	static const char * const words[] = { "one", "o+ther", NULL };
	struct vfio_pci_variant_setting two[] = { NUMBER("a"), NUMBER("b") };
	struct vfio_pci_variant_setting *list[VFIO_PCI_VARIANT_MAX_SETTINGS + 2] = {
		&two[0], &two[1]
	};
	size_t i;

	EXPECT_EQ(NULL, vpv_settings_fault(NULL));
	EXPECT_EQ(NULL, vpv_settings_fault(unit_settings));
	EXPECT_EQ(NULL, vpv_settings_fault(list));
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		two[1].name = names[i];
		EXPECT_NE(NULL, vpv_settings_fault(list))
			TH_LOG("%s", names[i]);
	}
	two[1].name = "a";
	EXPECT_NE(NULL, vpv_settings_fault(list));
	two[1].name = "a_name_of_24_characters_";
	EXPECT_EQ(NULL, vpv_settings_fault(list));
	two[1].value = 10;
	EXPECT_NE(NULL, vpv_settings_fault(list));
	two[1].value = 5;
	two[1].min = 6;
	EXPECT_NE(NULL, vpv_settings_fault(list));
	two[1].min = 0;
	two[1].choices = words;
	two[1].max = 1;
	two[1].value = 0;
	EXPECT_NE(NULL, vpv_settings_fault(list));
}

/* As many as there may be, the largest row of them, and one more. */
TEST(as_many_as_there_may_be)
{
	struct vfio_pci_variant_setting many[VFIO_PCI_VARIANT_MAX_SETTINGS + 1];
	struct vfio_pci_variant_setting *list[VFIO_PCI_VARIANT_MAX_SETTINGS + 2] = { };
	static const char * const longest[] = { "sixteen_letters_", NULL };
	char names[VFIO_PCI_VARIANT_MAX_SETTINGS + 1][VPV_SETTING_NAME];
	struct vpv_user_quirk user = { .settings.set = GENMASK(15, 0) };
	char text[VPV_QUIRK_TEXT];
	int i, rest;

	for (i = 0; i <= VFIO_PCI_VARIANT_MAX_SETTINGS; i++) {
		memcpy(names[i], "a_name_of_24_characters_", VPV_SETTING_NAME);
		names[i][22] = 'a' + i;
		many[i] = (struct vfio_pci_variant_setting) {
			.name = names[i], .choices = longest,
		};
		list[i] = &many[i];
	}
	EXPECT_NE(NULL, vpv_settings_fault(list));
	list[VFIO_PCI_VARIANT_MAX_SETTINGS] = NULL;
	EXPECT_EQ(NULL, vpv_settings_fault(list));

	/* What quirk_test finds the largest row of flags to be fits as well. */
	rest = vpv_format_row(&user, list, text, sizeof(text));
	EXPECT_EQ(VFIO_PCI_VARIANT_MAX_SETTINGS * (24 + 1 + 16 + 1) - 1, rest);
	EXPECT_GT(VPV_QUIRK_TEXT - 1060, rest);
}

TEST_HARNESS_MAIN
