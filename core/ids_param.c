// SPDX-License-Identifier: GPL-2.0-only
/* The ids parameter of a module: how it is given, and what came of it. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/moduleparam.h>
#include <linux/pci.h>
#include <linux/string.h>

#include "core.h"
#include "ids.h"

/*
 * The last one holds, as with the in-tree driver. The kernel's command line and
 * modprobe.d may each have one.
 */
static int ids_param_set(const char *val, const struct kernel_param *kp)
{
	char *text = kp->arg;

	if (strlen(val) >= VFIO_PCI_VARIANT_IDS_MAX) {
		pr_err(VPV_PARAM_FMT ": longer than %d characters, refused\n",
		       VPV_PARAM_ARGS(kp), VFIO_PCI_VARIANT_IDS_MAX - 1);
		return -ENOSPC;
	}
	if (*text && strcmp(text, val))
		pr_warn(VPV_PARAM_FMT ": \"%s\" is dropped, as ids= was given again and the last one holds; write all IDs into one, with commas between\n",
			VPV_PARAM_ARGS(kp), text);

	strscpy(text, val, VFIO_PCI_VARIANT_IDS_MAX);
	return 0;
}

/* For VFIO_PCI_VARIANT_PARAM_IDS() only. */
const struct kernel_param_ops vfio_pci_variant_ids_ops = {
	.set = ids_param_set,
};
EXPORT_SYMBOL_GPL(vfio_pci_variant_ids_ops);

/* --- what came of an ID --------------------------------------------------------- */

/* How many functions are named: what is printed has to fit into a line. */
#define NAMED_MAX	4
#define NAMED_TEXT	320

/**
 * struct id_effect - the functions that an ID is for
 * @nr: how many there are
 * @bound: how many of them the variant has
 * @first: the first that it does not have
 * @left: the first few that it does not have, and who has them
 * @at: the length of that text
 */
struct id_effect {
	unsigned int nr;
	unsigned int bound;
	char first[20];
	char left[NAMED_TEXT];
	int at;
};

/*
 * Who has @pdev is only known under its device lock. That is not waited for: who
 * has it may be a probe that waits for the init of a module, such as this one.
 */
static void add_function(const struct vfio_pci_variant *variant,
			 struct pci_dev *pdev, struct id_effect *effect)
{
	const char *who = "in use", *name = "";
	bool locked = device_trylock(&pdev->dev);

	effect->nr++;
	if (locked && pdev->dev.driver == &variant->pci_driver.driver) {
		effect->bound++;
		goto out;
	}
	if (effect->nr - effect->bound > NAMED_MAX)
		goto out;

	if (locked && pdev->dev.driver) {
		who = "with driver ";
		name = pdev->dev.driver->name;
	} else if (locked) {
		who = "without a driver (see above, and its driver_override)";
	}
	if (!effect->at)
		strscpy(effect->first, pci_name(pdev), sizeof(effect->first));
	effect->at += scnprintf(effect->left + effect->at,
				sizeof(effect->left) - effect->at, "%s%s %s%s",
				effect->at ? ", " : "", pci_name(pdev), who,
				name);
out:
	if (locked)
		device_unlock(&pdev->dev);
}

static void report_id(const struct vfio_pci_variant *variant, const char *piece,
		      const struct pci_device_id *id)
{
	struct id_effect effect = { };
	struct pci_dev *pdev = NULL;
	char more[24] = "";
	unsigned int left;

	for_each_pci_dev(pdev)
		if (vpv_id_matches(id, pdev))
			add_function(variant, pdev, &effect);

	left = effect.nr - effect.bound;
	if (left > NAMED_MAX)
		scnprintf(more, sizeof(more), ", and %u more",
			  left - NAMED_MAX);

	if (!effect.nr)
		pr_warn("%s: ids: \"%s\" matches no function here; lspci -nn shows what is here, and one that comes later is bound\n",
			variant->name, piece);
	else if (!left)
		pr_info("%s: ids: \"%s\": bound %u\n", variant->name, piece,
			effect.bound);
	else
		pr_warn("%s: ids: \"%s\": bound %u of %u; left: %s%s; to take one: driverctl set-override %s %s\n",
			variant->name, piece, effect.bound, effect.nr,
			effect.left, more, effect.first, variant->name);
}

static void add_id(struct vfio_pci_variant *variant, const char *piece)
{
	struct pci_device_id id;
	int ret;

	if (vpv_parse_id(piece, &id)) {
		pr_warn("%s: ids: \"%*pE\" is not an ID, skipped; write vendor:device[:subvendor[:subdevice[:class[:class_mask]]]] in hex\n",
			variant->name, (int)strlen(piece), piece);
		return;
	}

	ret = pci_add_dynid(&variant->pci_driver, id.vendor, id.device,
			    id.subvendor, id.subdevice, id.class,
			    id.class_mask, 0);
	if (ret)
		pr_warn("%s: ids: cannot add \"%s\": error %d\n",
			variant->name, piece, ret);
	else
		report_id(variant, piece, &id);
}

/**
 * vpv_ids_add - have a variant bind what its ids parameter names
 * @variant: a variant with parameters, whose driver was registered
 *
 * The IDs are used up here, once: the parameter can't be read or written.
 */
void vpv_ids_add(struct vfio_pci_variant *variant)
{
	char *rest = variant->params->ids, *piece;

	if (vpv_has_edge_comma(rest))
		pr_warn("%s: ids: " VPV_EDGE_COMMA "\n", variant->name, "ids");
	while ((piece = strsep(&rest, ",")))
		if (*piece)
			add_id(variant, piece);
}
