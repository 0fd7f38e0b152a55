// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: vfio-region BDF list
 *        vfio-region BDF dump TYPE SUBTYPE
 *        vfio-region BDF verify TYPE SUBTYPE FILE
 *        vfio-region BDF rounds N
 * The regions of a function that are a variant's own; numbers are in hex.
 * "list" prints "TYPE SUBTYPE SIZE FLAGS" of each, "dump" one's bytes. "verify"
 * reads it at every offset in every length that is short, in some that are long,
 * and over its end, and compares all that with FILE; tries to write and to map it;
 * and prints TAP. "rounds" opens and closes the function N times, in decimal, and
 * prints how many succeeded and how many such regions there were in all.
 */
#include "vfio_lib.h"

#define SHORT_MAX	17

static int failed, count;

static void report(bool good, const char *what)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++count, what);
	failed |= !good;
}

static void list(struct vfio *vfio)
{
	const struct vfio_region_info_cap_type *type;
	const struct vfio_region_info *info;
	uint32_t i;

	for (i = VFIO_PCI_NUM_REGIONS; i < vfio_nr_regions(vfio); i++) {
		info = vfio_region_full(vfio, i);
		type = vfio_region_cap(info, VFIO_REGION_INFO_CAP_TYPE);
		if (type)
			printf("%x %x %llx %x\n", type->type, type->subtype,
			       (long long)info->size, info->flags);
	}
}

static void dump(struct vfio *vfio, const struct vfio_region_info *info)
{
	char *bytes = malloc(info->size);

	if (!bytes || pread(vfio->device, bytes, info->size, info->offset) !=
	    (ssize_t)info->size)
		err(1, "read");
	fwrite(bytes, 1, info->size, stdout);
}

/* Is a read what it has to be, and is nothing beyond it written? */
static bool reads(struct vfio *vfio, const struct vfio_region_info *info,
		  const uint8_t *wanted, uint64_t at, size_t size)
{
	size_t expect = at + size > info->size ? info->size - at : size;
	static uint8_t buf[1 << 20];
	ssize_t n;

	memset(buf, 0xa5, expect);
	buf[expect] = 0x5a;
	n = pread(vfio->device, buf, size, info->offset + at);
	if (n == (ssize_t)expect && !memcmp(buf, wanted + at, expect) &&
	    buf[expect] == 0x5a)
		return true;
	printf("# read of 0x%zx at 0x%llx: %zd, %s\n", size, (long long)at, n,
	       n < 0 ? strerror(errno) : "other bytes");
	return false;
}

static void verify(struct vfio *vfio, const struct vfio_region_info *info,
		   const char *path)
{
	static const size_t longs[] = {
		31, 255, 256, 257, 511, 513, 4095, 4096, 4097, 8191, 8192, 8193,
	};
	uint8_t *wanted = calloc(1, info->size + 1), byte = 0;
	FILE *file = fopen(path, "r");
	bool good = true;
	uint64_t at;
	size_t size;

	if (!wanted || !file)
		err(1, "%s", path);
	size = fread(wanted, 1, info->size + 1, file);
	report(size == info->size, "size");
	report(info->flags == (VFIO_REGION_INFO_FLAG_READ |
			       VFIO_REGION_INFO_FLAG_CAPS), "flags");
	if (size != info->size)
		return;

	for (at = 0; at < info->size && good; at++)
		for (size = 1; size <= SHORT_MAX && good; size++)
			good = reads(vfio, info, wanted, at, size);
	report(good, "short reads at every offset");

	good = true;
	for (at = 0; at < info->size && good; at += at % 3 ? 61 : 1)
		for (size = 0; size < sizeof(longs) / sizeof(*longs) && good;
		     size++)
			good = reads(vfio, info, wanted, at, longs[size]);
	report(good && reads(vfio, info, wanted, 0, info->size) &&
	       reads(vfio, info, wanted, 0, info->size + 1), "long reads");

	good = true;
	for (at = info->size; at < info->size + 4; at++)
		good &= pread(vfio->device, &byte, 1, info->offset + at) < 0 &&
			errno == EINVAL;
	report(good, "no reads beyond the end");

	good = true;
	for (at = 0; at <= info->size; at += info->size / 2)
		good &= pwrite(vfio->device, &byte, 1, info->offset + at) < 0 &&
			errno == EINVAL;
	report(good && reads(vfio, info, wanted, 0, info->size), "no writes");

	report(mmap(NULL, 4096, PROT_READ, MAP_SHARED, vfio->device,
		    info->offset) == MAP_FAILED && errno == EINVAL, "no mmap");
}

static void rounds(const char *bdf, int n)
{
	int opened = 0, regions = 0;
	struct vfio vfio;

	while (n--) {
		if (!vfio_open(&vfio, bdf)) {
			opened++;
			regions += vfio_nr_regions(&vfio) - VFIO_PCI_NUM_REGIONS;
		}
		vfio_close(&vfio);
	}
	printf("%d opened, %d regions\n", opened, regions);
}

int main(int argc, char **argv)
{
	struct vfio_region_info info;
	struct vfio vfio;
	int ret;

	if (argc < 3)
		errx(2, "usage: vfio-region BDF list|dump|verify|rounds ...");
	if (argc == 4 && !strcmp(argv[2], "rounds")) {
		rounds(argv[1], atoi(argv[3]));
		return 0;
	}
	ret = vfio_open(&vfio, argv[1]);
	if (ret)
		return ret;
	if (argc == 3 && !strcmp(argv[2], "list")) {
		list(&vfio);
		vfio_close(&vfio);
		return 0;
	}
	if (argc < 5)
		errx(2, "usage: vfio-region BDF dump|verify TYPE SUBTYPE [FILE]");

	info = *vfio_region_of_type(&vfio, strtoul(argv[3], NULL, 16),
				    strtoul(argv[4], NULL, 16));
	if (argc == 5 && !strcmp(argv[2], "dump")) {
		dump(&vfio, &info);
	} else if (argc == 6 && !strcmp(argv[2], "verify")) {
		verify(&vfio, &info, argv[5]);
		printf("1..%d\n", count);
	} else {
		errx(2, "unknown command %s", argv[2]);
	}
	vfio_close(&vfio);
	return failed;
}
