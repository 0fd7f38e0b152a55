// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking capabilities out of the copy of config space that a user is shown. No
 * devices, no kernel state: the unit tests build this file for the host as well.
 *
 * What stands in the copy came from hardware, and may be anything: lists that go
 * round, bytes outside of any capability that were never filled in. Only what
 * the core found to be a capability is followed.
 */
#include <linux/kernel.h>
#include <linux/pci_regs.h>
#include <linux/string.h>

#include "caps.h"

/* Both kinds of capability consist of dwords (PCI Local Bus 3.0, 6.7). */
#define NR_DWORDS	(4096 / 4)

/* A set of dwords: where capabilities start. */
struct starts {
	u8 bits[NR_DWORDS / 8];
};

static void add_start(struct starts *starts, int pos)
{
	starts->bits[pos / 32] |= 1 << (pos / 4 % 8);
}

static bool is_start(const struct starts *starts, int pos)
{
	return pos % 4 == 0 && starts->bits[pos / 32] & 1 << (pos / 4 % 8);
}

/*
 * Let the bytes of the capability at @pos be zeros that belong to nobody. Its
 * end is where the map says something else, or the next capability starts:
 * two of one kind may be side by side.
 */
static void take_out(struct vpv_space *space, const struct starts *starts,
		     int pos, int end)
{
	u8 owner = space->map[pos];
	int i = pos;

	do {
		space->config[i] = 0;
		space->map[i] = VPV_MAP_VIRTUAL;
		i++;
	} while (i < end && space->map[i] == owner && !is_start(starts, i));
}

static void take_all_out(struct vpv_space *space, const struct starts *all,
			 const struct starts *hidden, int from, int end)
{
	int pos;

	for (pos = from; pos < end; pos += 4)
		if (is_start(hidden, pos))
			take_out(space, all, pos, end);
}

/* Is there a capability of the core's at @pos, a byte of its list? */
static bool is_cap(const struct vpv_space *space, int pos)
{
	return pos >= PCI_STD_HEADER_SIZEOF && pos % 4 == 0 &&
	       space->map[pos] < VPV_MAP_VIRTUAL &&
	       space->map[pos] == space->config[pos + PCI_CAP_LIST_ID];
}

/**
 * vpv_hide_cap - hide all capabilities of one kind
 * @space: what the user is shown
 * @id: the kind
 *
 * The list skips them and their bytes are zero. If none is left, the status
 * register says so.
 */
void vpv_hide_cap(struct vpv_space *space, u16 id)
{
	struct starts all = { }, hidden = { };
	u8 *config = space->config;
	u8 *link = &config[PCI_CAPABILITY_LIST];
	int pos;

	if (!(config[PCI_STATUS] & PCI_STATUS_CAP_LIST))
		return;

	for (pos = *link; is_cap(space, pos) && !is_start(&all, pos);
	     pos = config[pos + PCI_CAP_LIST_NEXT]) {
		add_start(&all, pos);
		if (config[pos + PCI_CAP_LIST_ID] == id) {
			add_start(&hidden, pos);
			*link = config[pos + PCI_CAP_LIST_NEXT];
		} else {
			link = &config[pos + PCI_CAP_LIST_NEXT];
		}
	}
	take_all_out(space, &all, &hidden, PCI_STD_HEADER_SIZEOF, 256);

	/* VFIO shows this bit from the copy, too. */
	if (!config[PCI_CAPABILITY_LIST])
		config[PCI_STATUS] &= ~PCI_STATUS_CAP_LIST;
}

/* PCI Express Base 3.0, 7.9.3: ID, version and the next one's offset. */
static u32 get_header(const struct vpv_space *space, int pos)
{
	const u8 *bytes = &space->config[pos];

	return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (u32)bytes[3] << 24;
}

static void set_next(struct vpv_space *space, int pos, int next)
{
	u8 *bytes = &space->config[pos];

	bytes[2] = (bytes[2] & 0x0f) | (next << 4 & 0xf0);
	bytes[3] = next >> 4;
}

/* The start of the list is one even if it is a placeholder. A link is that of a dword. */
static bool is_ext_cap(const struct vpv_space *space, int pos)
{
	return pos >= 256 && pos < space->size &&
	       (space->map[pos] < VPV_MAP_VIRTUAL ||
		(pos == 256 && space->map[pos] == VPV_MAP_VIRTUAL));
}

/**
 * vpv_hide_ext_cap - hide all extended capabilities of one kind
 * @space: what the user is shown
 * @id: the kind, not 0
 *
 * The list skips them and their bytes are zero. The first has to stay where it
 * is, as a null capability.
 */
void vpv_hide_ext_cap(struct vpv_space *space, u16 id)
{
	struct starts all = { }, hidden = { };
	int pos, next, prev = 256, first_next = -1;

	for (pos = 256; is_ext_cap(space, pos) && !is_start(&all, pos);
	     pos = next) {
		u32 header = get_header(space, pos);

		next = PCI_EXT_CAP_NEXT(header);
		add_start(&all, pos);
		if (PCI_EXT_CAP_ID(header) != id) {
			prev = pos;
			continue;
		}
		add_start(&hidden, pos);
		if (pos != 256)
			set_next(space, prev, next);
	}

	if (is_start(&hidden, 256))
		first_next = PCI_EXT_CAP_NEXT(get_header(space, 256));
	take_all_out(space, &all, &hidden, 256, space->size);
	if (first_next >= 0)
		set_next(space, 256, first_next);
}
