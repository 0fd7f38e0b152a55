// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bytes of a migration: a header, which says whose state it is, and records, each with a
 * chunk of it, the last one without. Everything is checked before it is used: a stream may
 * come from anybody. How it is cut into chunks is its saver's choice.
 */
#include <linux/build_bug.h>
#include <linux/crc32.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <asm/byteorder.h>

#include "migration_stream.h"

static_assert(sizeof(struct vpv_stream_header) == 72, "it is in streams");
static_assert(sizeof(struct vpv_stream_record) == 24, "so is that");

static u32 header_crc(const struct vpv_stream_header *header)
{
	return crc32_le(~0, (const u8 *)header,
			offsetof(struct vpv_stream_header, crc));
}

/* @chunk: behind it. */
static u32 record_crc(const struct vpv_stream_record *record, const u8 *chunk)
{
	struct vpv_stream_record copy = *record;
	u32 crc;

	copy.crc = 0;
	crc = crc32_le(~0, (const u8 *)&copy, sizeof(copy));
	return crc32_le(crc, chunk, le32_to_cpu(record->length));
}

/**
 * vpv_stream_need - how long is what comes next?
 * @stream: where one is
 *
 * Return: bytes, at most the larger of a header and the chunk_max of @stream's; 0: nothing
 * comes, it was the end.
 */
size_t vpv_stream_need(const struct vpv_stream *stream)
{
	switch (stream->at) {
	case VPV_AT_HEADER:
		return sizeof(struct vpv_stream_header);
	case VPV_AT_RECORD:
		return sizeof(struct vpv_stream_record);
	case VPV_AT_CHUNK:
		return le32_to_cpu(stream->record.length);
	default:
		return 0;
	}
}

static const char *take_header(struct vpv_stream *stream,
			       const struct vpv_stream_header *header)
{
	const struct vpv_stream_header *own = &stream->own;

	if (header->magic != own->magic)
		return "it is no state of a device";
	if (header->version != own->version || header->size != own->size)
		return "it is of another version of the format";
	if (le32_to_cpu(header->crc) != header_crc(header))
		return "its header is damaged";
	if (memcmp(header->variant, own->variant, sizeof(header->variant)))
		return "another variant has saved it";
	if (header->vendor != own->vendor || header->device != own->device ||
	    header->subvendor != own->subvendor || header->subdevice != own->subdevice ||
	    header->class_revision != own->class_revision)
		return "it is of another kind of device";
	if (le32_to_cpu(header->chunk_max) > le32_to_cpu(own->chunk_max) ||
	    le64_to_cpu(header->size_max) > le64_to_cpu(own->size_max))
		return "it may be larger than what can be loaded here";
	stream->at = VPV_AT_RECORD;
	return NULL;
}

static const char *take_record(struct vpv_stream *stream,
			       const struct vpv_stream_record *record)
{
	u32 length = le32_to_cpu(record->length);

	if (record->flags)
		return "a record of it has flags that are not known";
	if (le64_to_cpu(record->sequence) != stream->sequence)
		return "a record of it is missing, or was seen before";
	stream->record = *record;

	switch (le32_to_cpu(record->tag)) {
	case VPV_STREAM_DATA:
		if (!length || length > le32_to_cpu(stream->own.chunk_max))
			return "a chunk of it is larger than may be, or empty";
		if (length > le64_to_cpu(stream->own.size_max) - stream->total)
			return "it is larger than it may be";
		stream->at = VPV_AT_CHUNK;
		return NULL;
	case VPV_STREAM_END:
		if (length)
			return "it has data behind its end";
		if (le32_to_cpu(record->crc) != record_crc(record, NULL))
			return "its end is damaged";
		stream->at = VPV_AT_END;
		return NULL;
	default:
		return "a record of it is of a kind that is not known";
	}
}

static const char *take_chunk(struct vpv_stream *stream, const u8 *chunk)
{
	if (le32_to_cpu(stream->record.crc) != record_crc(&stream->record, chunk))
		return "a chunk of it is damaged";
	stream->total += le32_to_cpu(stream->record.length);
	stream->sequence++;
	stream->at = VPV_AT_RECORD;
	return NULL;
}

/**
 * vpv_stream_take - look at what came next
 * @stream: where one is; moves on, if that is as it has to be
 * @element: vpv_stream_need() bytes
 *
 * Return: NULL, or what is wrong with it; then @stream is of no more use.
 */
const char *vpv_stream_take(struct vpv_stream *stream, const void *element)
{
	switch (stream->at) {
	case VPV_AT_HEADER:
		return take_header(stream, element);
	case VPV_AT_RECORD:
		return take_record(stream, element);
	case VPV_AT_CHUNK:
		return take_chunk(stream, element);
	default:
		return "it has data behind its end";
	}
}

/**
 * vpv_stream_seal - complete a header
 * @header: all fields are set but magic, version, size and crc
 */
void vpv_stream_seal(struct vpv_stream_header *header)
{
	header->magic = cpu_to_le64(VPV_STREAM_MAGIC);
	header->version = cpu_to_le16(VPV_STREAM_VERSION);
	header->size = cpu_to_le16(sizeof(*header));
	header->crc = cpu_to_le32(header_crc(header));
}

/**
 * vpv_stream_put - make the next record
 * @stream: where one is; moves on
 * @tag: %VPV_STREAM_DATA or %VPV_STREAM_END
 * @length: of the chunk
 * @record: to be made; the chunk is behind it
 *
 * Return: NULL, or what is wrong with the chunk.
 */
const char *vpv_stream_put(struct vpv_stream *stream, u32 tag, size_t length,
			   struct vpv_stream_record *record)
{
	*record = (struct vpv_stream_record) {
		.tag = cpu_to_le32(tag),
		.length = cpu_to_le32(length),
		.sequence = cpu_to_le64(stream->sequence),
	};
	record->crc = cpu_to_le32(record_crc(record, (const u8 *)(record + 1)));
	if (tag == VPV_STREAM_END) {
		stream->at = VPV_AT_END;
		return NULL;
	}
	if (length > le64_to_cpu(stream->own.size_max) - stream->total)
		return "it is larger than it may be";
	stream->total += length;
	stream->sequence++;
	return NULL;
}
