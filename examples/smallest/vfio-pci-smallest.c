// SPDX-License-Identifier: GPL-2.0-only
/* QEMU's pci-testdev with a driver and settings of its own. */
#include <linux/vfio_pci_variant.h>

VFIO_PCI_VARIANT_PARAMS(params);

static const struct pci_device_id ids[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(0x1b36, 0x0005) },
	{ }
};
MODULE_DEVICE_TABLE(pci, ids);
VFIO_PCI_VARIANT_ADOPTABLE("1B36", "0005");

static struct vfio_pci_variant variant = {
	.name = "vfio-pci-smallest",
	.id_table = ids,
	.specialised = true,
	.params = &params,
};
module_vfio_pci_variant(variant);

MODULE_DESCRIPTION("VFIO for QEMU's pci-testdev, with nothing added");
MODULE_AUTHOR("vfio-pci-variants maintainers");
MODULE_LICENSE("GPL");
