// SPDX-License-Identifier: GPL-2.0-only
/* Any bytes at all as a piece of the ids parameter. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <linux/mod_devicetable.h>

#include "fuzz.h"
#include "ids.h"

int fuzz_one_input(const uint8_t *data, size_t size)
{
	struct pci_device_id id, untouched;
	char *text = text_of(data, size);

	memset(&id, 0x5a, sizeof(id));
	untouched = id;
	if (vpv_parse_id(text, &id)) {
		must(!memcmp(&id, &untouched, sizeof(id)));
	} else {
		must(vpv_valid_id(id.vendor) && vpv_valid_id(id.device));
		must(vpv_valid_id(id.subvendor) && vpv_valid_id(id.subdevice));
		must(id.class <= 0xffffff);
	}

	free(text);
	return 0;
}
