// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: vfio-region NAME list
 *        vfio-region NAME rounds N
 *        vfio-region NAME dump|caps|test|hold TYPE SUBTYPE
 *        vfio-region NAME verify TYPE SUBTYPE FILE
 *        vfio-region NAME borders [-REGION...] [REGION OFFSET WIDTH r|w]...
 * The regions of a function that are a variant's own; numbers are in hex.
 *   list     prints "TYPE SUBTYPE SIZE FLAGS" of each
 *   rounds   opens and closes the function N times, in decimal, and prints how many
 *            succeeded and how many such regions there were in all
 *   dump     prints one's bytes
 *   caps     prints "size S flags F", and "tgt T" and "speed S" where it has such
 *            capabilities
 *   verify   of one that can only be read: reads it at every offset in every length that
 *            is short, in some that are long, and over its end, and compares all that with
 *            FILE; tries to write and to map it; and prints TAP
 *   test     of one that can be read, written and mapped: does so at and around all
 *            edges, compares what is written one way with what is read the other way,
 *            and prints TAP; leaves the region filled
 *   borders  of all regions of the function but those left out: reads around where they,
 *            their parts that can be mapped and the registers named begin and end, of
 *            each length, and maps the pages there; writes to registers of which it is
 *            said; all that once more, with the memory off, but for maps and writes; and
 *            prints TAP
 *   hold     maps all of it, closes the device, and at SIGTERM says whether the mapping
 *            still works, and ends: "open", "works" or "lost"
 */
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "vfio_lib.h"

/* What is tested near the middle of long regions, too. */
#define FILL_MAX	0x100000
#define SHORT_MAX	17

static struct vfio vfio;
static struct vfio_region_info region;
static uint64_t page;

static uint8_t pattern(uint64_t at, int round)
{
	return (at * 7 + (at >> 8) * 3 + (at >> 16)) ^ (round * 0x55);
}

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Can this address be read? A pipe says so without a signal. */
static bool is_there(const uint8_t *at)
{
	static int fds[2];
	uint8_t byte;

	if (!fds[1] && pipe(fds))
		err(1, "pipe");
	return write(fds[1], at, 1) == 1 && read(fds[0], &byte, 1) == 1;
}

/* --- read and write -------------------------------------------------------------- */

static ssize_t do_read(void *buf, size_t size, uint64_t at)
{
	return pread(vfio.device, buf, size, region.offset + at);
}

static ssize_t do_write(const void *buf, size_t size, uint64_t at)
{
	return pwrite(vfio.device, buf, size, region.offset + at);
}

/* Is all from @at on, up to the end or FILL_MAX, the pattern of @round? */
static bool holds(const uint8_t *bytes, uint64_t at, uint64_t size, int round)
{
	uint64_t i;

	for (i = 0; i < size; i++)
		if (bytes[i] != pattern(at + i, round))
			return false;
	return true;
}

/* An access of @size at @at does @expect bytes and touches no others. */
static bool is_right(size_t size, uint64_t at, size_t expect)
{
	static uint8_t buf[FILL_MAX + 2], old[FILL_MAX + 2];
	uint64_t before = at ? at - 1 : 0, i;
	size_t window = min(size + 2, region.size - before);
	ssize_t n;

	memset(buf, 0xa5, sizeof(buf));
	n = do_read(buf, size, at);
	if (n != (ssize_t)expect || !holds(buf, at, expect, 0) ||
	    buf[expect] != 0xa5) {
		printf("# read of 0x%zx at 0x%llx: %zd\n", size, (long long)at, n);
		return false;
	}
	for (i = 0; i < size; i++)
		buf[i] = ~pattern(at + i, 0);
	n = do_write(buf, size, at);
	if (n != (ssize_t)expect || do_read(old, window, before) != (ssize_t)window) {
		printf("# write of 0x%zx at 0x%llx: %zd\n", size, (long long)at, n);
		return false;
	}
	for (i = 0; i < window; i++) {
		bool ours = before + i >= at && before + i < at + expect;

		if (old[i] != (uint8_t)(pattern(before + i, 0) ^ (ours ? 0xff : 0))) {
			printf("# write of 0x%zx at 0x%llx: byte 0x%llx\n", size,
			       (long long)at, (long long)(before + i));
			return false;
		}
	}
	for (i = 0; i < expect; i++)
		buf[i] = pattern(at + i, 0);
	return do_write(buf, expect, at) == (ssize_t)expect;
}

static bool refuses(size_t size, uint64_t at, int error)
{
	static uint8_t buf[8192];

	errno = 0;
	if (do_read(buf, size, at) != -1 || errno != error) {
		printf("# read of 0x%zx at 0x%llx: %s\n", size, (long long)at,
		       strerror(errno));
		return false;
	}
	errno = 0;
	return do_write(buf, size, at) == -1 && errno == error;
}

static void test_rw(uint64_t fill)
{
	static const size_t sizes[] = { 0, 1, 2, 3, 4, 7, 8, 9, 63, 255 };
	uint64_t edges[] = {
		0, 1, page - 8, page - 1, page, page + 1, region.size - page - 1,
		region.size - page, region.size - 9, region.size - 8,
		region.size - 1,
	};
	uint8_t *bytes = malloc(fill);
	bool good = true;
	uint64_t i, at;
	size_t j;

	if (!bytes)
		err(1, "malloc");
	for (i = 0; i < fill; i++)
		bytes[i] = pattern(i, 0);
	result(do_write(bytes, fill, 0) == (ssize_t)fill, "a write of all");
	memset(bytes, 0, fill);
	result(do_read(bytes, fill, 0) == (ssize_t)fill && holds(bytes, 0, fill, 0),
	       "a read of all");
	/* Where the region is longer than what was filled. */
	at = region.size - min(region.size, 2 * page);
	for (i = at; i < region.size; i++)
		bytes[i - at] = pattern(i, 0);
	result(do_write(bytes, region.size - at, at) == (ssize_t)(region.size - at),
	       "a write at the end");

	for (i = 0; i < sizeof(edges) / sizeof(*edges) && good; i++)
		for (j = 0; j < sizeof(sizes) / sizeof(*sizes) && good; j++)
			if (edges[i] < region.size)
				good = is_right(sizes[j], edges[i],
						min(sizes[j],
						    region.size - edges[i]));
	result(good, "short accesses at the edges, clamped to the end");
	result(is_right(2 * page, region.size - page, page) &&
	       is_right(page + 1, region.size - page, page), "long ones, clamped");

	result(refuses(1, region.size, EINVAL) && refuses(8192, region.size, EINVAL) &&
	       refuses(1, region.size + 1, EINVAL) &&
	       refuses(1, region.size + page, EINVAL) &&
	       refuses(1, (1ULL << 40) - 1, EINVAL), "none beyond the end: EINVAL");
	/* Index and offset are one number: this is a region that is not there. */
	result(refuses(1, 1ULL << 40, EINVAL), "nor in the next region: EINVAL");
	errno = 0;
	result(do_read((void *)8, 16, 0) == -1 && errno == EFAULT &&
	       do_write((void *)8, 16, 0) == -1 && errno == EFAULT,
	       "bad memory: EFAULT");
	free(bytes);
}

/* --- mmap ------------------------------------------------------------------------ */

static uint8_t *map_at(uint64_t at, uint64_t size, int flags)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, vfio.device,
		       region.offset + at);

	return p == MAP_FAILED ? NULL : p;
}

static bool maps(uint64_t at, uint64_t size)
{
	uint8_t *p = map_at(at, size, MAP_SHARED);
	bool good;

	if (!p) {
		printf("# mmap of 0x%llx at 0x%llx: %s\n", (long long)size,
		       (long long)at, strerror(errno));
		return false;
	}
	good = holds(p, at, page, 0) && is_there(p + size - 1);
	return !munmap(p, size) && good;
}

static bool refuses_map(uint64_t at, uint64_t size, int error)
{
	uint8_t *p;

	errno = 0;
	p = map_at(at, size, MAP_SHARED);
	if (!p && errno == error)
		return true;
	printf("# mmap of 0x%llx at 0x%llx: %s\n", (long long)size, (long long)at,
	       p ? "done" : strerror(errno));
	return false;
}

static long faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt;
}

/* Is each page mapped when it is touched, and not before? */
static bool maps_by_touch(uint8_t *p, uint64_t size)
{
	long before = faults();
	uint64_t at;

	for (at = 0; at < size; at += page)
		p[at] = pattern(at, 0);
	return faults() - before >= (long)(size / page);
}

static void test_mmap(uint64_t fill)
{
	uint64_t all = region.size;
	uint8_t *p, *q, *bytes = malloc(fill);
	int status = 0;
	uint64_t i;
	pid_t child;

	result(maps(0, page) && maps(0, all) && maps(all - page, page),
	       "mmap: of the first page, of all, of the last one");
	result(refuses_map(0, all + page, EINVAL) && refuses_map(all, page, EINVAL) &&
	       refuses_map(all - page, 2 * page, EINVAL) &&
	       refuses_map(all + page, page, EINVAL) &&
	       refuses_map((1ULL << 40) - page, page, EINVAL) &&
	       refuses_map((1ULL << 40) - page, 2 * page, EINVAL),
	       "mmap: not beyond the end: EINVAL");
	result(!map_at(0, page, MAP_PRIVATE) && errno == EINVAL,
	       "mmap: not as a private copy: EINVAL");

	p = map_at(0, all, MAP_SHARED);
	q = map_at(0, page, MAP_SHARED);
	result(p && q, "mmap: twice");
	if (!p || !q || !bytes)
		return;
	result(maps_by_touch(p, fill), "pages come when they are touched");
	for (i = 0; i < fill; i++)
		p[i] = pattern(i, 1);
	result(do_read(bytes, fill, 0) == (ssize_t)fill && holds(bytes, 0, fill, 1),
	       "what is written to the mapping is read");
	result(holds(q, 0, page, 1), "and is in the other mapping");
	for (i = 0; i < fill; i++)
		bytes[i] = pattern(i, 2);
	result(do_write(bytes, fill, 0) == (ssize_t)fill && holds(p, 0, fill, 2) &&
	       holds(q, 0, page, 2), "what is written is in the mappings");

	result(munmap(q, page) == 0 && !is_there(q) && is_there(p),
	       "munmap: of one leaves the other");
	if (all > page) {
		result(munmap(p, page) == -1 && errno == EINVAL && is_there(p),
		       "munmap: not of a part: EINVAL");
		result(mremap(p, all, page, 0) == MAP_FAILED && errno == EINVAL &&
		       is_there(p + all - 1), "mremap: not smaller: EINVAL");
		result(mprotect(p, page, PROT_READ) == -1 && errno == EINVAL,
		       "mprotect: not of a part: EINVAL");
	}
	result(mremap(p, 0, page, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT,
	       "mremap: not a second time: EFAULT");
	result(mremap(p, all, all, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL) ==
	       MAP_FAILED && errno == EINVAL, "mremap: not leaving it: EINVAL");
	result(mremap(p, all, 2 * all, MREMAP_MAYMOVE) == MAP_FAILED &&
	       errno == EFAULT && is_there(p), "mremap: not larger: EFAULT");
	q = mmap(NULL, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	result(q != MAP_FAILED &&
	       mremap(p, all, all, MREMAP_MAYMOVE | MREMAP_FIXED, q) == MAP_FAILED &&
	       errno == EINVAL && holds(p, 0, fill, 2), "mremap: not elsewhere: EINVAL");

	fflush(stdout);
	child = fork();
	if (!child)
		_exit(is_there(p));
	result(child > 0 && waitpid(child, &status, 0) == child && status == 0,
	       "a child has not got it");
	result(holds(p, 0, fill, 2), "the parent still has it");

	for (i = 0; i < fill; i++)
		p[i] = pattern(i, 0);
	result(!munmap(p, all) && !is_there(p) && !is_there(p + all - 1),
	       "munmap: nothing is left");
	free(bytes);
}

static void hold(void)
{
	uint8_t *p = map_at(0, region.size, MAP_SHARED);
	sigset_t set;
	int signal;

	if (!p)
		err(1, "mmap");
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	p[0] = 1;
	vfio_close(&vfio);
	printf("open\n");
	fflush(stdout);
	sigwait(&set, &signal);
	p[region.size - 1] = ++p[0];
	printf("%s\n", p[0] == 2 && p[region.size - 1] == 2 ? "works" : "lost");
}

/* --- borders --------------------------------------------------------------------- */

/* How far around a border, and how much at a time. */
#define AROUND	9

static struct {
	uint32_t region;
	uint64_t at;
	uint64_t width;
	bool writes;
} registers[64];
static int nr_registers;

/* Of the current region: where something begins or ends. */
static uint64_t borders[2 * 64 + 64];
static int nr_borders;

static void add_border(uint64_t at)
{
	if (nr_borders < (int)(sizeof(borders) / sizeof(*borders)))
		borders[nr_borders++] = at;
}

static void find_borders(const struct vfio_region_info *info)
{
	const struct vfio_region_info_cap_sparse_mmap *sparse =
		vfio_region_cap(info, VFIO_REGION_INFO_CAP_SPARSE_MMAP);
	uint32_t i;
	int r;

	nr_borders = 0;
	add_border(0);
	add_border(info->size);
	for (r = 0; r < nr_registers; r++) {
		if (registers[r].region != info->index)
			continue;
		add_border(registers[r].at);
		add_border(registers[r].at + registers[r].width);
	}
	for (i = 0; sparse && i < sparse->nr_areas; i++) {
		add_border(sparse->areas[i].offset);
		add_border(sparse->areas[i].offset + sparse->areas[i].size);
	}
}

/* Is it an errno or a count, of what was asked for and is there, and no byte more? */
static bool is_honest(size_t size, uint64_t at)
{
	static uint8_t buf[8192];
	size_t there = at < region.size ? min(size, region.size - at) : 0, i;
	ssize_t n;

	memset(buf, 0xa5, sizeof(buf));
	n = do_read(buf, size, at);
	if (n < -1 || n > (ssize_t)there) {
		printf("# read of 0x%zx at 0x%llx: %zd bytes of 0x%zx\n", size,
		       (long long)at, n, there);
		return false;
	}
	for (i = size; i < sizeof(buf) && buf[i] == 0xa5; i++)
		;
	if (i < sizeof(buf))
		printf("# read of 0x%zx at 0x%llx: a byte 0x%zx behind it\n", size,
		       (long long)at, i - size);
	return i == sizeof(buf);
}

static bool reads_honestly(void)
{
	bool good = true;
	uint64_t at;
	size_t size;
	int i;

	for (i = 0; i < nr_borders && good; i++) {
		at = borders[i] - min(borders[i], AROUND);
		for (; at <= borders[i] + AROUND && good; at++)
			for (size = 0; size <= AROUND && good; size++)
				good = is_honest(size, at);
	}
	return good && is_honest(4097, region.size - 1) && is_honest(8, region.size + 4096);
}

static bool can_map(uint64_t at)
{
	void *p = mmap(NULL, page, PROT_READ, MAP_SHARED, vfio.device, region.offset + at);

	return p != MAP_FAILED && !munmap(p, page);
}

static bool says_map(const struct vfio_region_info *info, uint64_t at)
{
	const struct vfio_region_info_cap_sparse_mmap *sparse =
		vfio_region_cap(info, VFIO_REGION_INFO_CAP_SPARSE_MMAP);
	uint32_t i;

	if (!(info->flags & VFIO_REGION_INFO_FLAG_MMAP) || !sparse)
		return info->flags & VFIO_REGION_INFO_FLAG_MMAP;
	for (i = 0; i < sparse->nr_areas; i++)
		if (at >= sparse->areas[i].offset &&
		    at + page <= sparse->areas[i].offset + sparse->areas[i].size)
			return true;
	return false;
}

/* The pages around each border: can those be mapped of which that is said? */
static bool maps_as_said(const struct vfio_region_info *info)
{
	uint64_t at, last;
	int i;

	for (i = 0; i < nr_borders; i++) {
		at = borders[i] / page * page;
		for (last = at + page, at -= min(at, page); at <= last; at += page)
			if (at + page <= info->size && says_map(info, at) != can_map(at)) {
				printf("# page 0x%llx: region info says %s\n", (long long)at,
				       says_map(info, at) ? "yes" : "no");
				return false;
			}
	}
	return true;
}

/* Writes within a register, of each length; it is there for them. */
static bool writes_honestly(int r)
{
	uint64_t at, end = registers[r].at + registers[r].width, size;
	uint8_t bytes[AROUND];
	bool good = true;
	size_t i;
	ssize_t n;

	for (at = registers[r].at; at < end && good; at++)
		for (size = 1; size <= min(end - at, AROUND) && good; size++) {
			for (i = 0; i < size; i++)
				bytes[i] = rand();
			n = do_write(bytes, size, at);
			good = n >= -1 && n <= (ssize_t)size;
			if (!good)
				printf("# write of 0x%llx at 0x%llx: %zd\n",
				       (long long)size, (long long)at, n);
		}
	return good;
}

/* result() of a line "region N: WHAT". */
static void region_result(bool good, const char *what)
{
	char line[128];

	snprintf(line, sizeof(line), "region %u: %s", region.index, what);
	result(good, line);
}

/* Returns false when it is one that "-N" leaves out, or is not there to be read. */
static bool choose_region(uint32_t index, uint32_t left_out)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = index };

	if (left_out & 1u << index || ioctl(vfio.device, VFIO_DEVICE_GET_REGION_INFO, &info))
		return false;
	region = info;
	find_borders(vfio_region_full(&vfio, index));
	return region.size && region.flags & VFIO_REGION_INFO_FLAG_READ;
}

static void test_borders(char **args)
{
	uint32_t left_out = 0, i;
	int r;

	for (; *args && **args == '-'; args++)
		left_out |= 1u << atoi(*args + 1);
	for (; args[0] && nr_registers < 64; args += 4, nr_registers++) {
		if (!args[1] || !args[2] || !args[3])
			errx(2, "a register is REGION OFFSET WIDTH r|w");
		registers[nr_registers].region = strtoul(args[0], NULL, 16);
		registers[nr_registers].at = strtoull(args[1], NULL, 16);
		registers[nr_registers].width = strtoull(args[2], NULL, 16);
		registers[nr_registers].writes = *args[3] == 'w';
	}

	for (i = 0; i < vfio_nr_regions(&vfio); i++) {
		if (!choose_region(i, left_out))
			continue;
		region_result(reads_honestly(),
			      "a read gives an errno, or no more than was asked for and is there");
		if (i <= VFIO_PCI_BAR5_REGION_INDEX)
			region_result(maps_as_said(vfio_region_full(&vfio, i)),
				      "what can be mapped is what region info says");
	}
	for (r = 0; r < nr_registers; r++) {
		if (!choose_region(registers[r].region, 0)) {
			region.index = registers[r].region;
			region_result(false, "it has the register that is declared");
			continue;
		}
		if (region.index <= VFIO_PCI_BAR5_REGION_INDEX)
			region_result(!can_map(registers[r].at / page * page),
				      "its register can't be mapped");
		if (registers[r].writes)
			region_result(writes_honestly(r),
				      "a write gives an errno, or no more than was asked for");
	}

	vfio_set_command(&vfio, PCI_COMMAND_MEMORY | PCI_COMMAND_IO, false);
	for (i = 0; i < vfio_nr_regions(&vfio); i++)
		if (choose_region(i, left_out))
			region_result(reads_honestly(),
				      "with its memory off a read gives an errno, or no more");
}

/* --- commands -------------------------------------------------------------------- */

static void list(void)
{
	const struct vfio_region_info_cap_type *type;
	const struct vfio_region_info *info;
	uint32_t i;

	for (i = VFIO_PCI_NUM_REGIONS; i < vfio_nr_regions(&vfio); i++) {
		info = vfio_region_full(&vfio, i);
		type = vfio_region_cap(info, VFIO_REGION_INFO_CAP_TYPE);
		if (type)
			printf("%x %x %llx %x\n", type->type, type->subtype,
			       (long long)info->size, info->flags);
	}
}

static void rounds(const char *bdf, int n)
{
	int opened = 0, regions = 0;

	while (n--) {
		if (!vfio_open(&vfio, bdf)) {
			opened++;
			regions += vfio_nr_regions(&vfio) - VFIO_PCI_NUM_REGIONS;
		}
		vfio_close(&vfio);
	}
	printf("%d opened, %d regions\n", opened, regions);
}

static void dump(void)
{
	char *bytes = malloc(region.size);

	if (!bytes || do_read(bytes, region.size, 0) != (ssize_t)region.size)
		err(1, "read");
	fwrite(bytes, 1, region.size, stdout);
}

static void show_caps(uint32_t type, uint32_t subtype)
{
	const struct vfio_region_info *full = vfio_region_of_type(&vfio, type, subtype);
	const struct vfio_region_info_cap_nvlink2_ssatgt *tgt =
		vfio_region_cap(full, VFIO_REGION_INFO_CAP_NVLINK2_SSATGT);
	const struct vfio_region_info_cap_nvlink2_lnkspd *speed =
		vfio_region_cap(full, VFIO_REGION_INFO_CAP_NVLINK2_LNKSPD);

	printf("size %llx flags %x\n", (long long)full->size, full->flags);
	if (tgt)
		printf("tgt %llx version %u\n", (long long)tgt->tgt,
		       tgt->header.version);
	if (speed)
		printf("speed %x version %u\n", speed->link_speed,
		       speed->header.version);
}

/* Is a read what it has to be, and is nothing beyond it written? */
static bool reads(const uint8_t *wanted, uint64_t at, size_t size)
{
	size_t expect = at + size > region.size ? region.size - at : size;
	static uint8_t buf[1 << 20];
	ssize_t n;

	memset(buf, 0xa5, expect);
	buf[expect] = 0x5a;
	n = do_read(buf, size, at);
	if (n == (ssize_t)expect && !memcmp(buf, wanted + at, expect) &&
	    buf[expect] == 0x5a)
		return true;
	printf("# read of 0x%zx at 0x%llx: %zd, %s\n", size, (long long)at, n,
	       n < 0 ? strerror(errno) : "other bytes");
	return false;
}

static void verify(const char *path)
{
	static const size_t longs[] = {
		31, 255, 256, 257, 511, 513, 4095, 4096, 4097, 8191, 8192, 8193,
	};
	uint8_t *wanted = calloc(1, region.size + 1), byte = 0;
	FILE *file = fopen(path, "r");
	bool good = true;
	uint64_t at;
	size_t size;

	if (!wanted || !file)
		err(1, "%s", path);
	size = fread(wanted, 1, region.size + 1, file);
	result(size == region.size, "size");
	result(region.flags == (VFIO_REGION_INFO_FLAG_READ |
			       VFIO_REGION_INFO_FLAG_CAPS), "flags");
	if (size != region.size)
		return;

	for (at = 0; at < region.size && good; at++)
		for (size = 1; size <= SHORT_MAX && good; size++)
			good = reads(wanted, at, size);
	result(good, "short reads at every offset");

	good = true;
	for (at = 0; at < region.size && good; at += at % 3 ? 61 : 1)
		for (size = 0; size < sizeof(longs) / sizeof(*longs) && good;
		     size++)
			good = reads(wanted, at, longs[size]);
	result(good && reads(wanted, 0, region.size) &&
	       reads(wanted, 0, region.size + 1), "long reads");

	good = true;
	for (at = region.size; at < region.size + 4; at++)
		good &= do_read(&byte, 1, at) < 0 && errno == EINVAL;
	result(good, "no reads beyond the end");

	good = true;
	for (at = 0; at <= region.size; at += region.size / 2)
		good &= do_write(&byte, 1, at) < 0 && errno == EINVAL;
	result(good && reads(wanted, 0, region.size), "no writes");

	result(mmap(NULL, 4096, PROT_READ, MAP_SHARED, vfio.device,
		    region.offset) == MAP_FAILED && errno == EINVAL, "no mmap");
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[2] : "";
	uint32_t type, subtype;
	int ret;

	if (argc == 4 && !strcmp(what, "rounds")) {
		rounds(argv[1], atoi(argv[3]));
		return 0;
	}
	if (!strcmp(what, "borders")) {
		vfio_must_open(&vfio, argv[1]);
		page = sysconf(_SC_PAGESIZE);
		test_borders(argv + 3);
		return end_results();
	}
	if (argc != (!strcmp(what, "list") ? 3 : !strcmp(what, "verify") ? 6 : 5))
		errx(2, "usage: vfio-region NAME WHAT [TYPE SUBTYPE [FILE]]");
	ret = vfio_open(&vfio, argv[1]);
	if (ret)
		return ret;
	if (!strcmp(what, "list")) {
		list();
		return 0;
	}
	page = sysconf(_SC_PAGESIZE);
	type = strtoul(argv[3], NULL, 16);
	subtype = strtoul(argv[4], NULL, 16);
	region = *vfio_region_of_type(&vfio, type, subtype);
	if (!strcmp(what, "dump")) {
		dump();
		return 0;
	}
	if (!strcmp(what, "caps")) {
		show_caps(type, subtype);
		return 0;
	}
	if (!strcmp(what, "hold")) {
		hold();
		return 0;
	}
	if (!strcmp(what, "verify")) {
		verify(argv[5]);
	} else if (!strcmp(what, "test")) {
		test_rw(min(region.size, FILL_MAX));
		test_mmap(min(region.size, FILL_MAX));
	} else {
		errx(2, "unknown command %s", what);
	}
	return end_results();
}
