// SPDX-License-Identifier: GPL-2.0-only
/*
 * Glue between a variant, the PCI driver core and vfio-pci-core. The order of
 * calls is told in <linux/vfio_pci_variant.h>.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "compat.h"
#include "core.h"
#include "ids.h"

static const struct vfio_pci_variant_ops no_ops;

static struct vfio_pci_variant_device *
vdev_to_vvdev(struct vfio_device *vdev)
{
	return container_of(vdev, struct vfio_pci_variant_device, core.vdev);
}

static struct vfio_pci_variant *pdev_to_variant(struct pci_dev *pdev)
{
	return container_of(pdev->driver, struct vfio_pci_variant, pci_driver);
}

/* The device ops that every variant starts from. */

static int vpv_init(struct vfio_device *vdev)
{
	struct vfio_pci_variant_device *vvdev = vdev_to_vvdev(vdev);

	/* The ops are part of the variant: all there is to find it by. */
	vvdev->variant = container_of(vdev->ops, struct vfio_pci_variant,
				      vfio_ops);
	vvdev->ops = &no_ops;
	return vfio_pci_core_init_dev(vdev);
}

static void vpv_release(struct vfio_device *vdev)
{
	struct vfio_pci_variant_device *vvdev = vdev_to_vvdev(vdev);
	const struct vfio_pci_variant *adopted = vvdev->adopted;

	if (vvdev->ops->release)
		vvdev->ops->release(vvdev);
	vpv_quirks_free(vvdev);
	/* Frees the device on kernels where that is the driver's task. */
	vfio_pci_core_release_dev(vdev);
	vpv_adopt_put(adopted);
}

static int enable(struct vfio_pci_variant_device *vvdev)
{
	const struct vfio_pci_variant_ops *ops = vvdev->ops;
	int ret;

	ret = vpv_compat_enable(vvdev);
	if (ret)
		return ret;

	ret = vpv_config_apply(vvdev);
	if (ret)
		goto err_disable;

	if (ops->open) {
		ret = vpv_errno(ops->open(vvdev));
		if (ret)
			goto err_disable;
	}

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
err_disable:
	vfio_pci_core_disable(&vvdev->core);
	return ret;
}

static int vpv_open(struct vfio_device *vdev)
{
	struct vfio_pci_variant_device *vvdev = vdev_to_vvdev(vdev);
	const struct vfio_pci_variant_gate *gate = vvdev->variant->gate;
	int ret;

	if (gate) {
		ret = vpv_errno(gate->open(vvdev));
		if (ret)
			return ret;
	}

	ret = enable(vvdev);
	if (ret && gate)
		gate->close(vvdev);
	return ret;
}

static void vpv_close(struct vfio_device *vdev)
{
	struct vfio_pci_variant_device *vvdev = vdev_to_vvdev(vdev);
	const struct vfio_pci_variant_gate *gate = vvdev->variant->gate;

	if (vvdev->ops->close)
		vvdev->ops->close(vvdev);
	vfio_pci_core_close_device(vdev);
	if (gate)
		gate->close(vvdev);
}

/* For variants with a gate; the others have the core's. */
static int vpv_match(struct vfio_device *vdev, char *name)
{
	struct vfio_pci_variant_device *vvdev = vdev_to_vvdev(vdev);

	return vvdev->variant->gate->match(vvdev, name);
}

static const struct vfio_device_ops vpv_vfio_ops = {
	.init = vpv_init,
	.release = vpv_release,
	.open_device = vpv_open,
	.close_device = vpv_close,
	.ioctl = vfio_pci_core_ioctl,
	.device_feature = vfio_pci_core_ioctl_feature,
	.read = vfio_pci_core_read,
	.write = vfio_pci_core_write,
	.mmap = vfio_pci_core_mmap,
	.request = vfio_pci_core_request,
	.match = vfio_pci_core_match,
	VPV_COMPAT_DEVICE_OPS
};

/*
 * For devices with an rw hook or with config bytes of quirks. All others have the
 * core's functions in their ops.
 */

/* As the core does around its own: the user may have put the function in D3. */
static ssize_t call_rw(struct vfio_pci_variant_device *vvdev, char __user *buf,
		       size_t count, loff_t *ppos, bool iswrite)
{
	const struct vfio_pci_variant_ops *ops = vvdev->ops;
	struct device *dev = &vvdev->core.pdev->dev;
	ssize_t ret;

	if (!ops->rw)
		return 0;
	if (pm_runtime_resume_and_get(dev))
		return -EIO;
	ret = ops->rw(vvdev, buf, count, ppos, iswrite);
	pm_runtime_put(dev);
	return ret;
}

static bool shows_bytes(const struct vfio_pci_variant_device *vvdev)
{
	return vvdev->quirks && vvdev->quirks->nr_bytes;
}

static ssize_t vpv_read(struct vfio_device *vdev, char __user *buf,
			size_t count, loff_t *ppos)
{
	struct vfio_pci_variant_device *vvdev = vdev_to_vvdev(vdev);
	ssize_t ret;

	ret = call_rw(vvdev, buf, count, ppos, false);
	if (ret)
		return ret;
	if (shows_bytes(vvdev))
		return vpv_config_read(vvdev, buf, count, ppos);
	return vfio_pci_core_read(vdev, buf, count, ppos);
}

static ssize_t vpv_write(struct vfio_device *vdev, const char __user *buf,
			 size_t count, loff_t *ppos)
{
	struct vfio_pci_variant_device *vvdev = vdev_to_vvdev(vdev);
	ssize_t ret;

	/* One hook for both directions, as in the core: it won't write here. */
	ret = call_rw(vvdev, (char __user *)buf, count, ppos, true);
	if (ret)
		return ret;
	if (shows_bytes(vvdev))
		return vpv_config_write(vvdev, buf, count, ppos);
	return vfio_pci_core_write(vdev, buf, count, ppos);
}

/* The PCI driver that every variant starts from. */

/* Up to where the device could be registered; undone by vpv_release(). */
static int prepare(struct vfio_pci_variant_device *vvdev,
		   const struct vfio_pci_variant_ops *ops)
{
	int ret;

	ret = vpv_quirks_match(vvdev);
	if (ret)
		return ret;
	vpv_settings_latch(vvdev);
	vpv_compat_init(vvdev);

	if (ops->init) {
		ret = vpv_errno(ops->init(vvdev));
		if (ret)
			return ret;
	}
	vvdev->ops = ops;
	if (vvdev->variant->gate)
		vvdev->variant->gate->init(vvdev);

	if (ops->rw || shows_bytes(vvdev))
		vvdev->core.vdev.ops = &vvdev->variant->rw_ops;
	return 0;
}

/* A device for @variant with the hooks @ops: private data of both is in it. */
static struct vfio_pci_variant_device *
alloc_device(struct pci_dev *pdev, const struct vfio_pci_variant *variant,
	     const struct vfio_pci_variant_ops *ops)
{
	const struct vfio_pci_variant_gate *gate = variant->gate;
	struct vfio_pci_variant_device *vvdev;
	struct vfio_device *vdev;
	size_t size, gate_at;

	gate_at = ALIGN(struct_size(vvdev, priv, ops->priv_size),
			ARCH_KMALLOC_MINALIGN);
	size = gate_at + (gate ? gate->priv_size : 0);
	vdev = _vfio_alloc_device(size, &pdev->dev, &variant->vfio_ops);
	if (IS_ERR(vdev))
		return ERR_CAST(vdev);

	vvdev = vdev_to_vvdev(vdev);
	if (gate)
		vvdev->gate_priv = (void *)vvdev + gate_at;
	return vvdev;
}

static int vpv_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct vfio_pci_variant *variant = pdev_to_variant(pdev);
	const struct vfio_pci_variant_ops *ops = variant->ops;
	const struct vfio_pci_variant *adopted;
	struct vfio_pci_variant_device *vvdev;
	int ret;

	if (ops->match) {
		ret = vpv_errno(ops->match(pdev));
		if (ret)
			return ret;
	}

	adopted = vpv_adopt(variant, pdev);
	if (adopted)
		ops = adopted->ops;

	vvdev = alloc_device(pdev, variant, ops);
	if (IS_ERR(vvdev)) {
		vpv_adopt_put(adopted);
		return PTR_ERR(vvdev);
	}
	vvdev->adopted = adopted;

	ret = prepare(vvdev, ops);
	if (ret)
		goto err_put_device;

	/* The core's PM and error handlers take drvdata for its device. */
	pci_set_drvdata(pdev, &vvdev->core);
	vpv_quirks_bind(vvdev);

	ret = vfio_pci_core_register_device(&vvdev->core);
	if (ret)
		goto err_unbind_quirks;

	vpv_compat_registered(vvdev);
	if (!variant->gate)
		return 0;
	ret = vpv_errno(variant->gate->start(vvdev));
	if (ret)
		goto err_unregister;
	return 0;

err_unregister:
	vfio_pci_core_unregister_device(&vvdev->core);
err_unbind_quirks:
	vpv_quirks_unbind(vvdev);
err_put_device:
	vfio_put_device(&vvdev->core.vdev);
	return ret;
}

static void vpv_remove(struct pci_dev *pdev)
{
	struct vfio_pci_core_device *core = pci_get_drvdata(pdev);
	struct vfio_pci_variant_device *vvdev = to_vfio_pci_variant_device(core);
	const struct vfio_pci_variant_gate *gate = vvdev->variant->gate;

	if (gate) {
		/* Users of its VFs go before its own, as without a gate. */
		vfio_pci_core_sriov_configure(core, 0);
		gate->stop(vvdev);
	}
	vfio_pci_core_unregister_device(core);
	vpv_quirks_unbind(vvdev);
	vfio_put_device(&core->vdev);
}

static int vpv_sriov_configure(struct pci_dev *pdev, int nr_virtfn)
{
	struct vfio_pci_variant *variant = pdev_to_variant(pdev);

	if (!variant->params)
		return -ENOENT;
	if (!READ_ONCE(variant->params->enable_sriov)) {
		pci_info(pdev, "%s: sriov_numvfs can't be changed: a user of the PF could harm those of its VFs; the parameter enable_sriov=1 allows it\n",
			 variant->name);
		return -ENOENT;
	}

	return vfio_pci_core_sriov_configure(pci_get_drvdata(pdev), nr_virtfn);
}

static void vpv_reset_done(struct pci_dev *pdev)
{
	struct vfio_pci_variant_device *vvdev =
		to_vfio_pci_variant_device(pci_get_drvdata(pdev));

	if (vvdev->ops->reset_done)
		vvdev->ops->reset_done(vvdev);
}

static const struct pci_error_handlers vpv_err_handlers = {
	.error_detected = vfio_pci_core_aer_err_detected,
	.reset_done = vpv_reset_done,
};

/* Registration */

/* Fields of a variant's own pci_driver that the framework fills. */
static bool overrides_framework(const struct pci_driver *driver)
{
	return driver->id_table || driver->probe || driver->remove ||
	       driver->sriov_configure || driver->err_handler ||
	       driver->dev_groups || driver->suspend || driver->resume ||
	       driver->driver.pm || driver->driver.dev_groups;
}

/* Names the first bad quirk in the log. */
static bool has_bad_quirk(const struct vfio_pci_variant *variant)
{
	const char *fault;
	size_t i;

	for (i = 0; i < variant->nr_quirks; i++) {
		const struct vfio_pci_quirk *quirk = &variant->quirks[i];

		if (!quirk->reason)
			fault = "it has no reason";
		else if (vpv_id_is_empty(&quirk->match))
			fault = "it matches nothing";
		else
			fault = vpv_quirk_fault(quirk);
		if (fault) {
			pr_err("%s: refused: quirk %zu (%s): %s\n",
			       variant->name, i, quirk->reason ?: "?", fault);
			return true;
		}
	}
	return false;
}

static bool gate_lacks_a_hook(const struct vfio_pci_variant_gate *gate)
{
	return !gate->init || !gate->start || !gate->stop || !gate->match ||
	       !gate->open || !gate->close;
}

/* What is wrong with @variant, or NULL. */
static const char *find_fault(const struct vfio_pci_variant *variant)
{
	const struct vfio_pci_variant_ops *ops = variant->ops ?: &no_ops;
	const struct vfio_pci_variant_gate *gate = variant->gate;
	const struct pci_driver *driver = variant->driver;

	if (!variant->name || !*variant->name)
		return "it has no name";
	if (driver && driver->name && strcmp(driver->name, variant->name))
		return "its pci_driver has another name";
	if (driver && overrides_framework(driver))
		return "its pci_driver sets a field that is the framework's";
	if (ops->priv_size > VFIO_PCI_VARIANT_PRIV_MAX)
		return "priv_size is above VFIO_PCI_VARIANT_PRIV_MAX";
	if (ops->release && !ops->init)
		return "it has a release hook but no init hook";
	if (ops->close && !ops->open && !ops->add_regions)
		return "it has a close hook but neither open nor add_regions";
	if (variant->generic && ops != &no_ops)
		return "it is generic but has hooks of its own";
	if (variant->generic && variant->specialised)
		return "it is generic and specialised";
	if (variant->specialised && !variant->id_table)
		return "it is specialised but has no id_table";
	if (gate && gate_lacks_a_hook(gate))
		return "its gate lacks a hook";
	if (gate && gate->priv_size > VFIO_PCI_VARIANT_PRIV_MAX)
		return "priv_size of its gate is above VFIO_PCI_VARIANT_PRIV_MAX";
	if (variant->nr_quirks && !variant->quirks)
		return "it counts quirks that it does not have";
	return NULL;
}

static void build_drivers(struct vfio_pci_variant *variant)
{
	struct pci_driver *driver = &variant->pci_driver;

	if (!variant->ops)
		variant->ops = &no_ops;

	variant->vfio_ops = vpv_vfio_ops;
	/* Not const in vfio_device_ops, though nobody writes to it. */
	variant->vfio_ops.name = (char *)variant->name;
	if (variant->gate)
		variant->vfio_ops.match = vpv_match;
	variant->rw_ops = variant->vfio_ops;
	variant->rw_ops.read = vpv_read;
	variant->rw_ops.write = vpv_write;

	*driver = variant->driver ? *variant->driver : (struct pci_driver) { };
	driver->name = variant->name;
	driver->id_table = variant->id_table;
	driver->probe = vpv_probe;
	driver->remove = vpv_remove;
	driver->sriov_configure = vpv_sriov_configure;
	/* The hooks of a generic variant are those that it adopts. */
	driver->err_handler = variant->ops->reset_done || variant->generic ?
		&vpv_err_handlers : &vfio_pci_core_err_handlers;
	driver->dev_groups = vpv_dev_groups;
	/* DMA is the user's, through its own mappings. */
	driver->driver_managed_dma = true;
}

static void add_id(struct vfio_pci_variant *variant, const char *piece)
{
	struct pci_device_id id;
	int ret;

	if (vpv_parse_id(piece, &id)) {
		pr_warn("%s: ids: \"%s\" is not an ID, skipped; write vendor:device[:subvendor[:subdevice[:class[:class_mask]]]] in hex\n",
			variant->name, piece);
		return;
	}

	ret = pci_add_dynid(&variant->pci_driver, id.vendor, id.device,
			    id.subvendor, id.subdevice, id.class,
			    id.class_mask, 0);
	if (ret)
		pr_warn("%s: ids: cannot add \"%s\": error %d\n",
			variant->name, piece, ret);
	else
		pr_info("%s: ids: takes \"%s\"\n", variant->name, piece);
}

/* The IDs are used up here, once: the parameter can't be read or written. */
static void add_ids(struct vfio_pci_variant *variant)
{
	char *rest = variant->params->ids, *piece;

	while ((piece = strsep(&rest, ",")))
		if (*piece)
			add_id(variant, piece);
}

/**
 * __vfio_pci_variant_register - see vfio_pci_variant_register()
 * @variant: the variant
 * @owner: its module; NULL if it is built in
 * @mod_name: name of its module, built in or not
 *
 * Return: see vfio_pci_variant_register().
 */
int __vfio_pci_variant_register(struct vfio_pci_variant *variant,
				struct module *owner, const char *mod_name)
{
	const char *fault = find_fault(variant);
	int ret;

	if (fault) {
		pr_err("%s (%s): refused: %s\n", variant->name ?: "unnamed",
		       mod_name, fault);
		return -EINVAL;
	}
	if (has_bad_quirk(variant))
		return -EINVAL;

	/* The driver core refuses it too, but can't say what to do. */
	if (driver_find(variant->name, &pci_bus_type)) {
		pr_err("%s: another driver \"%s\" is in the kernel already; unload that one first (rmmod), or boot a kernel that has it as a module\n",
		       mod_name, variant->name);
		return -EBUSY;
	}

	build_drivers(variant);
	ret = vpv_quirks_start(variant, owner);
	if (ret)
		return ret;
	ret = __pci_register_driver(&variant->pci_driver, owner, mod_name);
	if (ret) {
		vpv_quirks_stop(variant, owner);
		return ret;
	}

	if (variant->params) {
		add_ids(variant);
		if (variant->params->disable_denylist)
			pr_warn("%s: the denylist is off\n", variant->name);
	}
	vpv_adopt_start(variant);
	return 0;
}
EXPORT_SYMBOL_GPL(__vfio_pci_variant_register);

/**
 * vfio_pci_variant_unregister - undo vfio_pci_variant_register()
 * @variant: the variant
 *
 * Unbinds every function, asking users to let go and waiting until they do.
 * May sleep; call it from module exit.
 */
void vfio_pci_variant_unregister(struct vfio_pci_variant *variant)
{
	struct module *owner = variant->pci_driver.driver.owner;

	vpv_adopt_stop(variant);
	pci_unregister_driver(&variant->pci_driver);
	vpv_quirks_stop(variant, owner);
}
EXPORT_SYMBOL_GPL(vfio_pci_variant_unregister);

static int __init vpv_module_init(void)
{
	const struct device_driver *drv = driver_find("vfio-pci", &pci_bus_type);

	/*
	 * Module names are unique: beside the kernel's own vfio-pci the kernel
	 * refuses ours before any code of it runs. This module is the only one
	 * that can tell why. The other variants are not affected.
	 */
	if (drv)
		pr_notice("the kernel's own vfio-pci is %s\n", drv->owner ?
			  "loaded; for ours: modprobe -r vfio-pci && modprobe vfio-pci" :
			  "built in, ours needs a kernel that has it as a module");
	return 0;
}
module_init(vpv_module_init);

static void __exit vpv_module_exit(void)
{
}
module_exit(vpv_module_exit);

MODULE_DESCRIPTION("Framework for vendor variants of VFIO PCI");
MODULE_AUTHOR("vfio-pci-variants maintainers");
MODULE_LICENSE("GPL");
