// SPDX-License-Identifier: GPL-2.0-only
/*
 * When a function that nobody has open goes to sleep: a while after its last use.
 *
 * A change between D0 and D3hot takes 10 ms (PCI Power Management 1.2, 5.6.1).
 * vfio-pci-core alone makes one as soon as a function is closed, so that who opens or
 * unbinds it then waits for two; and to unbind one that sleeps takes three, as the driver
 * core lets go of it before it has the driver let go. Runtime PM's delay makes that none
 * and one. power/autosuspend_delay_ms in sysfs shows and takes it.
 */
#include <linux/pm_runtime.h>

#include "core.h"

/* Milliseconds; long enough for who hands a function on, and little power lost. */
#define DELAY	1000

/**
 * vpv_power_bind - let a function be awake for a while after each use
 * @vvdev: the device, settings latched, not registered yet; device lock held
 */
void vpv_power_bind(struct vfio_pci_variant_device *vvdev)
{
	struct pci_dev *pdev = vvdev->core.pdev;
	struct device *dev = &pdev->dev;

	vvdev->has_d3cold = vpv_quirk(vvdev, VFIO_PCI_QUIRK_NO_D3COLD) &&
			    !pdev->no_d3cold;
	if (vvdev->has_d3cold)
		pci_d3cold_disable(pdev);
#ifdef CONFIG_PM
	vvdev->autosuspend_delay = dev->power.autosuspend_delay;
	vvdev->autosuspend = dev->power.use_autosuspend;
#endif
	pm_runtime_set_autosuspend_delay(dev, DELAY);
	pm_runtime_use_autosuspend(dev);
	pm_runtime_mark_last_busy(dev);
}

/**
 * vpv_power_unbind - mirror of vpv_power_bind(): as it was before
 * @vvdev: the device, not registered any more; device lock held
 */
void vpv_power_unbind(struct vfio_pci_variant_device *vvdev)
{
	struct device *dev = &vvdev->core.pdev->dev;

	if (!vvdev->autosuspend)
		pm_runtime_dont_use_autosuspend(dev);
	pm_runtime_set_autosuspend_delay(dev, vvdev->autosuspend_delay);
	if (vvdev->has_d3cold)
		pci_d3cold_enable(vvdev->core.pdev);
}

/**
 * vpv_power_closed - the while begins when a function was closed
 * @vvdev: the device, still kept awake
 */
void vpv_power_closed(struct vfio_pci_variant_device *vvdev)
{
	pm_runtime_mark_last_busy(&vvdev->core.pdev->dev);
}
