/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VPV_MIGRATION_STREAM_H
#define VPV_MIGRATION_STREAM_H

#include <linux/types.h>

/* "VPVMIGR1", as bytes. */
#define VPV_STREAM_MAGIC	0x315247494d565056ULL
#define VPV_STREAM_VERSION	1
#define VPV_STREAM_NAME_LEN	32

/* A chunk of the device's; and what is behind the last one. */
#define VPV_STREAM_DATA		0x41544144
#define VPV_STREAM_END		0x20444e45

/**
 * struct vpv_stream_header - what a stream begins with: whose state it is
 * @magic: %VPV_STREAM_MAGIC
 * @version: %VPV_STREAM_VERSION
 * @size: of the header
 * @chunk_max: no chunk is larger
 * @size_max: nor are all of them together
 * @vendor: of the function
 * @device: likewise
 * @subvendor: likewise
 * @subdevice: likewise
 * @class_revision: config space at 8
 * @variant: whose hooks saved it, zeros behind
 * @crc: of what is before it
 *
 * All numbers are little endian.
 */
struct vpv_stream_header {
	__le64 magic;
	__le16 version;
	__le16 size;
	__le32 chunk_max;
	__le64 size_max;
	__le16 vendor;
	__le16 device;
	__le16 subvendor;
	__le16 subdevice;
	__le32 class_revision;
	char variant[VPV_STREAM_NAME_LEN];
	__le32 crc;
};

/**
 * struct vpv_stream_record - what is before each chunk
 * @tag: %VPV_STREAM_DATA or %VPV_STREAM_END
 * @flags: 0
 * @length: of the chunk, in bytes; none behind the last one
 * @crc: of the record, with 0 here, and of the chunk
 * @sequence: number of the record, from 0
 */
struct vpv_stream_record {
	__le32 tag;
	__le32 flags;
	__le32 length;
	__le32 crc;
	__le64 sequence;
};

enum vpv_stream_at {
	VPV_AT_HEADER,
	VPV_AT_RECORD,
	VPV_AT_CHUNK,
	VPV_AT_END,
};

/**
 * struct vpv_stream - how far one has got in a stream
 * @own: what its header has to be, or is
 * @at: what comes next
 * @record: the last one, while its chunk is still to come
 * @sequence: of the next record
 * @total: bytes of all chunks until now
 */
struct vpv_stream {
	struct vpv_stream_header own;
	enum vpv_stream_at at;
	struct vpv_stream_record record;
	u64 sequence;
	u64 total;
};

size_t vpv_stream_need(const struct vpv_stream *stream);
const char *vpv_stream_take(struct vpv_stream *stream, const void *element);
void vpv_stream_seal(struct vpv_stream_header *header);
const char *vpv_stream_put(struct vpv_stream *stream, u32 tag, size_t length,
			   struct vpv_stream_record *record);

#endif /* VPV_MIGRATION_STREAM_H */
