// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: vfio-nvme BDF [RAM-TYPE RAM-SUBTYPE END]
 * On POWER: let an NVMe drive write what it says of itself into memory, by DMA, and
 * into the region of that type of its own (in hex), if one is named. END is what
 * becomes of DMA to the region then:
 *   unmap     is unmapped, then the region, which then is mapped again
 *   leave     stays, the region is unmapped; the device can't be opened again before
 *             DMA is unmapped
 *   register  as "leave", and the region was registered, as QEMU does; the device
 *             can't be opened before that is undone
 *   exit      stays, and the program just ends
 *   refused   can't be set up in the first place
 * Prints TAP. The drive's registers and commands: NVM Express Base Specification 1.4,
 * 3.1 and 5.15.
 */
#include "vfio_lib.h"

#define NVME_CC			0x14
#define NVME_CSTS		0x1c
#define NVME_AQA		0x24
#define NVME_ASQ		0x28
#define NVME_ACQ		0x30
#define NVME_DOORBELL		0x1000
/* Enabled, entries of 64 and of 16 bytes. */
#define NVME_CC_ENABLED		0x00460001
#define NVME_IDENTIFY		6
#define NVME_IDENTIFY_CTRL	1
#define NVME_SERIAL		4

#define SERIAL			"NVME0               "

/* The queues, and what is identified. In one piece for any size of IOMMU page. */
#define SIZE			(64 << 10)
#define CQ			4096
#define DATA			8192
#define ENTRIES			16

static struct vfio vfio;
static uint8_t *memory;
static uint64_t iova, ram_iova;

static uint32_t get(uint32_t at)
{
	return vfio_read(&vfio, VFIO_PCI_BAR0_REGION_INDEX, at, 4);
}

static void set(uint32_t at, uint32_t value)
{
	vfio_write(&vfio, VFIO_PCI_BAR0_REGION_INDEX, at, 4, value);
}

/* --- the container --------------------------------------------------------------- */

/* Register or unregister memory. */
static int do_register(int request, void *at, uint64_t size)
{
	struct vfio_iommu_spapr_register_memory reg = {
		.argsz = sizeof(reg), .vaddr = (uintptr_t)at, .size = size,
	};

	return ioctl(vfio.container, request, &reg) ? errno : 0;
}

static void set_up_memory(void)
{
	struct vfio_iommu_spapr_tce_info info = { .argsz = sizeof(info) };

	memory = aligned_alloc(SIZE, SIZE);
	if (!memory)
		err(1, "memory");
	memset(memory, 0, SIZE);
	if (ioctl(vfio.container, VFIO_IOMMU_SPAPR_TCE_GET_INFO, &info))
		err(1, "VFIO_IOMMU_SPAPR_TCE_GET_INFO");
	iova = info.dma32_window_start + (16 << 20);
	ram_iova = iova + SIZE;
	if (do_register(VFIO_IOMMU_SPAPR_REGISTER_MEMORY, memory, SIZE))
		err(1, "VFIO_IOMMU_SPAPR_REGISTER_MEMORY");
	if (vfio_map(&vfio, memory, iova, SIZE))
		err(1, "VFIO_IOMMU_MAP_DMA");
}

/* --- the drive ------------------------------------------------------------------- */

/* Wait for CSTS.RDY to be @ready; it takes a moment. */
static bool becomes(bool ready)
{
	int i;

	for (i = 0; i < 3000; i++) {
		if ((get(NVME_CSTS) & 1) == ready)
			return true;
		usleep(10000);
	}
	return false;
}

static bool start(void)
{
	vfio_write(&vfio, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, 2,
		   PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	set(NVME_CC, 0);
	if (!becomes(false))
		return false;
	set(NVME_AQA, (ENTRIES - 1) << 16 | (ENTRIES - 1));
	set(NVME_ASQ, iova);
	set(NVME_ASQ + 4, iova >> 32);
	set(NVME_ACQ, iova + CQ);
	set(NVME_ACQ + 4, (iova + CQ) >> 32);
	set(NVME_CC, NVME_CC_ENABLED);
	return becomes(true);
}

static uint32_t le32(const uint8_t *at)
{
	return at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
}

static void put_le32(uint8_t *at, uint32_t value)
{
	int i;

	for (i = 0; i < 4; i++)
		at[i] = value >> 8 * i;
}

/* The command number @n lets it write 4096 bytes to @to. Is it done, and well? */
static bool identify(int n, uint64_t to)
{
	uint8_t *sq = memory + 64 * n, *cq = memory + CQ + 16 * n;
	int i;

	memset(sq, 0, 64);
	put_le32(sq, NVME_IDENTIFY | (n + 1) << 16);
	put_le32(sq + 24, to);
	put_le32(sq + 28, to >> 32);
	put_le32(sq + 40, NVME_IDENTIFY_CTRL);
	__sync_synchronize();
	set(NVME_DOORBELL, n + 1);
	for (i = 0; i < 3000; i++) {
		__sync_synchronize();
		/* The phase bit is set in the first round. */
		if (le32(cq + 12) & 1 << 16)
			return !(le32(cq + 12) >> 17);
		usleep(10000);
	}
	return false;
}

/* --- the region ------------------------------------------------------------------ */

static bool opens(const char *bdf)
{
	vfio.device = ioctl(vfio.group, VFIO_GROUP_GET_DEVICE_FD, bdf);
	return vfio.device >= 0;
}

static bool is_busy(const char *bdf)
{
	return !opens(bdf) && errno == EBUSY;
}

/* Uses of the module that the region is of. */
static int pins(void)
{
	FILE *file = fopen("/sys/module/vfio_pci_nvlink2/refcnt", "r");
	int n = -1;

	if (!file || fscanf(file, "%d", &n) != 1)
		err(1, "refcnt");
	fclose(file);
	return n;
}

/* DMA to @ram stays when it goes. */
static void leave(const char *bdf, void *ram, uint64_t size, bool registered)
{
	int open = pins();

	if (registered)
		result(!do_register(VFIO_IOMMU_SPAPR_REGISTER_MEMORY, ram, size),
		       "the region is registered");
	result(!munmap(ram, size), "the region is unmapped before DMA");
	close(vfio.device);
	/* No longer by the open device. */
	result(pins() == open, "the module is pinned");
	result(is_busy(bdf), "the device can't be opened: EBUSY");
	result(!vfio_unmap(&vfio, ram_iova, size), "DMA is unmapped");
	if (registered) {
		result(is_busy(bdf), "it still can't");
		result(!do_register(VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY, ram, size),
		       "the region is unregistered");
	}
	result(opens(bdf), "then it can be opened");
}

static void use_ram(const char *bdf, uint32_t type, uint32_t subtype, const char *end)
{
	struct vfio_region_info info = *vfio_region_of_type(&vfio, type, subtype);
	char serial[sizeof(SERIAL)] = "";
	uint8_t *ram;
	int ret;

	ram = mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED, vfio.device,
		   info.offset);
	if (ram == MAP_FAILED)
		err(1, "mmap");
	memset(ram, 0, info.size);
	if (!strcmp(end, "refused")) {
		result(vfio_map(&vfio, ram, ram_iova, SIZE) == EINVAL,
		       "the region can't be mapped for DMA");
		result(!vfio_map(&vfio, memory, ram_iova, SIZE), "other memory can");
		result(!munmap(ram, info.size), "the region is unmapped");
		return;
	}
	ret = vfio_map(&vfio, ram, ram_iova, info.size);
	result(!ret, "the region is mapped for DMA");
	result(identify(1, ram_iova + DATA), "the drive writes to it");
	result(!memcmp(ram + DATA + NVME_SERIAL, SERIAL, 20), "the mapping shows it");
	result(pread(vfio.device, serial, 20, info.offset + DATA + NVME_SERIAL) == 20 &&
	       !strcmp(serial, SERIAL), "it is read");
	result(!ram[DATA - 1] && !ram[DATA + 4096], "nothing else is written");

	if (!strcmp(end, "exit"))
		return;
	if (!strcmp(end, "leave") || !strcmp(end, "register")) {
		leave(bdf, ram, info.size, !strcmp(end, "register"));
		return;
	}
	result(!vfio_unmap(&vfio, ram_iova, info.size), "DMA is unmapped");
	result(!munmap(ram, info.size), "the region is unmapped");

	/* Now the other way round; what stays is in nobody's way. */
	ram = mmap(ram, info.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		   vfio.device, info.offset);
	result(ram != MAP_FAILED && !vfio_map(&vfio, ram, ram_iova, info.size),
	       "both are mapped again");
	result(!munmap(ram, info.size) && !vfio_unmap(&vfio, ram_iova, info.size),
	       "the region is unmapped, then DMA");
	result(mmap(ram, info.size, PROT_READ, MAP_SHARED | MAP_FIXED, vfio.device,
		    info.offset) == ram, "the region is mapped there at once");
	result(!munmap(ram, info.size), "and unmapped");
}

int main(int argc, char **argv)
{
	int ret;

	if (argc != 2 && argc != 5)
		errx(2, "usage: vfio-nvme BDF [RAM-TYPE RAM-SUBTYPE END]");
	ret = vfio_open(&vfio, argv[1]);
	if (ret)
		return ret;
	set_up_memory();
	if (result(start(), "the drive starts") &&
	    result(identify(0, iova + DATA), "it writes to memory")) {
		result(!memcmp(memory + DATA + NVME_SERIAL, SERIAL, 20),
		       "that is its serial number");
		if (argc == 5)
			use_ram(argv[1], strtoul(argv[2], NULL, 16),
				strtoul(argv[3], NULL, 16), argv[4]);
	}
	return end_results();
}
