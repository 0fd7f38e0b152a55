// SPDX-License-Identifier: GPL-2.0-only
/*
 * Intel graphics: the OpRegion and the config space of the two bridges that a
 * guest's driver and firmware look at, as regions.
 */
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/vfio_pci_variant.h>

#include "opregion.h"

VFIO_PCI_VARIANT_PARAMS(params);

VFIO_PCI_VARIANT_BOOL(disable_opregion, false,
		      "Leave out the OpRegion; ASLS reads as 0 then");
VFIO_PCI_VARIANT_BOOL(disable_bridges, false,
		      "Leave out the config space of the host and LPC bridge");
VFIO_PCI_VARIANT_BOOL(strict, false,
		      "Refuse to open a device of which a region can't be shown");

static struct vfio_pci_variant_setting * const igd_settings[] = {
	&disable_opregion,
	&disable_bridges,
	&strict,
	NULL
};

#define IGD_REGION_TYPE \
	(VFIO_REGION_TYPE_PCI_VENDOR_TYPE | PCI_VENDOR_ID_INTEL)

/* Physical address of the OpRegion, left there by the firmware. */
#define IGD_ASLS		0xfc

/*
 * What holds for one bound function. ASLS is read at bind and never given to the
 * user: what they write there must not be taken for the firmware's word by the next
 * open. That a user of another driver wrote to it can't be known. @plain: why it has
 * nothing but what each function has, or NULL.
 */
struct igd {
	const char *plain;
	u32 asls;
};

/*
 * A match is not an identity. driver_override and ids= bind what the table does not
 * match; and a VF of Intel graphics has its PF's vendor and class, but the firmware
 * knows nothing of it: the OpRegion and the bridges are for the PF's driver.
 */
static const char *igd_why_plain(struct pci_dev *pdev)
{
	if (pdev->vendor != PCI_VENDOR_ID_INTEL ||
	    pdev->class >> 16 != PCI_BASE_CLASS_DISPLAY)
		return "it is no display controller of Intel's";
	if (pdev->is_virtfn)
		return "it is a VF, which is a plain function";
	return NULL;
}

/*
 * The processor's graphics is 00:02.0 on every machine that has it. A card is behind
 * a port, or, in a virtual machine, anywhere on bus 0.
 */
static bool igd_is_processors(struct pci_dev *pdev)
{
	return !pdev->bus->number && pdev->devfn == PCI_DEVFN(2, 0);
}

static int igd_init(struct vfio_pci_variant_device *vvdev)
{
	struct igd *igd = vfio_pci_variant_priv(vvdev);

	igd->plain = igd_why_plain(vvdev->core.pdev);
	if (igd->plain)
		return 0;
	return pci_read_config_dword(vvdev->core.pdev, IGD_ASLS, &igd->asls);
}

/* What QEMU 11.1 makes of it: it knows Intel graphics by this region alone. */
#define IGD_NO_OPREGION \
	"QEMU 11.1 applies no Intel graphics quirk (BDSM) without it"

/* @what can't be shown: does the open fail? If not, @effect is what comes of it. */
static int igd_leave_out(struct vfio_pci_variant_device *vvdev, const char *what,
			 const char *why, const char *effect, int error)
{
	if (vfio_pci_variant_value(vvdev, &strict)) {
		pci_warn(vvdev->core.pdev,
			 "vfio-pci-igd: %s: %s; not opened, as strict is set; strict=0 opens without it\n",
			 what, why);
		return error;
	}
	pci_warn(vvdev->core.pdev,
		 "vfio-pci-igd: %s left out: %s; %s; strict=1 refuses to open\n",
		 what, why, effect);
	return 0;
}

/* --- the OpRegion ------------------------------------------------------------ */

/*
 * Is all of it memory that the firmware keeps for itself? An address elsewhere is
 * wrong, and would show the user what is the kernel's or another device's.
 */
static bool igd_is_firmwares(u64 addr, u32 size)
{
	static const unsigned long kinds[] = {
		IORES_DESC_ACPI_NV_STORAGE, IORES_DESC_RESERVED,
		IORES_DESC_ACPI_TABLES,
	};
	size_t i;

	/* memremap() warns of addresses that the processor does not have. */
	if (addr > iomem_resource.end || size - 1 > iomem_resource.end - addr)
		return false;
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (region_intersects(addr, size, IORESOURCE_MEM, kinds[i]) ==
		    REGION_INTERSECTS)
			return true;
	return false;
}

static void igd_unmap(const void *mapped)
{
	if (mapped)
		memunmap((void *)mapped);
}

static int igd_opregion_fill(void *data, u8 *buf, size_t count, loff_t at)
{
	igd_opregion_read(data, buf, count, at);
	return 0;
}

static void igd_opregion_free(void *data)
{
	struct igd_opregion *region = data;

	igd_unmap(region->vbt);
	igd_unmap(region->base);
	kfree(region);
}

static const struct vfio_pci_variant_ro_ops igd_opregion_ops = {
	.read = igd_opregion_fill,
	.release = igd_opregion_free,
};

/*
 * Map what is at @addr. Returns 0, -ENOMEM, or -EINVAL with what is wrong in @why;
 * what is mapped by then stays for igd_opregion_free().
 */
static int igd_opregion_map(struct igd_opregion *region, u32 addr,
			    const char **why)
{
	enum igd_fault fault;
	const u8 *base;

	*why = "ASLS does not point to memory of the firmware";
	if (!igd_is_firmwares(addr, IGD_OPREGION_SIZE))
		return -EINVAL;
	base = memremap(addr, IGD_OPREGION_SIZE, MEMREMAP_WB);
	if (!base)
		return -ENOMEM;

	fault = igd_opregion_parse(region, base);
	*why = igd_fault_text(fault);
	return fault == IGD_OK ? 0 : -EINVAL;
}

/* Map the VBT outside of the OpRegion at @addr, if there is one; the same returns. */
static int igd_vbt_map(struct igd_opregion *region, u32 addr, const char **why)
{
	enum igd_fault fault;

	fault = igd_vbt_find(region, addr);
	*why = igd_fault_text(fault);
	if (fault != IGD_OK)
		return -EINVAL;
	if (!region->vbt_size)
		return 0;

	*why = "RVDA does not point to memory of the firmware";
	if (!igd_is_firmwares(region->vbt_addr, region->vbt_size))
		return -EINVAL;
	region->vbt = memremap(region->vbt_addr, region->vbt_size, MEMREMAP_WB);
	if (!region->vbt)
		return -ENOMEM;

	fault = igd_vbt_check(region->vbt, region->vbt_size);
	*why = igd_fault_text(fault);
	return fault == IGD_OK ? 0 : -EINVAL;
}

/* The same of both. A bad VBT is no reason to show no OpRegion. */
static int igd_map(struct vfio_pci_variant_device *vvdev,
		   struct igd_opregion *region, bool *good)
{
	const struct igd *igd = vfio_pci_variant_priv(vvdev);
	const char *why;
	int ret;

	ret = igd_opregion_map(region, igd->asls, &why);
	if (ret == -EINVAL)
		return igd_leave_out(vvdev, "OpRegion", why,
				     IGD_NO_OPREGION ", disable_opregion=1 silences this",
				     ret);
	if (ret)
		return ret;

	ret = igd_vbt_map(region, igd->asls, &why);
	if (ret == -EINVAL) {
		igd_unmap(region->vbt);
		region->vbt = NULL;
		igd_vbt_hide(region);
		ret = igd_leave_out(vvdev, "VBT outside of the OpRegion", why,
				    "RVDA and RVDS read as 0", ret);
	}
	*good = !ret;
	return ret;
}

/* -EINVAL if the function has no such register. */
static int igd_show_asls(struct vfio_pci_variant_device *vvdev, u32 value)
{
	__le32 asls = cpu_to_le32(value);

	return vfio_pci_variant_emulate_config(vvdev, IGD_ASLS, &asls,
					       sizeof(asls));
}

/* Nothing is wrong, but there is none. */
static void igd_no_opregion(struct vfio_pci_variant_device *vvdev,
			    const char *why)
{
	struct pci_dev *pdev = vvdev->core.pdev;

	/* Of a card nobody expects one. */
	pci_info(pdev, "vfio-pci-igd: no OpRegion: %s%s\n", why,
		 igd_is_processors(pdev) ? "; " IGD_NO_OPREGION : "");
}

/* Sets @shown if there is a region now, and ASLS says so. */
static int igd_add_opregion(struct vfio_pci_variant_device *vvdev, bool *shown)
{
	const struct igd *igd = vfio_pci_variant_priv(vvdev);
	struct igd_opregion *region;
	bool good = false;
	int ret;

	if (vfio_pci_variant_value(vvdev, &disable_opregion)) {
		igd_no_opregion(vvdev, "disable_opregion is set");
		return 0;
	}
	if (!igd->asls || igd->asls == U32_MAX) {
		igd_no_opregion(vvdev, "the firmware left no address in ASLS");
		return 0;
	}

	region = kzalloc(sizeof(*region), GFP_KERNEL_ACCOUNT);
	if (!region)
		return -ENOMEM;

	ret = igd_map(vvdev, region, &good);
	if (!good)
		goto err_free;

	ret = vfio_pci_variant_add_ro_region(vvdev, IGD_REGION_TYPE,
					     VFIO_REGION_SUBTYPE_INTEL_IGD_OPREGION,
					     igd_opregion_size(region),
					     &igd_opregion_ops, region);
	if (ret)
		goto err_free;
	*shown = true;
	return igd_show_asls(vvdev, igd->asls);

err_free:
	igd_opregion_free(region);
	return ret;
}

/* --- the bridges -------------------------------------------------------------- */

static const struct igd_bridge {
	const char *name;
	unsigned int devfn;
	u16 class;
	u32 subtype;
} igd_bridges[] = {
	{
		.name = "host bridge",
		.devfn = PCI_DEVFN(0, 0),
		.class = PCI_CLASS_BRIDGE_HOST,
		.subtype = VFIO_REGION_SUBTYPE_INTEL_IGD_HOST_CFG,
	}, {
		.name = "LPC bridge",
		.devfn = PCI_DEVFN(0x1f, 0),
		.class = PCI_CLASS_BRIDGE_ISA,
		.subtype = VFIO_REGION_SUBTYPE_INTEL_IGD_LPC_CFG,
	},
};

static int igd_bridge_read(void *data, u8 *buf, size_t count, loff_t at)
{
	__le32 dword;
	size_t n;
	u32 value;
	int ret;

	/* A dword at a time where it fits: each takes a lock and a cycle. */
	for (; count; count -= n, buf += n, at += n) {
		if (at % 4 || count < 4) {
			n = 1;
			ret = pci_user_read_config_byte(data, at, buf);
		} else {
			n = 4;
			ret = pci_user_read_config_dword(data, at, &value);
			dword = cpu_to_le32(value);
			memcpy(buf, &dword, n);
		}
		if (ret)
			return ret;
	}

	return 0;
}

static void igd_bridge_release(void *data)
{
	pci_dev_put(data);
}

static const struct vfio_pci_variant_ro_ops igd_bridge_ops = {
	.read = igd_bridge_read,
	.release = igd_bridge_release,
};

#define IGD_NO_BRIDGE \
	"QEMU's legacy mode and x-igd-lpc need it, disable_bridges=1 silences this"

static int igd_add_bridge(struct vfio_pci_variant_device *vvdev,
			  const struct igd_bridge *bridge)
{
	struct pci_dev *pdev;
	int ret;

	pdev = pci_get_domain_bus_and_slot(pci_domain_nr(vvdev->core.pdev->bus),
					   0, bridge->devfn);
	if (!pdev)
		return igd_leave_out(vvdev, bridge->name, "there is none",
				     IGD_NO_BRIDGE, -ENODEV);

	if (pdev->vendor != PCI_VENDOR_ID_INTEL ||
	    pdev->class >> 8 != bridge->class) {
		ret = igd_leave_out(vvdev, bridge->name, "what is there is not Intel's",
				    IGD_NO_BRIDGE, -EINVAL);
		goto err_put;
	}

	ret = vfio_pci_variant_add_ro_region(vvdev, IGD_REGION_TYPE,
					     bridge->subtype, pdev->cfg_size,
					     &igd_bridge_ops, pdev);
	if (ret)
		goto err_put;
	return 0;

err_put:
	pci_dev_put(pdev);
	return ret;
}

/* --- the variant -------------------------------------------------------------- */

static int igd_add_regions(struct vfio_pci_variant_device *vvdev)
{
	const struct igd *igd = vfio_pci_variant_priv(vvdev);
	struct pci_dev *pdev = vvdev->core.pdev;
	bool shown = false;
	size_t i;
	int ret;

	if (igd->plain) {
		pci_info(pdev, "vfio-pci-igd: no OpRegion, no bridges: %s\n",
			 igd->plain);
		return 0;
	}

	/* The register is the host driver's, the user gets one of their own. */
	if (igd_show_asls(vvdev, 0)) {
		igd_no_opregion(vvdev, "a capability lies where ASLS would be");
	} else {
		ret = igd_add_opregion(vvdev, &shown);
		if (ret)
			return ret;
	}

	/* A card is no part of what the bridges tell of. */
	if (vfio_pci_variant_value(vvdev, &disable_bridges) ||
	    (!shown && !igd_is_processors(pdev)))
		return 0;

	for (i = 0; i < ARRAY_SIZE(igd_bridges); i++) {
		ret = igd_add_bridge(vvdev, &igd_bridges[i]);
		if (ret)
			return ret;
	}

	return 0;
}

static const struct vfio_pci_variant_ops igd_ops = {
	.priv_size = sizeof(struct igd),
	.init = igd_init,
	.add_regions = igd_add_regions,
};

/* By class: there is no list of IDs that would last. */
#define IGD_CLASS(__class)						\
	.vendor = PCI_VENDOR_ID_INTEL, .device = PCI_ANY_ID,		\
	.subvendor = PCI_ANY_ID, .subdevice = PCI_ANY_ID,		\
	.class = (__class) << 8, .class_mask = 0xffff00,		\
	.override_only = PCI_ID_F_VFIO_DRIVER_OVERRIDE

static const struct pci_device_id igd_ids[] = {
	{ IGD_CLASS(PCI_CLASS_DISPLAY_VGA) },
	{ IGD_CLASS(PCI_CLASS_DISPLAY_OTHER) },
	{ }
};
MODULE_DEVICE_TABLE(pci, igd_ids);
VFIO_PCI_VARIANT_ADOPTABLE_CLASS("8086", "03", "00");
VFIO_PCI_VARIANT_ADOPTABLE_CLASS("8086", "03", "80");

static struct vfio_pci_variant variant = {
	.name = "vfio-pci-igd",
	.id_table = igd_ids,
	.ops = &igd_ops,
	.settings = igd_settings,
	.specialised = true,
	.params = &params,
};
module_vfio_pci_variant(variant);

MODULE_DESCRIPTION("VFIO for Intel graphics: OpRegion, host and LPC bridge");
MODULE_AUTHOR("vfio-pci-variants maintainers");
MODULE_LICENSE("GPL");
MODULE_VERSION(VPV_VERSION);
