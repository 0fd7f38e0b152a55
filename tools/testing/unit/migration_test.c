// SPDX-License-Identifier: GPL-2.0-only
/*
 * The stream of a migration: what was put comes back, and whatever was done to it on the way
 * is noticed.
 */
#include <string.h>

#include <asm/byteorder.h>
#include <linux/crc32.h>

#include "kselftest_harness.h"
#include "migration_stream.h"

#define CHUNK_MAX	16
#define SIZE_MAX_	40
#define ROOM		1024

/* A saved state, and where its parts begin. */
struct saved {
	u8 bytes[ROOM];
	size_t length;
	size_t parts[8];
	int nr_parts;
};

static void make_header(struct vpv_stream_header *header)
{
	memset(header, 0, sizeof(*header));
	header->chunk_max = cpu_to_le32(CHUNK_MAX);
	header->size_max = cpu_to_le64(SIZE_MAX_);
	header->vendor = cpu_to_le16(0x1234);
	header->device = cpu_to_le16(0x11e8);
	header->subvendor = cpu_to_le16(0x1af4);
	header->subdevice = cpu_to_le16(0x1100);
	header->class_revision = cpu_to_le32(0x00ff0010);
	strcpy(header->variant, "vfio-pci-edu");
	vpv_stream_seal(header);
}

static void put(struct saved *saved, const void *part, size_t length)
{
	saved->parts[saved->nr_parts++] = saved->length;
	memcpy(saved->bytes + saved->length, part, length);
	saved->length += length;
}

/* Chunks of that length each: 1, 2, 3, ... in all bytes of the first, second, third. */
static void save(struct saved *saved, const size_t *lengths)
{
	struct vpv_stream stream = { .at = VPV_AT_RECORD };
	u8 buffer[sizeof(struct vpv_stream_record) + CHUNK_MAX];
	struct vpv_stream_record *record = (void *)buffer;
	int i;

	memset(saved, 0, sizeof(*saved));
	make_header(&stream.own);
	put(saved, &stream.own, sizeof(stream.own));
	for (i = 0; lengths[i]; i++) {
		memset(record + 1, i + 1, lengths[i]);
		if (vpv_stream_put(&stream, VPV_STREAM_DATA, lengths[i], record))
			abort();
		put(saved, record, sizeof(*record) + lengths[i]);
	}
	if (vpv_stream_put(&stream, VPV_STREAM_END, 0, record))
		abort();
	put(saved, record, sizeof(*record));
}

/*
 * What is wrong with it; NULL: nothing. Where one has got is in @stream. Each element is in
 * memory of its own size, so that a look past its end is seen.
 */
static const char *load(const u8 *bytes, size_t length, struct vpv_stream *stream)
{
	const char *fault = NULL;
	size_t at = 0, need;
	u8 *element;

	memset(stream, 0, sizeof(*stream));
	make_header(&stream->own);
	while (!fault && at < length) {
		need = vpv_stream_need(stream);
		if (need > length - at)
			return NULL;
		element = malloc(need);
		memcpy(element, bytes + at, need);
		fault = vpv_stream_take(stream, element);
		free(element);
		at += need;
	}
	return fault;
}

static const size_t three[] = { 16, 1, 16, 0 };

TEST(whole)
{
	struct vpv_stream stream;
	struct saved saved;

	save(&saved, three);
	EXPECT_EQ(72 + 4 * 24 + 33, saved.length);
	EXPECT_EQ(NULL, load(saved.bytes, saved.length, &stream));
	EXPECT_EQ(VPV_AT_END, stream.at);
	EXPECT_EQ(33, stream.total);
	EXPECT_EQ(0, vpv_stream_need(&stream));
}

TEST(nothing_but_its_end)
{
	static const size_t none[] = { 0 };
	struct vpv_stream stream;
	struct saved saved;

	save(&saved, none);
	EXPECT_EQ(NULL, load(saved.bytes, saved.length, &stream));
	EXPECT_EQ(VPV_AT_END, stream.at);
}

TEST(cut_off_anywhere_it_has_no_end)
{
	struct vpv_stream stream;
	struct saved saved;
	size_t length;

	save(&saved, three);
	for (length = 0; length < saved.length; length++) {
		EXPECT_EQ(NULL, load(saved.bytes, length, &stream));
		EXPECT_NE(VPV_AT_END, stream.at);
	}
}

TEST(each_bit_counts)
{
	struct vpv_stream stream;
	struct saved saved;
	size_t i;
	int bit;

	save(&saved, three);
	for (i = 0; i < saved.length; i++) {
		for (bit = 0; bit < 8; bit++) {
			saved.bytes[i] ^= 1 << bit;
			EXPECT_TRUE(load(saved.bytes, saved.length, &stream) ||
				    stream.at != VPV_AT_END)
				TH_LOG("bit %d of byte %zu", bit, i);
			saved.bytes[i] ^= 1 << bit;
		}
	}
}

/* The parts in another order; -1 ends it. */
static void shuffle(struct saved *to, const struct saved *from, const int *order)
{
	size_t end;

	memset(to, 0, sizeof(*to));
	for (; *order >= 0; order++) {
		end = *order + 1 < from->nr_parts ? from->parts[*order + 1] : from->length;
		put(to, from->bytes + from->parts[*order], end - from->parts[*order]);
	}
}

TEST(in_another_order)
{
	static const int orders[][8] = {
		{ 0, 2, 1, 3, 4, -1 }, { 0, 1, 1, 2, 3, 4, -1 }, { 0, 1, 3, 4, -1 },
		{ 0, 2, 3, 4, -1 }, { 0, 4, -1 }, { 1, 2, 3, 4, -1 }, { 0, 0, 1, 2, 3, 4, -1 },
		{ 0, 1, 2, 3, 4, 4, -1 }, { 0, 1, 2, 3, 4, 1, -1 }, { 0, 1, 2, 3, 4, 0, -1 },
	};
	struct saved saved, other;
	struct vpv_stream stream;
	size_t i;

	save(&saved, three);
	for (i = 0; i < sizeof(orders) / sizeof(*orders); i++) {
		shuffle(&other, &saved, orders[i]);
		EXPECT_NE(NULL, load(other.bytes, other.length, &stream))
			TH_LOG("order %zu", i);
	}
}

TEST(of_something_else)
{
	struct vpv_stream_header own, other;
	struct vpv_stream stream = { 0 };

	make_header(&own);
#define OTHER(__field, __value)						\
	do {								\
		other = own;						\
		other.__field = __value;				\
		vpv_stream_seal(&other);				\
		stream = (struct vpv_stream) { .own = own };		\
		EXPECT_NE(NULL, vpv_stream_take(&stream, &other));	\
		EXPECT_EQ(VPV_AT_HEADER, stream.at);			\
	} while (0)
	OTHER(vendor, cpu_to_le16(0x1235));
	OTHER(device, cpu_to_le16(0x11e9));
	OTHER(subvendor, cpu_to_le16(0x1af5));
	OTHER(subdevice, cpu_to_le16(0x1101));
	OTHER(class_revision, cpu_to_le32(0x00ff0011));
	OTHER(variant[0], 'w');
	OTHER(variant[12], 's');
	OTHER(variant[31], 's');
	OTHER(chunk_max, cpu_to_le32(CHUNK_MAX + 1));
	OTHER(size_max, cpu_to_le64(SIZE_MAX_ + 1));
#undef OTHER
	other = own;
	other.version = cpu_to_le16(2);
	other.crc = cpu_to_le32(crc32_le(~0, (u8 *)&other,
					 offsetof(struct vpv_stream_header, crc)));
	stream = (struct vpv_stream) { .own = own };
	EXPECT_NE(NULL, vpv_stream_take(&stream, &other));
	/* Smaller is none of anybody's business. */
	other = own;
	other.chunk_max = cpu_to_le32(1);
	other.size_max = cpu_to_le64(1);
	vpv_stream_seal(&other);
	stream = (struct vpv_stream) { .own = own };
	EXPECT_EQ(NULL, vpv_stream_take(&stream, &other));
}

/* A record that says whatever it says, with the right sum for an empty chunk. */
static const char *take(u32 tag, u32 flags, u32 length, u64 sequence, u64 total)
{
	struct vpv_stream stream = { .at = VPV_AT_RECORD, .total = total };
	struct vpv_stream_record record = {
		.tag = cpu_to_le32(tag), .flags = cpu_to_le32(flags),
		.length = cpu_to_le32(length), .sequence = cpu_to_le64(sequence),
	};

	make_header(&stream.own);
	record.crc = cpu_to_le32(crc32_le(~0, (u8 *)&record, sizeof(record)));
	return vpv_stream_take(&stream, &record);
}

TEST(records)
{
	EXPECT_EQ(NULL, take(VPV_STREAM_DATA, 0, 1, 0, 0));
	EXPECT_EQ(NULL, take(VPV_STREAM_DATA, 0, CHUNK_MAX, 0, 0));
	EXPECT_NE(NULL, take(VPV_STREAM_DATA, 0, CHUNK_MAX + 1, 0, 0));
	EXPECT_NE(NULL, take(VPV_STREAM_DATA, 0, 0xffffffff, 0, 0));
	EXPECT_NE(NULL, take(VPV_STREAM_DATA, 0, 0, 0, 0));
	EXPECT_EQ(NULL, take(VPV_STREAM_DATA, 0, 8, 0, SIZE_MAX_ - 8));
	EXPECT_NE(NULL, take(VPV_STREAM_DATA, 0, 9, 0, SIZE_MAX_ - 8));
	EXPECT_NE(NULL, take(VPV_STREAM_DATA, 0, 1, 0, SIZE_MAX_));
	EXPECT_NE(NULL, take(VPV_STREAM_DATA, 0, 1, 1, 0));
	EXPECT_NE(NULL, take(VPV_STREAM_DATA, 1, 1, 0, 0));
	EXPECT_EQ(NULL, take(VPV_STREAM_END, 0, 0, 0, 0));
	EXPECT_NE(NULL, take(VPV_STREAM_END, 0, 1, 0, 0));
	EXPECT_NE(NULL, take(VPV_STREAM_END, 0x80000000, 0, 0, 0));
	EXPECT_NE(NULL, take(VPV_STREAM_END, 0, 0, 1, 0));
	EXPECT_NE(NULL, take(0, 0, 1, 0, 0));
	EXPECT_NE(NULL, take(VPV_STREAM_DATA + 1, 0, 1, 0, 0));
}

TEST(more_than_may_be_is_not_put)
{
	struct vpv_stream stream = { .at = VPV_AT_RECORD };
	u8 buffer[sizeof(struct vpv_stream_record) + CHUNK_MAX] = { 0 };

	make_header(&stream.own);
	EXPECT_EQ(NULL, vpv_stream_put(&stream, VPV_STREAM_DATA, 16, (void *)buffer));
	EXPECT_EQ(NULL, vpv_stream_put(&stream, VPV_STREAM_DATA, 16, (void *)buffer));
	EXPECT_EQ(NULL, vpv_stream_put(&stream, VPV_STREAM_DATA, 8, (void *)buffer));
	EXPECT_NE(NULL, vpv_stream_put(&stream, VPV_STREAM_DATA, 1, (void *)buffer));
}

TEST_HARNESS_MAIN
