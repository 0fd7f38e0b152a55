// SPDX-License-Identifier: GPL-2.0-only
/*
 * igd_opregion_parse(), igd_vbt_find() and igd_opregion_read() with whatever firmware
 * says. The input is what counts in the OpRegion, and a read; the rest is the same for all.
 */
#include "fuzz.h"
#include "opregion.h"

static struct {
	const uint8_t *data;
	size_t size;
} input;

static uint64_t take(int size)
{
	uint64_t value = 0;

	while (size-- && input.size) {
		value = value << 8 | *input.data++;
		input.size--;
	}
	return value;
}

static void put(uint8_t *to, uint64_t value, int size)
{
	for (; size--; value >>= 8)
		*to++ = value;
}

/* Of exact size: a read past the end is seen. */
static uint8_t *bytes(size_t size)
{
	static uint8_t pattern[IGD_OPREGION_SIZE + IGD_VBT_MAX];
	uint8_t *new = malloc(size);
	size_t i;

	if (!pattern[1])
		for (i = 0; i < sizeof(pattern); i++)
			pattern[i] = i * 13 + i / 256;
	must(new && size <= sizeof(pattern));
	memcpy(new, pattern, size);
	return new;
}

/* What the user must see at @at. */
static uint8_t wanted(const struct igd_opregion *region, uint32_t at)
{
	if (at >= IGD_OPREGION_SIZE)
		return region->vbt[at - IGD_OPREGION_SIZE];
	if (region->no_vbt && at >= 0x3ba && at < 0x3c6)
		return 0;
	if (region->vbt_size && at >= 0x3ba && at < 0x3c2)
		return at == 0x3bb ? 0x20 : 0;
	if (region->vbt_size && at == 0x16 && region->base[0x17] == 2 &&
	    region->base[0x16] == 0)
		return 1;
	return region->base[at];
}

static void check_read(const struct igd_opregion *region)
{
	uint32_t size = igd_opregion_size(region), at, count, i;
	uint8_t *buf;

	at = take(4) % size;
	count = take(4) % (size - at + 1);
	buf = bytes(count);
	igd_opregion_read(region, buf, count, at);
	for (i = 0; i < count; i++)
		must(buf[i] == wanted(region, at + i));
	free(buf);
}

static void check_vbt(const struct igd_opregion *region, uint64_t addr)
{
	uint64_t last = region->vbt_addr + region->vbt_size - 1;

	must(region->vbt_size <= IGD_VBT_MAX);
	must(last >= region->vbt_addr);
	must(last < addr || region->vbt_addr >= addr + IGD_OPREGION_SIZE);
}

/* One that is bad, by its place or by what is there, is not shown. */
static void check_found(struct igd_opregion *region, uint64_t addr, uint8_t **vbt)
{
	enum igd_fault fault = igd_vbt_find(region, addr);

	if (fault == IGD_OK && region->vbt_size) {
		check_vbt(region, addr);
		*vbt = bytes(region->vbt_size);
		must(igd_vbt_check(*vbt, region->vbt_size) == IGD_BAD_VBT);
		region->vbt = *vbt;
		if (region->vbt_size % 2)
			fault = IGD_BAD_VBT;
	}
	if (fault != IGD_OK) {
		igd_vbt_hide(region);
		must(igd_opregion_size(region) == IGD_OPREGION_SIZE);
	}
}

int fuzz_one_input(const uint8_t *data, size_t size)
{
	struct igd_opregion region;
	uint8_t *base, *vbt = NULL;
	uint64_t addr;
	int at;

	input.data = data;
	input.size = size;
	base = bytes(IGD_OPREGION_SIZE);
	memcpy(base, "IntelGraphicsMem", 16);
	at = take(1) % 17;
	base[at] ^= take(1);
	addr = take(4);
	put(base + 0x10, take(4), 4);
	put(base + 0x16, take(2), 2);
	put(base + 0x3ba, take(8), 8);
	put(base + 0x3c2, take(4), 4);

	if (igd_opregion_parse(&region, base) == IGD_OK) {
		check_found(&region, addr, &vbt);
		check_read(&region);
	}
	free(vbt);
	free(base);
	return 0;
}
