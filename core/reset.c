// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions that vfio-pci-core closed, but did not reset.
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
 */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>

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
	struct pci_dev *pdev = vvdev->core.pdev;
	int ret;

	ret = pm_runtime_resume_and_get(&pdev->dev);
	if (ret)
		return ret;
	ret = -EIO;
	if (vpv_state_is_reachable(pdev))
		ret = pci_reset_function_locked(pdev);
	pm_runtime_put(&pdev->dev);
	return ret;
}

/* True if it needs no other attempt. */
static bool reset_left(struct vfio_pci_variant_device *vvdev, bool by_remove)
{
	struct pci_dev *pdev = vvdev->core.pdev, *port = NULL;
	unsigned long end = jiffies + LOCKS_TIMEOUT;
	const char *name = vvdev->variant->name;
	int ret;

	if (vpv_ways_by_bus(pdev))
		port = pci_upstream_bridge(pdev);
	while (!try_lock(port, pdev, by_remove)) {
		if (!by_remove && READ_ONCE(vvdev->removing))
			return false;
		if (time_after(jiffies, end)) {
			dev_warn_ratelimited(&pdev->dev, "%s: not reset when its user closed it: somebody holds its lock or that of the port above (a bind, a reset, a write to sriov_numvfs); it keeps what they left in it until it is opened or reset\n",
					     name);
			return false;
		}
		fsleep(USEC_PER_MSEC);
	}
	ret = reset(vvdev);
	unlock(port, pdev, by_remove);

	if (!ret)
		WRITE_ONCE(vvdev->core.needs_reset, false);
	else
		dev_warn_ratelimited(&pdev->dev, "%s: its reset failed when its user closed it (error %d): it keeps what they left in it; see reset_method in sysfs\n",
				     name, ret);
	return true;
}

/**
 * vpv_reset_opened - note that an open has reset a function
 * @vvdev: the device, after vfio_pci_core_enable(); dev_set lock held
 *
 * The core notes what a close does, or the reset of a whole slot or bus after one.
 */
void vpv_reset_opened(struct vfio_pci_variant_device *vvdev)
{
	if (vvdev->core.reset_works) {
		WRITE_ONCE(vvdev->core.needs_reset, false);
		vvdev->reset_is_due = false;
	}
}

/**
 * vpv_reset_closing - have a function stay awake until vpv_reset_closed()
 * @vvdev: the device, about to be disabled; dev_set lock held
 */
void vpv_reset_closing(struct vfio_pci_variant_device *vvdev)
{
	pm_runtime_get_noresume(&vvdev->core.pdev->dev);
}

/**
 * vpv_reset_closed - reset a function if vfio-pci-core did not
 * @vvdev: the device, after vfio_pci_core_disable(); dev_set lock held
 *
 * One that has no reset of its own is the core's alone: it takes all of its slot or bus.
 */
void vpv_reset_closed(struct vfio_pci_variant_device *vvdev)
{
	vvdev->reset_is_due = false;
	if (vvdev->core.needs_reset && vvdev->core.reset_works)
		vvdev->reset_is_due = !reset_left(vvdev, false);
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
