// SPDX-License-Identifier: GPL-2.0-only
/*
 * QEMU's edu device, as its vendor would have it passed through: the device computes
 * factorials in 32 bits, so that 13! and above come out wrong. Here they are 12!, or less,
 * and a region tells how many there were. Registers: "EDU device" in QEMU's documentation.
 */
#include <linux/vfio_pci_variant.h>

VFIO_PCI_VARIANT_PARAMS(params);

#define EDU_VENDOR		0x1234
#define EDU_DEVICE		0x11e8

/* [region] */
struct edu {
	atomic64_t counts[2];
};

static const struct vfio_pci_variant_counters edu_counters = {
	.nr = 2, .offset = offsetof(struct edu, counts)
};

static int edu_add_regions(struct vfio_pci_variant_device *vvdev)
{
	return vfio_pci_variant_add_counters(vvdev, VFIO_REGION_TYPE_PCI_VENDOR_TYPE |
					     EDU_VENDOR, 1, &edu_counters);
}

/* [setting] */
VFIO_PCI_VARIANT_UINT(limit, 12, 1, 12, "Largest number whose factorial is computed");
static struct vfio_pci_variant_setting * const edu_settings[] = { &limit, NULL };

/* [register] */
static int edu_ask(struct vfio_pci_variant_device *vvdev,
		   const struct vfio_pci_variant_reg *reg, u64 value, u64 mask)
{
	u64 most = vfio_pci_variant_value(vvdev, &limit);
	struct edu *edu = vfio_pci_variant_priv(vvdev);

	/* To the device a part of the register is nothing. */
	if (mask == U32_MAX) {
		atomic64_inc(&edu->counts[0]);
		atomic64_add(value > most, &edu->counts[1]);
	}
	return vfio_pci_variant_pass_write(vvdev, reg, min(value, most), mask);
}

static const struct vfio_pci_variant_reg edu_regs[] = {
	{ .bar = 0, .offset = 0x08, .width = 4, .write = edu_ask },
};

/* [quirk] */
static const struct vfio_pci_quirk edu_quirks[] = { {
	.match = { PCI_DEVICE(EDU_VENDOR, EDU_DEVICE) },
	.reason = "edu: it has no power management",
	.set = VFIO_PCI_QUIRK_DISABLE_IDLE_D3,
} };

/* [variant] */
static const struct vfio_pci_variant_ops edu_ops = {
	.priv_size = sizeof(struct edu),
	.add_regions = edu_add_regions,
	.mmio_bars = BIT(0),
	.regs = edu_regs,
	.nr_regs = ARRAY_SIZE(edu_regs),
};

static const struct pci_device_id edu_ids[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(EDU_VENDOR, EDU_DEVICE) },
	{ }
};
MODULE_DEVICE_TABLE(pci, edu_ids);
VFIO_PCI_VARIANT_ADOPTABLE("1234", "11E8");

static struct vfio_pci_variant edu_variant = {
	.name = "vfio-pci-edu",
	.id_table = edu_ids,
	.ops = &edu_ops,
	.quirks = edu_quirks,
	.nr_quirks = ARRAY_SIZE(edu_quirks),
	.settings = edu_settings,
	.specialised = true,
	.params = &params,
};
module_vfio_pci_variant(edu_variant);

MODULE_DESCRIPTION("VFIO for QEMU's edu device");
MODULE_AUTHOR("vfio-pci-variants maintainers");
MODULE_VERSION("1.0");
MODULE_LICENSE("GPL");
