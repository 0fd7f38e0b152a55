// SPDX-License-Identifier: GPL-2.0-only
/* The settings of one device: where they come from and how they are shown. */
#include <linux/device.h>
#include <linux/sysfs.h>

#include "core.h"

/* --- a variant's own ----------------------------------------------------------- */

/* Whose settings a device has: that whose hooks it has. */
static const struct vfio_pci_variant *
owner_of(const struct vfio_pci_variant_device *vvdev)
{
	return vvdev->adopted ?: vvdev->variant;
}

/* Of the quirks parameter of an adopted variant nothing but settings of its own holds. */
static void report_flags(const struct vfio_pci_variant_device *vvdev)
{
	const struct vpv_user_rows *rows = vvdev->adopted_rows;
	struct pci_dev *pdev = vvdev->core.pdev;
	char selector[VPV_SELECTOR_TEXT];
	unsigned int i;

	for (i = 0; rows && i < rows->nr; i++) {
		if (vpv_quirk_is_empty(&rows->rows[i].quirk) ||
		    !vpv_row_is_for(&rows->rows[i], pdev))
			continue;
		vpv_format_selector(&rows->rows[i], selector, sizeof(selector));
		pci_warn(pdev, "%s: quirks: flags for \"%s\" do not hold, as %s is bound and has adopted it; write them into the quirks= of that one\n",
			 vvdev->adopted->name, selector, vvdev->variant->name);
	}
}

/*
 * They are the owner's, its quirks parameter included: that of who adopts it does not
 * know their names.
 */
static void latch_own(struct vfio_pci_variant_device *vvdev)
{
	const struct vfio_pci_variant *owner = owner_of(vvdev);
	const struct vpv_user_rows *rows;
	struct vpv_set_values values;
	unsigned int i;

	if (owner == vvdev->adopted) {
		if (owner->params)
			vvdev->adopted_rows = vpv_user_rows_get(&owner->params->quirks);
		report_flags(vvdev);
		rows = vvdev->adopted_rows;
	} else {
		rows = vvdev->quirks ? vvdev->quirks->user_rows : NULL;
	}

	vpv_rows_values(rows, vvdev->core.pdev, &values);
	for (i = 0; owner->settings && owner->settings[i]; i++)
		vvdev->values[i] = values.set & BIT(i) ? values.values[i] :
				   READ_ONCE(owner->settings[i]->value);
}

/**
 * vpv_settings_free - give back what vpv_settings_latch() took
 * @vvdev: the device, which nobody can open any more
 */
void vpv_settings_free(struct vfio_pci_variant_device *vvdev)
{
	vpv_user_rows_put(vvdev->adopted_rows);
}

/* --- all of them --------------------------------------------------------------- */

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
	bool standby = params && READ_ONCE(params->standby);

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
		.standby = vpv_quirks_setting(vvdev, VFIO_PCI_QUIRK_STANDBY,
					      standby),
	};
	latch_own(vvdev);
}

/* --- sysfs --------------------------------------------------------------------- */

/* Removing a file waits for its readers: drvdata is valid throughout. */
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

static ssize_t needs_reset_show(struct device *dev, struct device_attribute *attr,
				char *buf)
{
	return sysfs_emit(buf, "%d\n", vpv_reset_is_left(to_vvdev(dev)));
}
static DEVICE_ATTR_RO(needs_reset);

static ssize_t resets_spared_show(struct device *dev, struct device_attribute *attr,
				  char *buf)
{
	return sysfs_emit(buf, "%u\n", atomic_read(&to_vvdev(dev)->resets_spared));
}
static DEVICE_ATTR_RO(resets_spared);

static ssize_t standby_show(struct device *dev, struct device_attribute *attr,
			    char *buf)
{
	return sysfs_emit(buf, "%s\n", vpv_standby_show(to_vvdev(dev)));
}
static DEVICE_ATTR_RO(standby);

static struct attribute *vpv_dev_attrs[] = {
	&dev_attr_variant.attr,
	&dev_attr_adopts.attr,
	&dev_attr_nointxmask.attr,
	&dev_attr_disable_vga.attr,
	&dev_attr_disable_idle_d3.attr,
	&dev_attr_quirks.attr,
	&dev_attr_needs_reset.attr,
	&dev_attr_resets_spared.attr,
	&dev_attr_standby.attr,
	NULL
};

static const struct attribute_group vpv_dev_group = {
	.name = "vfio_pci_variant",
	.attrs = vpv_dev_attrs,
};

static ssize_t setting_show(struct device *dev, struct device_attribute *attr,
			    char *buf)
{
	const struct vfio_pci_variant_setting *setting =
		container_of(attr, struct vfio_pci_variant_setting, file);
	int n;

	n = vpv_format_setting(setting,
			       vfio_pci_variant_value(to_vvdev(dev), setting),
			       buf, PAGE_SIZE - 1);
	return n + sysfs_emit_at(buf, n, "\n");
}

/**
 * vpv_settings_start - make the settings of a variant's own ready for devices
 * @variant: a variant that is about to be registered
 */
void vpv_settings_start(const struct vfio_pci_variant *variant)
{
	unsigned int i;

	for (i = 0; variant->settings && variant->settings[i]; i++) {
		struct vfio_pci_variant_setting *setting = variant->settings[i];

		setting->index = i;
		setting->file.attr.name = setting->name;
		setting->file.attr.mode = 0444;
		setting->file.show = setting_show;
	}
}

/**
 * vpv_settings_show - show in sysfs what holds for a device
 * @vvdev: the device, settings latched, drvdata set; device lock held
 *
 * Which files there are is for a device, not for a driver, to say: those of an adopted
 * variant are among them.
 *
 * Return: 0 or an errno; then there is nothing to hide.
 */
int vpv_settings_show(struct vfio_pci_variant_device *vvdev)
{
	const struct vfio_pci_variant *owner = owner_of(vvdev);
	struct kobject *kobj = &vvdev->core.pdev->dev.kobj;
	unsigned int i;
	int ret;

	ret = sysfs_create_group(kobj, &vpv_dev_group);
	for (i = 0; !ret && owner->settings && owner->settings[i]; i++) {
		ret = sysfs_add_file_to_group(kobj, &owner->settings[i]->file.attr,
					      vpv_dev_group.name);
		if (ret)
			vpv_settings_hide(vvdev);
	}
	return ret;
}

/**
 * vpv_settings_hide - mirror of vpv_settings_show()
 * @vvdev: the device, drvdata set
 */
void vpv_settings_hide(struct vfio_pci_variant_device *vvdev)
{
	/* The folder goes, and all that is in it. */
	sysfs_remove_group(&vvdev->core.pdev->dev.kobj, &vpv_dev_group);
}
