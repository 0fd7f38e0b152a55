// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any bytes at all as a piece of the quirks parameter. What is taken is a good
 * row, and means the same when it is written out and read again.
 */
#include "fuzz.h"
#include "quirk_text.h"
#include "settings.h"

static void write_out(const struct vpv_user_quirk *user, char *text,
		      size_t size)
{
	int n = vpv_format_selector(user, text, size);

	must(n > 0 && n < VPV_SELECTOR_TEXT);
	text[n++] = ':';
	must(vpv_format_row(user, unit_settings, text + n, size - n) > 0);
}

int fuzz_one_input(const uint8_t *data, size_t size)
{
	char written[VPV_SELECTOR_TEXT + VPV_QUIRK_TEXT];
	char again[VPV_SELECTOR_TEXT + VPV_QUIRK_TEXT];
	struct vpv_user_quirk user, reread;
	char *text = text_of(data, size);

	if (!vpv_parse_quirk(text, unit_settings, &user)) {
		must(vpv_quirk_is_empty(&user.quirk) ? !!user.settings.set :
		     !vpv_quirk_fault(&user.quirk));
		must(!vpv_match_fault(&user.quirk.match));
		write_out(&user, written, sizeof(written));
		must(!vpv_parse_quirk(written, unit_settings, &reread));
		must(vpv_row_is_same(&user, &reread));
		must(user.by_address == reread.by_address);
		must(vpv_has_id(&user) == vpv_has_id(&reread));
		write_out(&reread, again, sizeof(again));
		must(!strcmp(written, again));
	}

	free(text);
	return 0;
}
