// SPDX-License-Identifier: GPL-2.0-only
/* The settings of one device: where they come from and how they are shown. */
#include <linux/device.h>
#include <linux/sysfs.h>

#include "core.h"

/**
 * vpv_settings_latch - fix the settings of a device for as long as it is bound
 * @vvdev: the device, its quirks matched; not published yet
 *
 * A parameter may be written at the same time: each is read once, so that the
 * core, sysfs and the framework see the same value. A VF decodes no legacy ranges,
 * whatever its class says.
 */
void vpv_settings_latch(struct vfio_pci_variant_device *vvdev)
{
	const struct vfio_pci_variant_params *params = vvdev->variant->params;
	bool nointxmask = params && READ_ONCE(params->nointxmask);
	bool disable_vga = params && READ_ONCE(params->disable_vga);
	bool disable_idle_d3 = params && READ_ONCE(params->disable_idle_d3);

	vvdev->settings = (struct vfio_pci_variant_settings) {
		.nointxmask = vpv_quirks_setting(vvdev,
						 VFIO_PCI_QUIRK_NOINTXMASK,
						 nointxmask),
		.disable_vga = vpv_quirks_setting(vvdev,
						  VFIO_PCI_QUIRK_DISABLE_VGA,
						  disable_vga) ||
			       vvdev->core.pdev->is_virtfn ||
			       !IS_ENABLED(CONFIG_VFIO_PCI_VGA),
		.disable_idle_d3 = vpv_quirks_setting(vvdev,
						      VFIO_PCI_QUIRK_DISABLE_IDLE_D3,
						      disable_idle_d3),
	};
}

/*
 * The driver core removes the files, and waits for their readers, before it
 * calls remove(): drvdata is valid throughout.
 */
static struct vfio_pci_variant_device *to_vvdev(struct device *dev)
{
	return to_vfio_pci_variant_device(dev_get_drvdata(dev));
}

static ssize_t variant_show(struct device *dev, struct device_attribute *attr,
			    char *buf)
{
	return sysfs_emit(buf, "%s\n", to_vvdev(dev)->variant->name);
}
static DEVICE_ATTR_RO(variant);

static ssize_t adopts_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	const struct vfio_pci_variant *adopted = to_vvdev(dev)->adopted;

	return adopted ? sysfs_emit(buf, "%s\n", adopted->name) : 0;
}
static DEVICE_ATTR_RO(adopts);

static ssize_t nointxmask_show(struct device *dev,
			       struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", to_vvdev(dev)->settings.nointxmask);
}
static DEVICE_ATTR_RO(nointxmask);

static ssize_t disable_vga_show(struct device *dev,
				struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", to_vvdev(dev)->settings.disable_vga);
}
static DEVICE_ATTR_RO(disable_vga);

static ssize_t disable_idle_d3_show(struct device *dev,
				    struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", to_vvdev(dev)->settings.disable_idle_d3);
}
static DEVICE_ATTR_RO(disable_idle_d3);

static ssize_t quirks_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	return vpv_quirks_show(to_vvdev(dev), buf);
}
static DEVICE_ATTR_RO(quirks);

static struct attribute *vpv_dev_attrs[] = {
	&dev_attr_variant.attr,
	&dev_attr_adopts.attr,
	&dev_attr_nointxmask.attr,
	&dev_attr_disable_vga.attr,
	&dev_attr_disable_idle_d3.attr,
	&dev_attr_quirks.attr,
	NULL
};

static const struct attribute_group vpv_dev_group = {
	.name = "vfio_pci_variant",
	.attrs = vpv_dev_attrs,
};

/* For pci_driver.dev_groups: there after probe, gone before remove. */
const struct attribute_group *vpv_dev_groups[] = {
	&vpv_dev_group,
	NULL
};
