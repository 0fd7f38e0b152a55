// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is known to be special about particular hardware, as data: the rows of
 * the framework, and what of all rows applies to a function.
 */
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "core.h"

#define DENY(__device, __product)					\
	{								\
		.match = { PCI_VDEVICE(INTEL, __device) },		\
		.reason = __product					\
			": errata let its user hang or compromise the host", \
		.set = VFIO_PCI_QUIRK_DENY,				\
	}

/*
 * INTx Disable works, but the INTx status bit does not: on a line that others
 * share VFIO can't tell whose interrupt it was, and would call it nobody's.
 */
#define NO_INTX(__device, __product)					\
	{								\
		.match = { PCI_VDEVICE(INTEL, __device) },		\
		.reason = __product ": its INTx status bit is dead",	\
		.set = VFIO_PCI_QUIRK_NO_INTX,				\
	}

static const struct vfio_pci_quirk framework_quirks[] = {
	DENY(0x0435, "QAT DH895xCC"),
	DENY(0x0443, "QAT DH895xCC VF"),
	DENY(0x0b25, "DSA of Sapphire Rapids"),
	DENY(0x0cfe, "IAX of Sapphire Rapids"),
	DENY(0x19e2, "QAT C3xxx"),
	DENY(0x19e3, "QAT C3xxx VF"),
	DENY(0x37c8, "QAT C62x"),
	DENY(0x37c9, "QAT C62x VF"),

	NO_INTX(0x1563, "X550"),
	NO_INTX(0x1572, "X710 SFP+"),
	NO_INTX(0x1574, "XL710 emulation"),
	NO_INTX(0x1580, "XL710 backplane"),
	NO_INTX(0x1581, "X710 backplane"),
	NO_INTX(0x1583, "XL710 QSFP+"),
	NO_INTX(0x1584, "XL710 QSFP+"),
	NO_INTX(0x1585, "X710 QSFP+"),
	NO_INTX(0x1586, "X710 10GBASE-T"),
	NO_INTX(0x1587, "XL710 20G KR2"),
	NO_INTX(0x1588, "XL710 20G KR2"),
	NO_INTX(0x1589, "X710/X557 10GBASE-T"),
	NO_INTX(0x158a, "XXV710 backplane"),
	NO_INTX(0x158b, "XXV710 SFP28"),
	NO_INTX(0x37d0, "X722 SFP+"),
	NO_INTX(0x37d1, "X722 1GbE"),
	NO_INTX(0x37d2, "X722 10GBASE-T"),
};

/* --- what matches a function ------------------------------------------------ */

/**
 * vpv_row_is_at - is a function where a user's row says?
 * @user: a row by address
 * @pdev: the function
 *
 * Return: whether it is, whatever its ID.
 */
bool vpv_row_is_at(const struct vpv_user_quirk *user, struct pci_dev *pdev)
{
	return user->domain == pci_domain_nr(pdev->bus) &&
	       user->bus == pdev->bus->number &&
	       user->slot == PCI_SLOT(pdev->devfn) &&
	       (user->function == VPV_ANY_FUNCTION ||
		user->function == PCI_FUNC(pdev->devfn));
}

/**
 * vpv_row_is_for - is a user's row for a function?
 * @user: the row
 * @pdev: the function
 *
 * Return: whether its address, if it has one, and its ID match.
 */
bool vpv_row_is_for(const struct vpv_user_quirk *user, struct pci_dev *pdev)
{
	return (!user->by_address || vpv_row_is_at(user, pdev)) &&
	       vpv_id_matches(&user->quirk.match, pdev);
}

/* Put a row that matches at the end of @quirks; NULL: only count it. */
static unsigned int add_row(struct vpv_quirks *quirks, unsigned int n,
			    const struct vfio_pci_quirk *quirk,
			    enum vpv_quirk_source source)
{
	if (quirks)
		quirks->rows[n] = (struct vpv_matched_row) {
			.quirk = quirk, .source = source,
		};
	return n + 1;
}

static unsigned int add_table(struct vpv_quirks *quirks, unsigned int n,
			      const struct vfio_pci_quirk *table, size_t nr,
			      struct pci_dev *pdev, enum vpv_quirk_source source)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (vpv_id_matches(&table[i].match, pdev))
			n = add_row(quirks, n, &table[i], source);
	return n;
}

/* The rows that match, in their order; @quirks NULL: only how many there are. */
static unsigned int find_rows(struct vfio_pci_variant_device *vvdev,
			      const struct vpv_user_rows *user_rows,
			      struct vpv_quirks *quirks)
{
	const struct vfio_pci_variant *variant = vvdev->variant;
	const struct vfio_pci_variant *adopted = vvdev->adopted;
	struct pci_dev *pdev = vvdev->core.pdev;
	unsigned int n, i;

	n = add_table(quirks, 0, framework_quirks, ARRAY_SIZE(framework_quirks),
		      pdev, VPV_QUIRK_OF_FRAMEWORK);
	if (adopted)
		n = add_table(quirks, n, adopted->quirks, adopted->nr_quirks,
			      pdev, VPV_QUIRK_OF_ADOPTED);
	n = add_table(quirks, n, variant->quirks, variant->nr_quirks, pdev,
		      VPV_QUIRK_OF_VARIANT);
	for (i = 0; user_rows && i < user_rows->nr; i++)
		if (vpv_row_is_for(&user_rows->rows[i], pdev))
			n = add_row(quirks, n, &user_rows->rows[i].quirk,
				    VPV_QUIRK_OF_USER);
	return n;
}

/* Keep @bytes sorted; on a byte that is there the later row holds. */
static unsigned int merge_byte(struct vfio_pci_quirk_byte *bytes,
			       unsigned int nr,
			       const struct vfio_pci_quirk_byte *byte)
{
	unsigned int i = nr;

	while (i > 0 && bytes[i - 1].offset > byte->offset)
		i--;
	if (i > 0 && bytes[i - 1].offset == byte->offset) {
		bytes[i - 1].value &= ~byte->mask;
		bytes[i - 1].value |= byte->value;
		bytes[i - 1].mask |= byte->mask;
		return nr;
	}

	memmove(&bytes[i + 1], &bytes[i], (nr - i) * sizeof(*bytes));
	bytes[i] = *byte;
	return nr + 1;
}

static int merge_bytes(struct vpv_quirks *quirks)
{
	unsigned int nr = 0, i, j;

	for (i = 0; i < quirks->nr_rows; i++)
		for (j = 0; j < VFIO_PCI_QUIRK_MAX_CONFIG; j++)
			nr += !!quirks->rows[i].quirk->config[j].mask;
	if (!nr)
		return 0;

	quirks->bytes = kcalloc(nr, sizeof(*quirks->bytes), GFP_KERNEL);
	if (!quirks->bytes)
		return -ENOMEM;

	for (i = 0; i < quirks->nr_rows; i++) {
		const struct vfio_pci_quirk *quirk = quirks->rows[i].quirk;

		for (j = 0; j < VFIO_PCI_QUIRK_MAX_CONFIG &&
		     quirk->config[j].mask; j++)
			quirks->nr_bytes = merge_byte(quirks->bytes,
						      quirks->nr_bytes,
						      &quirk->config[j]);
	}

	return 0;
}

static int merge_rows(struct vpv_quirks *quirks)
{
	unsigned int i;

	for (i = 0; i < quirks->nr_rows; i++) {
		const struct vfio_pci_quirk *quirk = quirks->rows[i].quirk;

		quirks->set = (quirks->set & ~quirk->clear) | quirk->set;
		quirks->clear = (quirks->clear & ~quirk->set) | quirk->clear;
		quirks->no_mmap |= quirk->no_mmap;
		if (quirk->resets[0])
			memcpy(quirks->resets, quirk->resets,
			       sizeof(quirks->resets));
	}

	/* From D3hot most functions come back reset. */
	if (quirks->set & (VFIO_PCI_QUIRK_NO_PM_RESET | VFIO_PCI_QUIRK_NO_RESET))
		quirks->set |= VFIO_PCI_QUIRK_DISABLE_IDLE_D3 & ~quirks->clear;

	return merge_bytes(quirks);
}

/*
 * disable_denylist lifts what the tables deny, not what the user does. Log lines
 * name the variant: several may be asked about one function.
 */
static bool is_denied(const struct vfio_pci_variant_device *vvdev)
{
	const struct vfio_pci_variant *variant = vvdev->variant;
	const struct vfio_pci_variant_params *params = variant->params;
	const struct vpv_quirks *quirks = vvdev->quirks;
	const struct vpv_matched_row *deny = NULL;
	struct pci_dev *pdev = vvdev->core.pdev;
	unsigned int i;

	for (i = 0; i < quirks->nr_rows; i++) {
		if (quirks->rows[i].quirk->set & VFIO_PCI_QUIRK_DENY)
			deny = &quirks->rows[i];
		if (quirks->rows[i].quirk->clear & VFIO_PCI_QUIRK_DENY)
			deny = NULL;
	}

	if (!deny)
		return false;
	if (deny->source == VPV_QUIRK_OF_USER) {
		pci_warn(pdev, "%s: denied by the parameter quirks, not bound\n",
			 variant->name);
		return true;
	}
	if (params && READ_ONCE(params->disable_denylist)) {
		pci_warn(pdev, "%s: %04x:%04x is on the denylist, bound as disable_denylist is set\n",
			 variant->name, pdev->vendor, pdev->device);
		return false;
	}

	pci_warn(pdev, "%s: %04x:%04x is on the denylist, not bound: %s\n",
		 variant->name, pdev->vendor, pdev->device, deny->quirk->reason);
	if (params)
		pci_warn(pdev, "%s: quirks=%s:deny=0 binds it all the same, disable_denylist=1 all such\n",
			 variant->name, pci_name(pdev));
	return true;
}

/**
 * vpv_quirks_match - find what is special about a function
 * @vvdev: the device, not published yet; its core part is initialised
 *
 * Return: 0; -EINVAL, with a log line, if the function is denied; -ENOMEM.
 * &vfio_pci_variant_device.quirks is set if there is anything, else it is NULL.
 */
int vpv_quirks_match(struct vfio_pci_variant_device *vvdev)
{
	struct vfio_pci_variant_params *params = vvdev->variant->params;
	struct vpv_user_rows *user_rows;
	struct vpv_quirks *quirks;
	unsigned int n;
	int ret;

	user_rows = params ? vpv_user_rows_get(&params->quirks) : NULL;
	n = find_rows(vvdev, user_rows, NULL);
	if (!n) {
		vpv_user_rows_put(user_rows);
		return 0;
	}

	quirks = kzalloc(struct_size(quirks, rows, n), GFP_KERNEL);
	if (!quirks) {
		vpv_user_rows_put(user_rows);
		return -ENOMEM;
	}
	quirks->user_rows = user_rows;
	quirks->nr_rows = find_rows(vvdev, user_rows, quirks);
	vvdev->quirks = quirks;

	vpv_report_matched(vvdev);
	ret = merge_rows(quirks);
	if (!ret && is_denied(vvdev))
		ret = -EINVAL;
	if (ret)
		vpv_quirks_free(vvdev);
	return ret;
}

/**
 * vpv_quirks_free - mirror of vpv_quirks_match()
 * @vvdev: the device, which nobody can open any more
 */
void vpv_quirks_free(struct vfio_pci_variant_device *vvdev)
{
	struct vpv_quirks *quirks = vvdev->quirks;

	if (!quirks)
		return;

	vvdev->quirks = NULL;
	vpv_user_rows_put(quirks->user_rows);
	kfree(quirks->bytes);
	kfree(quirks);
}

/**
 * vpv_quirks_setting - a setting of one device
 * @vvdev: the device
 * @flag: the setting, as a flag
 * @param: what the module parameter says
 *
 * Return: what holds, quirks being above parameters.
 */
bool vpv_quirks_setting(const struct vfio_pci_variant_device *vvdev, u32 flag,
			bool param)
{
	if (vpv_quirk(vvdev, flag))
		return true;
	return param && !(vvdev->quirks && vvdev->quirks->clear & flag);
}

/* --- sysfs ------------------------------------------------------------------- */

/* A row of a table: what it says, and why. */
static int show_row(const char *source, const struct vfio_pci_quirk *quirk,
		    char *text, char *buf, int at)
{
	int n;

	n = vpv_format_quirk(quirk, text, VPV_QUIRK_TEXT);
	at += sysfs_emit_at(buf, at, "%s %s", source, text);
	if (quirk->fixup)
		at += sysfs_emit_at(buf, at, "%sfixup", n ? "+" : "");
	/* Without the symbols this would print an address. */
	if (quirk->fixup && IS_ENABLED(CONFIG_KALLSYMS))
		at += sysfs_emit_at(buf, at, "=%ps", quirk->fixup);
	return at + sysfs_emit_at(buf, at, " %s\n", quirk->reason);
}

/* A row of @variant's parameter: what it says, and whom it is for. */
static int show_user_row(const char *source, const struct vpv_user_quirk *user,
			 const struct vfio_pci_variant *variant, char *text,
			 char *buf, int at)
{
	vpv_format_row(user, variant->settings, text, VPV_QUIRK_TEXT);
	at += sysfs_emit_at(buf, at, "%s %s", source, text);
	vpv_format_selector(user, text, VPV_QUIRK_TEXT);
	return at + sysfs_emit_at(buf, at, " %s\n", text);
}

/* A page is all there is: none is shown in part, and one may be as long. */
static bool is_full(int at)
{
	return at > PAGE_SIZE - VPV_QUIRK_TEXT - 512;
}

static int show_rows(const struct vfio_pci_variant_device *vvdev, char *text,
		     char *buf, bool *cut)
{
	static const char * const sources[] = {
		[VPV_QUIRK_OF_FRAMEWORK] = "framework",
		[VPV_QUIRK_OF_ADOPTED] = "adopted",
		[VPV_QUIRK_OF_VARIANT] = "variant",
		[VPV_QUIRK_OF_USER] = "parameter",
	};
	const struct vpv_quirks *quirks = vvdev->quirks;
	unsigned int i;
	int at = 0;

	for (i = 0; quirks && i < quirks->nr_rows; i++) {
		const struct vpv_matched_row *row = &quirks->rows[i];

		*cut = is_full(at);
		if (*cut)
			break;
		if (row->source != VPV_QUIRK_OF_USER)
			at = show_row(sources[row->source], row->quirk, text, buf,
				      at);
		else
			at = show_user_row(sources[row->source],
					   to_user_quirk(row->quirk),
					   vvdev->variant, text, buf, at);
	}
	return at;
}

/* Of the adopted variant's parameter only its own settings hold. */
static int show_adopted_rows(const struct vfio_pci_variant_device *vvdev,
			     char *text, char *buf, int at, bool *cut)
{
	const struct vpv_user_rows *rows = vvdev->adopted_rows;
	unsigned int i;

	for (i = 0; rows && i < rows->nr; i++) {
		struct vpv_user_quirk user = rows->rows[i];

		if (!user.settings.set || !vpv_row_is_for(&user, vvdev->core.pdev))
			continue;
		*cut = is_full(at);
		if (*cut)
			break;
		user.quirk = (struct vfio_pci_quirk) { .match = user.quirk.match };
		at = show_user_row("adopted-parameter", &user, vvdev->adopted,
				   text, buf, at);
	}
	return at;
}

/**
 * vpv_quirks_show - what matched a device and why
 * @vvdev: the device
 * @buf: a page
 *
 * Return: length of the text, or -ENOMEM.
 */
ssize_t vpv_quirks_show(const struct vfio_pci_variant_device *vvdev, char *buf)
{
	bool cut = false;
	char *text;
	int at;

	text = kmalloc(VPV_QUIRK_TEXT, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	at = show_rows(vvdev, text, buf, &cut);
	at = show_adopted_rows(vvdev, text, buf, at, &cut);
	if (cut)
		at += sysfs_emit_at(buf, at, "...\n");
	kfree(text);
	return at;
}
