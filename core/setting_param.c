// SPDX-License-Identifier: GPL-2.0-only
/* Settings of a variant's own, as parameters of its module. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ctype.h>
#include <linux/moduleparam.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "core.h"
#include "setting_text.h"

/* Called with the parameter's lock. NULL: a bool's name alone, which is on. */
static int setting_set(const char *val, const struct kernel_param *kp)
{
	struct vfio_pci_variant_setting *setting = kp->arg;
	unsigned int value;
	const char *fault;
	size_t len;

	if (setting->abi != VFIO_PCI_VARIANT_ABI) {
		pr_err(VPV_PARAM_FMT ": refused: its module was built with other headers than this framework; build it again with those that are installed with the framework\n",
		       VPV_PARAM_ARGS(kp));
		return -ENOEXEC;
	}

	val = skip_spaces(val ?: "1");
	/* What echo puts after it does not count. */
	for (len = strlen(val); len && isspace(val[len - 1]); len--)
		;
	fault = vpv_parse_setting(setting, val, len, &value);
	if (fault) {
		pr_warn(VPV_PARAM_FMT ": \"%*pE\" refused: %s\n",
			VPV_PARAM_ARGS(kp), (int)len, val, fault);
		return -EINVAL;
	}
	WRITE_ONCE(setting->value, value);
	return 0;
}

static int setting_get(char *buffer, const struct kernel_param *kp)
{
	const struct vfio_pci_variant_setting *setting = kp->arg;
	int n;

	n = vpv_format_setting(setting, setting->value, buffer, PAGE_SIZE - 1);
	return n + sysfs_emit_at(buffer, n, "\n");
}

/* For VFIO_PCI_VARIANT_UINT() and VFIO_PCI_VARIANT_CHOICE() only. */
const struct kernel_param_ops vfio_pci_variant_setting_ops = {
	.set = setting_set,
	.get = setting_get,
};
EXPORT_SYMBOL_GPL(vfio_pci_variant_setting_ops);

static int bool_get(char *buffer, const struct kernel_param *kp)
{
	const struct vfio_pci_variant_setting *setting = kp->arg;

	return sysfs_emit(buffer, "%c\n", setting->value ? 'Y' : 'N');
}

/* For VFIO_PCI_VARIANT_BOOL() only. */
const struct kernel_param_ops vfio_pci_variant_bool_ops = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = setting_set,
	.get = bool_get,
};
EXPORT_SYMBOL_GPL(vfio_pci_variant_bool_ops);
