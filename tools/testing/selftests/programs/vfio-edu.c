// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: vfio-edu NAME [OTHER]
 * DMA and interrupts of QEMU's edu device, judged by the bytes in memory and by
 * what arrives on eventfds. Prints TAP. DMA to IOVAs that are not mapped goes to
 * FAULT_IOVA, UNMAPPED_IOVA, and STALE_IOVA, where the last run has left something
 * mapped: the caller looks for the IOMMU's faults there. With OTHER, a second
 * device that is open at the same time: each stays out of the other's memory;
 * faults are at OTHERS_IOVA. NAME, OTHER: a BDF, or the UUID of an mdev.
 * Registers: "EDU device" in QEMU's documentation.
 */
#include "vfio_lib.h"

#define EDU_RAISE	0x60
#define EDU_ACK		0x64
#define EDU_DMA_SRC	0x80
#define EDU_DMA_DST	0x88
#define EDU_DMA_COUNT	0x90
#define EDU_DMA_CMD	0x98
#define EDU_DMA_RUN	0x1
#define EDU_DMA_TO_RAM	0x2
#define EDU_BUFFER	0x40000

#define SIZE		4096
/* The device reaches 28 bits. */
#define A_IOVA		0x100000
#define B_IOVA		0x200000
#define FAULT_IOVA	0x300000
#define UNMAPPED_IOVA	B_IOVA
#define STALE_IOVA	0x400000
#define OTHERS_IOVA	0x500000

/* Long enough for a busy machine; only a failure waits for it. */
#define SOON		10000
/* Nothing is to come: there is no event to wait for. */
#define NEVER		500

static void map(struct vfio *vfio, void *memory, uint64_t iova)
{
	errno = vfio_map(vfio, memory, iova, SIZE);
	if (errno)
		err(1, "VFIO_IOMMU_MAP_DMA");
}

static void unmap(struct vfio *vfio, uint64_t iova)
{
	errno = vfio_unmap(vfio, iova, SIZE);
	if (errno)
		err(1, "VFIO_IOMMU_UNMAP_DMA");
}

static void reg(struct vfio *vfio, off_t at, uint32_t value)
{
	vfio_write(vfio, VFIO_PCI_BAR0_REGION_INDEX, at, 4, value);
}

/* Run one transfer and wait for the device to say that it is done. */
static void dma(struct vfio *vfio, uint32_t src, uint32_t dst, uint32_t dir)
{
	int ms;

	reg(vfio, EDU_DMA_SRC, src);
	reg(vfio, EDU_DMA_DST, dst);
	reg(vfio, EDU_DMA_COUNT, SIZE);
	reg(vfio, EDU_DMA_CMD, EDU_DMA_RUN | dir);
	for (ms = 0; ms < SOON; ms += 10) {
		if (!(vfio_read(vfio, VFIO_PCI_BAR0_REGION_INDEX, EDU_DMA_CMD,
				4) & EDU_DMA_RUN))
			return;
		usleep(10 * 1000);
	}
	errx(1, "the device does not finish its transfer");
}

static bool all_bytes(const uint8_t *memory, uint8_t value)
{
	int i;

	for (i = 0; i < SIZE; i++)
		if (memory[i] != value)
			return false;
	return true;
}

static uint8_t *page(void)
{
	uint8_t *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		err(1, "mmap");
	return memory;
}

static void test_dma(struct vfio *vfio)
{
	uint8_t *a = page(), *b = page(), *stale = page();
	int i;

	for (i = 0; i < SIZE; i++)
		a[i] = i * 7 + (i >> 8);
	memset(b, 0x77, SIZE);
	dma(vfio, EDU_BUFFER, STALE_IOVA, EDU_DMA_TO_RAM);
	map(vfio, a, A_IOVA);
	map(vfio, b, B_IOVA);

	dma(vfio, A_IOVA, EDU_BUFFER, 0);
	result(all_bytes(b, 0x77), "reading memory changes none");
	dma(vfio, EDU_BUFFER, B_IOVA, EDU_DMA_TO_RAM);
	result(!memcmp(a, b, SIZE), "bytes went through the device, IOVA to IOVA");

	memset(a, 0x11, SIZE);
	memset(b, 0x22, SIZE);
	dma(vfio, EDU_BUFFER, FAULT_IOVA, EDU_DMA_TO_RAM);
	result(all_bytes(a, 0x11) && all_bytes(b, 0x22),
	       "DMA to an IOVA that was never mapped changes no memory");

	unmap(vfio, UNMAPPED_IOVA);
	dma(vfio, EDU_BUFFER, UNMAPPED_IOVA, EDU_DMA_TO_RAM);
	result(all_bytes(b, 0x22), "nor does DMA to an IOVA after unmap");

	/* The same page by another IOVA: the device was not just dead. */
	map(vfio, b, A_IOVA + SIZE);
	dma(vfio, EDU_BUFFER, A_IOVA + SIZE, EDU_DMA_TO_RAM);
	result(!all_bytes(b, 0x22), "mapped again elsewhere, DMA gets through");
	unmap(vfio, A_IOVA);
	unmap(vfio, A_IOVA + SIZE);
	/* The kernel has to drop it, with the container. */
	map(vfio, stale, STALE_IOVA);
}

/* Each has a page at the same IOVA, and @theirs one more. */
static void test_apart(struct vfio *mine, struct vfio *theirs)
{
	uint8_t *a = page(), *b = page(), *c = page();

	memset(a, 0xaa, SIZE);
	memset(b, 0xbb, SIZE);
	memset(c, 0xcc, SIZE);
	map(mine, a, A_IOVA);
	map(theirs, b, A_IOVA);
	map(theirs, c, OTHERS_IOVA);

	dma(mine, A_IOVA, EDU_BUFFER, 0);
	dma(mine, EDU_BUFFER, OTHERS_IOVA, EDU_DMA_TO_RAM);
	result(all_bytes(c, 0xcc), "DMA to where only the other one has memory changes none");
	memset(a, 0, SIZE);
	dma(mine, EDU_BUFFER, A_IOVA, EDU_DMA_TO_RAM);
	result(all_bytes(a, 0xaa) && all_bytes(b, 0xbb),
	       "DMA to an IOVA that both have mapped goes to its own memory");

	unmap(mine, A_IOVA);
	unmap(theirs, A_IOVA);
	unmap(theirs, OTHERS_IOVA);
}

static void test_intx(struct vfio *vfio, const char *bdf)
{
	int fd = eventfd(0, 0);

	result(!vfio_set_irq(vfio, VFIO_PCI_INTX_IRQ_INDEX, VFIO_IRQ_TRIGGER_FD, fd),
	       "INTx is enabled");
	result(!vfio_events(fd, NEVER), "INTx: quiet before the device raises it");
	reg(vfio, EDU_RAISE, 1);
	result(vfio_events(fd, SOON) == 1, "INTx arrives");
	result(!vfio_events(fd, NEVER), "INTx is masked then, though still raised");
	printf("# INTx is masked in the device: %s\n",
	       vfio_intx_disabled(bdf) ? "yes" : "no");
	result(!vfio_set_irq(vfio, VFIO_PCI_INTX_IRQ_INDEX, VFIO_IRQ_UNMASK_NOW, -1) &&
	       vfio_events(fd, SOON) == 1, "INTx arrives again after unmask");
	reg(vfio, EDU_ACK, 1);
	result(!vfio_set_irq(vfio, VFIO_PCI_INTX_IRQ_INDEX, VFIO_IRQ_UNMASK_NOW, -1) &&
	       !vfio_events(fd, NEVER), "INTx: quiet once it is acknowledged");
	vfio_disable_irq(vfio, VFIO_PCI_INTX_IRQ_INDEX);
	close(fd);
}

static void test_msi(struct vfio *vfio)
{
	int fd = eventfd(0, 0), i;
	bool all = true;

	result(!vfio_set_irq(vfio, VFIO_PCI_MSI_IRQ_INDEX, VFIO_IRQ_TRIGGER_FD, fd),
	       "MSI is enabled");
	result(!vfio_events(fd, NEVER), "MSI: quiet before the device raises it");
	for (i = 0; i < 10; i++) {
		reg(vfio, EDU_RAISE, 1);
		all &= vfio_events(fd, SOON) == 1;
		reg(vfio, EDU_ACK, 1);
	}
	result(all && !vfio_events(fd, NEVER), "MSI arrives, ten times of ten");
	vfio_disable_irq(vfio, VFIO_PCI_MSI_IRQ_INDEX);
	reg(vfio, EDU_RAISE, 1);
	result(!vfio_events(fd, NEVER), "MSI: none after its trigger is gone");
	reg(vfio, EDU_ACK, 1);
	close(fd);
}

static void open_edu(struct vfio *vfio, const char *name)
{
	vfio_must_open(vfio, name);
	vfio_set_command(vfio, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, true);
}

int main(int argc, char **argv)
{
	struct vfio vfio, other;

	if (argc != 2 && argc != 3)
		errx(2, "usage: vfio-edu NAME [OTHER]");
	open_edu(&vfio, argv[1]);
	if (argc == 3) {
		open_edu(&other, argv[2]);
		test_apart(&vfio, &other);
		test_apart(&other, &vfio);
		vfio_close(&other);
	}

	test_dma(&vfio);
	test_intx(&vfio, argv[1]);
	test_msi(&vfio);
	vfio_close(&vfio);
	return end_results();
}
