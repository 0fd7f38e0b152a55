// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generic variant: passes any function through, with nothing added. Named
 * as the in-tree driver that it stands in for, parameters included.
 */
#include <linux/vfio_pci_variant.h>

VFIO_PCI_VARIANT_PARAMS(params);
VFIO_PCI_VARIANT_PARAM_DISABLE_ADOPTION(params);

/* Every function, but only where driver_override asks for this driver. */
static const struct pci_device_id ids[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(PCI_ANY_ID, PCI_ANY_ID) },
	{ }
};
MODULE_DEVICE_TABLE(pci, ids);

static struct vfio_pci_variant variant = {
	.name = "vfio-pci",
	.id_table = ids,
	.generic = true,
	.params = &params,
};
module_vfio_pci_variant(variant);

MODULE_DESCRIPTION("VFIO for any PCI function, variant framework edition");
MODULE_AUTHOR("vfio-pci-variants maintainers");
MODULE_LICENSE("GPL");
MODULE_VERSION(VPV_VERSION);
