// SPDX-License-Identifier: GPL-2.0-only
#include <linux/compiler.h>
#include <linux/string.h>

#include "opregion.h"

/* Offsets in the OpRegion; numbers are little endian. */
#define OPREGION_SIGNATURE	0x0
#define OPREGION_SIZE		0x10	/* u32, in KiB */
#define OPREGION_MINOR		0x16	/* u8, of the version */
#define OPREGION_MAJOR		0x17	/* u8 */
#define OPREGION_RVDA		0x3ba	/* u64, since version 2.0 */
#define OPREGION_RVDS		0x3c2	/* u32, since version 2.0 */

static const char opregion_signature[] = "IntelGraphicsMem";
static const char vbt_signature[] = "$VBT";

/* The firmware may write there: what is checked must be what is used. */
static u64 get_le(const u8 *from, int size)
{
	u64 value = 0;

	while (size--)
		value = value << 8 | READ_ONCE(from[size]);
	return value;
}

/**
 * igd_opregion_parse - check an OpRegion
 * @region: set to it, without a VBT
 * @base: %IGD_OPREGION_SIZE bytes. The firmware may write there at any time; what
 *	counts is read once, here or in igd_vbt_find().
 *
 * Return: %IGD_OK, or what is wrong with it.
 */
enum igd_fault igd_opregion_parse(struct igd_opregion *region, const u8 *base)
{
	*region = (struct igd_opregion) { .base = base };

	if (memcmp(base + OPREGION_SIGNATURE, opregion_signature,
		   sizeof(opregion_signature) - 1))
		return IGD_BAD_SIGNATURE;
	if (get_le(base + OPREGION_SIZE, 4) != IGD_OPREGION_SIZE / 1024)
		return IGD_BAD_SIZE;
	return IGD_OK;
}

/**
 * igd_vbt_find - find the VBT that lies outside of an OpRegion
 * @region: a good OpRegion; what is set of it is the VBT's address and size, if there
 *	is one, and how the version is shown
 * @addr: the OpRegion's physical address
 *
 * Return: %IGD_OK, or what is wrong with RVDA or RVDS; @region has no VBT then.
 */
enum igd_fault igd_vbt_find(struct igd_opregion *region, u64 addr)
{
	const u8 *base = region->base;
	u8 minor = get_le(base + OPREGION_MINOR, 1);
	u8 major = get_le(base + OPREGION_MAJOR, 1);
	u64 rvda = get_le(base + OPREGION_RVDA, 8);
	u64 rvds = get_le(base + OPREGION_RVDS, 4);
	bool absolute = major == 2 && minor == 0;

	if (major < 2 || !rvda || !rvds)
		return IGD_OK;

	if (rvds > IGD_VBT_MAX)
		return IGD_BAD_RVDS;
	if (!absolute) {
		if (rvda > ~addr)
			return IGD_BAD_RVDA;
		rvda += addr;
	}
	/* Beyond the last address, or in the OpRegion itself. */
	if (rvds - 1 > ~rvda ||
	    (rvda < addr + IGD_OPREGION_SIZE && rvda + rvds > addr))
		return IGD_BAD_RVDA;

	region->vbt_addr = rvda;
	region->vbt_size = rvds;
	region->raise = absolute;
	return IGD_OK;
}

/**
 * igd_vbt_check - look whether it is a VBT that RVDA points to
 * @vbt: what is there
 * @size: RVDS
 *
 * Return: %IGD_OK or %IGD_BAD_VBT.
 */
enum igd_fault igd_vbt_check(const u8 *vbt, u32 size)
{
	size_t n = sizeof(vbt_signature) - 1;

	return size >= n && !memcmp(vbt, vbt_signature, n) ? IGD_OK : IGD_BAD_VBT;
}

/**
 * igd_vbt_hide - show an OpRegion as one that has no VBT outside of it
 * @region: the OpRegion, of which that VBT turned out bad
 *
 * RVDA and RVDS read as 0. A guest then looks in the OpRegion itself, as it does on a
 * machine without such a VBT; the version stays the firmware's.
 */
void igd_vbt_hide(struct igd_opregion *region)
{
	region->vbt_size = 0;
	region->raise = false;
	region->no_vbt = true;
}

/**
 * igd_fault_text - what is wrong, for the log
 * @fault: not %IGD_OK
 *
 * Return: a few words.
 */
const char *igd_fault_text(enum igd_fault fault)
{
	switch (fault) {
	case IGD_BAD_SIGNATURE:
		return "ASLS does not point to an OpRegion (no signature there)";
	case IGD_BAD_SIZE:
		return "its size is not 8 KiB";
	case IGD_BAD_RVDS:
		return "RVDS is more than a VBT can have (64 KiB)";
	case IGD_BAD_RVDA:
		return "RVDA points where no VBT can be";
	case IGD_BAD_VBT:
		return "RVDA does not point to a VBT (no signature there)";
	default:
		return "nothing";
	}
}

/**
 * igd_opregion_size - size of what the user sees
 * @region: the OpRegion
 *
 * Return: bytes, the VBT included.
 */
u32 igd_opregion_size(const struct igd_opregion *region)
{
	return IGD_OPREGION_SIZE + region->vbt_size;
}

/* Bytes [@at, @at + @count) of what the user sees, as far as @part has them. */
static void read_part(u8 *buf, u32 count, u32 at, const u8 *part, u32 start,
		      u32 size)
{
	u32 from = at > start ? at : start;
	u32 to = at + count < start + size ? at + count : start + size;

	if (from < to)
		memcpy(buf + (from - at), part + (from - start), to - from);
}

/**
 * igd_opregion_read - a piece of what the user sees
 * @region: the OpRegion, with its VBT if it has one
 * @buf: to be filled
 * @count: bytes
 * @at: where they start; @at + @count is at most igd_opregion_size()
 *
 * The VBT follows the OpRegion, and so says RVDA then; as it says so by the
 * distance, version 2.0 is shown as 2.1. A VBT that is not shown has no RVDA and no
 * RVDS. All else is as the firmware has it now.
 */
void igd_opregion_read(const struct igd_opregion *region, u8 *buf, u32 count,
		       u32 at)
{
	static const u8 none[OPREGION_RVDS + 4 - OPREGION_RVDA];
	static const u8 rvda[8] = {
		IGD_OPREGION_SIZE & 0xff, IGD_OPREGION_SIZE >> 8,
	};
	static const u8 minor = 1;

	read_part(buf, count, at, region->base, 0, IGD_OPREGION_SIZE);
	if (region->no_vbt)
		read_part(buf, count, at, none, OPREGION_RVDA, sizeof(none));
	if (!region->vbt_size)
		return;

	read_part(buf, count, at, region->vbt, IGD_OPREGION_SIZE,
		  region->vbt_size);
	read_part(buf, count, at, rvda, OPREGION_RVDA, sizeof(rvda));
	if (region->raise)
		read_part(buf, count, at, &minor, OPREGION_MINOR, 1);
}
