// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: vfio-do
 * A user of several functions at once, who does what standard input says, a
 * line at a time, and answers each with one line on standard output:
 *
 *   open BDF      "ok", "errno N"
 *   close BDF     "ok"
 *   intx BDF      enable INTx: "ok", "none" if VFIO says there is no INTx,
 *                 "errno N"; EBUSY: another one has the line to itself
 *   no-intx BDF   disable it: "ok"
 *   mask BDF      mask INTx: where it is masked now, as the hardware shows:
 *                 "device" (INTx Disable is set) or "irqchip"
 *   unmask BDF    unmask it: "ok", "disabled" if INTx Disable is set in hardware
 *   msi BDF       enable MSI and disable it again: "ok", "errno N"
 *   msi-on BDF    enable MSI: "ok", "errno N"
 *   vga BDF       the VGA region: "0xSIZE" or "errno N"
 *   info BDF      what VFIO says of the device, its regions and interrupts,
 *                 and the start of config space
 *   master BDF    let it do DMA, as a user's driver does: "ok"
 *   d3hot BDF     put it into D3hot, as a guest does: "ok"
 *   view BDF      COMMAND and the six BARs, as the user sees them, in hex
 *   reset BDF     VFIO_DEVICE_RESET: "ok", "errno N"
 *   mac BDF       the MAC of an e1000e: two registers that each reset loads
 *   err BDF       ask for the ERR event: "ok", "errno N"
 *   erred BDF     wait for it, 60 s at most: "yes", "no"
 *   revive BDF    wait for it and set the fault of cfgfault to 0: "yes", "no"
 *
 * and, open or not, what is seen from outside:
 *
 *   command BDF   the COMMAND register, in hex; wakes a suspended function up
 *   decodes BDF   the legacy VGA ranges that the arbiter takes it to decode:
 *                 "io+mem", "none"; "errno N" when it is no VGA device
 *
 * It ends at the end of input; what is still open is closed by then.
 */
#include "vfio_lib.h"

static struct function {
	char bdf[16];
	struct vfio vfio;
	bool open;
	int err;
} functions[8];

static struct function *find(const char *bdf)
{
	struct function *f;

	for (f = functions; f < functions + 8; f++) {
		if (!f->bdf[0])
			snprintf(f->bdf, sizeof(f->bdf), "%s", bdf);
		if (!strcmp(f->bdf, bdf))
			return f;
	}
	errx(1, "too many functions");
}

static void print_errno(int error)
{
	if (error)
		printf("errno %d\n", error);
	else
		puts("ok");
}

static void do_open(struct function *f)
{
	int ret = vfio_open(&f->vfio, f->bdf);

	f->open = !ret;
	if (ret)
		vfio_close(&f->vfio);
	print_errno(ret);
}

static void do_close(struct function *f)
{
	vfio_close(&f->vfio);
	f->open = false;
	puts("ok");
}

static void do_intx(struct function *f)
{
	struct vfio_irq_info info = { .argsz = sizeof(info),
				      .index = VFIO_PCI_INTX_IRQ_INDEX };

	if (ioctl(f->vfio.device, VFIO_DEVICE_GET_IRQ_INFO, &info))
		err(1, "VFIO_DEVICE_GET_IRQ_INFO");
	if (info.count == 0) {
		puts("none");
		return;
	}
	print_errno(vfio_set_irq(&f->vfio, VFIO_PCI_INTX_IRQ_INDEX,
				 VFIO_IRQ_TRIGGER_FD, eventfd(0, 0)));
}

static void do_no_intx(struct function *f)
{
	vfio_disable_irq(&f->vfio, VFIO_PCI_INTX_IRQ_INDEX);
	puts("ok");
}

static void do_mask(struct function *f)
{
	int ret = vfio_set_irq(&f->vfio, VFIO_PCI_INTX_IRQ_INDEX,
			       VFIO_IRQ_MASK_NOW, -1);

	if (ret)
		print_errno(ret);
	else
		puts(vfio_intx_disabled(f->bdf) ? "device" : "irqchip");
}

static void do_unmask(struct function *f)
{
	int ret = vfio_set_irq(&f->vfio, VFIO_PCI_INTX_IRQ_INDEX,
			       VFIO_IRQ_UNMASK_NOW, -1);

	if (!ret && vfio_intx_disabled(f->bdf))
		puts("disabled");
	else
		print_errno(ret);
}

static void do_msi(struct function *f)
{
	int fd = eventfd(0, 0);
	int ret = vfio_set_irq(&f->vfio, VFIO_PCI_MSI_IRQ_INDEX,
			       VFIO_IRQ_TRIGGER_FD, fd);

	if (!ret)
		vfio_disable_irq(&f->vfio, VFIO_PCI_MSI_IRQ_INDEX);
	close(fd);
	print_errno(ret);
}

static void do_msi_on(struct function *f)
{
	print_errno(vfio_set_irq(&f->vfio, VFIO_PCI_MSI_IRQ_INDEX,
				 VFIO_IRQ_TRIGGER_FD, eventfd(0, 0)));
}

static void do_vga(struct function *f)
{
	struct vfio_region_info info = { .argsz = sizeof(info),
					 .index = VFIO_PCI_VGA_REGION_INDEX };

	if (ioctl(f->vfio.device, VFIO_DEVICE_GET_REGION_INFO, &info))
		print_errno(errno);
	else
		printf("0x%llx\n", (long long)info.size);
}

static void do_info(struct function *f)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	uint32_t i;

	if (ioctl(f->vfio.device, VFIO_DEVICE_GET_INFO, &info))
		err(1, "VFIO_DEVICE_GET_INFO");
	printf("flags 0x%x", info.flags);
	for (i = 0; i < info.num_regions; i++) {
		struct vfio_region_info region = { .argsz = sizeof(region),
						   .index = i };

		if (ioctl(f->vfio.device, VFIO_DEVICE_GET_REGION_INFO, &region))
			printf(", region %u errno %d", i, errno);
		else
			printf(", region %u 0x%x 0x%llx", i, region.flags,
			       (long long)region.size);
	}
	for (i = 0; i < info.num_irqs; i++) {
		struct vfio_irq_info irq = { .argsz = sizeof(irq), .index = i };

		if (ioctl(f->vfio.device, VFIO_DEVICE_GET_IRQ_INFO, &irq))
			printf(", irq %u errno %d", i, errno);
		else
			printf(", irq %u 0x%x %u", i, irq.flags, irq.count);
	}
	printf(", config");
	for (i = 0; i < PCI_STD_HEADER_SIZEOF; i += 4)
		printf(" %08x", vfio_read(&f->vfio,
					  VFIO_PCI_CONFIG_REGION_INDEX, i, 4));
	putchar('\n');
}

static void do_master(struct function *f)
{
	uint32_t command = vfio_read(&f->vfio, VFIO_PCI_CONFIG_REGION_INDEX,
				     PCI_COMMAND, 2);

	vfio_write(&f->vfio, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, 2,
		   command | PCI_COMMAND_MASTER);
	puts("ok");
}

static void do_d3hot(struct function *f)
{
	uint32_t at = vfio_read(&f->vfio, VFIO_PCI_CONFIG_REGION_INDEX,
				PCI_CAPABILITY_LIST, 1);

	while (at && vfio_read(&f->vfio, VFIO_PCI_CONFIG_REGION_INDEX, at, 1) !=
			     PCI_CAP_ID_PM)
		at = vfio_read(&f->vfio, VFIO_PCI_CONFIG_REGION_INDEX, at + 1, 1);
	if (!at)
		errx(1, "%s has no power states", f->bdf);
	vfio_write(&f->vfio, VFIO_PCI_CONFIG_REGION_INDEX, at + PCI_PM_CTRL, 2, 3);
	puts("ok");
}

static void do_view(struct function *f)
{
	int i;

	printf("%04x", vfio_read(&f->vfio, VFIO_PCI_CONFIG_REGION_INDEX,
				 PCI_COMMAND, 2));
	for (i = 0; i < 6; i++)
		printf(" %08x", vfio_read(&f->vfio, VFIO_PCI_CONFIG_REGION_INDEX,
					  PCI_BASE_ADDRESS_0 + 4 * i, 4));
	putchar('\n');
}

static void do_mac(struct function *f)
{
	printf("%08x %08x\n",
	       vfio_read(&f->vfio, VFIO_PCI_BAR0_REGION_INDEX, 0x5400, 4),
	       vfio_read(&f->vfio, VFIO_PCI_BAR0_REGION_INDEX, 0x5404, 4));
}

static void do_reset(struct function *f)
{
	print_errno(ioctl(f->vfio.device, VFIO_DEVICE_RESET) ? errno : 0);
}

static void do_err(struct function *f)
{
	f->err = eventfd(0, 0);
	print_errno(vfio_set_irq(&f->vfio, VFIO_PCI_ERR_IRQ_INDEX,
				 VFIO_IRQ_TRIGGER_FD, f->err));
}

static void do_erred(struct function *f)
{
	puts(vfio_events(f->err, 60000) ? "yes" : "no");
}

/* Recovery waits a second for a function that does not answer: short for a shell. */
static void do_revive(struct function *f)
{
	const char *path = "/sys/module/cfgfault/parameters/fault";
	bool erred = vfio_events(f->err, 60000);
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, "0", 1) != 1)
		err(1, "%s", path);
	close(fd);
	puts(erred ? "yes" : "no");
}

static void do_command(struct function *f)
{
	printf("%04x\n", vfio_command(f->bdf));
}

static void do_decodes(struct function *f)
{
	char buf[256], decodes[16];
	int fd, n;

	fd = open("/dev/vga_arbiter", O_RDWR);
	if (fd < 0)
		err(1, "/dev/vga_arbiter");
	n = snprintf(buf, sizeof(buf), "target PCI:%s", f->bdf);
	if (write(fd, buf, n) != n) {
		print_errno(errno);
		close(fd);
		return;
	}
	/* "count:N,PCI:BDF,decodes=...,owns=...,locks=..." */
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n < 0)
		err(1, "/dev/vga_arbiter");
	buf[n] = '\0';
	if (sscanf(buf, "count:%*u,PCI:%*[^,],decodes=%15[^,]", decodes) != 1)
		errx(1, "/dev/vga_arbiter says: %s", buf);
	puts(decodes);
}

static const struct command {
	const char *name;
	enum { OPEN, CLOSED, ANY } needs;
	void (*run)(struct function *f);
} commands[] = {
	{ "open", CLOSED, do_open },
	{ "close", OPEN, do_close },
	{ "intx", OPEN, do_intx },
	{ "no-intx", OPEN, do_no_intx },
	{ "mask", OPEN, do_mask },
	{ "unmask", OPEN, do_unmask },
	{ "msi", OPEN, do_msi },
	{ "msi-on", OPEN, do_msi_on },
	{ "vga", OPEN, do_vga },
	{ "info", OPEN, do_info },
	{ "master", OPEN, do_master },
	{ "d3hot", OPEN, do_d3hot },
	{ "view", OPEN, do_view },
	{ "mac", OPEN, do_mac },
	{ "reset", OPEN, do_reset },
	{ "err", OPEN, do_err },
	{ "erred", OPEN, do_erred },
	{ "revive", OPEN, do_revive },
	{ "command", ANY, do_command },
	{ "decodes", ANY, do_decodes },
	{ NULL, ANY, NULL }
};

static void do_line(const char *line)
{
	const struct command *c = commands;
	char name[16], bdf[16];
	struct function *f;

	if (sscanf(line, "%15s %15s", name, bdf) != 2)
		errx(2, "not a command: %s", line);
	while (c->name && strcmp(c->name, name))
		c++;
	if (!c->name)
		errx(2, "not a command: %s", line);
	f = find(bdf);
	if (c->needs == OPEN && !f->open)
		puts("is not open");
	else if (c->needs == CLOSED && f->open)
		puts("is open");
	else
		c->run(f);
}

int main(void)
{
	char line[128];

	setlinebuf(stdout);
	while (fgets(line, sizeof(line), stdin))
		do_line(line);
	return 0;
}
