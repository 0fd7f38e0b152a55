// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why VFIO refuses a function, or part of it, in words. The errno is that of the
 * kernel's core, which mostly says no more than that; a line here names the reason
 * and what to do about it. Nothing in here decides anything.
 *
 * A bind is root's doing. What a user of a device can bring about, by opening it or
 * by an ioctl, is limited in rate.
 */
#include <linux/iommu.h>
#include <linux/uaccess.h>

#include "core.h"

/* More of them is more than a line can hold. */
#define MOST_NEIGHBOURS	32

/* Devices that a function shares something with, each with a reference. */
struct neighbours {
	struct pci_dev *of;
	unsigned int nr;
	struct device *devs[MOST_NEIGHBOURS];
};

static void add_neighbour(struct neighbours *all, struct device *dev)
{
	if (dev != &all->of->dev && all->nr < MOST_NEIGHBOURS)
		all->devs[all->nr++] = get_device(dev);
}

static void put_neighbours(struct neighbours *all)
{
	while (all->nr)
		put_device(all->devs[--all->nr]);
}

/* --- bind ------------------------------------------------------------------ */

/**
 * vpv_explain_bind - say why a function could not be registered
 * @vvdev: the device; device lock held
 * @ret: what vfio_pci_core_register_device() returned
 */
void vpv_explain_bind(const struct vfio_pci_variant_device *vvdev, int ret)
{
	const char *name = vvdev->variant->name;
	struct pci_dev *pdev = vvdev->core.pdev;
	struct iommu_group *group;

	if (pdev->hdr_type != PCI_HEADER_TYPE_NORMAL) {
		pci_warn(pdev, "%s: not bound: it is a bridge, which can't be handed to users; bind the functions behind it\n",
			 name);
		return;
	}
	if (pci_num_vf(pdev)) {
		pci_warn(pdev, "%s: not bound: it has VFs (%d), which may be in use; bind its own driver, write 0 to sriov_numvfs, and try again\n",
			 name, pci_num_vf(pdev));
		return;
	}
	if (ret != -EINVAL)
		return;

	group = iommu_group_get(&pdev->dev);
	if (!group)
		pci_warn(pdev, "%s: not bound: it is in no IOMMU group, so nothing would confine its DMA; switch the IOMMU on in the firmware (VT-d, AMD-Vi, SMMU) and, on Intel, with intel_iommu=on on the kernel's command line\n",
			 name);
	else if (!device_iommu_capable(&pdev->dev, IOMMU_CAP_CACHE_COHERENCY))
		pci_warn(pdev, "%s: not bound: its IOMMU can't keep its DMA coherent with the CPU's caches, which VFIO depends on; there is no way around that on this platform\n",
			 name);
	iommu_group_put(group);
}

static int add_from_group(struct device *dev, void *data)
{
	add_neighbour(data, dev);
	return 0;
}

/* Neighbours that drivers of the host have, as "0000:01:00.1 (e1000e), ...". */
struct host_driven {
	struct neighbours all;
	char text[192];
	size_t len;
};

/*
 * Whether a neighbour has a driver at this moment is all that is asked, without its
 * lock: ours is held, and a user who opens the neighbour meanwhile would get EAGAIN
 * for it. Only the driver has to stay, which the walk sees to.
 */
static int name_host_driven(struct device_driver *driver, void *data)
{
	struct host_driven *found = data;
	unsigned int i;

	/* VFIO's, and those that do no DMA, such as a port's. */
	if (to_pci_driver(driver)->driver_managed_dma)
		return 0;
	for (i = 0; i < found->all.nr; i++) {
		struct device *dev = found->all.devs[i];

		if (READ_ONCE(dev->driver) == driver)
			found->len += scnprintf(found->text + found->len,
						sizeof(found->text) - found->len,
						"%s%s (%s)",
						found->len ? ", " : "",
						dev_name(dev), driver->name);
	}
	return 0;
}

/*
 * VFIO lets nobody have a group of which the host uses a part. That is looked at when
 * somebody tries, before any driver hears of it: here is the last place to say who.
 */
static void explain_group(const struct vfio_pci_variant_device *vvdev)
{
	struct pci_dev *pdev = vvdev->core.pdev;
	struct host_driven found = { .all.of = pdev };
	struct iommu_group *group;

	group = iommu_group_get(&pdev->dev);
	if (!group)
		return;
	/* Under the group's lock: nothing but collected there. */
	iommu_group_for_each_dev(group, &found.all, add_from_group);
	if (found.all.nr)
		bus_for_each_drv(&pci_bus_type, NULL, &found, name_host_driven);
	put_neighbours(&found.all);
	if (found.len)
		pci_warn(pdev, "%s: no user can have it yet: drivers of the host have others of its IOMMU group %d: %s; bind them to vfio-pci too, or unbind them\n",
			 vvdev->variant->name, iommu_group_id(group), found.text);
	iommu_group_put(group);
}

static void explain_reset(const struct vfio_pci_variant_device *vvdev)
{
	struct pci_dev *pdev = vvdev->core.pdev;

	if (vpv_ways_has(pdev))
		return;
	if (!pci_probe_reset_slot(pdev->slot) || !pci_probe_reset_bus(pdev->bus))
		pci_notice(pdev, "%s: it can't be reset by itself: VFIO_DEVICE_RESET gives EINVAL, and its next user may get it as the last one left it; it is reset only with all else in its slot or on its bus, once that is bound to vfio-pci and unused\n",
			   vvdev->variant->name);
	else
		pci_notice(pdev, "%s: it can't be reset: VFIO_DEVICE_RESET gives EINVAL, and its next user gets it as the last one left it; hand it on only between users who trust each other\n",
			   vvdev->variant->name);
}

/**
 * vpv_explain_bound - say what a user of a function will miss
 * @vvdev: the device, just registered; device lock held
 */
void vpv_explain_bound(const struct vfio_pci_variant_device *vvdev)
{
	explain_group(vvdev);
	explain_reset(vvdev);
}

/* --- open ------------------------------------------------------------------ */

/**
 * vpv_explain_open - say why a function could not be enabled
 * @vvdev: the device; dev_set lock held
 * @ret: what vfio_pci_core_enable() returned
 */
void vpv_explain_open(const struct vfio_pci_variant_device *vvdev, int ret)
{
	const char *name = vvdev->variant->name;
	struct device *dev = &vvdev->core.pdev->dev;

	if (ret == -ENOMEM)
		return;
	if (ret == -EAGAIN) {
		dev_warn_ratelimited(dev, "%s: not opened: it can't be reset now, as somebody holds its lock or that of the port above (a bind or unbind, a reset, a write to sriov_numvfs); try again\n",
				     name);
		return;
	}

	dev_warn_ratelimited(dev, "%s: not opened: the PCI core can't enable it (error %d) and says above what it lacks; if that is room for a BAR, look for Above 4G Decoding in the firmware or try pci=realloc\n",
			     name, ret);
}

/**
 * vpv_explain_opened - say what went wrong though the function could be enabled
 * @vvdev: the device, after vfio_pci_core_enable(); dev_set lock held
 */
void vpv_explain_opened(const struct vfio_pci_variant_device *vvdev)
{
	struct pci_dev *pdev = vvdev->core.pdev;

	/* Of one without any method that was said at bind. */
	if (vvdev->core.reset_works || !vpv_ways_has(pdev))
		return;
	dev_warn_ratelimited(&pdev->dev, "%s: its reset failed when it was opened: VFIO_DEVICE_RESET gives EINVAL, and this user gets it as the last one left it; see reset_method in sysfs\n",
			     vvdev->variant->name);
}

/*
 * A claim may go at any time, and there is no lock for us that would keep it: it is
 * copied by what survives a bad address, and believed if it still says, then, that it
 * belongs where it was found. At the worst a line has a wrong name in it.
 */
static bool copy_claim(struct resource *claim, const struct resource *from)
{
	return from && !copy_from_kernel_nofault(claim, from, sizeof(*claim));
}

/*
 * Who has @bar, so that it can't be requested? Mostly who requested it, or part of
 * it, before. What was inserted and covers the whole of it is above it instead, as
 * are the windows of bridges, which are not busy.
 */
static bool find_claim(const struct resource *bar, struct resource *claim)
{
	const struct resource *at = READ_ONCE(bar->child);
	int depth;

	if (copy_claim(claim, at) && claim->parent == bar)
		return true;

	at = READ_ONCE(bar->parent);
	for (depth = 0; depth < 16 && copy_claim(claim, at); depth++) {
		if (claim->flags & IORESOURCE_BUSY)
			return true;
		at = claim->parent;
	}
	return false;
}

/* Its owner may be gone with its name: see copy_claim(). */
static void copy_name(char *to, size_t size, const char *name)
{
	size_t i = 0;

	while (name && i < size - 1 &&
	       !copy_from_kernel_nofault(&to[i], name + i, 1) && to[i])
		i++;
	to[i] = '\0';
}

/**
 * vpv_explain_bars - say who else has a BAR
 * @vvdev: the device, not enabled yet, so that no claim is its own; dev_set lock held
 */
void vpv_explain_bars(const struct vfio_pci_variant_device *vvdev)
{
	struct pci_dev *pdev = vvdev->core.pdev;
	struct resource claim;
	char name[40];
	int i;

	for (i = 0; i < PCI_STD_NUM_BARS; i++) {
		if (!pci_resource_len(pdev, i) ||
		    !find_claim(&pdev->resource[i], &claim))
			continue;
		copy_name(name, sizeof(name), claim.name);
		dev_warn_ratelimited(&pdev->dev, "%s: BAR %d is claimed by \"%*pE\": its user can't read, write or map it (EBUSY); unbind or unload what has it, see %s; a framebuffer of the firmware goes with initcall_blacklist=sysfb_init on the kernel's command line\n",
				     vvdev->variant->name, i, (int)strlen(name),
				     name, claim.flags & IORESOURCE_IO ?
				     "/proc/ioports" : "/proc/iomem");
	}
}

/* --- ioctls ---------------------------------------------------------------- */

static void explain_intx(const struct vfio_pci_variant_device *vvdev)
{
	const struct vfio_pci_core_device *core = &vvdev->core;
	struct device *dev = &core->pdev->dev;

	if (core->pci_2_3)
		dev_warn_ratelimited(dev, "%s: INTx not enabled: IRQ %d is taken by one that can't share it (/proc/interrupts); if that has nointxmask, bind it without, or use MSI\n",
				     vvdev->variant->name, core->pdev->irq);
	else
		dev_warn_ratelimited(dev, "%s: INTx not enabled: IRQ %d has other users (/proc/interrupts), and this function can't share it, as %s; unbind the others, or use MSI\n",
				     vvdev->variant->name, core->pdev->irq,
				     vvdev->settings.nointxmask ?
				     "nointxmask says so" :
				     "it can't mask INTx in itself");
}

static bool is_msi_off(const struct pci_dev *pdev)
{
	const struct pci_bus *bus;

	if (!pci_msi_enabled() || pdev->no_msi)
		return true;
	for (bus = pdev->bus; bus; bus = bus->parent)
		if (bus->bus_flags & PCI_BUS_FLAGS_NO_MSI)
			return true;
	return false;
}

static void explain_irqs(const struct vfio_pci_variant_device *vvdev,
			 struct vfio_irq_set __user *arg, long ret)
{
	struct pci_dev *pdev = vvdev->core.pdev;
	u32 index;

	/* The user may have changed it since: then the line is about another one. */
	if (get_user(index, &arg->index))
		return;
	if (index == VFIO_PCI_INTX_IRQ_INDEX && ret == -EBUSY)
		explain_intx(vvdev);
	else if ((index == VFIO_PCI_MSI_IRQ_INDEX ||
		  index == VFIO_PCI_MSIX_IRQ_INDEX) && is_msi_off(pdev))
		dev_warn_ratelimited(&pdev->dev, "%s: no MSI or MSI-X: it is off for %s\n",
				     vvdev->variant->name, !pci_msi_enabled() ?
				     "the whole kernel (pci=nomsi, or the firmware says so)" :
				     "this function or a bus above it (a quirk of the kernel, or 0 in their msi_bus in sysfs)");
}

static int add_from_bus(struct pci_dev *pdev, void *data)
{
	add_neighbour(data, &pdev->dev);
	return 0;
}

/* A slot that can be reset alone spares the other slots of its bus. */
static bool is_spared(const struct pci_dev *pdev, const struct pci_dev *of)
{
	return pdev->bus == of->bus && pdev->slot != of->slot &&
	       !pci_probe_reset_slot(of->slot);
}

static bool is_in_dev_set(const struct vfio_device_set *dev_set,
			  const struct device *dev)
{
	const struct vfio_device *vdev;

	list_for_each_entry(vdev, &dev_set->device_list, dev_set_list)
		if (vdev->dev == dev)
			return true;
	return false;
}

/* EINVAL has other reasons too, which are mistakes of the user's program. */
static void explain_hot_reset(struct vfio_pci_variant_device *vvdev)
{
	struct vfio_device_set *dev_set = vvdev->core.vdev.dev_set;
	struct neighbours all = { .of = vvdev->core.pdev };
	char text[192] = "";
	size_t n = 0, i;

	pci_walk_bus(all.of->bus, add_from_bus, &all);
	mutex_lock(&dev_set->lock);
	for (i = 0; i < all.nr; i++)
		if (!is_in_dev_set(dev_set, all.devs[i]) &&
		    !is_spared(to_pci_dev(all.devs[i]), all.of))
			n += scnprintf(text + n, sizeof(text) - n, "%s%s",
				       n ? ", " : "", dev_name(all.devs[i]));
	mutex_unlock(&dev_set->lock);
	put_neighbours(&all);
	if (n)
		dev_warn_ratelimited(&all.of->dev, "%s: no hot reset: it would reset others too that are not bound to vfio-pci: %s; bind them, even if nobody uses them\n",
				     vvdev->variant->name, text);
}

/**
 * vpv_explain_ioctl - say why an ioctl failed, if it is not for the program to know
 * @vvdev: the device, opened
 * @cmd: the ioctl
 * @arg: its argument
 * @ret: the errno, negative
 */
void vpv_explain_ioctl(struct vfio_pci_variant_device *vvdev, unsigned int cmd,
		       unsigned long arg, long ret)
{
	if (cmd == VFIO_DEVICE_SET_IRQS)
		explain_irqs(vvdev, (void __user *)arg, ret);
	else if (cmd == VFIO_DEVICE_PCI_HOT_RESET && ret == -EINVAL)
		explain_hot_reset(vvdev);
}
