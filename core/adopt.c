// SPDX-License-Identifier: GPL-2.0-only
/*
 * Specialised variants, and the choice of one for a function that a generic
 * variant binds.
 */
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/string.h>

#include "core.h"

/* Those that are loaded. The lock is taken under a device lock. */
static LIST_HEAD(specialised);
static DEFINE_MUTEX(specialised_lock);

/* What its alias in modules.alias would have: a "*" each. */
static int count_wildcards(const struct pci_device_id *id)
{
	return (id->vendor == PCI_ANY_ID) + (id->device == PCI_ANY_ID) +
	       (id->subvendor == PCI_ANY_ID) + (id->subdevice == PCI_ANY_ID) +
	       !(id->class_mask & 0xff0000) + !(id->class_mask & 0x00ff00) +
	       !(id->class_mask & 0x0000ff);
}

/* The wildcards of the closest match, or -1 if the variant is not for @pdev. */
static int match_wildcards(const struct vfio_pci_variant *variant,
			   struct pci_dev *pdev)
{
	const struct pci_device_id *id;
	int best = -1, n;

	for (id = variant->id_table; !vpv_id_is_empty(id); id++) {
		if (!vpv_id_matches(id, pdev))
			continue;
		n = count_wildcards(id);
		if (best < 0 || n < best)
			best = n;
	}

	if (best >= 0 && variant->ops->match && variant->ops->match(pdev))
		return -1;
	return best;
}

/**
 * vpv_adopt - find the specialised variant for a function
 * @variant: the variant that binds it
 * @pdev: the function; device lock held
 *
 * Of several the one with the fewest wildcards in its match is taken, as libvirt
 * does, and of those that tie the first by name: which was loaded first does not
 * matter.
 *
 * Return: it, its module pinned until vpv_adopt_put(); or NULL.
 */
const struct vfio_pci_variant *vpv_adopt(const struct vfio_pci_variant *variant,
					 struct pci_dev *pdev)
{
	const struct vfio_pci_variant *best = NULL, *other;
	int least = 0, n;

	if (!variant->generic ||
	    (variant->params && READ_ONCE(variant->params->disable_adoption)))
		return NULL;

	mutex_lock(&specialised_lock);
	list_for_each_entry(other, &specialised, node) {
		n = match_wildcards(other, pdev);
		if (n < 0)
			continue;
		if (best && (n > least ||
			     (n == least && strcmp(other->name, best->name) > 0)))
			continue;
		/* One that is about to leave is not there any more. */
		if (!try_module_get(other->pci_driver.driver.owner))
			continue;
		vpv_adopt_put(best);
		best = other;
		least = n;
	}
	mutex_unlock(&specialised_lock);

	if (best)
		pci_info(pdev, "%s: adopts %s\n", variant->name, best->name);
	return best;
}

/**
 * vpv_adopt_put - mirror of vpv_adopt()
 * @adopted: what it returned
 */
void vpv_adopt_put(const struct vfio_pci_variant *adopted)
{
	if (adopted)
		module_put(adopted->pci_driver.driver.owner);
}

/**
 * vpv_adopt_start - let a variant be adopted, if it is specialised
 * @variant: the variant, ready to be used
 */
void vpv_adopt_start(struct vfio_pci_variant *variant)
{
	if (!variant->specialised)
		return;

	mutex_lock(&specialised_lock);
	list_add(&variant->node, &specialised);
	mutex_unlock(&specialised_lock);
}

/**
 * vpv_adopt_stop - mirror of vpv_adopt_start()
 * @variant: the variant; nobody has adopted it, as its module would be pinned
 */
void vpv_adopt_stop(struct vfio_pci_variant *variant)
{
	if (!variant->specialised)
		return;

	mutex_lock(&specialised_lock);
	list_del(&variant->node);
	mutex_unlock(&specialised_lock);
}
