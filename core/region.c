// SPDX-License-Identifier: GPL-2.0-only
/* Regions of a variant's own. */
#include <linux/align.h>
#include <linux/atomic.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "core.h"

/* What the core keeps of a region for us. */
struct vpv_ro_region {
	const struct vfio_pci_variant_ro_ops *ops;
	void *data;
};

static ssize_t ro_region_rw(struct vfio_pci_core_device *core, char __user *buf,
			    size_t count, loff_t *ppos, bool iswrite)
{
	const struct vfio_pci_region *region =
		&core->region[VFIO_PCI_OFFSET_TO_INDEX(*ppos) -
			      VFIO_PCI_NUM_REGIONS];
	const struct vpv_ro_region *ro = region->data;
	loff_t at = *ppos & VFIO_PCI_OFFSET_MASK;
	u8 piece[VFIO_PCI_VARIANT_RO_PIECE];
	size_t done, n;
	int ret;

	if (iswrite || at >= region->size)
		return -EINVAL;
	count = min_t(size_t, count, region->size - at);

	for (done = 0; done < count; done += n) {
		n = min(count - done, sizeof(piece));
		ret = vpv_errno(ro->ops->read(ro->data, piece, n, at + done));
		if (ret)
			return ret;
		if (copy_to_user(buf + done, piece, n))
			return -EFAULT;
	}

	*ppos += done;
	return done;
}

static void ro_region_release(struct vfio_pci_core_device *core,
			      struct vfio_pci_region *region)
{
	struct vpv_ro_region *ro = region->data;

	if (ro->ops->release)
		ro->ops->release(ro->data);
	kfree(ro);
}

static const struct vfio_pci_regops ro_region_ops = {
	.rw = ro_region_rw,
	.release = ro_region_release,
};

/**
 * vfio_pci_variant_add_ro_region - add a region that users only read
 * @vvdev: the device
 * @type: as in struct vfio_region_info_cap_type of <linux/vfio.h>
 * @subtype: likewise
 * @size: of the region in bytes, not 0
 * @ops: how it is read and freed
 * @data: what is handed to @ops; the region's from here on, but on error
 *
 * A write to the region, and a read beyond its end, gives EINVAL; a read over its
 * end is short; it can't be mapped. Call it from the add_regions hook.
 *
 * Return: 0 or -ENOMEM; then @data is still the caller's.
 */
int vfio_pci_variant_add_ro_region(struct vfio_pci_variant_device *vvdev,
				   u32 type, u32 subtype, size_t size,
				   const struct vfio_pci_variant_ro_ops *ops,
				   void *data)
{
	struct vpv_ro_region *ro;
	int ret;

	ro = kmalloc(sizeof(*ro), GFP_KERNEL_ACCOUNT);
	if (!ro)
		return -ENOMEM;
	*ro = (struct vpv_ro_region) { .ops = ops, .data = data };

	ret = vfio_pci_core_register_dev_region(&vvdev->core, type, subtype,
						&ro_region_ops, size,
						VFIO_REGION_INFO_FLAG_READ, ro);
	if (ret)
		kfree(ro);
	return ret;
}
EXPORT_SYMBOL_GPL(vfio_pci_variant_add_ro_region);

/* What the core keeps of a region of counters. */
struct vpv_counters {
	struct vfio_pci_variant_device *vvdev;
	const struct vfio_pci_variant_counters *counters;
};

static atomic64_t *kept_counters(const struct vpv_counters *counters)
{
	return vfio_pci_variant_priv(counters->vvdev) + counters->counters->offset;
}

static int counter_read(const struct vpv_counters *counters, unsigned int n, u64 *value)
{
	if (counters->counters->read)
		return counters->counters->read(counters->vvdev, n, value);
	*value = atomic64_read(&kept_counters(counters)[n]);
	return 0;
}

static int counters_read(void *data, u8 *buf, size_t count, loff_t at)
{
	const struct vpv_counters *counters = data;
	unsigned int first;
	__le64 bytes;
	u64 value;
	size_t n;
	int ret;

	for (; count; count -= n, buf += n, at += n) {
		ret = counter_read(counters, at / sizeof(bytes), &value);
		if (ret)
			return ret;
		bytes = cpu_to_le64(value);
		first = at % sizeof(bytes);
		n = min(count, sizeof(bytes) - first);
		memcpy(buf, (u8 *)&bytes + first, n);
	}
	return 0;
}

static void counters_release(void *data)
{
	kfree(data);
}

/* Sets those that are kept in the private data to 0, if that is where they are. */
static int clear_counters(const struct vpv_counters *counters)
{
	struct vfio_pci_variant_device *vvdev = counters->vvdev;
	size_t offset = counters->counters->offset;
	unsigned int n, nr = counters->counters->nr;

	if (counters->counters->read)
		return 0;
	if (!IS_ALIGNED(offset, sizeof(atomic64_t)) ||
	    size_add(offset, nr * sizeof(atomic64_t)) > vvdev->ops->priv_size) {
		pci_warn(vvdev->core.pdev, "%s: not opened: its counters are not in its private data; give them a read callback, or the offset of atomic64_t\n",
			 vvdev->variant->name);
		return -EINVAL;
	}
	for (n = 0; n < nr; n++)
		atomic64_set(&kept_counters(counters)[n], 0);
	return 0;
}

static const struct vfio_pci_variant_ro_ops counters_ops = {
	.read = counters_read,
	.release = counters_release,
};

/**
 * vfio_pci_variant_add_counters - add a region of numbers that users read
 * @vvdev: the device
 * @type: as in struct vfio_region_info_cap_type of <linux/vfio.h>
 * @subtype: likewise
 * @counters: how many, and how they are read; stays in use while the device is open
 *
 * A region as that of vfio_pci_variant_add_ro_region(). Call it from the add_regions
 * hook.
 *
 * Return: 0 or -ENOMEM; -EINVAL, with a log line, for counters without a read callback that
 * are not in the private data.
 */
int vfio_pci_variant_add_counters(struct vfio_pci_variant_device *vvdev,
				  u32 type, u32 subtype,
				  const struct vfio_pci_variant_counters *counters)
{
	struct vpv_counters *data;
	int ret;

	data = kmalloc(sizeof(*data), GFP_KERNEL_ACCOUNT);
	if (!data)
		return -ENOMEM;
	*data = (struct vpv_counters) { .vvdev = vvdev, .counters = counters };

	ret = clear_counters(data);
	if (!ret)
		ret = vfio_pci_variant_add_ro_region(vvdev, type, subtype,
						     counters->nr * sizeof(__le64),
						     &counters_ops, data);
	if (ret)
		kfree(data);
	return ret;
}
EXPORT_SYMBOL_GPL(vfio_pci_variant_add_counters);
