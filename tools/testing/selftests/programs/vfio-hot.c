// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: vfio-hot NAME...
 * Open functions of QEMU's e1000e, all in one container, ask the first one what its
 * hot reset takes along, and do it: as owner of no group, and then of those of all. Prints:
 *   device BDF group N   for each function that the reset is said to affect
 *   hot reset by nobody: errno N
 *   hot reset: errno N   0: done
 *   NAME: reset | kept   did the function lose what was in a register?
 * A name that starts with "-" is not opened, only its group is.
 */
#include "vfio_lib.h"

/* VLAN EtherType, 0x8100 after a reset: 82574 datasheet, 10.2.2.5 (VET). */
#define E1000_VET		0x38
#define E1000_VET_DEFAULT	0x8100
#define SOMETHING		0x1234

#define MAX	4

struct function {
	const char *name;
	bool open;
	int group;
	struct vfio vfio;
};

static struct function functions[MAX];
static int nr, groups[MAX], nr_groups, container;

/* The group's fd; each group is opened once. */
static int open_group(int group)
{
	static int fds[MAX];
	char path[64];
	int i;

	for (i = 0; i < nr_groups; i++)
		if (groups[i] == group)
			return fds[i];
	snprintf(path, sizeof(path), "/dev/vfio/%d", group);
	fds[i] = open(path, O_RDWR);
	if (fds[i] < 0)
		err(1, "%s", path);
	if (ioctl(fds[i], VFIO_GROUP_SET_CONTAINER, &container))
		err(1, "VFIO_GROUP_SET_CONTAINER");
	if (!nr_groups && ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		err(1, "VFIO_SET_IOMMU");
	groups[nr_groups++] = group;
	return fds[i];
}

static void open_function(struct function *f, const char *name)
{
	f->open = name[0] != '-';
	f->name = name + !f->open;
	f->vfio.container = container;
	f->vfio.group = open_group(vfio_group_of(f->name));
	if (!f->open)
		return;
	f->vfio.device = ioctl(f->vfio.group, VFIO_GROUP_GET_DEVICE_FD, f->name);
	if (f->vfio.device < 0)
		err(1, "%s", f->name);
	vfio_set_command(&f->vfio, PCI_COMMAND_MEMORY, true);
	vfio_write(&f->vfio, VFIO_PCI_BAR0_REGION_INDEX, E1000_VET, 4, SOMETHING);
	if (vfio_read(&f->vfio, VFIO_PCI_BAR0_REGION_INDEX, E1000_VET, 4) != SOMETHING)
		errx(1, "%s has no such register", f->name);
}

static void show_info(int device)
{
	struct {
		struct vfio_pci_hot_reset_info info;
		struct vfio_pci_dependent_device devices[64];
	} all = { .info.argsz = sizeof(all) };
	unsigned int i;

	if (ioctl(device, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &all)) {
		printf("info: errno %d\n", errno);
		return;
	}
	for (i = 0; i < all.info.count; i++)
		printf("device %04x:%02x:%02x.%d group %u\n",
		       all.devices[i].segment, all.devices[i].bus,
		       all.devices[i].devfn >> 3, all.devices[i].devfn & 7,
		       all.devices[i].group_id);
}

/* Returns 0 or an errno. */
static int hot_reset(int device, int nr_owned)
{
	struct {
		struct vfio_pci_hot_reset reset;
		int32_t fds[MAX];
	} all = { .reset.argsz = sizeof(all) };
	int i;

	for (i = 0; i < nr_owned; i++)
		all.fds[all.reset.count++] = open_group(groups[i]);
	return ioctl(device, VFIO_DEVICE_PCI_HOT_RESET, &all) ? errno : 0;
}

static void show_state(struct function *f)
{
	uint32_t vet;

	vfio_set_command(&f->vfio, PCI_COMMAND_MEMORY, true);
	vet = vfio_read(&f->vfio, VFIO_PCI_BAR0_REGION_INDEX, E1000_VET, 4);
	printf("%s: %s\n", f->name, vet == SOMETHING ? "kept" :
	       vet == E1000_VET_DEFAULT ? "reset" : "neither");
}

int main(int argc, char **argv)
{
	if (argc < 2 || argc > MAX + 1 || argv[1][0] == '-')
		errx(2, "usage: vfio-hot NAME...");
	container = open("/dev/vfio/vfio", O_RDWR);
	if (container < 0)
		err(1, "/dev/vfio/vfio");
	for (nr = 0; nr < argc - 1; nr++)
		open_function(&functions[nr], argv[nr + 1]);
	show_info(functions[0].vfio.device);
	printf("hot reset by nobody: errno %d\n",
	       hot_reset(functions[0].vfio.device, 0));
	printf("hot reset: errno %d\n",
	       hot_reset(functions[0].vfio.device, nr_groups));
	for (nr = 0; nr < argc - 1; nr++)
		if (functions[nr].open)
			show_state(&functions[nr]);
	return 0;
}
