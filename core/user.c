// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who has a device: noted when it is opened, named in the log when it is asked for,
 * and waited for before anything of the device goes.
 */
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/wait.h>

#include "core.h"

/* As often as VFIO asks at unbind, and well below the detector of hung tasks. */
#define ASK_AGAIN	(10 * HZ)

void vpv_user_init(struct vfio_pci_variant_device *vvdev)
{
	mutex_init(&vvdev->user.lock);
	init_waitqueue_head(&vvdev->user.closed);
}

/**
 * vpv_user_open - note that current opens a device
 * @vvdev: the device
 *
 * First in an open, before the gate is asked: what the gate lets in then is known
 * to whoever closed the gate and waits. The dev_set lock is held, so that there is
 * one open or close at a time.
 *
 * Return: 0, or -ENODEV when the device is about to go.
 */
int vpv_user_open(struct vfio_pci_variant_device *vvdev)
{
	struct vfio_pci_variant_user *user = &vvdev->user;
	int ret = -ENODEV;

	mutex_lock(&user->lock);
	if (!user->leaving) {
		/* People know a process by its first thread. */
		get_task_comm(user->comm, current->group_leader);
		user->pid = task_tgid_nr(current);
		WRITE_ONCE(user->open, true);
		ret = 0;
	}
	mutex_unlock(&user->lock);
	return ret;
}

/**
 * vpv_user_close - note that nobody has a device open any more
 * @vvdev: the device
 *
 * Last in a close, and in an open that failed.
 */
void vpv_user_close(struct vfio_pci_variant_device *vvdev)
{
	struct vfio_pci_variant_user *user = &vvdev->user;

	mutex_lock(&user->lock);
	WRITE_ONCE(user->open, false);
	mutex_unlock(&user->lock);
	/* Its memory stays: the file that is being closed holds the device. */
	wake_up_all(&user->closed);
}

/**
 * vpv_user_is_leaving - is a device about to go?
 * @vvdev: the device
 *
 * Return: whether vpv_user_leave() was called.
 */
bool vpv_user_is_leaving(struct vfio_pci_variant_device *vvdev)
{
	return READ_ONCE(vvdev->user.leaving);
}

/**
 * vpv_user_leave - let nobody open a device any more, and wait for who has it open
 * @vvdev: the device, which is about to be unregistered
 *
 * For good: the next bind makes another device. Device lock held.
 */
void vpv_user_leave(struct vfio_pci_variant_device *vvdev)
{
	struct vfio_pci_variant_user *user = &vvdev->user;

	mutex_lock(&user->lock);
	WRITE_ONCE(user->leaving, true);
	mutex_unlock(&user->lock);
	vfio_pci_variant_wait_for_close(vvdev);
}

/**
 * vpv_request - the request op: ask the user to let go
 * @vdev: the device
 * @count: how often they were asked before
 *
 * Says who it is. VFIO asks, too, at its own unregistration, when nobody has the
 * device open any more but somebody an unused file of /dev/vfio/devices. The first
 * time that may be one who is just being refused.
 */
void vpv_request(struct vfio_device *vdev, unsigned int count)
{
	struct vfio_pci_variant_device *vvdev = vdev_to_vvdev(vdev);
	struct vfio_pci_variant_user *user = &vvdev->user;
	struct pci_dev *pdev = vvdev->core.pdev;

	mutex_lock(&user->lock);
	/* Users give themselves names; none of them ends the line. */
	if (user->open)
		pci_warn(pdev, "%s: in use by \"%*pE\" (%d), asked to let go (%u)\n",
			 vvdev->variant->name, (int)strlen(user->comm),
			 user->comm, user->pid, count + 1);
	else if (count)
		pci_warn(pdev, "%s: somebody has its file of /dev/vfio/devices open without using it, waiting until they close it\n",
			 vvdev->variant->name);
	mutex_unlock(&user->lock);

	vfio_pci_core_request(vdev, count);
}

/**
 * vfio_pci_variant_wait_for_close - ask the user of a device to let go, until they do
 * @vvdev: the device
 *
 * For gates that take a device from its user while it stays bound. The caller has
 * closed the gate: who opens the device meanwhile would be waited for, too. Waits
 * for as long as the user likes: in steps that the detector of hung tasks knows for
 * life, and not in D state.
 *
 * Context: Takes no lock while it waits. The caller holds none that closing the
 * device needs, which are those of VFIO and of the gate's close hook.
 */
void vfio_pci_variant_wait_for_close(struct vfio_pci_variant_device *vvdev)
{
	struct vfio_pci_variant_user *user = &vvdev->user;
	bool interrupted = false;
	unsigned int asked = 0;

	while (READ_ONCE(user->open)) {
		vpv_request(&vvdev->core.vdev, asked++);
		if (interrupted) {
			wait_event_idle_timeout(user->closed,
						!READ_ONCE(user->open),
						ASK_AGAIN);
		} else if (wait_event_interruptible_timeout(user->closed,
							    !READ_ONCE(user->open),
							    ASK_AGAIN) < 0) {
			interrupted = true;
			pci_warn(vvdev->core.pdev, "%s: in use: \"%s\" (%d) can't be interrupted, it goes on when the user closes the device\n",
				 vvdev->variant->name, current->comm,
				 task_pid_nr(current));
		}
	}
}
EXPORT_SYMBOL_GPL(vfio_pci_variant_wait_for_close);
