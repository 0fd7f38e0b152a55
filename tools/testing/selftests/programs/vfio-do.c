// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: vfio-do NAME COMMAND [ARG...]...
 *        vfio-do
 * A user of functions, each named by its address or by the UUID of an mdev. It does what
 * its arguments say, or else standard input, a line "COMMAND NAME [ARG...]" at a time, and
 * answers each command with one line, most with "ok" or "errno N". Numbers are in hex.
 *
 * Named by arguments, the function is opened before the first command that does not do
 * so itself. If it can't be, that errno is the exit status. "on NAME" goes on with another
 * function; all stay open. An argument may be "NAME vf_token=UUID".
 *
 *   open, open-in GROUP   also when group GROUP has nothing of that name
 *   cdev                  open it in /dev/vfio/devices and bind it to an IOMMUFD
 *   cdev-unbound, bind    the same, one after the other
 *   close
 *   hold [COMMAND...]     keep it open until SIGTERM: "open", "asked" whenever the kernel
 *                         asks for it, "closed". When asked, and at SIGUSR1, do the rest
 *   again, too            open it once more, closed or still open: "again: errno N"
 *   token UUID            set the VF token of a PF
 *   low                   put it into low power, for who then does nothing but hold it
 *   reset                 VFIO_DEVICE_RESET; and what device info says of it
 *   hotreset              is a hot reset to be had?
 *   hotreset-now          of its slot or bus, all of which is in its group
 *
 *   info                  what VFIO says of the device, its regions and interrupts, and
 *                         the start of config space
 *   vga                   the VGA region: "0xSIZE" or "errno N"
 *   view                  COMMAND and the six BARs, as the user sees them
 *   read SIZE AT          config space; write SIZE AT VALUE
 *   region SIZE N AT      region N: the value, or "errno N"; of SIZE 0 how much was read
 *   low-region SIZE N AT  the same, once it sleeps in low power
 *   region-write SIZE N AT VALUE
 *   until SIZE N AT VALUE region N, until it has that value: "ok", "no" after 20 s
 *   mmap BAR              "mapped" or "errno N"; and what region info says of it
 *   map-write BAR AT VALUE  4 bytes, through a mapping
 *   dmabuf BAR            export its first page
 *   ioeventfd OFFSET      have an eventfd write 0 to the byte at this offset of the device
 *   mac                   the MAC of an e1000e: two registers that each reset loads
 *   master                let it do DMA, as a user's driver does
 *   d3hot                 put it into D3hot, as a guest does
 *
 *   mig                   "0xFLAGS" of migration
 *   mig-state             the name of its state, such as "stop-copy"
 *   mig-set STATE         "ok", or "file" if that gave one, on which the following work
 *   mig-size              bytes that a copy will take: "0xSIZE"
 *   mig-read FILE [SIZE]  all of it into FILE, or SIZE bytes: "ok", "0xBYTES" if it has an
 *                         end before
 *   mig-write FILE [PIECE] all of FILE, PIECE bytes at a time
 *   mig-poll              "0xEVENTS"
 *   mig-pread             at an offset
 *   mig-map BAR           read into a mapping of the function's own BAR
 *   mig-close             the file
 *
 *   intx, no-intx         enable and disable INTx: "none" if VFIO says that there is none.
 *                         EBUSY: another one has the line to itself
 *   mask                  where INTx is masked now, as the hardware shows: "device" (INTx
 *                         Disable is set) or "irqchip"
 *   unmask                "disabled" if INTx Disable is set in hardware
 *   masked                intx and then mask, in one answer
 *   msi-on, msi           enable MSI; and disable it again
 *   err                   ask for the ERR event
 *   erred                 wait for it, 60 s at most: "yes", "no"
 *   revive                wait for it and set the fault of cfgfault to 0: "yes", "no"
 *
 * From outside, for standard input also of what is not open:
 *
 *   hw SIZE AT            config space, as the host sees it: the hardware
 *   power                 the power state that sysfs shows
 *   command               COMMAND; wakes a suspended function up
 *   decodes               the legacy VGA ranges that the arbiter takes it to decode:
 *                         "io+mem", "none"; "errno N" when it is no VGA device
 */
#include <signal.h>
#include <sys/signalfd.h>
#include <time.h>

#include "vfio_lib.h"

#define CONFIG	VFIO_PCI_CONFIG_REGION_INDEX

static struct function {
	const char *name;
	struct vfio vfio;
	bool open;
	/* Eventfds, once asked for; a file with its state. */
	int err, req, data;
} functions[8];

/* What is left of the arguments, or of the line. */
static char **args;

static const char *word(void)
{
	if (!*args)
		errx(2, "a command is not complete");
	return *args++;
}

static unsigned long number(void)
{
	return strtoul(word(), NULL, 16);
}

static struct function *find(const char *name)
{
	struct function *f;

	for (f = functions; f < functions + 8; f++) {
		if (!f->name)
			f->name = strdup(name);
		if (!strcmp(f->name, name))
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

static void print_value(size_t size, uint32_t value)
{
	printf("%0*x\n", (int)size * 2, value);
}

static void read_sysfs(struct function *f, const char *file, off_t at, void *buf,
		       size_t size)
{
	char path[128];
	int fd;

	vfio_sysfs(f->name, file, path, sizeof(path));
	fd = open(path, O_RDONLY);
	if (fd < 0 || pread(fd, buf, size, at) < 0)
		err(1, "%s", path);
	close(fd);
}

/* --- opening --------------------------------------------------------------------- */

/* A group can be opened once: functions of one share it. */
static int do_open(struct function *f)
{
	int group = vfio_group_of(f->name);
	struct function *g;

	for (g = functions; g < functions + 8; g++) {
		if (!g->open || g->vfio.group < 0 || vfio_group_of(g->name) != group)
			continue;
		f->vfio.container = dup(g->vfio.container);
		f->vfio.group = dup(g->vfio.group);
		f->vfio.device = ioctl(f->vfio.group, VFIO_GROUP_GET_DEVICE_FD,
				       f->name);
		return f->vfio.device < 0 ? errno : 0;
	}
	return vfio_open_in(&f->vfio, group, f->name);
}

static int do_open_in(struct function *f)
{
	return vfio_open_in(&f->vfio, atoi(word()), f->name);
}

static int do_cdev_unbound(struct function *f)
{
	vfio_open_cdev(&f->vfio, f->name);
	f->vfio.container = -1;
	return 0;
}

static int do_cdev(struct function *f)
{
	vfio_open_cdev(&f->vfio, f->name);
	return vfio_bind_cdev(&f->vfio);
}

static void do_bind(struct function *f)
{
	printf("bound: ");
	print_errno(vfio_bind_cdev(&f->vfio));
}

static void do_close(struct function *f)
{
	vfio_close(&f->vfio);
	f->open = false;
	puts("ok");
}

static int get_device(struct function *f)
{
	return ioctl(f->vfio.group, VFIO_GROUP_GET_DEVICE_FD, f->name);
}

static void do_again(struct function *f)
{
	close(f->vfio.device);
	f->vfio.device = get_device(f);
	f->open = f->vfio.device >= 0;
	printf("again: ");
	print_errno(f->open ? 0 : errno);
}

static void do_too(struct function *f)
{
	int fd = get_device(f);

	printf("too: ");
	print_errno(fd < 0 ? errno : 0);
	if (fd >= 0)
		close(fd);
}

static void do_token(struct function *f)
{
	struct {
		struct vfio_device_feature feature;
		uint8_t token[16];
	} set = {
		.feature.argsz = sizeof(set),
		.feature.flags = VFIO_DEVICE_FEATURE_SET |
				 VFIO_DEVICE_FEATURE_PCI_VF_TOKEN,
	};
	const char *uuid = word();
	int i;

	for (i = 0; i < 16; i++, uuid += 2) {
		uuid += *uuid == '-';
		if (sscanf(uuid, "%2hhx", &set.token[i]) != 1)
			errx(2, "not a UUID");
	}
	if (ioctl(f->vfio.device, VFIO_DEVICE_FEATURE, &set))
		err(1, "VF token");
	puts("ok");
}

/* Have the kernel say when it wants the function back; to one that is not bound it can't. */
static void ask_for_req(struct function *f)
{
	int ret;

	if (f->req)
		return;
	f->req = eventfd(0, 0);
	ret = vfio_set_irq(&f->vfio, VFIO_PCI_REQ_IRQ_INDEX, VFIO_IRQ_TRIGGER_FD, f->req);
	if (ret && f->vfio.container >= 0)
		errx(1, "no REQ interrupt: errno %d", ret);
}

static void enter_low(struct function *f)
{
	struct vfio_device_feature feature = {
		.argsz = sizeof(feature),
		.flags = VFIO_DEVICE_FEATURE_SET |
			 VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY,
	};

	/* It would wake up for that. */
	ask_for_req(f);
	if (ioctl(f->vfio.device, VFIO_DEVICE_FEATURE, &feature))
		err(1, "low power");
}

static void do_low(struct function *f)
{
	enter_low(f);
	puts("ok");
}

static void do_args(struct function *f);

static void do_hold(struct function *f)
{
	struct signalfd_siginfo signal = { };
	char **rest = args;
	struct pollfd fds[2];
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	ask_for_req(f);
	fds[0] = (struct pollfd) { .fd = f->req, .events = POLLIN };
	fds[1] = (struct pollfd) { .fd = signalfd(-1, &set, 0), .events = POLLIN };

	puts("open");
	/* The caller's patience ends it if nobody sends SIGTERM. */
	while (poll(fds, 2, 300 * 1000) > 0) {
		if (fds[1].revents & POLLIN &&
		    read(fds[1].fd, &signal, sizeof(signal)) != sizeof(signal))
			err(1, "signalfd");
		if (signal.ssi_signo == SIGTERM)
			break;
		if (vfio_events(f->req, 0))
			puts("asked");
		args = rest;
		if (f->open)
			do_args(f);
	}
	while (*args)
		args++;
	vfio_close(&f->vfio);
	f->open = false;
	puts("closed");
}

/* The answer, and what VFIO had said before. */
static void do_reset(struct function *f)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };

	if (ioctl(f->vfio.device, VFIO_DEVICE_GET_INFO, &info))
		err(1, "VFIO_DEVICE_GET_INFO");
	if (ioctl(f->vfio.device, VFIO_DEVICE_RESET))
		printf("errno %d", errno);
	else
		printf("ok");
	printf(", info says %s\n", info.flags & VFIO_DEVICE_FLAGS_RESET ? "yes" : "no");
}

static void do_hotreset(struct function *f)
{
	struct {
		struct vfio_pci_hot_reset_info info;
		struct vfio_pci_dependent_device devices[32];
	} ask = { .info.argsz = sizeof(ask) };

	print_errno(ioctl(f->vfio.device, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &ask) ?
		    errno : 0);
}

static void do_hotreset_now(struct function *f)
{
	struct {
		struct vfio_pci_hot_reset reset;
		int32_t group;
	} ask = { .reset = { .argsz = sizeof(ask), .count = 1 }, .group = f->vfio.group };

	print_errno(ioctl(f->vfio.device, VFIO_DEVICE_PCI_HOT_RESET, &ask) ? errno : 0);
}

/* --- regions --------------------------------------------------------------------- */

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
		printf(" %08x", vfio_read(&f->vfio, CONFIG, i, 4));
	putchar('\n');
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

static void do_view(struct function *f)
{
	int i;

	printf("%04x", vfio_read(&f->vfio, CONFIG, PCI_COMMAND, 2));
	for (i = 0; i < 6; i++)
		printf(" %08x", vfio_read(&f->vfio, CONFIG, PCI_BASE_ADDRESS_0 + 4 * i, 4));
	putchar('\n');
}

static void do_read(struct function *f)
{
	size_t size = number();

	print_value(size, vfio_read(&f->vfio, CONFIG, number(), size));
}

static void do_write(struct function *f)
{
	size_t size = number();
	off_t at = number();

	vfio_write(&f->vfio, CONFIG, at, size, number());
	puts("written");
}

static void do_region(struct function *f)
{
	size_t size = number();
	off_t start = vfio_region(&f->vfio, number()).offset;
	uint32_t value = 0;
	ssize_t n;

	n = pread(f->vfio.device, &value, size, start + number());
	if (n < 0)
		print_errno(errno);
	else if (size)
		print_value(size, value);
	else
		printf("%zd\n", n);
}

/* No ioctl in between, which would wake it up. */
static void do_low_region(struct function *f)
{
	size_t size = number();
	off_t at = vfio_region(&f->vfio, number()).offset;
	char state[16] = "";
	uint32_t value = 0;
	int i;

	at += number();
	enter_low(f);
	for (i = 0; i < 2000 && strncmp(state, "suspended", 9); i++) {
		usleep(10000);
		read_sysfs(f, "power/runtime_status", 0, state, sizeof(state) - 1);
	}
	if (i == 2000)
		puts("awake");
	else if (pread(f->vfio.device, &value, size, at) < 0)
		print_errno(errno);
	else
		print_value(size, value);
}

static void do_region_write(struct function *f)
{
	size_t size = number();
	off_t start = vfio_region(&f->vfio, number()).offset;
	off_t at = start + number();
	uint32_t value = number();

	if (pwrite(f->vfio.device, &value, size, at) == (ssize_t)size)
		printf("ok\n");
	else
		print_errno(errno);
}

static void do_until(struct function *f)
{
	size_t size = number();
	off_t start = vfio_region(&f->vfio, number()).offset;
	off_t at = start + number();
	uint32_t wanted = number(), value = ~wanted;
	time_t end = time(NULL) + 20;

	while (pread(f->vfio.device, &value, size, at) == (ssize_t)size &&
	       value != wanted && time(NULL) < end)
		usleep(1000);
	printf("%s\n", value == wanted ? "ok" : "no");
}

static void do_mmap(struct function *f)
{
	struct vfio_region_info info = vfio_region(&f->vfio, number());
	void *memory;

	memory = mmap(NULL, 4096, PROT_READ, MAP_SHARED, f->vfio.device, info.offset);
	if (memory == MAP_FAILED)
		printf("errno %d", errno);
	else
		printf("mapped");
	printf(", info says %s\n",
	       info.flags & VFIO_REGION_INFO_FLAG_MMAP ? "yes" : "no");
}

static void do_map_write(struct function *f)
{
	struct vfio_region_info info = vfio_region(&f->vfio, number());
	unsigned long at = number();
	uint32_t *page;

	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, f->vfio.device,
		    info.offset + (at & ~4095UL));
	if (page == MAP_FAILED)
		err(1, "mmap");
	__atomic_store_n(&page[at % 4096 / 4], number(), __ATOMIC_RELAXED);
	puts("ok");
}

/* Headers older than the kernels under test lack it; see <linux/vfio.h>. */
static void do_dmabuf(struct function *f)
{
	struct {
		uint32_t argsz, flags;
		uint32_t region_index, open_flags, more_flags, nr_ranges;
		uint64_t offset, length;
	} ask = {
		.argsz = sizeof(ask),
		.flags = VFIO_DEVICE_FEATURE_GET | 11,
		.region_index = number(),
		.open_flags = O_CLOEXEC,
		.nr_ranges = 1,
		.length = 4096,
	};
	int fd = ioctl(f->vfio.device, VFIO_DEVICE_FEATURE, &ask);

	print_errno(fd < 0 ? errno : 0);
	if (fd >= 0)
		close(fd);
}

static void do_ioeventfd(struct function *f)
{
	struct vfio_device_ioeventfd ask = {
		.argsz = sizeof(ask), .flags = VFIO_DEVICE_IOEVENTFD_8,
		.offset = number(), .fd = eventfd(0, 0),
	};

	print_errno(ioctl(f->vfio.device, VFIO_DEVICE_IOEVENTFD, &ask) ? errno : 0);
	close(ask.fd);
}

static void do_mac(struct function *f)
{
	printf("%08x %08x\n",
	       vfio_read(&f->vfio, VFIO_PCI_BAR0_REGION_INDEX, 0x5400, 4),
	       vfio_read(&f->vfio, VFIO_PCI_BAR0_REGION_INDEX, 0x5404, 4));
}

static void do_master(struct function *f)
{
	vfio_set_command(&f->vfio, PCI_COMMAND_MASTER, true);
	puts("ok");
}

static void do_d3hot(struct function *f)
{
	uint32_t at = vfio_read(&f->vfio, CONFIG, PCI_CAPABILITY_LIST, 1);

	while (at && vfio_read(&f->vfio, CONFIG, at, 1) != PCI_CAP_ID_PM)
		at = vfio_read(&f->vfio, CONFIG, at + 1, 1);
	if (!at)
		errx(1, "%s has no power states", f->name);
	vfio_write(&f->vfio, CONFIG, at + PCI_PM_CTRL, 2, 3);
	puts("ok");
}

/* --- migration -------------------------------------------------------------------- */

/* Headers older than the kernels under test lack some; see <linux/vfio.h>. */
#define MIG_FEATURE		1
#define MIG_STATE		2
#define MIG_DATA_SIZE		9

static const char *const states[] = {
	"error", "stop", "running", "stop-copy", "resuming", "running-p2p", "pre-copy",
	"pre-copy-p2p",
};

/* An answer of up to 16 bytes; 0 or an errno. */
static int ask_feature(struct function *f, uint32_t flags, uint64_t *answer)
{
	struct {
		uint32_t argsz, flags;
		uint64_t answer[2];
	} ask = { sizeof(ask), flags, { answer[0], answer[1] } };

	if (ioctl(f->vfio.device, VFIO_DEVICE_FEATURE, &ask))
		return errno;
	memcpy(answer, ask.answer, sizeof(ask.answer));
	return 0;
}

static void print_feature(struct function *f, uint32_t feature)
{
	uint64_t answer[2] = { 0 };
	int ret = ask_feature(f, VFIO_DEVICE_FEATURE_GET | feature, answer);

	if (ret)
		print_errno(ret);
	else
		printf("0x%llx\n", (unsigned long long)answer[0]);
}

static void do_mig(struct function *f)
{
	print_feature(f, MIG_FEATURE);
}

static void do_mig_size(struct function *f)
{
	print_feature(f, MIG_DATA_SIZE);
}

static void do_mig_state(struct function *f)
{
	uint64_t answer[2] = { 0 };
	int ret = ask_feature(f, VFIO_DEVICE_FEATURE_GET | MIG_STATE, answer);

	if (ret)
		print_errno(ret);
	else
		puts(states[answer[0] & 7]);
}

/* The answer has the state and, behind it, the file. */
static void do_mig_set(struct function *f)
{
	const char *name = word();
	uint64_t answer[2] = { 0 };
	int ret, fd;

	while (answer[0] < 8 && strcmp(states[answer[0]], name))
		answer[0]++;
	ret = ask_feature(f, VFIO_DEVICE_FEATURE_SET | MIG_STATE, answer);
	fd = answer[0] >> 32;
	if (ret) {
		print_errno(ret);
	} else if (fd > 0) {
		f->data = fd;
		puts("file");
	} else {
		puts("ok");
	}
}

static void do_mig_read(struct function *f)
{
	int fd = open(word(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	size_t left = *args ? number() : SIZE_MAX, done = 0;
	static char buf[100000];
	ssize_t n = 0;

	while (left && (n = read(f->data, buf, left < sizeof(buf) ? left : sizeof(buf))) > 0) {
		if (write(fd, buf, n) != n)
			err(1, "write");
		left -= n;
		done += n;
	}
	close(fd);
	if (n < 0)
		print_errno(errno);
	else if (n)
		puts("ok");
	else
		printf("0x%zx\n", done);
}

static void do_mig_write(struct function *f)
{
	int fd = open(word(), O_RDONLY);
	static char buf[1 << 20];
	size_t piece = *args ? number() : sizeof(buf);
	ssize_t n, put;
	char *at;

	while ((n = read(fd, buf, piece)) > 0) {
		for (at = buf; n; at += put, n -= put) {
			put = write(f->data, at, n);
			if (put < 0) {
				print_errno(errno);
				close(fd);
				return;
			}
		}
	}
	close(fd);
	puts("ok");
}

static void do_mig_poll(struct function *f)
{
	struct pollfd ask = { .fd = f->data, .events = POLLIN | POLLOUT };

	poll(&ask, 1, 0);
	printf("0x%x\n", ask.revents);
}

static void do_mig_pread(struct function *f)
{
	char byte;

	print_errno(pread(f->data, &byte, 1, 0) < 0 ? errno : 0);
}

static void do_mig_map(struct function *f)
{
	struct vfio_region_info info = vfio_region(&f->vfio, number());
	void *memory;
	ssize_t n;

	memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, f->vfio.device,
		      info.offset);
	if (memory == MAP_FAILED)
		err(1, "mmap");
	n = read(f->data, memory, 64);
	print_errno(n < 0 ? errno : 0);
	munmap(memory, 4096);
}

static void do_mig_close(struct function *f)
{
	print_errno(close(f->data) ? errno : 0);
}

/* --- interrupts ------------------------------------------------------------------ */

/* Says why not, if it can't. */
static bool enable_intx(struct function *f)
{
	struct vfio_irq_info info = { .argsz = sizeof(info),
				      .index = VFIO_PCI_INTX_IRQ_INDEX };
	int ret;

	if (ioctl(f->vfio.device, VFIO_DEVICE_GET_IRQ_INFO, &info))
		err(1, "VFIO_DEVICE_GET_IRQ_INFO");
	if (info.count == 0) {
		puts("none");
		return false;
	}
	ret = vfio_set_irq(&f->vfio, VFIO_PCI_INTX_IRQ_INDEX, VFIO_IRQ_TRIGGER_FD,
			   eventfd(0, 0));
	if (ret)
		print_errno(ret);
	return !ret;
}

static void do_intx(struct function *f)
{
	if (enable_intx(f))
		puts("ok");
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
		puts(vfio_intx_disabled(f->name) ? "device" : "irqchip");
}

static void do_unmask(struct function *f)
{
	int ret = vfio_set_irq(&f->vfio, VFIO_PCI_INTX_IRQ_INDEX,
			       VFIO_IRQ_UNMASK_NOW, -1);

	if (!ret && vfio_intx_disabled(f->name))
		puts("disabled");
	else
		print_errno(ret);
}

static void do_masked(struct function *f)
{
	if (!enable_intx(f))
		return;
	if (vfio_intx_disabled(f->name))
		errx(1, "%s: INTx is disabled before it is masked", f->name);
	do_mask(f);
}

static void do_msi_on(struct function *f)
{
	print_errno(vfio_set_irq(&f->vfio, VFIO_PCI_MSI_IRQ_INDEX,
				 VFIO_IRQ_TRIGGER_FD, eventfd(0, 0)));
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

/* --- from outside ---------------------------------------------------------------- */

static void do_hw(struct function *f)
{
	size_t size = number();
	uint32_t value = 0;

	read_sysfs(f, "config", number(), &value, size);
	print_value(size, value);
}

static void do_power(struct function *f)
{
	char state[16] = "";

	read_sysfs(f, "power_state", 0, state, sizeof(state) - 1);
	printf("%s", state);
}

static void do_command(struct function *f)
{
	print_value(2, vfio_command(f->name));
}

static void do_decodes(struct function *f)
{
	char buf[256], decodes[16];
	int fd, n;

	fd = open("/dev/vga_arbiter", O_RDWR);
	if (fd < 0)
		err(1, "/dev/vga_arbiter");
	n = snprintf(buf, sizeof(buf), "target PCI:%s", f->name);
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

/* --- commands -------------------------------------------------------------------- */

static const struct command {
	const char *name;
	/* One of them: for what is not open, returns an errno; for what is; for either. */
	int (*open)(struct function *f);
	void (*use)(struct function *f);
	void (*look)(struct function *f);
} commands[] = {
	{ "open", .open = do_open },
	{ "open-in", .open = do_open_in },
	{ "cdev", .open = do_cdev },
	{ "cdev-unbound", .open = do_cdev_unbound },
	{ "bind", .use = do_bind },
	{ "close", .use = do_close },
	{ "hold", .use = do_hold },
	{ "again", .use = do_again },
	{ "too", .use = do_too },
	{ "token", .use = do_token },
	{ "low", .use = do_low },
	{ "reset", .use = do_reset },
	{ "hotreset", .use = do_hotreset },
	{ "hotreset-now", .use = do_hotreset_now },
	{ "info", .use = do_info },
	{ "vga", .use = do_vga },
	{ "view", .use = do_view },
	{ "read", .use = do_read },
	{ "write", .use = do_write },
	{ "low-region", .use = do_low_region },
	{ "region", .use = do_region },
	{ "region-write", .use = do_region_write },
	{ "until", .use = do_until },
	{ "mmap", .use = do_mmap },
	{ "map-write", .use = do_map_write },
	{ "dmabuf", .use = do_dmabuf },
	{ "ioeventfd", .use = do_ioeventfd },
	{ "mac", .use = do_mac },
	{ "master", .use = do_master },
	{ "d3hot", .use = do_d3hot },
	{ "mig", .use = do_mig },
	{ "mig-state", .use = do_mig_state },
	{ "mig-set", .use = do_mig_set },
	{ "mig-size", .use = do_mig_size },
	{ "mig-read", .look = do_mig_read },
	{ "mig-write", .look = do_mig_write },
	{ "mig-poll", .look = do_mig_poll },
	{ "mig-pread", .look = do_mig_pread },
	{ "mig-map", .use = do_mig_map },
	{ "mig-close", .look = do_mig_close },
	{ "intx", .use = do_intx },
	{ "no-intx", .use = do_no_intx },
	{ "mask", .use = do_mask },
	{ "unmask", .use = do_unmask },
	{ "masked", .use = do_masked },
	{ "msi-on", .use = do_msi_on },
	{ "msi", .use = do_msi },
	{ "err", .use = do_err },
	{ "erred", .use = do_erred },
	{ "revive", .use = do_revive },
	{ "hw", .look = do_hw },
	{ "power", .look = do_power },
	{ "command", .look = do_command },
	{ "decodes", .look = do_decodes },
	{ }
};

static const struct command *find_command(const char *name)
{
	const struct command *c = commands;

	while (c->name && strcmp(c->name, name))
		c++;
	if (!c->name)
		errx(2, "not a command: %s", name);
	return c;
}

/* Returns the errno of an open that failed. */
static int open_by(struct function *f, int (*way)(struct function *f))
{
	int ret = way(f);

	f->open = !ret;
	f->req = 0;
	if (ret)
		vfio_close(&f->vfio);
	return ret;
}

static int run(const struct command *c, struct function *f)
{
	int ret = 0;

	if (c->open && f->open) {
		puts("is open");
	} else if (c->use && !f->open) {
		puts("is not open");
	} else if (c->open) {
		ret = open_by(f, c->open);
		print_errno(ret);
	} else {
		(c->use ?: c->look)(f);
	}
	return ret;
}

static void do_args(struct function *f)
{
	const struct command *c;
	const char *name;
	int ret = 0;

	while (*args && !ret) {
		name = word();
		if (!strcmp(name, "on")) {
			f = find(word());
			continue;
		}
		c = find_command(name);
		if (!c->open && !f->open)
			ret = open_by(f, do_open);
		if (!ret)
			ret = run(c, f);
	}
	if (ret)
		exit(ret);
}

int main(int argc, char **argv)
{
	char line[256], *words[16], *w;
	int n;

	setlinebuf(stdout);
	if (argc > 1) {
		args = argv + 2;
		do_args(find(argv[1]));
		return 0;
	}
	while (fgets(line, sizeof(line), stdin)) {
		for (n = 0, w = strtok(line, "\n "); w && n < 15; w = strtok(NULL, "\n "))
			words[n++] = w;
		words[n] = NULL;
		if (n < 2)
			errx(2, "not a command: %s", line);
		args = words + 2;
		run(find_command(words[0]), find(words[1]));
	}
	return 0;
}
