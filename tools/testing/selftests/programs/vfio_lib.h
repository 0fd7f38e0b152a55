/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Opening a function through VFIO, the group way, and reaching its regions and
 * interrupts. Whatever must not fail ends the program with a line on stderr.
 */
#ifndef VFIO_LIB_H
#define VFIO_LIB_H

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/pci_regs.h>
#include <linux/vfio.h>

struct vfio {
	int container;
	int group;
	int device;
};

/* A function by its address, "0000:01:00.0", or by the UUID of its mdev? */
static inline bool vfio_is_uuid(const char *name)
{
	return strlen(name) >= 36 && name[8] == '-';
}

/* Where sysfs has @file of the function that @name starts with. */
static inline void vfio_sysfs(const char *name, const char *file, char *path,
			      size_t size)
{
	/* The directory of an mdev is in that of its function. */
	if (vfio_is_uuid(name))
		snprintf(path, size, "/sys/bus/mdev/devices/%.36s/../%s", name,
			 file);
	else
		snprintf(path, size, "/sys/bus/pci/devices/%.12s/%s", name,
			 file);
}

/* The IOMMU group of what @name starts with. An mdev has a link of its own. */
static inline int vfio_group_of(const char *name)
{
	char path[128], link[256];
	ssize_t n;

	if (vfio_is_uuid(name))
		snprintf(path, sizeof(path),
			 "/sys/bus/mdev/devices/%.36s/iommu_group", name);
	else
		vfio_sysfs(name, "iommu_group", path, sizeof(path));
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		err(1, "%s", path);
	link[n] = '\0';
	return atoi(strrchr(link, '/') + 1);
}

/*
 * Open what @name says to VFIO_GROUP_GET_DEVICE_FD, a device of group @group.
 * Returns 0, or the errno of that ioctl.
 */
static inline int vfio_open_in(struct vfio *vfio, int group, const char *name)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char path[64];
	int type;

	vfio->container = open("/dev/vfio/vfio", O_RDWR);
	if (vfio->container < 0)
		err(1, "/dev/vfio/vfio");
	snprintf(path, sizeof(path), "/dev/vfio/%d", group);
	vfio->group = open(path, O_RDWR);
	if (vfio->group < 0)
		err(1, "%s", path);
	if (ioctl(vfio->group, VFIO_GROUP_GET_STATUS, &status))
		err(1, "VFIO_GROUP_GET_STATUS");
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		errx(1, "group of %s is not viable", name);
	if (ioctl(vfio->group, VFIO_GROUP_SET_CONTAINER, &vfio->container))
		err(1, "VFIO_GROUP_SET_CONTAINER");
	/* The other one is POWER's. */
	type = ioctl(vfio->container, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU) == 1 ?
		VFIO_TYPE1v2_IOMMU : VFIO_SPAPR_TCE_v2_IOMMU;
	if (ioctl(vfio->container, VFIO_SET_IOMMU, type))
		err(1, "VFIO_SET_IOMMU");
	vfio->device = ioctl(vfio->group, VFIO_GROUP_GET_DEVICE_FD, name);
	return vfio->device < 0 ? errno : 0;
}

/*
 * Open @name: a BDF or the UUID of an mdev, with " vf_token=UUID" where one is
 * needed.
 */
static inline int vfio_open(struct vfio *vfio, const char *name)
{
	return vfio_open_in(vfio, vfio_group_of(name), name);
}

static inline void vfio_must_open(struct vfio *vfio, const char *name)
{
	errno = vfio_open(vfio, name);
	if (errno)
		err(1, "open of %s", name);
}

/* Headers older than the kernels under test lack these; see <linux/vfio.h>. */
#ifndef VFIO_DEVICE_BIND_IOMMUFD
struct vfio_device_bind_iommufd {
	uint32_t argsz;
	uint32_t flags;
	int32_t iommufd;
	uint32_t out_devid;
};

#define VFIO_DEVICE_BIND_IOMMUFD	_IO(VFIO_TYPE, VFIO_BASE + 18)
#endif

/* Open the device of @name in /dev/vfio/devices; it can't be used before it is bound. */
static inline void vfio_open_cdev(struct vfio *vfio, const char *name)
{
	char path[128];
	struct dirent *entry;
	DIR *dir;

	if (vfio_is_uuid(name))
		snprintf(path, sizeof(path), "/sys/bus/mdev/devices/%.36s/vfio-dev",
			 name);
	else
		vfio_sysfs(name, "vfio-dev", path, sizeof(path));
	dir = opendir(path);
	if (!dir)
		err(1, "%s", path);
	while ((entry = readdir(dir)) && strncmp(entry->d_name, "vfio", 4))
		;
	if (!entry)
		errx(1, "%s has no device", path);
	snprintf(path, sizeof(path), "/dev/vfio/devices/%.32s", entry->d_name);
	closedir(dir);
	vfio->device = open(path, O_RDWR);
	if (vfio->device < 0)
		err(1, "%s", path);
	vfio->group = -1;
}

/* Bind it to a new IOMMUFD. Returns 0, or the errno of that ioctl. */
static inline int vfio_bind_cdev(struct vfio *vfio)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };

	vfio->container = open("/dev/iommu", O_RDWR);
	if (vfio->container < 0)
		err(1, "/dev/iommu");
	bind.iommufd = vfio->container;
	return ioctl(vfio->device, VFIO_DEVICE_BIND_IOMMUFD, &bind) ? errno : 0;
}

static inline void vfio_close(struct vfio *vfio)
{
	close(vfio->device);
	if (vfio->group >= 0)
		close(vfio->group);
	close(vfio->container);
}

static inline struct vfio_region_info vfio_region(struct vfio *vfio, int index)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = index };

	if (ioctl(vfio->device, VFIO_DEVICE_GET_REGION_INFO, &info))
		err(1, "VFIO_DEVICE_GET_REGION_INFO %d", index);
	return info;
}

/* All that is said of a region, with its capabilities; until the next call. */
static inline const struct vfio_region_info *vfio_region_full(struct vfio *vfio,
							      uint32_t index)
{
	static union {
		struct vfio_region_info info;
		char space[4096];
	} full;

	memset(&full, 0, sizeof(full));
	full.info.argsz = sizeof(full);
	full.info.index = index;
	if (ioctl(vfio->device, VFIO_DEVICE_GET_REGION_INFO, &full))
		err(1, "VFIO_DEVICE_GET_REGION_INFO %u", index);
	return &full.info;
}

/* The capability @id in what vfio_region_full() returned, or NULL. */
static inline const void *vfio_region_cap(const struct vfio_region_info *info,
					  uint16_t id)
{
	const struct vfio_info_cap_header *header;
	uint32_t at;

	for (at = info->cap_offset; at; at = header->next) {
		header = (const void *)((const char *)info + at);
		if (header->id == id)
			return header;
	}
	return NULL;
}

static inline uint32_t vfio_nr_regions(struct vfio *vfio)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };

	if (ioctl(vfio->device, VFIO_DEVICE_GET_INFO, &info))
		err(1, "VFIO_DEVICE_GET_INFO");
	return info.num_regions;
}

/* The region of a variant's own that is of this type; ends the program without. */
static inline const struct vfio_region_info *
vfio_region_of_type(struct vfio *vfio, uint32_t type, uint32_t subtype)
{
	const struct vfio_region_info_cap_type *cap;
	const struct vfio_region_info *info;
	uint32_t i;

	for (i = VFIO_PCI_NUM_REGIONS; i < vfio_nr_regions(vfio); i++) {
		info = vfio_region_full(vfio, i);
		cap = vfio_region_cap(info, VFIO_REGION_INFO_CAP_TYPE);
		if (cap && cap->type == type && cap->subtype == subtype)
			return info;
	}
	errx(1, "no region of type %x, subtype %x", type, subtype);
}

/* Up to 4 bytes, and not one more is written to. */
static inline uint32_t vfio_read(struct vfio *vfio, int index, off_t at,
				 size_t size)
{
	static const uint8_t guard[8] = { 0x5a, 0xa5, 0x5a, 0xa5, 0x5a, 0xa5, 0x5a, 0xa5 };
	uint8_t buf[sizeof(guard)];
	uint32_t value = 0;

	memcpy(buf, guard, sizeof(buf));
	if (pread(vfio->device, buf, size,
		  vfio_region(vfio, index).offset + at) != (ssize_t)size)
		err(1, "read of region %d at 0x%llx", index, (long long)at);
	if (memcmp(buf + size, guard + size, sizeof(buf) - size))
		errx(1, "more than %zu bytes at 0x%llx", size, (long long)at);
	memcpy(&value, buf, size);
	return value;
}

static inline void vfio_write(struct vfio *vfio, int index, off_t at,
			      size_t size, uint32_t value)
{
	if (pwrite(vfio->device, &value, size,
		   vfio_region(vfio, index).offset + at) != (ssize_t)size)
		err(1, "write to region %d at 0x%llx", index, (long long)at);
}

/* Set or clear bits of COMMAND, as a user's driver does. */
static inline void vfio_set_command(struct vfio *vfio, uint16_t bits, bool on)
{
	uint16_t command = vfio_read(vfio, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, 2);

	vfio_write(vfio, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, 2,
		   on ? command | bits : command & ~bits);
}

/* Let it reach memory at @iova. Returns 0 or errno. */
static inline int vfio_map(struct vfio *vfio, void *memory, uint64_t iova, uint64_t size)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)memory,
		.iova = iova,
		.size = size,
	};

	return ioctl(vfio->container, VFIO_IOMMU_MAP_DMA, &map) ? errno : 0;
}

static inline int vfio_unmap(struct vfio *vfio, uint64_t iova, uint64_t size)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = iova,
		.size = size,
	};

	if (ioctl(vfio->container, VFIO_IOMMU_UNMAP_DMA, &unmap))
		return errno;
	return unmap.size == size ? 0 : ENOENT;
}

/* Returns 0 or errno. */
static inline int vfio_set_irq(struct vfio *vfio, int index, uint32_t flags,
			       int fd)
{
	char buf[sizeof(struct vfio_irq_set) + sizeof(int)] = { 0 };
	struct vfio_irq_set *set = (struct vfio_irq_set *)buf;

	set->flags = flags;
	set->index = index;
	set->argsz = sizeof(*set);
	set->count = 1;
	if (flags & VFIO_IRQ_SET_DATA_EVENTFD) {
		set->argsz += sizeof(int);
		memcpy(set->data, &fd, sizeof(int));
	}
	return ioctl(vfio->device, VFIO_DEVICE_SET_IRQS, set) ? errno : 0;
}

/* Turn all interrupts of @index off, so that another kind can be used. */
static inline void vfio_disable_irq(struct vfio *vfio, int index)
{
	struct vfio_irq_set set = {
		.argsz = sizeof(set),
		.flags = VFIO_IRQ_SET_ACTION_TRIGGER | VFIO_IRQ_SET_DATA_NONE,
		.index = index,
	};

	if (ioctl(vfio->device, VFIO_DEVICE_SET_IRQS, &set))
		err(1, "VFIO_DEVICE_SET_IRQS");
}

#define VFIO_IRQ_TRIGGER_FD \
	(VFIO_IRQ_SET_ACTION_TRIGGER | VFIO_IRQ_SET_DATA_EVENTFD)
#define VFIO_IRQ_UNMASK_NOW \
	(VFIO_IRQ_SET_ACTION_UNMASK | VFIO_IRQ_SET_DATA_NONE)
#define VFIO_IRQ_MASK_NOW \
	(VFIO_IRQ_SET_ACTION_MASK | VFIO_IRQ_SET_DATA_NONE)

/* COMMAND in the device itself: config space as the host sees it. */
static inline uint16_t vfio_command(const char *name)
{
	uint16_t command = 0;
	char path[128];
	int fd;

	vfio_sysfs(name, "config", path, sizeof(path));
	fd = open(path, O_RDONLY);
	if (fd < 0 || pread(fd, &command, 2, PCI_COMMAND) != 2)
		err(1, "%s", path);
	close(fd);
	return command;
}

static inline bool vfio_intx_disabled(const char *name)
{
	return vfio_command(name) & PCI_COMMAND_INTX_DISABLE;
}

/* Events that arrived on @fd, waiting @ms for the first. */
static inline uint64_t vfio_events(int fd, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	uint64_t count = 0;

	if (poll(&pfd, 1, ms) == 1 && read(fd, &count, sizeof(count)) < 0)
		err(1, "eventfd");
	return count;
}

/* TAP: one result, and the end of all; returns the exit status. */
static int vfio_results, vfio_failed;

static inline bool result(bool good, const char *what)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++vfio_results, what);
	vfio_failed |= !good;
	return good;
}

static inline int end_results(void)
{
	printf("1..%d\n", vfio_results);
	return vfio_failed;
}

#endif /* VFIO_LIB_H */
