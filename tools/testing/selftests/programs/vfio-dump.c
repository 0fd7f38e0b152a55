// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: vfio-dump "BDF[ vf_token=UUID]" [BAR...]
 * Print what VFIO says of a function, one fact a line, so that two drivers can
 * be compared with diff: device, regions and interrupts with all capabilities,
 * what a hot reset affects, the features, and the whole config space; and of the BARs
 * that are named up to 64 KB.
 */
#include "vfio_lib.h"

/* Features are numbered from 0; those past the last known are refused. */
#define NR_FEATURES 32

static void print_hex(const char *what, const uint8_t *data, size_t size)
{
	size_t i;

	printf("%s", what);
	for (i = 0; i < size; i++)
		printf("%02x", data[i]);
	putchar('\n');
}

/*
 * Ask twice, as the answer says itself how large it is. @argsz is the first
 * member of every such structure. Returns NULL with errno set if refused.
 */
static uint8_t *ask(int fd, unsigned long request, const void *question,
		    size_t size)
{
	uint32_t argsz = size;
	uint8_t *answer;
	int i;

	for (i = 0; i < 2; i++) {
		answer = calloc(1, argsz);
		if (!answer)
			err(1, "calloc");
		memcpy(answer, question, size);
		memcpy(answer, &argsz, sizeof(argsz));
		if (ioctl(fd, request, answer)) {
			free(answer);
			return NULL;
		}
		memcpy(&argsz, answer, sizeof(argsz));
		if (argsz < size)
			argsz = size;
		if (i == 0)
			free(answer);
	}
	return answer;
}

static struct vfio_device_info dump_device(int fd)
{
	struct vfio_device_info question = { .argsz = sizeof(question) };
	struct vfio_device_info info;
	uint8_t *answer;

	answer = ask(fd, VFIO_DEVICE_GET_INFO, &question, sizeof(question));
	if (!answer)
		err(1, "VFIO_DEVICE_GET_INFO");
	memcpy(&info, answer, sizeof(info));
	printf("device: argsz %u flags 0x%x regions %u irqs %u\n", info.argsz,
	       info.flags, info.num_regions, info.num_irqs);
	print_hex("device capabilities: ", answer + sizeof(info),
		  info.argsz > sizeof(info) ? info.argsz - sizeof(info) : 0);
	free(answer);
	return info;
}

static void dump_region(int fd, uint32_t index)
{
	struct vfio_region_info question = { .index = index };
	struct vfio_region_info info;
	uint8_t *answer;

	answer = ask(fd, VFIO_DEVICE_GET_REGION_INFO, &question,
		     sizeof(question));
	if (!answer) {
		printf("region %u: errno %d\n", index, errno);
		return;
	}
	memcpy(&info, answer, sizeof(info));
	printf("region %u: flags 0x%x size 0x%llx offset 0x%llx ", index,
	       info.flags, (long long)info.size, (long long)info.offset);
	print_hex("capabilities ", answer + sizeof(info),
		  info.argsz > sizeof(info) ? info.argsz - sizeof(info) : 0);
	free(answer);
}

static void dump_irq(int fd, uint32_t index)
{
	struct vfio_irq_info info = { .argsz = sizeof(info), .index = index };

	if (ioctl(fd, VFIO_DEVICE_GET_IRQ_INFO, &info))
		printf("irq %u: errno %d\n", index, errno);
	else
		printf("irq %u: flags 0x%x count %u\n", index, info.flags,
		       info.count);
}

static int by_address(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct vfio_pci_dependent_device));
}

static void dump_hot_reset(int fd)
{
	static char buf[4096];
	struct vfio_pci_hot_reset_info *info = (void *)buf;
	uint32_t i;

	info->argsz = sizeof(buf);
	if (ioctl(fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, info)) {
		printf("hot reset: errno %d\n", errno);
		return;
	}
	printf("hot reset: flags 0x%x count %u\n", info->flags, info->count);
	qsort(info->devices, info->count, sizeof(info->devices[0]), by_address);
	for (i = 0; i < info->count; i++)
		printf("hot reset: group %u %04x:%02x:%02x.%x\n",
		       info->devices[i].group_id, info->devices[i].segment,
		       info->devices[i].bus, info->devices[i].devfn >> 3,
		       info->devices[i].devfn & 7);
}

/* Probing changes nothing in the device. */
static int probe_feature(int fd, uint32_t flags)
{
	struct vfio_device_feature feature = {
		.argsz = sizeof(feature),
		.flags = VFIO_DEVICE_FEATURE_PROBE | flags,
	};

	return ioctl(fd, VFIO_DEVICE_FEATURE, &feature) ? errno : 0;
}

static void dump_features(int fd)
{
	uint32_t i;

	for (i = 0; i < NR_FEATURES; i++)
		printf("feature %u: get errno %d set errno %d\n", i,
		       probe_feature(fd, VFIO_DEVICE_FEATURE_GET | i),
		       probe_feature(fd, VFIO_DEVICE_FEATURE_SET | i));
}

static void dump_config(struct vfio *vfio)
{
	struct vfio_region_info info =
		vfio_region(vfio, VFIO_PCI_CONFIG_REGION_INDEX);
	uint64_t at;

	for (at = 0; at < info.size; at++) {
		uint8_t byte;

		if (pread(vfio->device, &byte, 1, info.offset + at) != 1)
			err(1, "config space at 0x%llx", (long long)at);
		if (at % 16 == 0)
			printf("config %03llx:", (long long)at);
		printf(" %02x%s", byte, at % 16 == 15 ? "\n" : "");
	}
}

/* A BAR that is not there has no bytes. Many have nothing to say to longer accesses. */
static void dump_bar(struct vfio *vfio, int bar)
{
	struct vfio_region_info info = vfio_region(vfio, bar);
	uint8_t bytes[4];
	uint64_t at;
	ssize_t n, i;

	for (at = 0; at < info.size && at < 0x10000; at += sizeof(bytes)) {
		if (at % 16 == 0)
			printf("%sbar%d %05llx:", at ? "\n" : "", bar, (long long)at);
		n = pread(vfio->device, bytes, sizeof(bytes), info.offset + at);
		if (n < 0)
			printf(" errno %d", errno);
		for (i = 0; i < n; i++)
			printf(" %02x", bytes[i]);
	}
	if (at)
		putchar('\n');
}

int main(int argc, char **argv)
{
	struct vfio_device_info info;
	struct vfio vfio;
	uint32_t i;

	if (argc < 2)
		errx(2, "usage: vfio-dump \"BDF[ vf_token=UUID]\" [BAR...]");
	vfio_must_open(&vfio, argv[1]);

	info = dump_device(vfio.device);
	for (i = 0; i < info.num_regions; i++)
		dump_region(vfio.device, i);
	for (i = 0; i < info.num_irqs; i++)
		dump_irq(vfio.device, i);
	dump_hot_reset(vfio.device);
	dump_features(vfio.device);
	dump_config(&vfio);
	for (i = 2; i < (uint32_t)argc; i++)
		dump_bar(&vfio, atoi(argv[i]));
	vfio_close(&vfio);
	return 0;
}
