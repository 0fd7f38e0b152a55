// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions that vfio-pci-core closed, but did not reset, and those that a variant's hook
 * resets.
 *
 * At close the core resets a function if it gets the locks for that without waiting:
 * its own and, in newer kernels, that of the port above, which an FLR has nothing to do
 * with. Functions below one port that are closed in parallel, such as VFs of one PF
 * when the process that has them exits, take it from each other, and most of them keep
 * what their users left in them until they are opened again.
 *
 * Here what was left out is done in the same close: the locks that the reset needs are
 * waited for. Only for a while, as there are holders who wait for this close:
 *
 * - Remove holds the device lock, and waits for the user. So the close leaves the
 *   function to remove, which resets it before it lets it go.
 * - A write to sriov_numvfs holds that of a PF and waits for the users of its VFs.
 *
 * And only for a while does remove wait for the port's lock: somebody who resets by the
 * bus, or recovers from an error, has that one and waits for the lock that remove holds.
 *
 * A function that a variant's hook resets has no other way, see vpv_ways_bind(): whoever
 * resets it, the PCI core calls vpv_reset_by_hook() in the end, and says ENOTTY to who
 * asked it, which is put right here. At close the core would go on to a reset of its
 * bus then. So its lock is taken before that, and the core can have none; unless it is
 * for others that the core is to reset the bus.
 */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>

#include "compat.h"
#include "core.h"

/*
 * Longer than the reset of another function takes if that is in order (a second by the
 * bus, PCI Express Base 6.0, 6.6.1), and short for a process that is about to exit.
 */
#define LOCKS_TIMEOUT	(10 * HZ)

/* The port before what is below it, as in the PCI core. Remove has the device lock. */
static bool try_lock(struct pci_dev *port, struct pci_dev *pdev, bool by_remove)
{
	if (port && !pci_dev_trylock(port))
		return false;
	if (by_remove ? pci_cfg_access_trylock(pdev) : pci_dev_trylock(pdev))
		return true;
	if (port)
		pci_dev_unlock(port);
	return false;
}

static void unlock(struct pci_dev *port, struct pci_dev *pdev, bool by_remove)
{
	if (by_remove)
		pci_cfg_access_unlock(pdev);
	else
		pci_dev_unlock(pdev);
	if (port)
		pci_dev_unlock(port);
}

/*
 * Locks held. One that does not answer is let alone: the core waited a minute for it, and
 * what is read and saved of it now would be written to it if it came back.
 */
static int reset(struct vfio_pci_variant_device *vvdev)
{
	unsigned int before = READ_ONCE(vvdev->hook_resets);
	struct pci_dev *pdev = vvdev->core.pdev;
	int ret;

	ret = pm_runtime_resume_and_get(&pdev->dev);
	if (ret)
		return ret;
	ret = -EIO;
	if (vpv_state_is_reachable(pdev))
		ret = pci_reset_function_locked(pdev);
	pm_runtime_put(&pdev->dev);
	return vpv_reset_result(vvdev, before, ret);
}

/* That of @port, too, if there is one. Says so if it can't have them in time. */
static bool wait_for_locks(struct vfio_pci_variant_device *vvdev,
			   struct pci_dev *port, bool by_remove)
{
	struct pci_dev *pdev = vvdev->core.pdev;
	unsigned long end = jiffies + LOCKS_TIMEOUT;

	while (!try_lock(port, pdev, by_remove)) {
		if (!by_remove && READ_ONCE(vvdev->removing))
			return false;
		if (time_after(jiffies, end)) {
			dev_warn_ratelimited(&pdev->dev, "%s: not reset when its user closed it: somebody holds its lock or that of the port above (a bind, a reset, a write to sriov_numvfs); it keeps what they left in it until it is opened or reset\n",
					     vvdev->variant->name);
			return false;
		}
		fsleep(USEC_PER_MSEC);
	}
	return true;
}

/* Locks held. */
static void reset_closed(struct vfio_pci_variant_device *vvdev)
{
	int ret = reset(vvdev);

	if (!ret)
		WRITE_ONCE(vvdev->core.needs_reset, false);
	else
		dev_warn_ratelimited(&vvdev->core.pdev->dev, "%s: its reset failed when its user closed it (error %d): it keeps what they left in it; see reset_method in sysfs\n",
				     vvdev->variant->name, ret);
}

/* True if it needs no other attempt. */
static bool reset_left(struct vfio_pci_variant_device *vvdev, bool by_remove)
{
	struct pci_dev *pdev = vvdev->core.pdev, *port = NULL;

	if (vpv_ways_by_bus(pdev))
		port = pci_upstream_bridge(pdev);
	if (!wait_for_locks(vvdev, port, by_remove))
		return false;
	reset_closed(vvdev);
	unlock(port, pdev, by_remove);
	return true;
}

/* --- by a hook ------------------------------------------------------------------ */

/*
 * Quiet, as the PCI core has functions while it resets them, but for memory. Config space
 * is put right afterwards. Nothing is saved of one that does not answer: all ones would be
 * written to it when it does.
 */
static int call_reset(struct vfio_pci_variant_device *vvdev)
{
	struct pci_dev *pdev = vvdev->core.pdev;
	int ret;

	if (!vpv_state_is_whole(vvdev))
		return -EIO;
	pci_save_state(pdev);
	pci_write_config_word(pdev, PCI_COMMAND,
			      PCI_COMMAND_MEMORY | PCI_COMMAND_INTX_DISABLE);
	ret = vpv_compat_reset_begin(pdev);
	if (!ret) {
		WRITE_ONCE(vvdev->is_resetting, true);
		ret = vpv_errno(vvdev->ops->reset(vvdev));
		WRITE_ONCE(vvdev->is_resetting, false);
		vpv_compat_reset_end(pdev);
	}
	pci_restore_state(pdev);
	if (!ret && !vpv_state_is_whole(vvdev))
		ret = -EIO;
	/* To the PCI core and to who tries again these say that there was none. */
	return ret == -ENOTTY || ret == -EAGAIN ? -EIO : ret;
}

/**
 * vpv_reset_by_hook - have a variant's hook reset a function, if that is how it is done
 * @vvdev: the device, bound, as the PCI core has done all that comes after a reset;
 *	device lock held
 *
 * Return: 0, also if there is no such hook; or what came of it.
 */
int vpv_reset_by_hook(struct vfio_pci_variant_device *vvdev)
{
	int ret;

	if (!vvdev->resets_itself)
		return 0;

	ret = call_reset(vvdev);
	WRITE_ONCE(vvdev->hook_error, ret);
	/* After what it counts; pairs with that in vpv_reset_result(). */
	smp_wmb();
	WRITE_ONCE(vvdev->hook_resets, vvdev->hook_resets + 1);
	if (ret)
		dev_warn_ratelimited(&vvdev->core.pdev->dev, "%s: its own reset failed (error %d): it is not opened again before one succeeds; power cycle the machine\n",
				     vvdev->variant->name, ret);
	return ret;
}

/**
 * vpv_reset_result - what came of a reset
 * @vvdev: the device, bound
 * @before: its hook_resets before the reset
 * @ret: what the PCI core said
 *
 * Return: what the hook said if it was called, which the PCI core does not know of; else,
 * or if that failed for another reason, @ret.
 */
int vpv_reset_result(const struct vfio_pci_variant_device *vvdev,
		     unsigned int before, int ret)
{
	if ((ret && ret != -ENOTTY) || READ_ONCE(vvdev->hook_resets) == before)
		return ret;
	/* Before the one that goes with it; pairs with that in vpv_reset_by_hook(). */
	smp_rmb();
	return READ_ONCE(vvdev->hook_error);
}

/**
 * vpv_reset_ioctl - an ioctl that resets a function that a variant's hook resets
 * @vvdev: the device, open
 * @cmd: VFIO_DEVICE_RESET or VFIO_DEVICE_PCI_HOT_RESET
 * @arg: of the ioctl
 *
 * Return: as the ioctl does; what the hook of this function returned.
 */
long vpv_reset_ioctl(struct vfio_pci_variant_device *vvdev, unsigned int cmd,
		     unsigned long arg)
{
	unsigned int before = READ_ONCE(vvdev->hook_resets);
	long ret;

	ret = vfio_pci_core_ioctl(&vvdev->core.vdev, cmd, arg);
	return vpv_reset_result(vvdev, before, ret);
}

/* --- open, close, remove --------------------------------------------------------- */

/**
 * vpv_reset_opened - note that an open has reset a function
 * @vvdev: the device, after vfio_pci_core_enable(); dev_set lock held
 * @before: its hook_resets before that
 *
 * The core notes what a close does, or the reset of a whole slot or bus after one.
 *
 * Return: 0, or why its hook could not reset it.
 */
int vpv_reset_opened(struct vfio_pci_variant_device *vvdev, unsigned int before)
{
	int ret = 0;

	if (vvdev->resets_itself) {
		/* Not called if root has taken even that way away. */
		ret = READ_ONCE(vvdev->hook_error);
		vvdev->core.reset_works = !ret &&
					  READ_ONCE(vvdev->hook_resets) != before;
	}
	if (vvdev->core.reset_works) {
		WRITE_ONCE(vvdev->core.needs_reset, false);
		vvdev->reset_is_due = false;
	}
	return ret;
}

/* Has the core others to reset the slot or bus for, as this one is closed last? */
static bool others_need_reset(const struct vfio_pci_variant_device *vvdev)
{
	const struct vfio_pci_core_device *core;
	const struct vfio_device *vdev;
	bool found = false;

	/* All in the set are devices of the core's. */
	list_for_each_entry(vdev, &vvdev->core.vdev.dev_set->device_list, dev_set_list) {
		core = container_of(vdev, struct vfio_pci_core_device, vdev);
		if (core == &vvdev->core)
			continue;
		if (vdev->open_count)
			return false;
		found |= core->needs_reset;
	}
	return found;
}

/**
 * vpv_reset_closing - have a function stay awake until vpv_reset_closed()
 * @vvdev: the device, about to be disabled; dev_set lock held
 *
 * And locked, if a hook resets it, unless somebody else has it locked for long.
 */
void vpv_reset_closing(struct vfio_pci_variant_device *vvdev)
{
	pm_runtime_get_noresume(&vvdev->core.pdev->dev);
	vvdev->is_locked = false;
	vvdev->reset_is_due = false;
	vvdev->closing_at = READ_ONCE(vvdev->hook_resets);
	if (!vvdev->resets_itself || others_need_reset(vvdev))
		return;
	/* An open that failed, as the hook did, has nothing to wait for. */
	if (!vvdev->core.reset_works)
		vvdev->is_locked = try_lock(NULL, vvdev->core.pdev, false);
	else if (wait_for_locks(vvdev, NULL, false))
		vvdev->is_locked = true;
	else
		vvdev->reset_is_due = true;
}

/**
 * vpv_reset_closed - reset a function if vfio-pci-core did not
 * @vvdev: the device, after vfio_pci_core_disable(); dev_set lock held
 *
 * One that has no reset of its own is the core's alone: it takes all of its slot or bus.
 */
void vpv_reset_closed(struct vfio_pci_variant_device *vvdev)
{
	bool due;

	/* A reset of the core's own that the hook did not come after, or failed in, is none. */
	if (vvdev->resets_itself && vvdev->core.reset_works &&
	    (READ_ONCE(vvdev->hook_resets) == vvdev->closing_at ||
	     READ_ONCE(vvdev->hook_error)))
		WRITE_ONCE(vvdev->core.needs_reset, true);
	due = vvdev->core.needs_reset && vvdev->core.reset_works;

	if (due && vvdev->is_locked)
		reset_closed(vvdev);
	else if (due && !vvdev->reset_is_due)
		vvdev->reset_is_due = !reset_left(vvdev, false);
	if (vvdev->is_locked)
		unlock(NULL, vvdev->core.pdev, false);
	vpv_power_closed(vvdev);
	pm_runtime_put(&vvdev->core.pdev->dev);
}

/**
 * vpv_reset_removing - from now on a close leaves the reset to remove
 * @vvdev: the device, bound; device lock held
 */
void vpv_reset_removing(struct vfio_pci_variant_device *vvdev)
{
	WRITE_ONCE(vvdev->removing, true);
}

/**
 * vpv_reset_removed - reset a function whose close could not
 * @vvdev: the device, which nobody has open or can open any more; device lock held
 */
void vpv_reset_removed(struct vfio_pci_variant_device *vvdev)
{
	if (vvdev->reset_is_due)
		reset_left(vvdev, true);
}

/**
 * vpv_reset_is_left - does a function keep what its last user left in it?
 * @vvdev: the device, bound
 *
 * Return: true if it was closed, and neither that nor an open since has reset it.
 */
bool vpv_reset_is_left(const struct vfio_pci_variant_device *vvdev)
{
	return READ_ONCE(vvdev->core.needs_reset);
}
