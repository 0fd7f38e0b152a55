// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is private to PCI and VFIO, or differs between the kernels we serve: how
 * the latched settings reach vfio-pci-core. How the PCI core resets is in ways.c.
 *
 * A kernel with per-device bits takes them once, at init. In older ones
 * nointxmask and disable_vga are globals of the core that the in-tree vfio-pci
 * sets when it loads. Those are not ours to write, and what they hold must not
 * show in our devices: the core's decisions are corrected at each open, where
 * they are made. disable_idle_d3 is a per-device bit in every kernel we serve;
 * the list of functions whose INTx is not for users is private to the core in all
 * of them, ours is a table of quirks.
 */
#include <linux/aperture.h>
#include <linux/interrupt.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/vgaarb.h>

#include "compat.h"
#include "core.h"

#ifdef VPV_HAVE_DMABUF_OPS
/* A BAR of which a part is not to be mapped is not to be exported either. */
static int vpv_get_dmabuf_phys(struct vfio_pci_core_device *core,
			       struct p2pdma_provider **provider,
			       unsigned int region_index,
			       struct phys_vec *phys_vec,
			       struct vfio_region_dma_range *dma_ranges,
			       size_t nr_ranges)
{
	const struct vfio_pci_variant_device *vvdev =
		to_vfio_pci_variant_device(core);

	if ((vvdev->no_mmap | vvdev->reg_bars | vvdev->ops->mmap_bars) &
	    BIT(region_index))
		return -EINVAL;
	return vfio_pci_core_get_dmabuf_phys(core, provider, region_index,
					     phys_vec, dma_ranges, nr_ranges);
}

static const struct vfio_pci_device_ops vpv_pci_ops = {
	.get_dmabuf_phys = vpv_get_dmabuf_phys,
};

static void init_pci_ops(struct vfio_pci_core_device *core)
{
	core->pci_ops = &vpv_pci_ops;
}
#else
static void init_pci_ops(struct vfio_pci_core_device *core)
{
}
#endif

static void set_intx(struct vfio_pci_core_device *core, bool on)
{
	__le16 *cmd = (__le16 *)&core->vconfig[PCI_COMMAND];

	pci_intx(core->pdev, on);
	/* What the user sees is a copy that the core has made by now. */
	if (on)
		*cmd &= ~cpu_to_le16(PCI_COMMAND_INTX_DISABLE);
	else
		*cmd |= cpu_to_le16(PCI_COMMAND_INTX_DISABLE);
}

/* The core hides the pin for other reasons as well. */
static void show_pin(struct vfio_pci_core_device *core)
{
	struct pci_dev *pdev = core->pdev;

	if (IS_ENABLED(CONFIG_VFIO_PCI_INTX) && !pdev->is_virtfn &&
	    pdev->irq && pdev->irq != IRQ_NOTCONNECTED)
		pci_read_config_byte(pdev, PCI_INTERRUPT_PIN,
				     &core->vconfig[PCI_INTERRUPT_PIN]);
}

#ifdef VPV_HAVE_DEVICE_SETTINGS
/*
 * The core has gone by our setting. Only its list of functions without INTx may say
 * something else than our rows.
 */
static bool intx_is_right(const struct vfio_pci_core_device *core, bool hide)
{
	const __le16 *command = (const __le16 *)&core->vconfig[PCI_COMMAND];

	if (!hide)
		return !core->nointx;
	return !core->pci_2_3 &&
	       le16_to_cpu(*command) & PCI_COMMAND_INTX_DISABLE;
}
#else
static bool intx_is_right(const struct vfio_pci_core_device *core, bool hide)
{
	return false;
}
#endif

/*
 * How INTx is masked follows from the latched setting and our quirks. The core
 * goes by its own list of functions without INTx, in older kernels by its global
 * nointxmask too: what it came to is put right here, where the function is in D0
 * and nobody can use it yet.
 */
static void correct_intx(struct vfio_pci_variant_device *vvdev, bool hide)
{
	struct vfio_pci_core_device *core = &vvdev->core;
	bool was_hidden = core->nointx && !hide;

	if (intx_is_right(core, hide))
		return;

	core->nointx = hide;
	core->pci_2_3 = !hide && !vvdev->settings.nointxmask &&
			pci_intx_mask_supported(core->pdev);
	if (hide)
		set_intx(core, false);
	else if (was_hidden || core->pci_2_3)
		set_intx(core, true);
	if (was_hidden)
		show_pin(core);
}

#ifdef VPV_HAVE_DEVICE_SETTINGS
static void init_settings(struct vfio_pci_core_device *core,
			  const struct vfio_pci_variant_settings *settings)
{
	core->nointxmask = settings->nointxmask;
	core->disable_vga = settings->disable_vga;
}

static void correct_vga(struct vfio_pci_variant_device *vvdev)
{
}

/**
 * vpv_compat_registered - settings that need a registered device
 * @vvdev: the device, just registered; device lock held
 */
void vpv_compat_registered(struct vfio_pci_variant_device *vvdev)
{
}
#else /* !VPV_HAVE_DEVICE_SETTINGS */
static void init_settings(struct vfio_pci_core_device *core,
			  const struct vfio_pci_variant_settings *settings)
{
}

static bool is_vga(struct pci_dev *pdev)
{
	return pdev->class >> 8 == PCI_CLASS_DISPLAY_VGA;
}

/* The core goes by its global, and never clears what it once set. */
static void correct_vga(struct vfio_pci_variant_device *vvdev)
{
	vvdev->core.has_vga = is_vga(vvdev->core.pdev) &&
			      !vvdev->settings.disable_vga;
}

static bool is_below(const struct pci_bus *bus, const struct pci_bus *top)
{
	for (; bus; bus = bus->parent)
		if (bus == top)
			return true;
	return false;
}

/* Does the bridge above @pdev route legacy ranges to another VGA device too? */
static bool shares_vga_routing(struct pci_dev *pdev)
{
	struct pci_dev *other = NULL;

	while ((other = pci_get_class(PCI_CLASS_DISPLAY_VGA << 8, other))) {
		if (other != pdev && is_below(other->bus, pdev->bus)) {
			pci_dev_put(other);
			return true;
		}
	}

	return false;
}

/*
 * A device whose user has no access to the legacy ranges does not take part in
 * their arbitration, so that the others need not wait for it. That holds only
 * if a bridge can shut the ranges off for it alone.
 */
static unsigned int set_decode(struct pci_dev *pdev, bool single_vga)
{
	struct vfio_pci_core_device *core = pci_get_drvdata(pdev);
	unsigned int normal = VGA_RSRC_NORMAL_IO | VGA_RSRC_NORMAL_MEM;
	unsigned int legacy = VGA_RSRC_LEGACY_IO | VGA_RSRC_LEGACY_MEM;

	if (pdev->is_virtfn)
		return normal;
	if (to_vfio_pci_variant_device(core)->settings.disable_vga &&
	    !single_vga && !pci_is_root_bus(pdev->bus) &&
	    !shares_vga_routing(pdev))
		return normal;

	return normal | legacy;
}

void vpv_compat_registered(struct vfio_pci_variant_device *vvdev)
{
	struct pci_dev *pdev = vvdev->core.pdev;

	/*
	 * Registration made the core the arbiter's client, which answers by the
	 * core's global until here. Take its place; the core's unregistering
	 * drops whichever client there is, while our drvdata is still there.
	 */
	if (!is_vga(pdev) || vga_client_register(pdev, set_decode))
		return;
	vga_set_legacy_decoding(pdev, set_decode(pdev, false));
}
#endif /* VPV_HAVE_DEVICE_SETTINGS */

/**
 * vpv_compat_init - hand the latched settings to the core
 * @vvdev: the device, after vfio_pci_core_init_dev(), which copies globals of
 *	the core into some of these fields
 */
void vpv_compat_init(struct vfio_pci_variant_device *vvdev)
{
	vvdev->core.disable_idle_d3 = vvdev->settings.disable_idle_d3;
	init_settings(&vvdev->core, &vvdev->settings);
	init_pci_ops(&vvdev->core);
}

/**
 * vpv_compat_enable - vfio_pci_core_enable() under the device's own settings
 * @vvdev: the device, dev_set lock held
 *
 * Return: what vfio_pci_core_enable() returned.
 */
int vpv_compat_enable(struct vfio_pci_variant_device *vvdev)
{
	struct vfio_pci_core_device *core = &vvdev->core;
	bool hide = !vvdev->settings.nointxmask &&
		    vpv_quirk(vvdev, VFIO_PCI_QUIRK_NO_INTX);
	int ret;

	/* Asked in there, when the copy of config space is made; never cleared. */
	core->nointx = hide;
	core->pci_2_3 = false;

	ret = vfio_pci_core_enable(core);
	if (ret)
		return ret;

	correct_intx(vvdev, hide);
	correct_vga(vvdev);
	return 0;
}

/* --- memory ------------------------------------------------------------------- */

/**
 * vfio_pci_variant_mmio_begin - make sure that the function's memory answers
 * @vvdev: the device, open and kept awake, as in its open, add_regions, close and rw
 *	hooks and when one of its regions is read or written; not when that is mapped or
 *	released
 *
 * Until vfio_pci_variant_mmio_end() the user can neither clear Memory Enable nor put
 * the function in D3hot nor reset it. In between call nothing of the core's
 * that reads, writes or resets the function, and do not touch user memory: both take
 * the lock that is held here, the latter in the page fault of a mapped BAR. That lock,
 * the core's memory_lock, is held for writing while reset_done runs: a lock that is taken
 * there or in callbacks of a register is taken after it, between the two calls, and is
 * never held when this one is called.
 *
 * Return: 0; or -EIO, as the core's own accesses, if the function is not in D0 or its
 * memory is off. Then nothing is held.
 */
int vfio_pci_variant_mmio_begin(struct vfio_pci_variant_device *vvdev)
{
	struct vfio_pci_core_device *core = &vvdev->core;
	__le16 *command = (__le16 *)&core->vconfig[PCI_COMMAND];

	/*
	 * The core asks the same, but for D1 and D2, in a function that it has to itself,
	 * and changes all of it with this lock held for writing. In D1 and D2 a
	 * function decodes no memory (PCI Power Management 1.2, 3.2.1). In config
	 * space of a VF there is no Memory Enable.
	 */
	down_read(&core->memory_lock);
	if (core->pdev->current_state == PCI_D0 &&
	    (core->pdev->no_command_memory ||
	     le16_to_cpu(*command) & PCI_COMMAND_MEMORY))
		return 0;

	up_read(&core->memory_lock);
	return -EIO;
}
EXPORT_SYMBOL_GPL(vfio_pci_variant_mmio_begin);

/**
 * vfio_pci_variant_mmio_end - mirror of vfio_pci_variant_mmio_begin()
 * @vvdev: the device
 */
void vfio_pci_variant_mmio_end(struct vfio_pci_variant_device *vvdev)
{
	up_read(&vvdev->core.memory_lock);
}
EXPORT_SYMBOL_GPL(vfio_pci_variant_mmio_end);

/**
 * vpv_compat_intx_off - is INTx to be disabled in a function that lost COMMAND?
 * @core: its device, which is open
 *
 * By what the core keeps of interrupts. Whether it has masked an INTx in use is
 * not for others to see. Then it is left disabled: nobody would serve it, and a
 * user who sets it up anew enables it. Where the irqchip masks, the core never
 * enables it again.
 *
 * Return: true for INTx Disable set.
 */
bool vpv_compat_intx_off(const struct vfio_pci_core_device *core)
{
	switch (core->irq_type) {
	case VFIO_PCI_MSI_IRQ_INDEX:
	case VFIO_PCI_MSIX_IRQ_INDEX:
		return true;
	case VFIO_PCI_INTX_IRQ_INDEX:
		return core->pci_2_3;
	default:
		return core->nointx || core->virq_disabled;
	}
}

/**
 * vpv_compat_was_reset - have the PCI core know that a reset put a function into D0
 * @pdev: the function, in a slot_reset handler
 *
 * Its user may have had it in D3hot, and MSI-X tables are restored in D0 only.
 * pci_set_power_state() is not for such a handler: where the state changes it takes
 * pci_bus_sem for reading, which the walk of the recovery holds.
 */
void vpv_compat_was_reset(struct pci_dev *pdev)
{
	u16 pmcsr = 0;

	if (pdev->pm_cap)
		pci_read_config_word(pdev, pdev->pm_cap + PCI_PM_CTRL, &pmcsr);
	if (!(pmcsr & PCI_PM_CTRL_STATE_MASK))
		pdev->current_state = PCI_D0;
}

/**
 * vpv_compat_evict_framebuffers - take the BARs of a display from boot framebuffers
 * @vvdev: the device, not registered yet; device lock held
 *
 * The firmware's framebuffer (vesafb, efifb, simpledrm) lies in a BAR of whatever the
 * firmware took for the display, and claims it. The core evicts it when it registers
 * a VGA device, but not from display controllers of other classes. A VF is no display
 * of the firmware's.
 */
void vpv_compat_evict_framebuffers(struct vfio_pci_variant_device *vvdev)
{
	struct pci_dev *pdev = vvdev->core.pdev;

	if (pdev->is_virtfn || pdev->class >> 16 != PCI_BASE_CLASS_DISPLAY ||
	    pdev->class >> 8 == PCI_CLASS_DISPLAY_VGA)
		return;
	/* It fails for VGA's own parts only; what still has a BAR is named at open. */
	aperture_remove_conflicting_pci_devices(pdev, vvdev->variant->name);
}

/**
 * vfio_pci_variant_set_vm_flags - mark a mapping
 * @vma: the mapping, of a region with a mmap hook of its own
 * @flags: %VM_PFNMAP and the like, are added to what it has
 *
 * vm_flags_set() where the kernel has it. Locks: mmap_lock of the process, for
 * writing, as in a mmap hook.
 */
void vfio_pci_variant_set_vm_flags(struct vm_area_struct *vma, unsigned long flags)
{
#ifdef VPV_HAVE_VM_FLAGS_SET
	vm_flags_set(vma, flags);
#else
	vma->vm_flags |= flags;
#endif
}
EXPORT_SYMBOL_GPL(vfio_pci_variant_set_vm_flags);

/* Whose BAR a mapping is of, as the core notes in it. */
static struct vfio_pci_variant_device *vma_to_vvdev(struct vm_area_struct *vma)
{
	return to_vfio_pci_variant_device(vma->vm_private_data);
}

#ifdef VPV_CORE_LISTS_MAPPINGS
/*
 * To take a BAR away from its user, as when they clear Memory Enable or reset the
 * function, this core unmaps the mappings that it has listed, which are those that
 * were accessed. What is mapped without a fault must not be: its open hook unmaps
 * what a new mapping has. But fork and mremap call that hook first and copy or move
 * the page tables later. Mappings in a child, or moved ones, could be used while
 * the function does not decode memory, for which some machines stop.
 */
static const struct vm_operations_struct *core_bar_ops;

/* A copy of a mapping that has nothing mapped yet, though it says so? */
static bool is_to_be_moved_to(struct vm_area_struct *vma)
{
#ifdef VM_PAT
	unsigned long pfn;

	return vma->vm_flags & VM_PAT && follow_pfn(vma, vma->vm_start, &pfn);
#else
	return false;
#endif
}

/* Locks: mmap_lock of the process, and of its parent, for writing. */
static void bar_open(struct vm_area_struct *vma)
{
	if (vma->vm_mm != current->mm) {
		/*
		 * In fork: have it copy nothing, so that what the child accesses is
		 * listed. Each time anew, as madvise() clears the flag.
		 */
		vma->vm_flags |= VM_WIPEONFORK;
		return;
	}

	/* In mremap: to unmap nothing would be a WARN. bar_mremap() follows. */
	if (!is_to_be_moved_to(vma))
		core_bar_ops->open(vma);
}

/* Locks: mmap_lock of the process for writing. */
static int bar_mremap(struct vm_area_struct *vma)
{
	zap_vma_ptes(vma, vma->vm_start, vma->vm_end - vma->vm_start);
	return 0;
}

static void bar_close(struct vm_area_struct *vma)
{
	core_bar_ops->close(vma);
}

static vm_fault_t bar_fault(struct vm_fault *vmf)
{
	vpv_touch(vma_to_vvdev(vmf->vma));
	return core_bar_ops->fault(vmf);
}

static const struct vm_operations_struct bar_ops = {
	.open = bar_open,
	.close = bar_close,
	.mremap = bar_mremap,
	.fault = bar_fault,
};

/**
 * vpv_mmap - map a region
 * @vdev: the device
 * @vma: the mapping; mmap_lock of the process held for writing
 *
 * Return: what vfio_pci_core_mmap() returned.
 */
int vpv_mmap(struct vfio_device *vdev, struct vm_area_struct *vma)
{
	/* The core writes another number to the mapping of a BAR. */
	bool is_bar = vma->vm_pgoff >> (VFIO_PCI_OFFSET_SHIFT - PAGE_SHIFT) <
		      VFIO_PCI_ROM_REGION_INDEX;
	int ret;

	ret = vfio_pci_core_mmap(vdev, vma);
	if (ret || !is_bar)
		return ret;

	/* The same for all BARs of all functions. */
	WRITE_ONCE(core_bar_ops, vma->vm_ops);
	vma->vm_ops = &bar_ops;
	return 0;
}

/* vpv_compat_watch(), see below: each such mapping is watched. */
bool vpv_compat_watch(const struct vfio_pci_variant_device *vvdev,
		      struct vm_area_struct *vma)
{
	return true;
}
#else /* !VPV_CORE_LISTS_MAPPINGS */
static const struct vm_operations_struct *core_bar_ops;

static vm_fault_t watched_fault(struct vm_fault *vmf)
{
	vpv_touch(vma_to_vvdev(vmf->vma));
	return core_bar_ops->fault(vmf);
}

static const struct vm_operations_struct watched_ops = {
	.fault = watched_fault,
};

#ifdef VPV_HAVE_PAGE_ENTRY_SIZE
static const struct vm_operations_struct *watched(const struct vm_operations_struct *ops)
{
	return ops->huge_fault ? NULL : &watched_ops;
}
#else
static vm_fault_t watched_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	vpv_touch(vma_to_vvdev(vmf->vma));
	return core_bar_ops->huge_fault(vmf, order);
}

static const struct vm_operations_struct watched_huge_ops = {
	.fault = watched_fault,
	.huge_fault = watched_huge_fault,
};

static const struct vm_operations_struct *watched(const struct vm_operations_struct *ops)
{
	return ops->huge_fault ? &watched_huge_ops : &watched_ops;
}
#endif /* VPV_HAVE_PAGE_ENTRY_SIZE */

/**
 * vpv_compat_watch - have the first use of a mapping be a touch of its function
 * @vvdev: the device
 * @vma: the core's mapping of a BAR, just made; mmap_lock of the process held for
 *	writing
 *
 * Return: false if this kernel's mappings can't be watched: they have operations that
 * we don't know.
 */
bool vpv_compat_watch(const struct vfio_pci_variant_device *vvdev,
		      struct vm_area_struct *vma)
{
	const struct vm_operations_struct *ops = vma->vm_ops, *ours = watched(ops);
	const struct vm_operations_struct known = {
		.fault = ops->fault,
		.huge_fault = ops->huge_fault,
	};

	if (!ours || vma->vm_private_data != &vvdev->core ||
	    memcmp(&known, ops, sizeof(known)))
		return false;

	/* The same for all BARs of all functions. */
	WRITE_ONCE(core_bar_ops, ops);
	vma->vm_ops = ours;
	return true;
}
#endif /* VPV_CORE_LISTS_MAPPINGS */
