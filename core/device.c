// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VFIO device of a bound function: the device ops that every variant starts
 * from. The order of calls is told in <linux/vfio_pci_variant.h>.
 */
#include <linux/pm_runtime.h>

#include "compat.h"
#include "core.h"

const struct vfio_pci_variant_ops vpv_no_ops;

static int vpv_init(struct vfio_device *vdev)
{
	struct vfio_pci_variant_device *vvdev = vdev_to_vvdev(vdev);

	vvdev->ops = &vpv_no_ops;
	vpv_user_init(vvdev);
	return vfio_pci_core_init_dev(vdev);
}

static void vpv_release(struct vfio_device *vdev)
{
	struct vfio_pci_variant_device *vvdev = vdev_to_vvdev(vdev);
	const struct vfio_pci_variant *adopted = vvdev->adopted;

	if (vvdev->ops->release)
		vvdev->ops->release(vvdev);
	vpv_settings_free(vvdev);
	vpv_quirks_free(vvdev);
	vpv_state_free(vvdev);
	vpv_standby_free(vvdev);
	vpv_ways_free(vvdev);
	vpv_regs_free(vvdev);
	vpv_migration_free(vvdev);
	/* Frees the device on kernels where that is the driver's task. */
	vfio_pci_core_release_dev(vdev);
	vpv_adopt_put(adopted);
}

static void disable_core(struct vfio_pci_variant_device *vvdev)
{
	vpv_reset_closing(vvdev);
	vfio_pci_core_disable(&vvdev->core);
	vpv_reset_closed(vvdev);
}

static int enable_core(struct vfio_pci_variant_device *vvdev)
{
	unsigned int resets = READ_ONCE(vvdev->hook_resets);
	int ret;

	vpv_explain_bars(vvdev);
	ret = vpv_state_enable(vvdev);
	if (ret)
		return ret;
	ret = vpv_reset_opened(vvdev, resets);
	if (ret) {
		disable_core(vvdev);
		return ret;
	}
	vpv_explain_opened(vvdev);
	return 0;
}

static int enable(struct vfio_pci_variant_device *vvdev)
{
	const struct vfio_pci_variant_ops *ops = vvdev->ops;
	int ret;

	ret = vpv_standby_open(vvdev);
	if (ret == -ENODATA)
		ret = enable_core(vvdev);
	if (ret)
		return ret;

	ret = vpv_config_apply(vvdev);
	if (ret)
		goto err_disable;

	ret = vpv_regs_map(vvdev);
	if (ret)
		goto err_disable;

	if (ops->open) {
		ret = vpv_errno(ops->open(vvdev));
		if (ret)
			goto err_unmap;
	}

	ret = vpv_migration_open(vvdev);
	if (ret)
		goto err_close;

	if (ops->add_regions) {
		ret = vpv_errno(ops->add_regions(vvdev));
		if (ret)
			goto err_close;
	}

	vfio_pci_core_finish_enable(&vvdev->core);
	vpv_config_limit_mmap(vvdev);
	return 0;

err_close:
	if (ops->open && ops->close)
		ops->close(vvdev);
err_unmap:
	vpv_regs_unmap(vvdev);
err_disable:
	disable_core(vvdev);
	return ret;
}

static int vpv_open(struct vfio_device *vdev)
{
	struct vfio_pci_variant_device *vvdev = vdev_to_vvdev(vdev);
	const struct vfio_pci_variant_gate *gate = vvdev->variant->gate;
	int ret;

	ret = vpv_user_open(vvdev);
	if (ret)
		return ret;
	if (gate) {
		ret = vpv_errno(gate->open(vvdev));
		if (ret)
			goto err_user;
	}

	ret = enable(vvdev);
	if (ret)
		goto err_gate;
	vpv_fresh_open(vvdev);
	return 0;

err_gate:
	vpv_standby_closed(vvdev);
	if (gate && gate->close)
		gate->close(vvdev);
err_user:
	vpv_user_close(vvdev);
	return ret;
}

/*
 * The user may have suspended the function (VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY). One
 * that does not resume is closed all the same.
 */
static void call_close(struct vfio_pci_variant_device *vvdev)
{
	struct device *dev = &vvdev->core.pdev->dev;
	bool resumed;

	if (!vvdev->ops->close)
		return;
	resumed = !pm_runtime_resume_and_get(dev);
	vvdev->ops->close(vvdev);
	if (resumed)
		pm_runtime_put(dev);
}

static void vpv_close(struct vfio_device *vdev)
{
	struct vfio_pci_variant_device *vvdev = vdev_to_vvdev(vdev);
	const struct vfio_pci_variant_gate *gate = vvdev->variant->gate;

	vpv_touch(vvdev);
	vpv_migration_close(vvdev);
	call_close(vvdev);
	vpv_regs_unmap(vvdev);
	vpv_reset_closing(vvdev);
	vfio_pci_core_close_device(vdev);
	vpv_reset_closed(vvdev);
	vpv_standby_closed(vvdev);
	if (gate && gate->close)
		gate->close(vvdev);
	vpv_user_close(vvdev);
}

static long vpv_ioctl(struct vfio_device *vdev, unsigned int cmd,
		      unsigned long arg)
{
	struct vfio_pci_variant_device *vvdev = vdev_to_vvdev(vdev);
	long ret;

	if (vpv_refuses_ioctl(cmd)) {
		/* Once, as it is no fault of the user's, who may go on trying. */
		pci_warn_once(vvdev->core.pdev, "%s: VFIO_DEVICE_IOEVENTFD refused, on this kernel it lets a user write to any kernel memory; user space does such writes itself, or use a kernel that has this fixed\n",
			      vvdev->variant->name);
		return -ENOTTY;
	}

	if (vvdev->resets_itself &&
	    (cmd == VFIO_DEVICE_RESET || cmd == VFIO_DEVICE_PCI_HOT_RESET))
		ret = vpv_reset_ioctl(vvdev, cmd, arg);
	else
		ret = vfio_pci_core_ioctl(vdev, cmd, arg);
	if (ret < 0)
		vpv_explain_ioctl(vvdev, cmd, arg, ret);
	return ret;
}

/*
 * A device that is about to go has no name: not every kernel takes it off the group's
 * list before its user is gone, and who has it open may open it again.
 */
static int vpv_match(struct vfio_device *vdev, char *name)
{
	struct vfio_pci_variant_device *vvdev = vdev_to_vvdev(vdev);
	const struct vfio_pci_variant_gate *gate = vvdev->variant->gate;

	if (vpv_user_is_leaving(vvdev))
		return 0;
	return gate ? gate->match(vvdev, name) : vfio_pci_core_match(vdev, name);
}

const struct vfio_device_ops vpv_vfio_ops = {
	.init = vpv_init,
	.release = vpv_release,
	.open_device = vpv_open,
	.close_device = vpv_close,
	.ioctl = vpv_ioctl,
	.device_feature = vfio_pci_core_ioctl_feature,
	.read = vfio_pci_core_read,
	.write = vfio_pci_core_write,
	.mmap = vpv_mmap,
	.request = vpv_request,
	.match = vpv_match,
	VPV_COMPAT_DEVICE_OPS
};

/*
 * For devices with an rw hook, registers of their variant's or config bytes of quirks.
 * All others have the core's functions in their ops; so have, but for a look at which
 * one it is, regions in which there is none of that.
 */

/* BIT(n) if an access at @pos is one to region n with something of that; else 0. */
static inline u32 special_region(const struct vfio_pci_variant_device *vvdev,
				 loff_t pos)
{
	u64 index = (u64)pos >> VFIO_PCI_OFFSET_SHIFT;

	if (index >= BITS_PER_TYPE(vvdev->special))
		return 0;
	return vvdev->special & BIT(index);
}

/* With a reference of ours; without one if it fails. */
static noinline int wake(struct device *dev)
{
	int ret = pm_runtime_resume(dev);

	if (ret < 0)
		pm_runtime_put_noidle(dev);
	return min(ret, 0);
}

/*
 * Have a function stay awake that its user has open. As long as that has not put it into
 * low power the core has a reference of its own, so that one more needs no look at the
 * state, under a lock. Either the user's doing so shows here, or this reference there; and
 * that low power has ended shows before the function is awake again.
 */
static __always_inline int get_awake(struct vfio_pci_variant_device *vvdev)
{
	struct device *dev = &vvdev->core.pdev->dev;

	pm_runtime_get_noresume(dev);
	/* Before it is asked for; pairs with the core's atomic put after it has set that. */
	smp_mb__after_atomic();
	if (likely(!READ_ONCE(vvdev->core.pm_runtime_engaged))) {
		/* And that before the state: low power ends while it is awakened. */
		smp_rmb();
		if (likely(pm_runtime_active(dev)))
			return 0;
	}
	return wake(dev);
}

/* Who lets go last has runtime PM look at it: that may be either, in low power. */
static __always_inline void put_awake(struct vfio_pci_variant_device *vvdev)
{
	struct device *dev = &vvdev->core.pdev->dev;

	pm_runtime_put_noidle(dev);
	/* As above. */
	smp_mb__after_atomic();
	if (unlikely(READ_ONCE(vvdev->core.pm_runtime_engaged)))
		pm_request_idle(dev);
}

/*
 * As the core does around its own: the function may sleep, by the user's leave, and
 * an access of nothing is 0, whatever its offset.
 */
static inline ssize_t call_rw(struct vfio_pci_variant_device *vvdev, char __user *buf,
			      size_t count, loff_t *ppos, bool iswrite, u32 region)
{
	ssize_t ret;

	if (!count || !(region & vvdev->ops->rw_regions))
		return 0;
	if (get_awake(vvdev))
		return -EIO;
	ret = vvdev->ops->rw(vvdev, buf, count, ppos, iswrite);
	put_awake(vvdev);
	return ret;
}

static noinline ssize_t special_read(struct vfio_pci_variant_device *vvdev,
				     char __user *buf, size_t count, loff_t *ppos,
				     u32 region)
{
	ssize_t ret;

	ret = call_rw(vvdev, buf, count, ppos, false, region);
	if (ret)
		return ret;
	if (region & vvdev->reg_bars)
		return vpv_regs_rw(vvdev, buf, count, ppos, false);
	if (vpv_shows_bytes(vvdev))
		return vpv_config_read(vvdev, buf, count, ppos);
	return vfio_pci_core_read(&vvdev->core.vdev, buf, count, ppos);
}

static noinline ssize_t special_write(struct vfio_pci_variant_device *vvdev,
				      const char __user *buf, size_t count,
				      loff_t *ppos, u32 region)
{
	ssize_t ret;

	/* One hook for both directions, as in the core: it won't write here. */
	ret = call_rw(vvdev, (char __user *)buf, count, ppos, true, region);
	if (ret)
		return ret;
	if (region & vvdev->reg_bars)
		return vpv_regs_rw(vvdev, (char __user *)buf, count, ppos, true);
	if (vpv_shows_bytes(vvdev))
		return vpv_config_write(vvdev, buf, count, ppos);
	return vfio_pci_core_write(&vvdev->core.vdev, buf, count, ppos);
}

ssize_t vpv_read(struct vfio_device *vdev, char __user *buf,
		 size_t count, loff_t *ppos)
{
	struct vfio_pci_variant_device *vvdev = vdev_to_vvdev(vdev);
	u32 region = special_region(vvdev, *ppos);

	if (likely(!region))
		return vfio_pci_core_read(vdev, buf, count, ppos);
	return special_read(vvdev, buf, count, ppos, region);
}

ssize_t vpv_write(struct vfio_device *vdev, const char __user *buf,
		  size_t count, loff_t *ppos)
{
	struct vfio_pci_variant_device *vvdev = vdev_to_vvdev(vdev);
	u32 region = special_region(vvdev, *ppos);

	if (likely(!region))
		return vfio_pci_core_write(vdev, buf, count, ppos);
	return special_write(vvdev, buf, count, ppos, region);
}
