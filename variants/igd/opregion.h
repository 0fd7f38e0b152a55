/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The OpRegion of Intel graphics: what is in it that matters to a user of the
 * function, and how they are shown it. Plain C, which the host's tests build too.
 *
 * Intel's "IGD OpRegion / Software SCI" specification describes the layout. It
 * is 8 KiB in which the firmware and the driver leave each other messages; among
 * them is the VBT, a table of the board's video outputs. A VBT that does not fit
 * lies elsewhere, where RVDA and RVDS of mailbox 3 say: by its physical address in
 * version 2.0, by its distance from the OpRegion since 2.1.
 */
#ifndef IGD_OPREGION_H
#define IGD_OPREGION_H

#include <linux/types.h>

#define IGD_OPREGION_SIZE	0x2000

/* The VBT's own header has 16 bits for its size. */
#define IGD_VBT_MAX		0x10000

/* What can be wrong with it; igd_fault_text() says it in words. */
enum igd_fault {
	IGD_OK,
	IGD_BAD_SIGNATURE,
	IGD_BAD_SIZE,
	IGD_BAD_RVDS,
	IGD_BAD_RVDA,
	IGD_BAD_VBT,
};

/**
 * struct igd_opregion - an OpRegion that was found good
 * @base: its %IGD_OPREGION_SIZE bytes
 * @vbt: the bytes of a VBT outside of it, for the caller to find at @vbt_addr
 * @vbt_addr: its physical address
 * @vbt_size: its size; 0: none is shown
 * @raise: the user is to see version 2.1 instead of 2.0
 * @no_vbt: the user is to see RVDA and RVDS as 0, as that VBT is no good
 */
struct igd_opregion {
	const u8 *base;
	const u8 *vbt;
	u64 vbt_addr;
	u32 vbt_size;
	bool raise;
	bool no_vbt;
};

enum igd_fault igd_opregion_parse(struct igd_opregion *region, const u8 *base);
enum igd_fault igd_vbt_find(struct igd_opregion *region, u64 addr);
enum igd_fault igd_vbt_check(const u8 *vbt, u32 size);
void igd_vbt_hide(struct igd_opregion *region);
const char *igd_fault_text(enum igd_fault fault);
u32 igd_opregion_size(const struct igd_opregion *region);
void igd_opregion_read(const struct igd_opregion *region, u8 *buf, u32 count,
		       u32 at);

#endif /* IGD_OPREGION_H */
