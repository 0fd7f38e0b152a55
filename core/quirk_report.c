// SPDX-License-Identifier: GPL-2.0-only
/*
 * What becomes of the rows of the quirks parameter, told to who wrote them: a row
 * that is for nothing here, one that a later row takes back, one that came too
 * late for a function.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pci.h>

#include "core.h"
#include "quirk_text.h"

/*
 * Protects the list of functions that are bound to a variant, so
 * that a write of quirks= finds them without their device locks: it comes with the
 * lock of the parameter, and a probe may wait for a module whose parameters are
 * being set. Nothing but the spinlock of the rows is taken inside.
 */
static DEFINE_MUTEX(bound_lock);
static LIST_HEAD(bound);

/* --- rows that came too late ------------------------------------------------- */

/* The next row of @rows from @i on that is for @pdev, or NULL. */
static const struct vpv_user_quirk *next_row(const struct vpv_user_rows *rows,
					     unsigned int *i,
					     struct pci_dev *pdev)
{
	while (rows && *i < rows->nr) {
		const struct vpv_user_quirk *user = &rows->rows[(*i)++];

		if (vpv_row_is_for(user, pdev))
			return user;
	}
	return NULL;
}

/* The same of the rows that were latched. */
static const struct vpv_user_quirk *next_latched(const struct vpv_quirks *quirks,
						 unsigned int *i)
{
	while (quirks && *i < quirks->nr_rows) {
		const struct vpv_matched_row *row = &quirks->rows[(*i)++];

		if (row->source == VPV_QUIRK_OF_USER)
			return to_user_quirk(row->quirk);
	}
	return NULL;
}

/* Do @rows say of a function what it was bound with? */
static bool rows_hold(const struct vfio_pci_variant_device *vvdev,
		      const struct vpv_user_rows *rows)
{
	const struct vpv_user_quirk *now, *latched;
	unsigned int i = 0, j = 0;

	do {
		now = next_row(rows, &i, vvdev->core.pdev);
		latched = next_latched(vvdev->quirks, &j);
	} while (now && latched && vpv_row_is_same(now, latched));
	return !now && !latched;
}

/* The same of what they set of an adopted variant's own settings. */
static bool adopted_rows_hold(const struct vfio_pci_variant_device *vvdev,
			      const struct vpv_user_rows *rows)
{
	struct vpv_set_values now, latched;

	vpv_rows_values(rows, vvdev->core.pdev, &now);
	vpv_rows_values(vvdev->adopted_rows, vvdev->core.pdev, &latched);
	return vpv_values_are_same(&now, &latched);
}

/* Name the function if it goes on with something else than @variant's @rows say. */
static void report_late(const struct vfio_pci_variant_device *vvdev,
			const struct vfio_pci_variant *variant,
			const struct vpv_user_rows *rows)
{
	struct pci_dev *pdev = vvdev->core.pdev;

	if (vvdev->variant == variant && !rows_hold(vvdev, rows))
		pci_warn(pdev, "%s: bound before quirks= was written: what that says of it holds when it is bound again\n",
			 variant->name);
	if (vvdev->adopted == variant && !adopted_rows_hold(vvdev, rows))
		pci_warn(pdev, "%s: bound before quirks= was written: settings that it sets hold when it is bound again\n",
			 variant->name);
}

/* The same with what the parameter says now. */
static void report_if_late(const struct vfio_pci_variant_device *vvdev,
			   const struct vfio_pci_variant *variant)
{
	struct vpv_user_rows *rows;

	if (!variant || !variant->params)
		return;
	rows = vpv_user_rows_get(&variant->params->quirks);
	report_late(vvdev, variant, rows);
	vpv_user_rows_put(rows);
}

/**
 * vpv_bound_add - a function is about to be registered
 * @vvdev: its device, quirks matched; device lock held
 *
 * Says so if quirks= was written since they were.
 */
void vpv_bound_add(struct vfio_pci_variant_device *vvdev)
{
	mutex_lock(&bound_lock);
	list_add_tail(&vvdev->bound, &bound);
	report_if_late(vvdev, vvdev->variant);
	report_if_late(vvdev, vvdev->adopted);
	mutex_unlock(&bound_lock);
}

/**
 * vpv_bound_del - mirror of vpv_bound_add()
 * @vvdev: the device
 */
void vpv_bound_del(struct vfio_pci_variant_device *vvdev)
{
	mutex_lock(&bound_lock);
	list_del(&vvdev->bound);
	mutex_unlock(&bound_lock);
}

/**
 * vpv_bound_replace - put new rows in force
 * @variant: whose parameter was written; its lock is held
 * @rows: what it says now; the parameter takes over the reference
 *
 * Names each function that goes on with what it was bound with. With the lock of
 * the list, so that one that is being bound is named once and not missed.
 *
 * Return: the rows that were there before, for the caller to put.
 */
struct vpv_user_rows *vpv_bound_replace(const struct vfio_pci_variant *variant,
					struct vpv_user_rows *rows)
{
	struct vfio_pci_variant_device *vvdev;
	struct vpv_user_rows *before;

	mutex_lock(&bound_lock);
	before = vpv_user_rows_replace(&variant->params->quirks, rows);
	list_for_each_entry(vvdev, &bound, bound)
		report_late(vvdev, variant, rows);
	mutex_unlock(&bound_lock);
	return before;
}

/* --- rows that are for nothing ------------------------------------------------ */

static bool is_at(const struct vpv_user_quirk *user, struct pci_dev *pdev)
{
	return user->by_address && vpv_row_is_at(user, pdev);
}

/* Is a row for any function here? If not, @stranger is one at its address. */
static bool matches_any(const struct vpv_user_quirk *user,
			struct pci_dev **stranger)
{
	struct pci_dev *pdev = NULL;

	*stranger = NULL;
	for_each_pci_dev(pdev) {
		if (vpv_row_is_for(user, pdev)) {
			pci_dev_put(*stranger);
			pci_dev_put(pdev);
			return true;
		}
		if (!*stranger && is_at(user, pdev))
			*stranger = pci_dev_get(pdev);
	}
	return false;
}

static void report_row(const struct vfio_pci_variant *variant,
		       const struct vpv_user_quirk *user)
{
	static const char later[] =
		"lspci -Dnn shows what is here; it holds for what comes later";
	char selector[VPV_SELECTOR_TEXT];
	struct pci_dev *stranger;

	if (matches_any(user, &stranger))
		return;

	vpv_format_selector(user, selector, sizeof(selector));
	if (stranger)
		pr_warn("%s: quirks: \"%s\" matches no function here, %s is %04x:%04x:%04x:%04x; %s\n",
			variant->name, selector, pci_name(stranger),
			stranger->vendor, stranger->device,
			stranger->subsystem_vendor, stranger->subsystem_device,
			later);
	else
		pr_warn("%s: quirks: \"%s\" matches no function here%s; %s\n",
			variant->name, selector, user->by_address ?
			", nothing is at that address" : "", later);
	pci_dev_put(stranger);
}

/**
 * vpv_report_rows - name the rows that are for no function that is here
 * @variant: whose parameter it is
 * @rows: what it says; the caller has a reference
 */
void vpv_report_rows(const struct vfio_pci_variant *variant,
		     const struct vpv_user_rows *rows)
{
	unsigned int i;

	for (i = 0; i < rows->nr; i++)
		report_row(variant, &rows->rows[i]);
}

/* --- rows that cannot do all that they say ------------------------------------- */

static const char *selector_of(const struct vfio_pci_quirk *quirk, char *buf)
{
	vpv_format_selector(to_user_quirk(quirk), buf, VPV_SELECTOR_TEXT);
	return buf;
}

/* A later row that lifts a user's own deny: they may come from several places. */
static void report_lifted(const struct vfio_pci_variant_device *vvdev)
{
	char deny[VPV_SELECTOR_TEXT], lift[VPV_SELECTOR_TEXT];
	const struct vpv_quirks *quirks = vvdev->quirks;
	const struct vfio_pci_quirk *denied = NULL;
	unsigned int i;

	for (i = 0; i < quirks->nr_rows; i++) {
		const struct vfio_pci_quirk *quirk = quirks->rows[i].quirk;

		if (quirks->rows[i].source != VPV_QUIRK_OF_USER)
			continue;
		if (denied && quirk->clear & VFIO_PCI_QUIRK_DENY) {
			pci_warn(vvdev->core.pdev,
				 "%s: quirks: \"%s:deny\" does not hold, \"%s:deny=0\" comes after it\n",
				 vvdev->variant->name,
				 selector_of(denied, deny),
				 selector_of(quirk, lift));
			denied = NULL;
		}
		if (quirk->set & VFIO_PCI_QUIRK_DENY)
			denied = quirk;
	}
}

static void report_bytes(const struct vfio_pci_variant_device *vvdev,
			 const struct vfio_pci_quirk *quirk)
{
	struct pci_dev *pdev = vvdev->core.pdev;
	char selector[VPV_SELECTOR_TEXT];
	int i;

	for (i = 0; i < VFIO_PCI_QUIRK_MAX_CONFIG && quirk->config[i].mask; i++) {
		if (quirk->config[i].offset < pdev->cfg_size)
			continue;
		pci_warn(pdev, "%s: quirks: \"%s\" shows byte 0x%03x, but config space of this function ends at 0x%03x\n",
			 vvdev->variant->name, selector_of(quirk, selector),
			 quirk->config[i].offset, pdev->cfg_size - 1);
		return;
	}
}

/**
 * vpv_report_matched - what of a user's rows can't hold for a function
 * @vvdev: the device, which has quirks
 */
void vpv_report_matched(const struct vfio_pci_variant_device *vvdev)
{
	const struct vpv_quirks *quirks = vvdev->quirks;
	unsigned int i;

	report_lifted(vvdev);
	for (i = 0; i < quirks->nr_rows; i++)
		if (quirks->rows[i].source == VPV_QUIRK_OF_USER)
			report_bytes(vvdev, quirks->rows[i].quirk);
}
