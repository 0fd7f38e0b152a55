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

/*
 * Those that are loaded, and functions bound to a generic variant that adopted none.
 * The lock is taken under a device lock.
 */
static LIST_HEAD(specialised);
static LIST_HEAD(plain);
static DEFINE_MUTEX(specialised_lock);

/* What its alias in modules.alias would have: a "*" each. */
static int count_wildcards(const struct pci_device_id *id)
{
	return (id->vendor == PCI_ANY_ID) + (id->device == PCI_ANY_ID) +
	       (id->subvendor == PCI_ANY_ID) + (id->subdevice == PCI_ANY_ID) +
	       !(id->class_mask & 0xff0000) + !(id->class_mask & 0x00ff00) +
	       !(id->class_mask & 0x0000ff);
}

/* The wildcards of the closest entry that matches @pdev, or -1 if none does. */
static int match_ids(const struct vfio_pci_variant *variant,
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

	return best;
}

/* The same, but -1 as well if the variant declines. Device lock held. */
static int match_wildcards(const struct vfio_pci_variant *variant,
			   struct pci_dev *pdev)
{
	int n = match_ids(variant, pdev);

	if (n >= 0 && variant->ops->match && variant->ops->match(pdev))
		return -1;
	return n;
}

static bool may_adopt(const struct vfio_pci_variant *variant)
{
	return variant->generic &&
	       !(variant->params && READ_ONCE(variant->params->disable_adoption));
}

/* The one of those that are loaded that is for @pdev, its module pinned; or NULL. */
static const struct vfio_pci_variant *find(struct pci_dev *pdev)
{
	const struct vfio_pci_variant *best = NULL, *other;
	int least = 0, n;

	lockdep_assert_held(&specialised_lock);
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
	return best;
}

static const struct vfio_pci_variant *find_locked(struct pci_dev *pdev)
{
	const struct vfio_pci_variant *found;

	mutex_lock(&specialised_lock);
	found = find(pdev);
	mutex_unlock(&specialised_lock);
	return found;
}

/**
 * vpv_adopt - find the specialised variant for a function
 * @variant: the variant that binds it
 * @pdev: the function; device lock held
 *
 * Of several the one with the fewest wildcards in its match is taken, as libvirt
 * does, and of those that tie the first by name: which was loaded first does not
 * matter. If none is loaded modprobe is asked for one, see vpv_adopt_load().
 *
 * Return: it, its module pinned until vpv_adopt_put(); or NULL.
 */
const struct vfio_pci_variant *vpv_adopt(const struct vfio_pci_variant *variant,
					 struct pci_dev *pdev)
{
	const struct vfio_pci_variant *adopted;
	const char *fault;

	if (!may_adopt(variant))
		return NULL;

	adopted = find_locked(pdev);
	if (!adopted) {
		fault = vpv_adopt_load(pdev);
		adopted = find_locked(pdev);
		if (!adopted && fault)
			pci_warn(pdev, "%s: bound without a specialised variant: %s; if one is loaded later, unbind the function and bind it again\n",
				 variant->name, fault);
	}

	if (adopted)
		pci_info(pdev, "%s: adopts %s\n", variant->name, adopted->name);
	return adopted;
}

static void say_too_late(const struct vfio_pci_variant_device *vvdev,
			 const struct vfio_pci_variant *variant)
{
	pci_info(vvdev->core.pdev, "%s: bound without %s, which was loaded too late; to adopt it, unbind the function and bind it again\n",
		 vvdev->variant->name, variant->name);
}

/**
 * vpv_adopt_bound - a function is bound: watch for what it could have adopted
 * @vvdev: the device; device lock held
 *
 * Nothing changes for it when that is loaded, but the log says so.
 */
void vpv_adopt_bound(struct vfio_pci_variant_device *vvdev)
{
	const struct vfio_pci_variant *late;

	if (vvdev->adopted || !may_adopt(vvdev->variant))
		return;

	mutex_lock(&specialised_lock);
	list_add(&vvdev->plain, &plain);
	late = find(vvdev->core.pdev);
	mutex_unlock(&specialised_lock);
	/* It came while the function was being bound, which did not wait for it. */
	if (late)
		say_too_late(vvdev, late);
	vpv_adopt_put(late);
}

/**
 * vpv_adopt_unbound - mirror of vpv_adopt_bound()
 * @vvdev: the device, also one that is not watched
 */
void vpv_adopt_unbound(struct vfio_pci_variant_device *vvdev)
{
	mutex_lock(&specialised_lock);
	list_del_init(&vvdev->plain);
	mutex_unlock(&specialised_lock);
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
	struct vfio_pci_variant_device *vvdev;

	if (!variant->specialised)
		return;

	mutex_lock(&specialised_lock);
	list_add(&variant->node, &specialised);
	/* Its match hook wants a device lock, of which probe may hold one and wait. */
	list_for_each_entry(vvdev, &plain, plain)
		if (match_ids(variant, vvdev->core.pdev) >= 0)
			say_too_late(vvdev, variant);
	mutex_unlock(&specialised_lock);
	vpv_adopt_load_forget();
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
	vpv_adopt_load_forget();
}
