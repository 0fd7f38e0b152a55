// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: vfio-try NAME STEP...
 * Open a function, do the steps and print a line for each. Numbers are in hex.
 *   read SIZE AT          config space, as VFIO shows it
 *   write SIZE AT VALUE   the same
 *   hw SIZE AT            config space, as the host sees it: the hardware
 *   bar SIZE BAR AT       read through the region of a BAR
 *   region SIZE N AT      read from region N: the value, or "errno N"
 *   nothing N AT          read 0 bytes there: how many were read, or "errno N"
 *   dmabuf BAR            export its first page: "errno N"
 *   mmap BAR              "mapped" or "errno N"; and what region info says of it
 *   reset                 VFIO_DEVICE_RESET: "errno N"; and what device info says
 *   ioeventfd OFFSET      have 0 written to the byte at this offset of the device by an
 *                         eventfd: "errno N"
 *   hotreset              is a hot reset to be had: "errno N"
 *   power                 the power state that sysfs shows
 * The exit status is the errno of the open.
 */
#include "vfio_lib.h"

static const char *name;
static char **args;

static const char *word(void)
{
	if (!*args)
		errx(2, "a step is not complete");
	return *args++;
}

static unsigned long number(void)
{
	return strtoul(word(), NULL, 16);
}

static void sysfs(const char *file, off_t at, void *buf, size_t size)
{
	char path[128];
	ssize_t n;
	int fd;

	vfio_sysfs(name, file, path, sizeof(path));
	fd = open(path, O_RDONLY);
	if (fd < 0)
		err(1, "%s", path);
	n = pread(fd, buf, size, at);
	if (n < 0)
		err(1, "%s", path);
	close(fd);
}

static void show_region(struct vfio *vfio, int index, size_t size, off_t at)
{
	printf("%0*x\n", (int)size * 2, vfio_read(vfio, index, at, size));
}

static void try_region(struct vfio *vfio, size_t size, int index, off_t at)
{
	uint32_t value = 0;
	ssize_t n;

	n = pread(vfio->device, &value, size,
		  vfio_region(vfio, index).offset + at);
	if (n < 0)
		printf("errno %d\n", errno);
	else if (size)
		printf("%0*x\n", (int)size * 2, value);
	else
		printf("%zd\n", n);
}

/* Headers older than the kernels under test lack it; see <linux/vfio.h>. */
static void try_dmabuf(struct vfio *vfio, int bar)
{
	struct {
		uint32_t argsz, flags;
		uint32_t region_index, open_flags, more_flags, nr_ranges;
		uint64_t offset, length;
	} ask = {
		.argsz = sizeof(ask),
		.flags = VFIO_DEVICE_FEATURE_GET | 11,
		.region_index = bar,
		.open_flags = O_CLOEXEC,
		.nr_ranges = 1,
		.length = 4096,
	};
	int fd = ioctl(vfio->device, VFIO_DEVICE_FEATURE, &ask);

	printf("errno %d\n", fd < 0 ? errno : 0);
	if (fd >= 0)
		close(fd);
}

static void try_mmap(struct vfio *vfio, int bar)
{
	struct vfio_region_info info = vfio_region(vfio, bar);
	void *memory;

	memory = mmap(NULL, 4096, PROT_READ, MAP_SHARED, vfio->device,
		      info.offset);
	if (memory == MAP_FAILED)
		printf("errno %d", errno);
	else
		printf("mapped");
	printf(", info says %s\n",
	       info.flags & VFIO_REGION_INFO_FLAG_MMAP ? "yes" : "no");
}

static void try_reset(struct vfio *vfio)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	int ret;

	if (ioctl(vfio->device, VFIO_DEVICE_GET_INFO, &info))
		err(1, "VFIO_DEVICE_GET_INFO");
	ret = ioctl(vfio->device, VFIO_DEVICE_RESET) ? errno : 0;
	printf("errno %d, info says %s\n", ret,
	       info.flags & VFIO_DEVICE_FLAGS_RESET ? "yes" : "no");
}

static void try_ioeventfd(struct vfio *vfio, uint64_t offset)
{
	struct vfio_device_ioeventfd ask = {
		.argsz = sizeof(ask), .flags = VFIO_DEVICE_IOEVENTFD_8,
		.offset = offset, .fd = eventfd(0, 0),
	};

	printf("errno %d\n", ioctl(vfio->device, VFIO_DEVICE_IOEVENTFD, &ask) ?
	       errno : 0);
	close(ask.fd);
}

static void ask_hot_reset(struct vfio *vfio)
{
	struct {
		struct vfio_pci_hot_reset_info info;
		struct vfio_pci_dependent_device devices[32];
	} ask = { .info.argsz = sizeof(ask) };

	printf("errno %d\n", ioctl(vfio->device, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO,
				   &ask) ? errno : 0);
}

static void do_step(struct vfio *vfio, const char *what)
{
	unsigned long size, at, bar;

	if (!strcmp(what, "read")) {
		size = number();
		show_region(vfio, VFIO_PCI_CONFIG_REGION_INDEX, size, number());
	} else if (!strcmp(what, "write")) {
		size = number();
		at = number();
		vfio_write(vfio, VFIO_PCI_CONFIG_REGION_INDEX, at, size,
			   number());
		puts("written");
	} else if (!strcmp(what, "hw")) {
		uint32_t value = 0;

		size = number();
		sysfs("config", number(), &value, size);
		printf("%0*x\n", (int)size * 2, value);
	} else if (!strcmp(what, "bar")) {
		size = number();
		bar = number();
		show_region(vfio, bar, size, number());
	} else if (!strcmp(what, "region")) {
		size = number();
		bar = number();
		try_region(vfio, size, bar, number());
	} else if (!strcmp(what, "nothing")) {
		bar = number();
		try_region(vfio, 0, bar, number());
	} else if (!strcmp(what, "dmabuf")) {
		try_dmabuf(vfio, number());
	} else if (!strcmp(what, "mmap")) {
		try_mmap(vfio, number());
	} else if (!strcmp(what, "reset")) {
		try_reset(vfio);
	} else if (!strcmp(what, "ioeventfd")) {
		try_ioeventfd(vfio, number());
	} else if (!strcmp(what, "hotreset")) {
		ask_hot_reset(vfio);
	} else if (!strcmp(what, "power")) {
		char state[16] = "";

		sysfs("power_state", 0, state, sizeof(state) - 1);
		printf("%s", state);
	} else {
		errx(2, "unknown step %s", what);
	}
}

int main(int argc, char **argv)
{
	struct vfio vfio;
	int ret;

	if (argc < 3)
		errx(2, "usage: vfio-try NAME STEP...");
	name = argv[1];
	args = argv + 2;
	ret = vfio_open(&vfio, name);
	if (ret)
		return ret;
	while (*args)
		do_step(&vfio, word());
	vfio_close(&vfio);
	return 0;
}
