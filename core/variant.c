// SPDX-License-Identifier: GPL-2.0-only
/* Registration of variants, and the checks of their tables. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/string.h>

#include "compat.h"
#include "core.h"

/* Fields of a variant's own pci_driver that the framework fills. */
static bool overrides_framework(const struct pci_driver *driver)
{
	return driver->id_table || driver->probe || driver->remove ||
	       driver->sriov_configure || driver->err_handler ||
	       driver->suspend || driver->resume || driver->driver.pm ||
	       driver->driver.dev_groups;
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
			fault = vpv_match_fault(&quirk->match) ?:
				vpv_quirk_fault(quirk);
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
	       !gate->open;
}

/* What is wrong with the rw hook of @ops, or NULL. */
static const char *find_rw_fault(const struct vfio_pci_variant_ops *ops)
{
	if (ops->rw && !ops->rw_regions)
		return "it has an rw hook but no rw_regions to call it for";
	if (ops->rw_regions && !ops->rw)
		return "it has rw_regions but no rw hook";
	if (ops->rw_regions & ~GENMASK(VFIO_PCI_VGA_REGION_INDEX, 0))
		return "its rw_regions names one above VFIO_PCI_VGA_REGION_INDEX";
	return NULL;
}

/* The same of its mmap hook. */
static const char *find_mmap_fault(const struct vfio_pci_variant_ops *ops)
{
	if (!ops->mmap != !ops->mmap_bars)
		return "it has an mmap hook but no mmap_bars to call it for, or the reverse";
	if (ops->mmap_bars >= BIT(PCI_STD_NUM_BARS))
		return "its mmap_bars names one above BAR 5";
	if (ops->mmap_bars & vpv_reg_bars(ops))
		return "a register is in a BAR that its mmap hook is for";
	return NULL;
}

/* What is wrong with @variant, or NULL. */
static const char *find_fault(const struct vfio_pci_variant *variant)
{
	const struct vfio_pci_variant_ops *ops = variant->ops ?: &vpv_no_ops;
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
	if (variant->generic && ops != &vpv_no_ops)
		return "it is generic but has hooks of its own";
	if (variant->generic && variant->settings)
		return "it is generic but has settings of its own";
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
	if (variant->quirks && !variant->nr_quirks)
		return "it has quirks but counts none";
	return find_rw_fault(ops) ?: vpv_regs_fault(ops) ?: find_mmap_fault(ops) ?:
	       vpv_migration_fault(ops->migration) ?:
	       vpv_settings_fault(variant->settings);
}

static void build_drivers(struct vfio_pci_variant *variant)
{
	struct pci_driver *driver = &variant->pci_driver;

	if (!variant->ops)
		variant->ops = &vpv_no_ops;

	variant->vfio_ops = vpv_vfio_ops;
	/* Not const in vfio_device_ops, though nobody writes to it. */
	variant->vfio_ops.name = (char *)variant->name;
	variant->map_ops = variant->vfio_ops;
	variant->map_ops.ioctl = vpv_map_ioctl;
	variant->map_ops.mmap = vpv_map;
	vpv_set_region_info(&variant->map_ops, vpv_region_info);
	variant->rw_ops = variant->map_ops;
	variant->rw_ops.read = vpv_read;
	variant->rw_ops.write = vpv_write;
	vpv_fresh_ops(&variant->fresh_ops, &variant->map_ops);

	*driver = variant->driver ? *variant->driver : (struct pci_driver) { };
	driver->name = variant->name;
	driver->id_table = variant->id_table;
	driver->probe = vpv_probe;
	driver->remove = vpv_remove;
	driver->sriov_configure = vpv_sriov_configure;
	driver->err_handler = &vpv_err_handlers;
	/* DMA is the user's, through its own mappings. */
	driver->driver_managed_dma = true;
}

/**
 * __vfio_pci_variant_register - see vfio_pci_variant_register()
 * @variant: the variant
 * @owner: its module; NULL if it is built in
 * @mod_name: name of its module, built in or not
 * @abi: %VFIO_PCI_VARIANT_BUILD, as it was where the variant was compiled
 *
 * Return: see vfio_pci_variant_register().
 */
int __vfio_pci_variant_register(struct vfio_pci_variant *variant,
				struct module *owner, const char *mod_name,
				u64 abi)
{
	const char *fault;
	int ret;

	/* Before anything of it is looked at, which may be another thing elsewhere. */
	if (abi != VFIO_PCI_VARIANT_BUILD) {
		pr_err("%s: refused: it was built with other headers (%016llx) than this framework (%016llx); build it again with those that are installed with the framework\n",
		       mod_name, abi, (u64)VFIO_PCI_VARIANT_BUILD);
		return -ENOEXEC;
	}

	fault = find_fault(variant);
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
	vpv_settings_start(variant);
	ret = vpv_quirks_start(variant, owner);
	if (ret)
		return ret;
	ret = __pci_register_driver(&variant->pci_driver, owner, mod_name);
	if (ret) {
		vpv_quirks_stop(variant, owner);
		return ret;
	}

	/* Before its IDs: who wants to adopt it may hold the lock of a function of theirs. */
	vpv_adopt_start(variant);
	if (variant->params) {
		vpv_ids_add(variant);
		if (variant->params->disable_denylist)
			pr_warn("%s: the denylist is off\n", variant->name);
	}
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
	int ret;

	/*
	 * Module names are unique: beside the kernel's own vfio-pci the kernel
	 * refuses ours before any code of it runs. This module is the only one
	 * that can tell why. The other variants are not affected. Which of the
	 * two it is must come from the configuration: driver_find() holds no
	 * reference to what it returns, so nobody may look into it.
	 */
	if (driver_find("vfio-pci", &pci_bus_type))
		pr_notice("the kernel's own vfio-pci is %s\n",
			  IS_BUILTIN(CONFIG_VFIO_PCI) ?
			  "built in, ours needs a kernel that has it as a module" :
			  "loaded; for ours: modprobe -r vfio-pci && modprobe vfio-pci");
	ret = vpv_standby_init();
	if (ret)
		return ret;
	ret = vpv_adopt_load_init();
	if (ret)
		vpv_standby_exit();
	return ret;
}
module_init(vpv_module_init);

static void __exit vpv_module_exit(void)
{
	vpv_adopt_load_exit();
	vpv_standby_exit();
}
module_exit(vpv_module_exit);

MODULE_DESCRIPTION("Framework for vendor variants of VFIO PCI");
MODULE_AUTHOR("vfio-pci-variants maintainers");
MODULE_LICENSE("GPL");
MODULE_VERSION(VPV_VERSION);
