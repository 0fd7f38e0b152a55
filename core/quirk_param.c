// SPDX-License-Identifier: GPL-2.0-only
/* The quirks parameter of a module: its text, and the rows that it says. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ctype.h>
#include <linux/kref.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "core.h"
#include "quirk_text.h"

/*
 * Protects &vfio_pci_variant_quirks.rows: probe takes a reference while somebody
 * may write the parameter. Not the parameter's own lock, as for built-in modules
 * that is one for all, and another's parameter may wait for a device lock.
 */
static DEFINE_SPINLOCK(user_rows_lock);

static void user_rows_release(struct kref *ref)
{
	kvfree(container_of(ref, struct vpv_user_rows, ref));
}

/**
 * vpv_user_rows_put - give back a reference
 * @rows: may be NULL
 */
void vpv_user_rows_put(struct vpv_user_rows *rows)
{
	if (rows)
		kref_put(&rows->ref, user_rows_release);
}

/**
 * vpv_user_rows_get - the rows that the parameter says now
 * @param: the parameter
 *
 * Return: a reference to them, or NULL where there are none.
 */
struct vpv_user_rows *vpv_user_rows_get(struct vfio_pci_variant_quirks *param)
{
	struct vpv_user_rows *rows;

	spin_lock(&user_rows_lock);
	rows = param->rows;
	if (rows)
		kref_get(&rows->ref);
	spin_unlock(&user_rows_lock);
	return rows;
}

/**
 * vpv_rows_values - what rows set of a variant's own settings
 * @rows: those of its parameter; may be NULL
 * @pdev: for which function
 * @values: where to put it
 */
void vpv_rows_values(const struct vpv_user_rows *rows, struct pci_dev *pdev,
		     struct vpv_set_values *values)
{
	unsigned int i;

	*values = (struct vpv_set_values) { };
	for (i = 0; rows && i < rows->nr; i++)
		if (vpv_row_is_for(&rows->rows[i], pdev))
			vpv_merge_values(values, &rows->rows[i].settings);
}

/**
 * vpv_user_rows_replace - exchange the rows of a parameter
 * @param: the parameter
 * @rows: the new ones, whose reference it takes over; may be NULL
 *
 * Return: the rows that were there before, for the caller to put.
 */
struct vpv_user_rows *
vpv_user_rows_replace(struct vfio_pci_variant_quirks *param,
		      struct vpv_user_rows *rows)
{
	spin_lock(&user_rows_lock);
	swap(param->rows, rows);
	spin_unlock(&user_rows_lock);
	return rows;
}

static unsigned int count_pieces(const char *text)
{
	unsigned int n = 1;

	for (; *text; text++)
		n += *text == ',';
	return n;
}

/*
 * Read @text, which is used up, and name in the log each piece that is not a
 * quirk. Good ones are put into @accepted again, which has room for all.
 */
static struct vpv_user_rows *parse_rows(const struct vfio_pci_variant *variant,
					char *text, char *accepted,
					unsigned int *refused)
{
	struct vpv_user_rows *rows;
	char *piece, *end = accepted;

	rows = kvzalloc(struct_size(rows, rows, count_pieces(text)), GFP_KERNEL);
	if (!rows)
		return NULL;
	kref_init(&rows->ref);

	*end = '\0';
	*refused = 0;
	while ((piece = strsep(&text, ","))) {
		const char *fault;

		piece = strim(piece);
		if (!*piece)
			continue;
		fault = vpv_parse_quirk(piece, variant->settings,
					&rows->rows[rows->nr]);
		if (fault) {
			pr_warn("%s: quirks: \"%*pE\" refused: %s; write SELECTOR:FLAG[+FLAG...], see Documentation/quirks.rst\n",
				variant->name, (int)strlen(piece), piece, fault);
			(*refused)++;
			continue;
		}
		rows->nr++;
		end += sprintf(end, "%s%s", end == accepted ? "" : ",", piece);
	}

	return rows;
}

/* A loaded module: all of it or nothing. */
static int write_rows(struct vfio_pci_variant_quirks *param, const char *val,
		      size_t len)
{
	const struct vfio_pci_variant *variant = param->variant;
	char *text = kmemdup_nul(val, len, GFP_KERNEL);
	char *accepted = kmemdup_nul(val, len, GFP_KERNEL);
	struct vpv_user_rows *rows = NULL;
	unsigned int refused;
	int ret = -ENOMEM;

	if (text && accepted)
		rows = parse_rows(variant, text, accepted, &refused);
	if (!rows)
		goto out;

	if (refused) {
		pr_warn("%s: quirks: nothing was changed\n", variant->name);
		ret = -EINVAL;
	} else {
		/* Two lines that a shell writes are two writes. */
		if (*param->text && strcmp(param->text, accepted))
			pr_info("%s: quirks: a write replaces all rows, \"%.600s\" does not hold any more\n",
				variant->name, param->text);
		strscpy(param->text, accepted, sizeof(param->text));
		vpv_report_rows(variant, rows);
		rows = vpv_bound_replace(variant, rows);
		ret = 0;
	}
	vpv_user_rows_put(rows);
out:
	kfree(accepted);
	kfree(text);
	return ret;
}

/*
 * Before the module's init: the kernel's command line, files in modprobe.d and
 * modprobe's own command line may each have some, and each adds to what is there.
 * At boot there is no allocator yet, and no name for the log: the text is only
 * kept.
 */
static void add_text(struct vfio_pci_variant_quirks *param, const char *val,
		     size_t len)
{
	size_t at = strlen(param->text);

	param->edge_comma |= *val == ',' || val[len - 1] == ',';
	if (at)
		param->text[at++] = ',';
	memcpy(param->text + at, val, len);
	param->text[at + len] = '\0';
}

/* Called with the parameter's lock. */
static int quirks_param_set(const char *val, const struct kernel_param *kp)
{
	struct vfio_pci_variant_quirks *param = kp->arg;
	size_t before, len;

	/* What echo puts after it does not count. */
	val = skip_spaces(val);
	for (len = strlen(val); len && isspace(val[len - 1]); len--)
		;
	before = param->variant || !*param->text ? 0 : strlen(param->text) + 1;
	if (before + len >= sizeof(param->text)) {
		pr_err(VPV_PARAM_FMT ": longer than %zu characters%s, refused\n",
		       VPV_PARAM_ARGS(kp), sizeof(param->text) - 1,
		       before ? " with what was given before" : "");
		return -ENOSPC;
	}

	if (param->variant)
		return write_rows(param, val, len);
	if (len)
		add_text(param, val, len);
	return 0;
}

static int quirks_param_get(char *buffer, const struct kernel_param *kp)
{
	const struct vfio_pci_variant_quirks *param = kp->arg;

	return sysfs_emit(buffer, "%s\n", param->text);
}

/* For VFIO_PCI_VARIANT_PARAM_QUIRKS() only. */
const struct kernel_param_ops vfio_pci_variant_quirks_ops = {
	.set = quirks_param_set,
	.get = quirks_param_get,
};
EXPORT_SYMBOL_GPL(vfio_pci_variant_quirks_ops);

/**
 * vpv_quirks_start - make the text of the parameter effective
 * @variant: a variant that is about to be registered
 * @owner: its module, NULL if built in
 *
 * Pieces that are not quirks are named in the log and left out.
 *
 * Return: 0 or -ENOMEM.
 */
int vpv_quirks_start(struct vfio_pci_variant *variant, struct module *owner)
{
	struct vfio_pci_variant_quirks *param;
	struct vpv_user_rows *rows = NULL;
	unsigned int refused;
	char *text;

	if (!variant->params)
		return 0;
	param = &variant->params->quirks;

	/* The files in sysfs are there before the module's init runs. */
	kernel_param_lock(owner);
	text = kstrdup(param->text, GFP_KERNEL);
	if (text)
		rows = parse_rows(variant, text, param->text, &refused);
	if (rows) {
		if (param->edge_comma)
			pr_warn("%s: quirks: " VPV_EDGE_COMMA "\n",
				variant->name, "quirks");
		vpv_report_rows(variant, rows);
		vpv_user_rows_replace(param, rows);
		param->variant = variant;
	}
	kernel_param_unlock(owner);

	kfree(text);
	return rows ? 0 : -ENOMEM;
}

/**
 * vpv_quirks_stop - mirror of vpv_quirks_start()
 * @variant: a variant that is not registered any more
 * @owner: its module, NULL if built in
 */
void vpv_quirks_stop(struct vfio_pci_variant *variant, struct module *owner)
{
	struct vfio_pci_variant_quirks *param;

	if (!variant->params)
		return;
	param = &variant->params->quirks;

	kernel_param_lock(owner);
	param->variant = NULL;
	vpv_user_rows_put(vpv_user_rows_replace(param, NULL));
	kernel_param_unlock(owner);
}
