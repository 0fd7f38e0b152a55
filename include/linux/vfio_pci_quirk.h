/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Quirks of particular hardware, as data. The framework has a table of rows, a
 * variant may have one of its own, and the user adds rows with the quirks=
 * parameter of a module. All are of this one type.
 *
 * What applies to a function is found out once, when it is bound: the
 * framework's rows first, then the variant's, then the user's, each in their
 * order. Where two rows disagree the later one holds; what they hide or show
 * adds up. All of them stand above the module parameters.
 */
#ifndef VFIO_PCI_QUIRK_H
#define VFIO_PCI_QUIRK_H

#include <linux/bits.h>
#include <linux/mod_devicetable.h>
#include <linux/types.h>

struct vfio_pci_variant_device;

/* Flags of a row, with the names that quirks= and sysfs use. */

/* deny: unsafe in the hands of an untrusted user; binding fails with EINVAL */
#define VFIO_PCI_QUIRK_DENY		BIT(0)
/* nointxmask: mask INTx at the interrupt controller, not in the function */
#define VFIO_PCI_QUIRK_NOINTXMASK	BIT(1)
/* disable_vga: no access to the legacy VGA ranges */
#define VFIO_PCI_QUIRK_DISABLE_VGA	BIT(2)
/* disable_idle_d3: leave the function in D0 while nobody uses it */
#define VFIO_PCI_QUIRK_DISABLE_IDLE_D3	BIT(3)
/*
 * no_intx: hide INTx from the user and keep it disabled, unless nointxmask holds.
 * For functions that honour INTx Disable but whose INTx status bit is dead, so
 * that on a shared line VFIO can't tell whose interrupt it was. A function that
 * asserts INTx while it is disabled needs nointxmask instead.
 */
#define VFIO_PCI_QUIRK_NO_INTX		BIT(4)
/*
 * no_flr: never reset it by FLR, that of PCIe or that of Advanced Features, nor by
 * what the PCI core has for particular functions. Most of that is an FLR with
 * something around it; what is not, as for Ivy Bridge graphics, is ruled out too.
 */
#define VFIO_PCI_QUIRK_NO_FLR		BIT(5)
/* no_pm_reset: never reset it by way of D3hot; implies disable_idle_d3 */
#define VFIO_PCI_QUIRK_NO_PM_RESET	BIT(6)
/* no_bus_reset: never reset its slot or bus; rules out VFIO's hot reset too */
#define VFIO_PCI_QUIRK_NO_BUS_RESET	BIT(7)
/* no_reset: never reset it at all; implies disable_idle_d3 */
#define VFIO_PCI_QUIRK_NO_RESET		BIT(8)
/* always_reset: do each VFIO_DEVICE_RESET, also if the function is untouched since its open */
#define VFIO_PCI_QUIRK_ALWAYS_RESET	BIT(9)
/* standby: have it reset and ready before it is opened, in D0 while nobody uses it */
#define VFIO_PCI_QUIRK_STANDBY		BIT(10)
/* no_d3cold: do not let it, or a port above for its sake, lose its power while it sleeps */
#define VFIO_PCI_QUIRK_NO_D3COLD	BIT(11)

#define VFIO_PCI_QUIRK_FLAGS		GENMASK(11, 0)

/*
 * Ways to reset a function alone, with the names that quirks= and the kernel's
 * reset_method in sysfs have for them: what the PCI core has for particular functions,
 * ACPI's _RST, FLR of PCIe and of Advanced Features, by way of D3hot, by the bus above.
 */
#define VFIO_PCI_RESET_DEVICE_SPECIFIC	1
#define VFIO_PCI_RESET_ACPI		2
#define VFIO_PCI_RESET_FLR		3
#define VFIO_PCI_RESET_AF_FLR		4
#define VFIO_PCI_RESET_PM		5
#define VFIO_PCI_RESET_BUS		6
#define VFIO_PCI_RESET_CXL_BUS		7

/* How much one row may hold. Two rows can match one function. */
#define VFIO_PCI_QUIRK_MAX_CAPS		8
#define VFIO_PCI_QUIRK_MAX_CONFIG	16
#define VFIO_PCI_QUIRK_MAX_RESETS	7

/**
 * struct vfio_pci_quirk_byte - a byte of config space, as the user is shown it
 * @offset: 0 to 4095; not in COMMAND, the BARs or the ROM BAR, on whose bytes
 *	VFIO itself depends
 * @mask: the bits that are shown; 0 ends the list
 * @value: what they are shown as; 0 outside @mask
 *
 * The other bits read as the function has them. A write to the byte is dropped,
 * whatever its mask.
 */
struct vfio_pci_quirk_byte {
	u16 offset;
	u8 mask;
	u8 value;
};

/**
 * struct vfio_pci_quirk - what is special about some functions
 * @match: which ones; as in an ID table, class included. Mandatory.
 * @reason: what the hardware does, in a few words; names the product. For log
 *	and sysfs. Mandatory.
 * @set: VFIO_PCI_QUIRK_* flags that hold
 * @clear: flags that do not hold, though an earlier row or a parameter says so
 * @no_mmap: BIT(n) for each BAR n that is not to be mapped, nor exported as
 *	dma-buf. Reads and writes still work.
 * @hide_caps: IDs of capabilities to hide, in all places where they occur. The
 *	list skips them, and their bytes are a copy of the user's own, zeros at
 *	each open: the user does not reach the function through them. Those that
 *	vfio-pci-core does not know are not in the list anyway, and their bytes
 *	stay the function's. The ioctls know nothing of all that. 0 ends.
 * @hide_ext_caps: the same for extended capabilities. One at the start of the
 *	list becomes a null capability (ID 0), as the list must start there.
 * @resets: VFIO_PCI_RESET_*, how it is reset, in the order in which these ways are
 *	tried, and in no other way. 0 ends; none: as the PCI core does. The last row with
 *	some holds. A variant with a reset hook is reset by that unless this leaves out
 *	%VFIO_PCI_RESET_DEVICE_SPECIFIC.
 * @config: bytes of config space to show
 * @fixup: for what data cannot say. Runs at each open, after
 *	vfio_pci_core_enable() and after the rest of the row was applied, before
 *	the variant's open hook; dev_set lock held. On error the open fails with
 *	that errno and nothing undoes what the fixup did. sysfs shows its name.
 */
struct vfio_pci_quirk {
	struct pci_device_id match;
	const char *reason;
	u32 set;
	u32 clear;
	u8 no_mmap;
	u16 hide_caps[VFIO_PCI_QUIRK_MAX_CAPS];
	u16 hide_ext_caps[VFIO_PCI_QUIRK_MAX_CAPS];
	u8 resets[VFIO_PCI_QUIRK_MAX_RESETS];
	struct vfio_pci_quirk_byte config[VFIO_PCI_QUIRK_MAX_CONFIG];
	int (*fixup)(struct vfio_pci_variant_device *vvdev);
};

#endif /* VFIO_PCI_QUIRK_H */
