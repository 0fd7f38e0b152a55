// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: vfio-regs BDF fuzz N SEED
 *        vfio-regs BDF resets N
 *        vfio-regs BDF areas
 *        vfio-regs BDF maps
 *        vfio-regs BDF size
 * BAR 2 of an ivshmem that is bound to vpv-regs: memory with registers in it; or, but for
 * the first two, to another variant.
 *   fuzz     N reads and writes of any length, most of them at the borders of registers,
 *            compared with a model of them and, byte by byte, with the memory itself,
 *            which is reached beside VFIO; prints TAP
 *   resets   resets it N times while hooks write and read a byte of the memory; prints TAP
 *   areas    prints "all", "none", or "START-END" of each part that can be mapped, in hex
 *   maps     prints the same, as found by mapping every page alone
 *   size     prints how large the user is told that it is, in hex
 */
#include <sys/wait.h>

#include "vfio_lib.h"

#define BAR		2
/* The region of counters, and that which writes and reads a byte. */
#define COUNTERS	9
#define WRITTEN_8	(7 * 8)
#define SIZE		0x10000
#define LONGEST		24

static const struct reg {
	uint32_t at;
	uint8_t width;
	bool read;
	bool write;
	bool pass;
} regs[] = {
	{ 0x10, 4, true, true, false },
	{ 0x14, 1, true, true, false },
	{ 0x16, 2, true, true, false },
	{ 0x18, 8, true, true, false },
	{ 0xffc, 4, false, true, false },
	{ 0x3000, 8, true, false, false },
	{ 0x3010, 1, true, true, false },
	/* Memory has the complement of what is written to it. */
	{ 0x3018, 8, false, false, true },
	{ 0xfff8, 8, true, true, false },
	{ 0, 0, false, false, false }
};

#define NR_REGS		9

static struct vfio vfio;
static off_t start;

/* What is beneath, as it has to be, and what was written to registers. */
static uint8_t memory[SIZE];
static uint8_t written[SIZE];
static uint8_t *beneath;

static const struct reg *register_at(uint32_t at)
{
	const struct reg *reg;

	for (reg = regs; reg->width; reg++)
		if (at >= reg->at && at < reg->at + reg->width)
			break;
	return reg;
}

static uint32_t pick_offset(void)
{
	const struct reg *reg = &regs[rand() % NR_REGS];
	int64_t at;

	if (rand() % 8 == 0)
		return rand() % SIZE;
	at = (int64_t)reg->at - LONGEST + rand() % (2 * LONGEST + reg->width);
	return at < 0 ? 0 : at >= SIZE ? SIZE - 1 : at;
}

static uint32_t reached(uint32_t at, uint32_t count)
{
	return at + count > SIZE ? SIZE - at : count;
}

/* Either returns what is wrong, or NULL. */
static const char *do_read(uint32_t at, uint32_t count)
{
	uint8_t buf[LONGEST + 2];
	uint32_t i, n = reached(at, count);
	uint8_t *data = buf + 1;

	memset(buf, 0xa5, sizeof(buf));
	if (pread(vfio.device, data, count, start + at) != n)
		return "read: its length";
	if (buf[0] != 0xa5 || data[n] != 0xa5)
		return "read: a byte beside what was asked for";
	for (i = 0; i < n; i++) {
		bool reg = register_at(at + i)->read;

		if (data[i] != (reg ? (uint8_t)~written[at + i] : memory[at + i]))
			return reg ? "read: a register" : "read: memory";
	}
	return NULL;
}

static const char *do_write(uint32_t at, uint32_t count)
{
	uint32_t i, n = reached(at, count);
	uint8_t data[LONGEST];

	for (i = 0; i < count; i++)
		data[i] = rand();
	if (pwrite(vfio.device, data, count, start + at) != n)
		return "write: its length";
	for (i = 0; i < n; i++) {
		const struct reg *reg = register_at(at + i);

		if (reg->write)
			written[at + i] = data[i];
		else
			memory[at + i] = reg->pass ? ~data[i] : data[i];
	}
	if (memcmp(memory, beneath, SIZE))
		return "write: the memory beneath";
	return NULL;
}

static int fuzz(const char *bdf, unsigned long rounds, unsigned int seed)
{
	const char *wrong = NULL;
	char path[128];
	unsigned long n;
	uint32_t at = 0, count = 0;
	int fd;

	vfio_sysfs(bdf, "resource2", path, sizeof(path));
	fd = open(path, O_RDWR);
	beneath = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (beneath == MAP_FAILED)
		err(1, "%s", path);

	/* What registers hold from an earlier run. */
	if (pwrite(vfio.device, memory, SIZE, start) != SIZE)
		err(1, "write");
	srand(seed);
	for (n = 0; n < SIZE; n++)
		memory[n] = rand();
	memcpy(beneath, memory, SIZE);
	for (n = 0; n < rounds && !wrong; n++) {
		at = pick_offset();
		count = 1 + rand() % LONGEST;
		wrong = rand() % 2 ? do_read(at, count) : do_write(at, count);
	}
	if (wrong)
		printf("# %u bytes at 0x%x, after %lu of seed %u: %s\n", count, at, n,
		       seed, wrong);
	printf("%sok 1 - borders: %lu accesses are what they are of memory and of registers\n",
	       wrong ? "not " : "", rounds);
	printf("1..1\n");
	return wrong ? 1 : 0;
}

static int resets(int rounds)
{
	off_t at = vfio_region(&vfio, COUNTERS).offset + WRITTEN_8;
	unsigned long n = 0, wrong = 0;
	uint64_t value;
	int status = 0;
	pid_t child;

	child = fork();
	if (!child) {
		while (rounds--)
			if (ioctl(vfio.device, VFIO_DEVICE_RESET))
				err(1, "VFIO_DEVICE_RESET");
		_exit(0);
	}
	for (; !waitpid(child, &status, WNOHANG); n++)
		if (pread(vfio.device, &value, sizeof(value), at) != sizeof(value) ||
		    value != 0x88)
			wrong++;
	if (wrong || !n)
		printf("# %lu of %lu reads were wrong\n", wrong, n);
	printf("%sok 1 - VFIO_DEVICE_RESET: hooks reach registers around them\n",
	       wrong || !n || status ? "not " : "");
	printf("1..1\n");
	return wrong || !n || status;
}

static void areas(void)
{
	const struct vfio_region_info *info = vfio_region_full(&vfio, BAR);
	const struct vfio_region_info_cap_sparse_mmap *sparse =
		vfio_region_cap(info, VFIO_REGION_INFO_CAP_SPARSE_MMAP);
	uint32_t i;

	if (!(info->flags & VFIO_REGION_INFO_FLAG_MMAP))
		printf("none");
	else if (!sparse)
		printf("all");
	for (i = 0; sparse && i < sparse->nr_areas; i++)
		printf("%s%llx-%llx", i ? " " : "",
		       (unsigned long long)sparse->areas[i].offset,
		       (unsigned long long)(sparse->areas[i].offset +
					    sparse->areas[i].size));
	printf("\n");
}

static bool can_map(uint32_t at, uint32_t size)
{
	void *mapped = mmap(NULL, size, PROT_READ, MAP_SHARED, vfio.device, start + at);

	if (mapped == MAP_FAILED)
		return false;
	munmap(mapped, size);
	return true;
}

static void maps(void)
{
	uint32_t page = getpagesize(), at, from = SIZE;
	bool first = true;

	if (can_map(0, SIZE)) {
		printf("all\n");
		return;
	}
	for (at = 0; at <= SIZE; at += page) {
		bool can = at < SIZE && can_map(at, page);

		if (can && from == SIZE)
			from = at;
		if (can || from == SIZE)
			continue;
		/* In one piece, too, but not a page more. */
		if (!can_map(from, at - from) || can_map(from, at - from + page))
			printf("odd ");
		printf("%s%x-%x", first ? "" : " ", from, at);
		first = false;
		from = SIZE;
	}
	printf("%s\n", first ? "none" : "");
}

int main(int argc, char **argv)
{
	if (argc < 3)
		errx(2, "usage: vfio-regs BDF fuzz N SEED|resets N|areas|maps|size");
	vfio_must_open(&vfio, argv[1]);
	start = vfio_region(&vfio, BAR).offset;

	if (!strcmp(argv[2], "areas"))
		areas();
	else if (!strcmp(argv[2], "maps"))
		maps();
	else if (!strcmp(argv[2], "size"))
		printf("%llx\n", (unsigned long long)vfio_region(&vfio, BAR).size);
	else if (argc == 4 && !strcmp(argv[2], "resets"))
		return resets(atoi(argv[3]));
	else if (argc == 5 && !strcmp(argv[2], "fuzz"))
		return fuzz(argv[1], strtoul(argv[3], NULL, 10),
			    strtoul(argv[4], NULL, 10));
	else
		errx(2, "no such command: %s", argv[2]);
	return 0;
}
