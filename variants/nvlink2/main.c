// SPDX-License-Identifier: GPL-2.0-only
/*
 * NVLink2 on POWER9: the RAM of a V100, which the processor reaches over the links, and
 * the register of a link's bridge that makes the GPU forget translations, as regions.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/property.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vfio_pci_variant.h>

#include "devmem.h"
#include "firmware.h"

VFIO_PCI_VARIANT_PARAMS(params);

VFIO_PCI_VARIANT_BOOL(allow_unmanaged_link, false,
		      "On bare metal, show regions of links that no kernel since 5.13 sets up: an access may stop the machine");

static struct vfio_pci_variant_setting * const nvlink2_settings[] = {
	&allow_unmanaged_link,
	NULL
};

/* The region of a function, as the user's offset has it. */
#define NVLINK2_PGOFF_MASK \
	((1ULL << (VFIO_PCI_OFFSET_SHIFT - PAGE_SHIFT)) - 1)

/**
 * struct nvlink2_kind - a sort of region
 * @name: for the log
 * @read: what the firmware says of it
 * @type: as in struct vfio_region_info_cap_type of <linux/vfio.h>
 * @subtype: likewise
 * @copy: within one page of it
 * @cached: it is memory
 * @ops: how the core uses it
 */
struct nvlink2_kind {
	const char *name;
	int (*read)(struct fwnode_handle *node, struct nvlink2_window *window,
		    const char **why);
	u32 type;
	u32 subtype;
	int (*copy)(u64 addr, void *buf, size_t count, bool iswrite);
	bool cached;
	struct vfio_pci_regops ops;
};

struct nvlink2_region {
	const struct nvlink2_kind *kind;
	struct nvlink2_window window;
};

/* --- read and write -------------------------------------------------------------- */

/*
 * Copy within one page. No mapping stands: behind the end of its RAM, of which the
 * firmware does not know, a GPU has nothing, and the processor prefetches from what is
 * mapped as memory.
 */
static int nvlink2_copy_memory(u64 addr, void *buf, size_t count, bool iswrite)
{
	unsigned long left = 0;
	void *page, *data;

	page = memremap(addr & PAGE_MASK, PAGE_SIZE, MEMREMAP_WB);
	if (!page)
		return -ENOMEM;
	data = page + offset_in_page(addr);
	if (iswrite)
		memcpy(data, buf, count);
	else
		left = copy_mc_to_kernel(buf, data, count);
	memunmap(page);
	return left ? -EIO : 0;
}

/* What is aligned, 8 or 4 bytes, is one access. @buf is aligned as @addr is. */
static int nvlink2_copy_register(u64 addr, void *buf, size_t count, bool iswrite)
{
	void __iomem *page, *data;
	size_t n;

	page = ioremap(addr & PAGE_MASK, PAGE_SIZE);
	if (!page)
		return -ENOMEM;
	data = page + offset_in_page(addr);
	for (; count; count -= n, data += n, buf += n) {
		if (IS_ALIGNED((unsigned long)data, 8) && count >= 8) {
			n = 8;
			if (iswrite)
				__raw_writeq(*(u64 *)buf, data);
			else
				*(u64 *)buf = __raw_readq(data);
		} else if (IS_ALIGNED((unsigned long)data, 4) && count >= 4) {
			n = 4;
			if (iswrite)
				__raw_writel(*(u32 *)buf, data);
			else
				*(u32 *)buf = __raw_readl(data);
		} else {
			n = 1;
			if (iswrite)
				__raw_writeb(*(u8 *)buf, data);
			else
				*(u8 *)buf = __raw_readb(data);
		}
	}
	iounmap(page);
	return 0;
}

/* By way of @bounce, a page: copy_from_user() clears what it fails to fill. */
static int nvlink2_rw_page(const struct nvlink2_region *region, loff_t at,
			   void *bounce, char __user *buf, size_t count,
			   bool iswrite)
{
	void *data = bounce + offset_in_page(at);
	int ret;

	if (iswrite && copy_from_user(data, buf, count))
		return -EFAULT;
	ret = region->kind->copy(region->window.addr + at, data, count, iswrite);
	if (ret)
		return ret;
	if (!iswrite && copy_to_user(buf, data, count))
		return -EFAULT;
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

static ssize_t nvlink2_rw(struct vfio_pci_core_device *core, char __user *buf,
			  size_t count, loff_t *ppos, bool iswrite)
{
	const struct vfio_pci_region *shown =
		&core->region[VFIO_PCI_OFFSET_TO_INDEX(*ppos) -
			      VFIO_PCI_NUM_REGIONS];
	loff_t at = *ppos & VFIO_PCI_OFFSET_MASK;
	size_t done, n;
	void *bounce;
	int ret = 0;

	if (at >= shown->size)
		return -EINVAL;
	count = min_t(size_t, count, shown->size - at);

	bounce = (void *)__get_free_page(GFP_KERNEL_ACCOUNT);
	if (!bounce)
		return -ENOMEM;
	for (done = 0; done < count && !ret; done += n) {
		n = min_t(size_t, count - done,
			  PAGE_SIZE - offset_in_page(at + done));
		ret = nvlink2_rw_page(shown->data, at + done, bounce, buf + done,
				      n, iswrite);
	}
	free_page((unsigned long)bounce);
	if (ret)
		return ret;

	*ppos += done;
	return done;
}

/* --- mmap -------------------------------------------------------------------------- */

/**
 * struct nvlink2_mapping - what an mmap() made
 * @region: of which; the mapping holds the file, which holds the region
 * @areas: as long as it moves there are two
 * @devmem: for DMA to it
 */
struct nvlink2_mapping {
	const struct nvlink2_region *region;
	refcount_t areas;
	struct nvlink2_devmem *devmem;
};

static void nvlink2_vm_open(struct vm_area_struct *vma)
{
	struct nvlink2_mapping *mapping = vma->vm_private_data;

	refcount_inc(&mapping->areas);
}

static void nvlink2_vm_close(struct vm_area_struct *vma)
{
	struct nvlink2_mapping *mapping = vma->vm_private_data;

	if (!refcount_dec_and_test(&mapping->areas))
		return;
	nvlink2_devmem_put(mapping->devmem);
	kfree(mapping);
}

/* The list of memory for DMA has it in one piece and at one address. */
static int nvlink2_vm_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	return -EINVAL;
}

static int nvlink2_vm_mremap(struct vm_area_struct *vma)
{
	return -EINVAL;
}

static vm_fault_t nvlink2_vm_fault(struct vm_fault *vmf)
{
	const struct nvlink2_mapping *mapping = vmf->vma->vm_private_data;
	u64 addr = mapping->region->window.addr;

	return vmf_insert_pfn(vmf->vma, vmf->address,
			      (addr >> PAGE_SHIFT) +
			      (vmf->pgoff & NVLINK2_PGOFF_MASK));
}

static const struct vm_operations_struct nvlink2_vm_ops = {
	.open = nvlink2_vm_open,
	.close = nvlink2_vm_close,
	.may_split = nvlink2_vm_may_split,
	.mremap = nvlink2_vm_mremap,
	.fault = nvlink2_vm_fault,
};

static int nvlink2_mmap(struct vfio_pci_core_device *core,
			struct vfio_pci_region *shown,
			struct vm_area_struct *vma)
{
	const struct nvlink2_region *region = shown->data;
	u64 pages = region->window.size >> PAGE_SHIFT;
	u64 first = vma->vm_pgoff & NVLINK2_PGOFF_MASK;
	struct nvlink2_mapping *mapping;
	int ret;

	if (first >= pages || vma_pages(vma) > pages - first)
		return -EINVAL;

	mapping = kzalloc(sizeof(*mapping), GFP_KERNEL_ACCOUNT);
	if (!mapping)
		return -ENOMEM;
	mapping->region = region;
	refcount_set(&mapping->areas, 1);
	if (region->kind->cached) {
		ret = nvlink2_devmem_add(vma, region->window.addr +
					 (first << PAGE_SHIFT),
					 &mapping->devmem);
		if (ret) {
			kfree(mapping);
			return ret;
		}
	} else {
		vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	}

	/*
	 * Pages come when they are touched, for the reason above. Not to children:
	 * the list of memory for DMA is a process's own.
	 */
	vfio_pci_variant_set_vm_flags(vma, VM_IO | VM_PFNMAP | VM_DONTCOPY |
					   VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_private_data = mapping;
	vma->vm_ops = &nvlink2_vm_ops;
	return 0;
}

/* --- capabilities --------------------------------------------------------------------- */

static int nvlink2_add_tgt(struct vfio_pci_core_device *core,
			   struct vfio_pci_region *shown,
			   struct vfio_info_cap *caps)
{
	const struct nvlink2_region *region = shown->data;
	struct vfio_region_info_cap_nvlink2_ssatgt cap = {
		.header.id = VFIO_REGION_INFO_CAP_NVLINK2_SSATGT,
		.header.version = 1,
		.tgt = region->window.tgt,
	};

	return vfio_info_add_capability(caps, &cap.header, sizeof(cap));
}

static int nvlink2_add_tgt_and_speed(struct vfio_pci_core_device *core,
				     struct vfio_pci_region *shown,
				     struct vfio_info_cap *caps)
{
	const struct nvlink2_region *region = shown->data;
	struct vfio_region_info_cap_nvlink2_lnkspd cap = {
		.header.id = VFIO_REGION_INFO_CAP_NVLINK2_LNKSPD,
		.header.version = 1,
		.link_speed = region->window.speed,
	};
	int ret;

	ret = nvlink2_add_tgt(core, shown, caps);
	if (ret)
		return ret;
	return vfio_info_add_capability(caps, &cap.header, sizeof(cap));
}

/* --- the regions ---------------------------------------------------------------------- */

static void nvlink2_release_region(struct vfio_pci_core_device *core,
				   struct vfio_pci_region *shown)
{
	kfree(shown->data);
}

static const struct nvlink2_kind nvlink2_kinds[] = {
	{
		.name = "GPU RAM",
		.read = nvlink2_read_gpu,
		.type = VFIO_REGION_TYPE_PCI_VENDOR_TYPE | PCI_VENDOR_ID_NVIDIA,
		.subtype = VFIO_REGION_SUBTYPE_NVIDIA_NVLINK2_RAM,
		.copy = nvlink2_copy_memory,
		.cached = true,
		.ops = {
			.rw = nvlink2_rw,
			.mmap = nvlink2_mmap,
			.release = nvlink2_release_region,
			.add_capability = nvlink2_add_tgt,
		},
	}, {
		.name = "ATSD register",
		.read = nvlink2_read_bridge,
		.type = VFIO_REGION_TYPE_PCI_VENDOR_TYPE | PCI_VENDOR_ID_IBM,
		.subtype = VFIO_REGION_SUBTYPE_IBM_NVLINK2_ATSD,
		.copy = nvlink2_copy_register,
		.ops = {
			.rw = nvlink2_rw,
			.mmap = nvlink2_mmap,
			.release = nvlink2_release_region,
			.add_capability = nvlink2_add_tgt_and_speed,
		},
	},
};

static int nvlink2_add_region(struct vfio_pci_variant_device *vvdev,
			      const struct nvlink2_kind *kind,
			      const struct nvlink2_window *window)
{
	u32 flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE |
		    VFIO_REGION_INFO_FLAG_MMAP;
	struct nvlink2_region *region;
	int ret;

	region = kzalloc(sizeof(*region), GFP_KERNEL_ACCOUNT);
	if (!region)
		return -ENOMEM;
	region->kind = kind;
	region->window = *window;

	/* Of size 0 it is there for its capabilities only. */
	ret = vfio_pci_core_register_dev_region(&vvdev->core, kind->type,
						kind->subtype, &kind->ops,
						window->size,
						window->size ? flags : 0,
						region);
	if (ret)
		kfree(region);
	return ret;
}

/*
 * On bare metal the kernel set up the links until 5.13, and nothing does since. What
 * runs a guest does it for the guest.
 */
static bool nvlink2_is_unmanaged(void)
{
	return of_machine_is_compatible("ibm,powernv");
}

static int nvlink2_try_kind(struct vfio_pci_variant_device *vvdev,
			    const struct nvlink2_kind *kind)
{
	struct pci_dev *pdev = vvdev->core.pdev;
	struct nvlink2_window window;
	const char *why;
	int ret;

	ret = kind->read(dev_fwnode(&pdev->dev), &window, &why);
	/* Without a description it is a device as any. */
	if (ret == -ENODEV)
		return 0;
	if (nvlink2_is_unmanaged() &&
	    !vfio_pci_variant_value(vvdev, &allow_unmanaged_link)) {
		pci_info(pdev, "vfio-pci-nvlink2: %s left out: nothing sets up the link; allow_unmanaged_link=1 shows it all the same, at the risk that an access stops the machine\n",
			 kind->name);
		return 0;
	}
	if (ret) {
		pci_warn(pdev, "vfio-pci-nvlink2: not opened, the firmware's description of its %s is wrong: %s\n",
			 kind->name, why);
		return ret;
	}
	if (window.has_foreign_register)
		pci_warn(pdev, "vfio-pci-nvlink2: its ibm,npu-link-index is past the end of ibm,mmio-atsd: the first register stands in for its own\n");
	if (nvlink2_devmem_is_mapped(window.addr, window.size)) {
		pci_warn(pdev, "vfio-pci-nvlink2: not opened, an earlier user still has its %s mapped for DMA\n",
			 kind->name);
		return -EBUSY;
	}
	return nvlink2_add_region(vvdev, kind, &window);
}

/* --- the variant ----------------------------------------------------------------------- */

static int nvlink2_add_regions(struct vfio_pci_variant_device *vvdev)
{
	size_t i;
	int ret;

	/* What firmware tells of the PF, or of what has its place on another bus. */
	if (vvdev->core.pdev->is_virtfn)
		return 0;

	for (i = 0; i < ARRAY_SIZE(nvlink2_kinds); i++) {
		ret = nvlink2_try_kind(vvdev, &nvlink2_kinds[i]);
		if (ret)
			return ret;
	}
	return 0;
}

static const struct vfio_pci_variant_ops nvlink2_ops = {
	.add_regions = nvlink2_add_regions,
};

static const struct pci_device_id nvlink2_ids[] = {
	/* V100, four boards */
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(PCI_VENDOR_ID_NVIDIA, 0x1db1) },
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(PCI_VENDOR_ID_NVIDIA, 0x1db5) },
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(PCI_VENDOR_ID_NVIDIA, 0x1db8) },
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(PCI_VENDOR_ID_NVIDIA, 0x1df5) },
	/* the bridge of a link on POWER9 */
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(PCI_VENDOR_ID_IBM, 0x04ea) },
	{ }
};
MODULE_DEVICE_TABLE(pci, nvlink2_ids);
VFIO_PCI_VARIANT_ADOPTABLE("10DE", "1DB1");
VFIO_PCI_VARIANT_ADOPTABLE("10DE", "1DB5");
VFIO_PCI_VARIANT_ADOPTABLE("10DE", "1DB8");
VFIO_PCI_VARIANT_ADOPTABLE("10DE", "1DF5");
VFIO_PCI_VARIANT_ADOPTABLE("1014", "04EA");

static struct vfio_pci_variant variant = {
	.name = "vfio-pci-nvlink2",
	.id_table = nvlink2_ids,
	.ops = &nvlink2_ops,
	.settings = nvlink2_settings,
	.specialised = true,
	.params = &params,
};

static int __init nvlink2_module_init(void)
{
	return vfio_pci_variant_register(&variant);
}
module_init(nvlink2_module_init);

static void __exit nvlink2_module_exit(void)
{
	vfio_pci_variant_unregister(&variant);
	nvlink2_devmem_exit();
}
module_exit(nvlink2_module_exit);
VFIO_PCI_VARIANT_IMPORT();

MODULE_DESCRIPTION("VFIO for V100 GPUs and their NVLink2 bridges on POWER9");
MODULE_AUTHOR("vfio-pci-variants maintainers");
MODULE_LICENSE("GPL");
MODULE_VERSION(VPV_VERSION);
