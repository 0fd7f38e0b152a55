// SPDX-License-Identifier: GPL-2.0-only
/* What is known to be wrong with particular hardware, as data. */
#include "core.h"

struct vpv_quirk {
	struct pci_device_id match;
	unsigned int flags;
};

#define INTEL(__device, __flags) \
	{ .match = { PCI_VDEVICE(INTEL, __device) }, .flags = (__flags) }

/*
 * Deny: errata of these accelerators let whoever drives them hang or compromise
 * the host.
 *
 * Broken INTx masking: the X700 family and X550 let software set INTx Disable
 * and yet go on asserting INTx, so that masking there ends in a storm. VFIO
 * hides INTx of these functions.
 */
static const struct vpv_quirk vpv_quirks[] = {
	INTEL(0x0435, VPV_QUIRK_DENY),	/* QAT DH895xCC */
	INTEL(0x0443, VPV_QUIRK_DENY),	/* QAT DH895xCC VF */
	INTEL(0x0b25, VPV_QUIRK_DENY),	/* DSA, Sapphire Rapids */
	INTEL(0x0cfe, VPV_QUIRK_DENY),	/* IAX, Sapphire Rapids */
	INTEL(0x19e2, VPV_QUIRK_DENY),	/* QAT C3xxx */
	INTEL(0x19e3, VPV_QUIRK_DENY),	/* QAT C3xxx VF */
	INTEL(0x37c8, VPV_QUIRK_DENY),	/* QAT C62x */
	INTEL(0x37c9, VPV_QUIRK_DENY),	/* QAT C62x VF */

	INTEL(0x1563, VPV_QUIRK_BROKEN_INTX_MASK),	/* X550 */
	INTEL(0x1572, VPV_QUIRK_BROKEN_INTX_MASK),	/* X710 SFP+ */
	INTEL(0x1574, VPV_QUIRK_BROKEN_INTX_MASK),	/* XL710 emulation */
	INTEL(0x1580, VPV_QUIRK_BROKEN_INTX_MASK),	/* XL710 backplane */
	INTEL(0x1581, VPV_QUIRK_BROKEN_INTX_MASK),	/* X710 backplane */
	INTEL(0x1583, VPV_QUIRK_BROKEN_INTX_MASK),	/* XL710 QSFP+ */
	INTEL(0x1584, VPV_QUIRK_BROKEN_INTX_MASK),	/* XL710 QSFP+ */
	INTEL(0x1585, VPV_QUIRK_BROKEN_INTX_MASK),	/* X710 QSFP+ */
	INTEL(0x1586, VPV_QUIRK_BROKEN_INTX_MASK),	/* X710 10GBASE-T */
	INTEL(0x1587, VPV_QUIRK_BROKEN_INTX_MASK),	/* XL710 20G KR2 */
	INTEL(0x1588, VPV_QUIRK_BROKEN_INTX_MASK),	/* XL710 20G KR2 */
	INTEL(0x1589, VPV_QUIRK_BROKEN_INTX_MASK),	/* X710/X557 10GBASE-T */
	INTEL(0x158a, VPV_QUIRK_BROKEN_INTX_MASK),	/* XXV710 backplane */
	INTEL(0x158b, VPV_QUIRK_BROKEN_INTX_MASK),	/* XXV710 SFP28 */
	INTEL(0x37d0, VPV_QUIRK_BROKEN_INTX_MASK),	/* X722 SFP+ */
	INTEL(0x37d1, VPV_QUIRK_BROKEN_INTX_MASK),	/* X722 1GbE */
	INTEL(0x37d2, VPV_QUIRK_BROKEN_INTX_MASK),	/* X722 10GBASE-T */
};

/* Union of the flags of all rows that match @pdev. */
unsigned int vpv_quirk_flags(struct pci_dev *pdev)
{
	unsigned int flags = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(vpv_quirks); i++) {
		const struct pci_device_id table[] = {
			vpv_quirks[i].match, { }
		};

		if (pci_match_id(table, pdev))
			flags |= vpv_quirks[i].flags;
	}

	return flags;
}
