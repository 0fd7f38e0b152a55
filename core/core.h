/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the framework share; variants see none of it. */
#ifndef VPV_CORE_H
#define VPV_CORE_H

#include <linux/bits.h>
#include <linux/vfio_pci_variant.h>

/* settings.c */
extern const struct attribute_group *vpv_dev_groups[];
void vpv_settings_latch(struct vfio_pci_variant_device *vvdev);

/* quirk.c */

/* Unsafe in the hands of an untrusted user; disable_denylist allows it. */
#define VPV_QUIRK_DENY			BIT(0)
/* INTx can't be masked in the device, though its COMMAND register says so. */
#define VPV_QUIRK_BROKEN_INTX_MASK	BIT(1)

unsigned int vpv_quirk_flags(struct pci_dev *pdev);

#endif /* VPV_CORE_H */
