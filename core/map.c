// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the user of a device is told of its regions, and maps of them, where that is
 * not what the core says: pages with registers of the variant's table are not mapped,
 * and a variant may have hooks for both. All other devices have the core's functions
 * in their ops.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "core.h"

/* Is a register of the table in the pages from @at to before @end of a BAR? */
static bool has_reg_in(const struct vfio_pci_variant_ops *ops, unsigned int bar,
		       u64 at, u64 end)
{
	size_t i;

	for (i = 0; i < ops->nr_regs; i++)
		if (ops->regs[i].bar == bar && ops->regs[i].offset < end &&
		    vpv_reg_end(&ops->regs[i]) > at)
			return true;
	return false;
}

/**
 * vpv_map - map a region, but for pages with registers of the table
 * @vdev: the device
 * @vma: the mapping; mmap_lock of the process held for writing
 *
 * Return: what vpv_mmap() or the hook returned; -EINVAL for such pages, for a BAR that
 * a quirk keeps from being mapped, and for private maps, as for what can't be mapped at
 * all.
 */
int vpv_map(struct vfio_device *vdev, struct vm_area_struct *vma)
{
	struct vfio_pci_variant_device *vvdev = vdev_to_vvdev(vdev);
	const struct vfio_pci_variant_ops *ops = vvdev->ops;
	unsigned int shift = VFIO_PCI_OFFSET_SHIFT - PAGE_SHIFT;
	u64 first = vma->vm_pgoff & (BIT_ULL(shift) - 1);
	u64 index = vma->vm_pgoff >> shift;

	if (index >= PCI_STD_NUM_BARS)
		return vpv_mmap(vdev, vma);
	if (has_reg_in(ops, index, first << PAGE_SHIFT,
		       (first + vma_pages(vma)) << PAGE_SHIFT))
		return -EINVAL;
	if (!(ops->mmap_bars & BIT(index)))
		return vpv_mmap(vdev, vma);
	if (vvdev->no_mmap & BIT(index) || !(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	return vpv_errno(ops->mmap(vvdev, index, vma));
}

/**
 * vfio_pci_variant_mmap - map a part of a BAR as the core does
 * @vvdev: the device
 * @vma: what an mmap hook was called with
 *
 * Return: 0; -EINVAL if it is not of the BAR or can't be mapped; or another errno.
 */
int vfio_pci_variant_mmap(struct vfio_pci_variant_device *vvdev,
			  struct vm_area_struct *vma)
{
	return vpv_mmap(&vvdev->core.vdev, vma);
}
EXPORT_SYMBOL_GPL(vfio_pci_variant_mmap);

/* What the hook makes of what the core says. */
static int call_region_info(struct vfio_pci_variant_device *vvdev,
			    struct vfio_region_info *info,
			    struct vfio_info_cap *caps)
{
	int ret;

	ret = vpv_errno(vvdev->ops->region_info(vvdev, info, caps));
	if (!ret && info->index < PCI_STD_NUM_BARS &&
	    vvdev->no_mmap & BIT(info->index))
		info->flags &= ~VFIO_REGION_INFO_FLAG_MMAP;
	return ret;
}

#ifdef VPV_HAVE_GET_REGION_INFO_CAPS
/*
 * The parts of a BAR that can be mapped, into @areas; NULL: only count them. Pages with
 * registers of the table divide them.
 */
static unsigned int find_areas(const struct vfio_pci_variant_ops *ops,
			       unsigned int bar, u64 size,
			       struct vfio_region_sparse_mmap_area *areas)
{
	unsigned int n = 0;
	u64 at = 0;
	size_t i;

	for (i = 0; i <= ops->nr_regs; i++) {
		u64 end = size, next = size;

		if (i < ops->nr_regs) {
			if (ops->regs[i].bar != bar)
				continue;
			end = min(round_down(ops->regs[i].offset, PAGE_SIZE), size);
			next = min(round_up(vpv_reg_end(&ops->regs[i]), PAGE_SIZE), size);
		}
		if (end > at) {
			if (areas)
				areas[n] = (struct vfio_region_sparse_mmap_area) {
					.offset = at, .size = end - at,
				};
			n++;
		}
		at = max(at, next);
	}
	return n;
}

/* Of a BAR with registers of the table. */
static int add_areas(const struct vfio_pci_variant_ops *ops,
		     struct vfio_region_info *info, struct vfio_info_cap *caps)
{
	struct vfio_region_info_cap_sparse_mmap *sparse;
	unsigned int n;
	size_t size;
	int ret;

	n = find_areas(ops, info->index, info->size, NULL);
	if (!n) {
		info->flags &= ~VFIO_REGION_INFO_FLAG_MMAP;
		return 0;
	}

	size = struct_size(sparse, areas, n);
	sparse = kzalloc(size, GFP_KERNEL);
	if (!sparse)
		return -ENOMEM;
	sparse->header.id = VFIO_REGION_INFO_CAP_SPARSE_MMAP;
	sparse->header.version = 1;
	sparse->nr_areas = n;
	find_areas(ops, info->index, info->size, sparse->areas);
	ret = vfio_info_add_capability(caps, &sparse->header, size);
	kfree(sparse);
	return ret;
}

/**
 * vpv_region_info - tell the user of a region, and what of it can be mapped
 * @vdev: the device
 * @info: as in the device's op
 * @caps: likewise
 *
 * Return: 0 or an errno.
 */
int vpv_region_info(struct vfio_device *vdev, struct vfio_region_info *info,
		    struct vfio_info_cap *caps)
{
	struct vfio_pci_variant_device *vvdev = vdev_to_vvdev(vdev);
	const struct vfio_pci_variant_ops *ops = vvdev->ops;
	int ret;

	ret = vfio_pci_ioctl_get_region_info(vdev, info, caps);
	if (!ret && ops->region_info)
		ret = call_region_info(vvdev, info, caps);
	/* Of what size the hook left. */
	if (!ret && info->index < PCI_STD_NUM_BARS &&
	    vvdev->reg_bars & BIT(info->index) &&
	    info->flags & VFIO_REGION_INFO_FLAG_MMAP)
		ret = add_areas(ops, info, caps);
	return ret;
}
#else
/*
 * The core answers the user itself: what it wrote is read again. The user's memory may
 * say something else each time that it is looked at, and an index that is none must not
 * come to the hook.
 */
static long region_info_ioctl(struct vfio_device *vdev, unsigned long arg)
{
	struct vfio_pci_variant_device *vvdev = vdev_to_vvdev(vdev);
	size_t size = offsetofend(struct vfio_region_info, offset);
	struct vfio_region_info __user *user = (void __user *)arg;
	struct vfio_region_info info;
	u32 index;
	long ret;

	if (get_user(index, &user->index))
		return -EFAULT;
	ret = vvdev->variant->vfio_ops.ioctl(vdev, VFIO_DEVICE_GET_REGION_INFO, arg);
	if (ret)
		return ret;
	if (copy_from_user(&info, user, size))
		return -EFAULT;
	if (info.index != index ||
	    index >= VFIO_PCI_NUM_REGIONS + vvdev->core.num_regions)
		return -EINVAL;
	ret = call_region_info(vvdev, &info, NULL);
	if (ret)
		return ret;
	return copy_to_user(user, &info, size) ? -EFAULT : 0;
}
#endif /* VPV_HAVE_GET_REGION_INFO_CAPS */

/**
 * vpv_map_ioctl - the ioctls of a device with hooks, registers or shown bytes
 * @vdev: the device
 * @cmd: which one
 * @arg: its argument
 *
 * An ioeventfd has the core write to a BAR, past hooks and callbacks. Which BAR is told
 * by the user's memory, which may say something else once it was looked at.
 *
 * Return: as the ioctl does.
 */
long vpv_map_ioctl(struct vfio_device *vdev, unsigned int cmd, unsigned long arg)
{
	struct vfio_pci_variant_device *vvdev = vdev_to_vvdev(vdev);

	if (cmd == VFIO_DEVICE_IOEVENTFD &&
	    (vpv_hooked_bars(vvdev->ops) | vvdev->reg_bars))
		return -ENOTTY;
#ifndef VPV_HAVE_GET_REGION_INFO_CAPS
	if (cmd == VFIO_DEVICE_GET_REGION_INFO && vvdev->ops->region_info)
		return region_info_ioctl(vdev, arg);
#endif
	return vvdev->variant->vfio_ops.ioctl(vdev, cmd, arg);
}
