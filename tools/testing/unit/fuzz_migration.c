// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any bytes at all as a stream to be loaded; and, as sums keep nearly all of them out, any
 * records with the right ones, behind the right header.
 */
#include <asm/byteorder.h>
#include <linux/crc32.h>

#include "fuzz.h"
#include "migration_stream.h"

#define CHUNK_MAX	64
#define SIZE_MAX_	200

static void start(struct vpv_stream *stream)
{
	memset(stream, 0, sizeof(*stream));
	stream->own.chunk_max = cpu_to_le32(CHUNK_MAX);
	stream->own.size_max = cpu_to_le64(SIZE_MAX_);
	vpv_stream_seal(&stream->own);
}

/* One element, in memory of its own size. */
static const char *take(struct vpv_stream *stream, const uint8_t *data, size_t length)
{
	uint8_t *element = malloc(length);
	const char *fault;

	must(element);
	memcpy(element, data, length);
	fault = vpv_stream_take(stream, element);
	free(element);
	must(fault || stream->total <= SIZE_MAX_);
	return fault;
}

static void feed(struct vpv_stream *stream, const uint8_t *data, size_t size)
{
	size_t need;

	while ((need = vpv_stream_need(stream)) && need <= size) {
		must(need <= sizeof(struct vpv_stream_header));
		if (take(stream, data, need))
			return;
		data += need;
		size -= need;
	}
}

/* Tag, flags, length and sequence of a record are bytes of the input, one each. */
static void feed_records(const uint8_t *data, size_t size)
{
	uint8_t buffer[sizeof(struct vpv_stream_record) + 255];
	struct vpv_stream_record *record = (void *)buffer;
	struct vpv_stream stream;
	uint64_t total = 0;
	size_t length;

	start(&stream);
	must(!take(&stream, (uint8_t *)&stream.own, sizeof(stream.own)));
	for (; size >= 4; data += 4, size -= 4) {
		length = data[2];
		*record = (struct vpv_stream_record) {
			.tag = cpu_to_le32(data[0] & 1 ? VPV_STREAM_END : VPV_STREAM_DATA),
			.flags = cpu_to_le32(data[1] >> 7),
			.length = cpu_to_le32(length),
			.sequence = cpu_to_le64(data[3]),
		};
		memset(record + 1, data[1], length);
		record->crc = cpu_to_le32(crc32_le(~0, buffer, sizeof(*record) + length));
		if (take(&stream, buffer, sizeof(*record)))
			return;
		must(!(data[1] >> 7) && data[3] == stream.sequence);
		if (stream.at == VPV_AT_END) {
			must(!length && stream.total == total);
			must(take(&stream, buffer, sizeof(*record)));
			return;
		}
		must(length && length <= CHUNK_MAX && vpv_stream_need(&stream) == length);
		must(!take(&stream, buffer + sizeof(*record), length));
		total += length;
	}
}

int fuzz_one_input(const uint8_t *data, size_t size)
{
	struct vpv_stream stream;

	start(&stream);
	feed(&stream, data, size);
	feed_records(data, size);
	return 0;
}
