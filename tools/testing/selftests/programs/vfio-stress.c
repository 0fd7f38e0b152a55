// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: vfio-stress SECONDS BDF...
 * Have threads do to the functions, which are bound to vfio-pci-mdev, all that users
 * and administrators can do, at random and at the same time: mdevs are made, removed,
 * opened, held; functions unbound, bound, put to sleep, reset; sysfs is read and
 * probed; on a slow machine for up to 300 s more, until each worked twice. Prints, for
 * each, how often it worked and how often it failed in which way.
 * The exit status is 0 when it failed in no other way than is expected where others do
 * the contrary, and all threads came to their end.
 */
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>

#include "vfio_lib.h"

#define DRIVER	"/sys/bus/pci/drivers/vfio-pci-mdev/"
#define PCI	"/sys/bus/pci/devices/"
#define MDEVS	"/sys/bus/mdev/devices/"

/* Few, so that they meet. */
static const char * const uuids[] = {
	"00000000-0000-4000-8000-000000000001",
	"00000000-0000-4000-8000-000000000002",
	"00000000-0000-4000-8000-000000000003",
	"00000000-0000-4000-8000-000000000004",
};

#define NR_UUIDS	(sizeof(uuids) / sizeof(*uuids))

static char **bdfs;
static int nr_bdfs;
static atomic_bool stop;

struct action {
	const char *name;
	/* Returns 0 or an errno. */
	int (*run)(unsigned int *seed);
	/* How it may fail, up to a 0; ENOENT is always allowed. */
	int expected[8];
	/* Between two of them: in ms, and as a multiple of how long the first took. */
	unsigned int pause, rest;
	unsigned long worked, failed[256];
	bool ended;
	pthread_t thread;
};

static const char *some_bdf(unsigned int *seed)
{
	return bdfs[rand_r(seed) % nr_bdfs];
}

static const char *some_uuid(unsigned int *seed)
{
	return uuids[rand_r(seed) % NR_UUIDS];
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), ret;

	if (fd < 0)
		return errno;
	ret = write(fd, text, strlen(text)) < 0 ? errno : 0;
	close(fd);
	return ret;
}

/* --- administrators ------------------------------------------------------ */

static int do_create(unsigned int *seed)
{
	unsigned int i = rand_r(seed);
	const char *uuid = uuids[i % NR_UUIDS];
	char path[256];

	/* Now and then one that another function may have. */
	if (!(rand_r(seed) % 4))
		uuid = some_uuid(seed);
	snprintf(path, sizeof(path),
		 PCI "%s/mdev_supported_types/vfio-pci-mdev-function/create",
		 bdfs[i % nr_bdfs]);
	return write_file(path, uuid);
}

/*
 * Not before it is whole, which this link is the last to show: who writes to "remove"
 * before "create" is done gets EAGAIN from the mdev core, and the file is gone, so that
 * only unbind removes the mdev.
 */
static int remove_mdev(unsigned int *seed)
{
	const char *uuid = some_uuid(seed);
	char path[256];

	snprintf(path, sizeof(path), MDEVS "%s/mdev_type", uuid);
	if (access(path, F_OK))
		return errno;
	snprintf(path, sizeof(path), MDEVS "%s/remove", uuid);
	return write_file(path, "1");
}

static int unbind(unsigned int *seed)
{
	return write_file(DRIVER "unbind", some_bdf(seed));
}

static int bind(unsigned int *seed)
{
	return write_file("/sys/bus/pci/drivers_probe", some_bdf(seed));
}

static int do_power(unsigned int *seed)
{
	const char *to = rand_r(seed) % 2 ? "on" : "auto";
	char path[256];

	if (rand_r(seed) % 2)
		snprintf(path, sizeof(path), PCI "%s/power/control", some_bdf(seed));
	else
		snprintf(path, sizeof(path), MDEVS "%s/power/control",
			 some_uuid(seed));
	return write_file(path, to);
}

static int do_reset(unsigned int *seed)
{
	char path[256];

	snprintf(path, sizeof(path), PCI "%s/reset", some_bdf(seed));
	return write_file(path, "1");
}

static int probe(unsigned int *seed)
{
	return write_file("/sys/bus/mdev/drivers_probe", some_uuid(seed));
}

static void read_file(const char *path)
{
	char buf[4096];
	int fd = open(path, O_RDONLY | O_NONBLOCK);

	if (fd < 0)
		return;
	while (read(fd, buf, sizeof(buf)) > 0)
		;
	close(fd);
}

/* All files below @path, and links as links. */
static int read_all(const char *path, int depth)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char sub[1024];
	struct stat st;

	if (!dir)
		return errno;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(sub, sizeof(sub), "%s/%s", path, entry->d_name);
		if (lstat(sub, &st))
			continue;
		if (S_ISDIR(st.st_mode) && depth)
			read_all(sub, depth - 1);
		else if (S_ISREG(st.st_mode) && st.st_mode & 0444)
			read_file(sub);
		else if (S_ISLNK(st.st_mode))
			readlink(sub, (char [256]) { 0 }, 256);
	}
	closedir(dir);
	return 0;
}

static int read_sysfs(unsigned int *seed)
{
	char path[256];

	switch (rand_r(seed) % 3) {
	case 0:
		snprintf(path, sizeof(path), MDEVS "%s/", some_uuid(seed));
		return read_all(path, 2);
	case 1:
		snprintf(path, sizeof(path), PCI "%s/vfio_pci_variant",
			 some_bdf(seed));
		break;
	default:
		snprintf(path, sizeof(path), PCI "%s/mdev_supported_types",
			 some_bdf(seed));
	}
	return read_all(path, 3);
}

/* --- users ----------------------------------------------------------------- */

static void use_device(int device, unsigned int *seed)
{
	struct vfio_region_info info = {
		.argsz = sizeof(info),
		.index = VFIO_PCI_CONFIG_REGION_INDEX,
	};
	struct vfio vfio = { .device = device };
	int fd = eventfd(0, EFD_NONBLOCK);
	uint32_t id;

	vfio_set_irq(&vfio, VFIO_PCI_REQ_IRQ_INDEX, VFIO_IRQ_TRIGGER_FD, fd);
	if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &info) ||
	    pread(device, &id, 4, info.offset) != 4 || id == 0xffffffff)
		errx(1, "an open device does not answer");
	if (rand_r(seed) % 2)
		usleep(rand_r(seed) % 20000);
	/* Whether asked or not; as one who holds it, but without patience. */
	vfio_events(fd, 0);
	close(fd);
}

static int get_device(int group, const char *uuid, unsigned int *seed)
{
	int device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, uuid);

	if (device < 0)
		return errno;
	use_device(device, seed);
	close(device);
	return 0;
}

static int open_group(const char *uuid, unsigned int *seed)
{
	char path[256], link[256];
	int container, group, ret;
	ssize_t n;

	snprintf(path, sizeof(path), MDEVS "%s/iommu_group", uuid);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		return errno;
	link[n] = '\0';
	snprintf(path, sizeof(path), "/dev/vfio%s", strrchr(link, '/'));
	group = open(path, O_RDWR);
	if (group < 0)
		return errno;
	container = open("/dev/vfio/vfio", O_RDWR);
	if (container < 0)
		err(1, "/dev/vfio/vfio");

	ret = ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) ||
	      ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) ? errno : 0;
	if (!ret)
		ret = get_device(group, uuid, seed);
	close(group);
	close(container);
	return ret;
}

static int use(unsigned int *seed)
{
	return open_group(some_uuid(seed), seed);
}

/* --- all of them -------------------------------------------------------------- */

static struct action actions[] = {
	{
		.name = "create", .run = do_create, .pause = 5,
		.expected = { EEXIST, EUSERS, ENODEV },
	}, {
		.name = "remove", .run = remove_mdev, .pause = 5,
		.expected = { ENODEV, EAGAIN },
	}, {
		/*
		 * Of a group that is just going, or that the other one has, or of a
		 * function that somebody has locked and that can't be reset.
		 */
		.name = "use", .run = use,
		.expected = { EBUSY, ENODEV, ENXIO, EINVAL, EAGAIN },
	}, {
		.name = "use, too", .run = use,
		.expected = { EBUSY, ENODEV, ENXIO, EINVAL, EAGAIN },
	}, {
		/* It ends all else: not too often. */
		.name = "unbind", .run = unbind, .pause = 50, .rest = 10,
		.expected = { ENODEV },
	}, {
		.name = "bind", .run = bind, .pause = 10,
		.expected = { EBUSY },
	}, {
		.name = "power", .run = do_power, .pause = 5,
		.expected = { ENODEV },
	}, {
		.name = "reset", .run = do_reset, .pause = 100, .rest = 5,
		.expected = { EAGAIN, ENOTTY, EBUSY },
	}, {
		.name = "probe", .run = probe, .pause = 10,
		.expected = { ENODEV, EINVAL },
	}, {
		.name = "read", .run = read_sysfs, .pause = 5,
		.expected = { ENODEV },
	},
};

#define NR_ACTIONS	(sizeof(actions) / sizeof(*actions))

static bool is_expected(const struct action *action, int error)
{
	const int *e;

	if (error == ENOENT)
		return true;
	for (e = action->expected; *e; e++)
		if (*e == error)
			return true;
	return false;
}

/* In microseconds. */
static long long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

static void *run(void *data)
{
	struct action *action = data;
	unsigned int seed = (action - actions) + 1;
	long long start;
	int ret;

	while (!stop) {
		start = now();
		ret = action->run(&seed);
		if (!ret)
			action->worked++;
		else
			action->failed[ret & 255]++;
		usleep(action->pause * 1000 + action->rest * (now() - start));
	}
	action->ended = true;
	return NULL;
}

static bool all_ended(void)
{
	size_t i;

	for (i = 0; i < NR_ACTIONS; i++)
		if (!actions[i].ended)
			return false;
	return true;
}

/* However slow the machine: each did its work more than once. */
static bool all_worked(void)
{
	size_t i;

	for (i = 0; i < NR_ACTIONS; i++)
		if (actions[i].worked < 2)
			return false;
	return true;
}

/* Returns whether there is something wrong. */
static int report(const struct action *action)
{
	int bad = !action->ended, error;

	printf("%s: %lu", action->name, action->worked);
	for (error = 0; error < 256; error++) {
		if (!action->failed[error])
			continue;
		printf(", %s: %lu", strerrorname_np(error),
		       action->failed[error]);
		if (is_expected(action, error))
			continue;
		printf(" (NOT EXPECTED)");
		bad = 1;
	}
	puts(action->ended ? "" : ", HAS NOT ENDED");
	return bad;
}

int main(int argc, char **argv)
{
	int bad = 0, i;
	size_t a;

	if (argc < 3)
		errx(2, "usage: vfio-stress SECONDS BDF...");
	bdfs = argv + 2;
	nr_bdfs = argc - 2;

	for (a = 0; a < NR_ACTIONS; a++)
		if (pthread_create(&actions[a].thread, NULL, run, &actions[a]))
			errx(1, "no thread");
	sleep(atoi(argv[1]));
	for (i = 0; i < 3000 && !all_worked(); i++)
		usleep(100 * 1000);
	stop = true;
	for (i = 0; i < 600 && !all_ended(); i++)
		usleep(100 * 1000);

	for (a = 0; a < NR_ACTIONS; a++)
		bad |= report(&actions[a]);
	return bad;
}
