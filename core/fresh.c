// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_RESET of a function that is fresh: an open has reset it, and nobody has
 * touched it since. There is nothing left for that reset to do.
 *
 * QEMU opens a function, asks what it is, and resets it before it lets the guest run:
 * half of the time that a guest waits for its devices. While a function is fresh its
 * device has ops of their own, which let pass what leaves the function as it was and
 * put the ops of a touched one in place before anything else; from then on nothing is
 * looked at any more, until the next open.
 *
 * What leaves a function as it was: questions; reads of config space; writes there to
 * the BARs, which the core keeps to itself, and to COMMAND, which the PCI core keeps over a
 * reset, but not bus mastering, with which a function does things by itself; INTx, which
 * is a matter of COMMAND and the host; a mapping that nobody has used. All else is a
 * touch: resets by others too, and an exported BAR, which another device may reach without
 * anybody seeing it. A PF with VFs is never fresh, as they reach it; nor is a function
 * for which there are hooks at open or for accesses, or fixups: nobody knows what they do.
 *
 * Nobody else depends on this. It is the user's own reset that is spared; close and
 * open reset the function in any case.
 */
#include <linux/uaccess.h>

#include "compat.h"
#include "core.h"

static bool is_fresh(const struct vfio_pci_variant_device *vvdev)
{
	return READ_ONCE(vvdev->core.vdev.ops) == &vvdev->variant->fresh_ops;
}

/**
 * vpv_touch - a function is not fresh any more: its user does something
 * @vvdev: the device, bound
 *
 * Before whoever touches it has an answer, so that a reset that is asked for then is
 * done. One that is asked for at the same time may have come first.
 */
void vpv_touch(struct vfio_pci_variant_device *vvdev)
{
	if (is_fresh(vvdev))
		WRITE_ONCE(vvdev->core.vdev.ops, vvdev->touched_ops);
}

/**
 * vpv_disturb - a function is not fresh any more: something happens to it
 * @vvdev: the device, bound; it may just be opened
 *
 * It or vpv_fresh_open() sees what the other one wrote.
 */
void vpv_disturb(struct vfio_pci_variant_device *vvdev)
{
	atomic_inc(&vvdev->disturbed);
	/* Before anything is looked at; pairs with those after it is fresh, or warm. */
	smp_mb__after_atomic();
	vpv_touch(vvdev);
	vpv_standby_disturbed(vvdev);
}

/**
 * vpv_fresh_reset - a function was reset, and is as it was disturbed last
 * @vvdev: the device, bound; device lock held
 */
void vpv_fresh_reset(struct vfio_pci_variant_device *vvdev)
{
	WRITE_ONCE(vvdev->reset_at, atomic_read(&vvdev->disturbed));
}

static bool is_disturbed(const struct vfio_pci_variant_device *vvdev)
{
	return atomic_read(&vvdev->disturbed) != READ_ONCE(vvdev->reset_at);
}

static bool has_fixup(const struct vpv_quirks *quirks)
{
	unsigned int i;

	for (i = 0; quirks && i < quirks->nr_rows; i++)
		if (quirks->rows[i].quirk->fixup)
			return true;
	return false;
}

/**
 * vpv_fresh_open - let a function that was just reset be fresh
 * @vvdev: the device, open, but not yet to its user; dev_set lock held
 *
 * Until vpv_touch() or vpv_disturb().
 */
void vpv_fresh_open(struct vfio_pci_variant_device *vvdev)
{
	const struct vfio_pci_variant_ops *ops = vvdev->ops;

	/* Migration would go past the ops. */
	if (!vvdev->core.reset_works || ops->open || ops->add_regions || ops->rw ||
	    vvdev->core.vdev.mig_ops || vvdev->core.vdev.log_ops ||
	    has_fixup(vvdev->quirks) || vpv_quirk(vvdev, VFIO_PCI_QUIRK_ALWAYS_RESET))
		return;

	vvdev->is_spared = false;
	WRITE_ONCE(vvdev->core.vdev.ops, &vvdev->variant->fresh_ops);
	/* Before it is asked for what happened since; pairs with that in vpv_disturb(). */
	smp_mb();
	if (is_disturbed(vvdev) || pci_num_vf(vvdev->core.pdev))
		vpv_touch(vvdev);
}

static bool is_config(loff_t pos)
{
	return (u64)pos >> VFIO_PCI_OFFSET_SHIFT == VFIO_PCI_CONFIG_REGION_INDEX;
}

/*
 * The user's memory may say something else when the core reads it: then they have not
 * told what they do, and the reset that they do not get is their own.
 */
static bool write_is_kept(const char __user *buf, size_t count, loff_t pos)
{
	u64 at = pos & VFIO_PCI_OFFSET_MASK;
	__le16 command;

	if (at >= PCI_BASE_ADDRESS_0 && at + count <= PCI_BASE_ADDRESS_5 + 4)
		return true;
	if (at >= PCI_ROM_ADDRESS && at + count <= PCI_ROM_ADDRESS + 4)
		return true;
	if (at != PCI_COMMAND || count != sizeof(command) ||
	    copy_from_user(&command, buf, sizeof(command)))
		return false;
	return !(le16_to_cpu(command) & PCI_COMMAND_MASTER);
}

static ssize_t fresh_read(struct vfio_device *vdev, char __user *buf, size_t count,
			  loff_t *ppos)
{
	struct vfio_pci_variant_device *vvdev = vdev_to_vvdev(vdev);

	if (!is_config(*ppos))
		vpv_touch(vvdev);
	return vvdev->touched_ops->read(vdev, buf, count, ppos);
}

static ssize_t fresh_write(struct vfio_device *vdev, const char __user *buf,
			   size_t count, loff_t *ppos)
{
	struct vfio_pci_variant_device *vvdev = vdev_to_vvdev(vdev);

	if (!is_config(*ppos) || !write_is_kept(buf, count, *ppos))
		vpv_touch(vvdev);
	return vvdev->touched_ops->write(vdev, buf, count, ppos);
}

/* QEMU maps before it resets: it is the fault that touches. */
static int fresh_mmap(struct vfio_device *vdev, struct vm_area_struct *vma)
{
	struct vfio_pci_variant_device *vvdev = vdev_to_vvdev(vdev);
	u64 index = vma->vm_pgoff >> (VFIO_PCI_OFFSET_SHIFT - PAGE_SHIFT);
	int ret;

	if (index >= PCI_STD_NUM_BARS || vvdev->ops->mmap_bars & BIT(index)) {
		vpv_touch(vvdev);
		return vvdev->touched_ops->mmap(vdev, vma);
	}
	ret = vvdev->touched_ops->mmap(vdev, vma);
	if (!ret && !vpv_compat_watch(vvdev, vma))
		vpv_touch(vvdev);
	return ret;
}

/* MSI-X has a table in a BAR. */
static bool irqs_touch(unsigned long arg)
{
	struct vfio_irq_set set;

	if (copy_from_user(&set, (void __user *)arg, offsetof(struct vfio_irq_set, data)))
		return true;
	return set.index != VFIO_PCI_INTX_IRQ_INDEX &&
	       set.index != VFIO_PCI_ERR_IRQ_INDEX &&
	       set.index != VFIO_PCI_REQ_IRQ_INDEX;
}

/* A reset of the bus above, which nobody is told of, shows in the configuration. */
static bool spare_reset(struct vfio_pci_variant_device *vvdev)
{
	if (!is_fresh(vvdev) || pci_num_vf(vvdev->core.pdev) ||
	    !vpv_state_is_whole(vvdev))
		return false;
	atomic_inc(&vvdev->resets_spared);
	/* Once in an open. */
	if (!xchg(&vvdev->is_spared, true))
		pci_info(vvdev->core.pdev, "%s: VFIO_DEVICE_RESET: nothing to do, it was reset for this user and is untouched since\n",
			 vvdev->variant->name);
	return true;
}

static long fresh_ioctl(struct vfio_device *vdev, unsigned int cmd, unsigned long arg)
{
	struct vfio_pci_variant_device *vvdev = vdev_to_vvdev(vdev);

	switch (cmd) {
	case VFIO_DEVICE_RESET:
		if (spare_reset(vvdev))
			return 0;
		vpv_touch(vvdev);
		break;
	case VFIO_DEVICE_SET_IRQS:
		if (irqs_touch(arg))
			vpv_touch(vvdev);
		break;
	case VFIO_DEVICE_GET_INFO:
	case VFIO_DEVICE_GET_REGION_INFO:
	case VFIO_DEVICE_GET_IRQ_INFO:
	case VFIO_DEVICE_GET_PCI_HOT_RESET_INFO:
		break;
	default:
		vpv_touch(vvdev);
	}
	return vvdev->touched_ops->ioctl(vdev, cmd, arg);
}

/* What fails, as all do that the core does not have, has changed nothing. */
static int fresh_feature(struct vfio_device *vdev, u32 flags, void __user *arg,
			 size_t argsz)
{
	struct vfio_pci_variant_device *vvdev = vdev_to_vvdev(vdev);
	int ret;

	ret = vvdev->touched_ops->device_feature(vdev, flags, arg, argsz);
	if (ret >= 0 && !(flags & VFIO_DEVICE_FEATURE_PROBE))
		vpv_touch(vvdev);
	return ret;
}

/**
 * vpv_fresh_ops - make the ops of a variant's fresh devices
 * @ops: where to
 * @touched: those of its devices with hooks; what is told of regions is theirs
 */
void vpv_fresh_ops(struct vfio_device_ops *ops, const struct vfio_device_ops *touched)
{
	*ops = *touched;
	ops->read = fresh_read;
	ops->write = fresh_write;
	ops->mmap = fresh_mmap;
	ops->ioctl = fresh_ioctl;
	ops->device_feature = fresh_feature;
}
