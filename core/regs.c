// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers of a function's own: those that a variant's hooks read and write, and
 * those that it answers for when its user does.
 *
 * A user's access to a BAR has any length and alignment. It is cut where a register
 * of the variant's table begins and ends; the pieces between are the core's, as if
 * they had been asked for alone. A register that is mapped could be reached past its
 * callback, so its page is not mapped, nor any of its BAR on kernels that can't tell
 * the user which pages are: map.c.
 */
#include <linux/bitops.h>
#include <linux/io.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/minmax.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "core.h"

static bool is_width(unsigned int width)
{
	return width == 1 || width == 2 || width == 4 || width == 8;
}

/**
 * vpv_regs_fault - check a table of registers
 * @ops: the variant's hooks
 *
 * Return: what is wrong with it, in words; NULL if nothing is.
 */
const char *vpv_regs_fault(const struct vfio_pci_variant_ops *ops)
{
	const struct vfio_pci_variant_reg *reg;

	if (ops->mmio_bars >= BIT(PCI_STD_NUM_BARS))
		return "its mmio_bars names one above BAR 5";
	if (!ops->regs != !ops->nr_regs)
		return "it has registers but counts none, or counts some that it has not";

	for (reg = ops->regs; reg < ops->regs + ops->nr_regs; reg++) {
		if (reg->bar >= PCI_STD_NUM_BARS)
			return "a register is in none of BAR 0 to 5";
		if (!is_width(reg->width) || !IS_ALIGNED(reg->offset, reg->width) ||
		    reg->offset > VFIO_PCI_OFFSET_MASK)
			return "a register is not 1, 2, 4 or 8 bytes wide and aligned to that";
		if (!reg->read && !reg->write)
			return "a register has neither a read nor a write callback";
		if (ops->rw_regions & BIT(reg->bar))
			return "a register is in a BAR that its rw hook is for";
		if (reg > ops->regs && (reg[-1].bar > reg->bar ||
					(reg[-1].bar == reg->bar &&
					 vpv_reg_end(&reg[-1]) > reg->offset)))
			return "its registers overlap, or are not in the order of BAR and offset";
	}
	return NULL;
}

/**
 * vpv_reg_bars - where the registers of a table are
 * @ops: the variant's hooks
 *
 * Return: BIT(n) for each BAR n with one.
 */
u8 vpv_reg_bars(const struct vfio_pci_variant_ops *ops)
{
	u8 bars = 0;
	size_t i;

	for (i = 0; i < ops->nr_regs; i++)
		bars |= BIT(ops->regs[i].bar);
	return bars;
}

/* --- hooks and callbacks: the function's memory -------------------------------- */

/**
 * vpv_regs_check - has a function the registers that a variant's table is about?
 * @vvdev: the device, not published yet
 * @ops: the variant's hooks
 *
 * Return: 0, or -EINVAL with a log line.
 */
int vpv_regs_check(const struct vfio_pci_variant_device *vvdev,
		   const struct vfio_pci_variant_ops *ops)
{
	struct pci_dev *pdev = vvdev->core.pdev;
	const struct vfio_pci_variant_reg *reg;
	int bar;

	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		if (!(ops->mmio_bars & BIT(bar)) ||
		    pci_resource_flags(pdev, bar) & IORESOURCE_MEM)
			continue;
		pci_warn(pdev, "%s: not bound: BAR %d, which its hooks access, is no memory; is this the device that the variant is for?\n",
			 vvdev->variant->name, bar);
		return -EINVAL;
	}
	for (reg = ops->regs; reg < ops->regs + ops->nr_regs; reg++) {
		if (pci_resource_flags(pdev, reg->bar) & IORESOURCE_MEM &&
		    vpv_reg_end(reg) <= pci_resource_len(pdev, reg->bar))
			continue;
		pci_warn(pdev, "%s: not bound: its register at 0x%llx is not in the memory of BAR %u; is this the device that the variant is for?\n",
			 vvdev->variant->name, reg->offset, reg->bar);
		return -EINVAL;
	}
	return 0;
}

static void unmap_bars(struct vfio_pci_variant_device *vvdev)
{
	int bar;

	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		if (!vvdev->bars[bar])
			continue;
		pci_iounmap(vvdev->core.pdev, vvdev->bars[bar]);
		vvdev->bars[bar] = NULL;
	}
}

static int map_bars(struct vfio_pci_variant_device *vvdev, const char *what)
{
	struct pci_dev *pdev = vvdev->core.pdev;
	int bar;

	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		if (!(vvdev->ops->mmio_bars & BIT(bar)))
			continue;
		vvdev->bars[bar] = pci_iomap(pdev, bar, 0);
		if (vvdev->bars[bar])
			continue;
		pci_warn(pdev, "%s: %s: BAR %d can't be mapped\n",
			 vvdev->variant->name, what, bar);
		unmap_bars(vvdev);
		return -ENOMEM;
	}
	return 0;
}

/**
 * vpv_regs_bind - map the BARs of one that a hook may have to reset at any time
 * @vvdev: the device, hooks set; not published yet
 *
 * Until vpv_regs_free().
 *
 * Return: 0, or -ENOMEM with a log line.
 */
int vpv_regs_bind(struct vfio_pci_variant_device *vvdev)
{
	return vvdev->ops->reset ? map_bars(vvdev, "not bound") : 0;
}

/**
 * vpv_regs_free - mirror of vpv_regs_bind()
 * @vvdev: the device, with its last reference gone
 */
void vpv_regs_free(struct vfio_pci_variant_device *vvdev)
{
	unmap_bars(vvdev);
}

/**
 * vpv_regs_map - map the BARs that hooks and callbacks access
 * @vvdev: the device, enabled; dev_set lock held
 *
 * Return: 0, or -ENOMEM with a log line; then nothing is mapped.
 */
int vpv_regs_map(struct vfio_pci_variant_device *vvdev)
{
	return vvdev->ops->reset ? 0 : map_bars(vvdev, "not opened");
}

/**
 * vpv_regs_unmap - mirror of vpv_regs_map()
 * @vvdev: the device; dev_set lock held
 */
void vpv_regs_unmap(struct vfio_pci_variant_device *vvdev)
{
	if (!vvdev->ops->reset)
		unmap_bars(vvdev);
}

static void __iomem *reg_address(struct vfio_pci_variant_device *vvdev,
				 unsigned int bar, u64 offset, unsigned int width)
{
	if (bar >= PCI_STD_NUM_BARS)
		return NULL;
	if (!vvdev->bars[bar]) {
		pci_warn_once(vvdev->core.pdev, "%s: its hooks can't reach BAR %u, which is not in its mmio_bars, or is closed\n",
			      vvdev->variant->name, bar);
		return NULL;
	}
	if (!is_width(width) || !IS_ALIGNED(offset, width) ||
	    offset >= pci_resource_len(vvdev->core.pdev, bar))
		return NULL;
	return vvdev->bars[bar] + offset;
}

/* In a reset hook it is the device lock that keeps others away. */
static void assert_may_access(struct vfio_pci_variant_device *vvdev)
{
	if (READ_ONCE(vvdev->is_resetting))
		device_lock_assert(&vvdev->core.pdev->dev);
	else
		lockdep_assert_held_read(&vvdev->core.memory_lock);
}

/**
 * vfio_pci_variant_mmio_read - read a register of the device's own
 * @vvdev: the device, open, or in its reset hook
 * @bar: one of &vfio_pci_variant_ops.mmio_bars
 * @offset: in bytes, a multiple of @width
 * @width: 1, 2, 4 or 8; where the processor has no access of 8 bytes it is two of 4
 * @value: what the register holds, which is little-endian, in the processor's order
 *
 * Between vfio_pci_variant_mmio_begin() and vfio_pci_variant_mmio_end(), as in the
 * callbacks of a register; in a reset hook without these.
 *
 * Return: 0, or -EINVAL if there is no such register.
 */
int vfio_pci_variant_mmio_read(struct vfio_pci_variant_device *vvdev,
			       unsigned int bar, u64 offset, unsigned int width,
			       u64 *value)
{
	void __iomem *at = reg_address(vvdev, bar, offset, width);

	assert_may_access(vvdev);
	if (!at)
		return -EINVAL;

	switch (width) {
	case 1:
		*value = ioread8(at);
		break;
	case 2:
		*value = ioread16(at);
		break;
	case 4:
		*value = ioread32(at);
		break;
	default:
		*value = readq(at);
		break;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(vfio_pci_variant_mmio_read);

/**
 * vfio_pci_variant_mmio_write - write a register of the device's own
 * @vvdev: as for vfio_pci_variant_mmio_read()
 * @bar: likewise
 * @offset: likewise
 * @width: likewise
 * @value: what to write, in the processor's order
 *
 * Return: see vfio_pci_variant_mmio_read().
 */
int vfio_pci_variant_mmio_write(struct vfio_pci_variant_device *vvdev,
				unsigned int bar, u64 offset, unsigned int width,
				u64 value)
{
	void __iomem *at = reg_address(vvdev, bar, offset, width);

	assert_may_access(vvdev);
	if (!at)
		return -EINVAL;

	switch (width) {
	case 1:
		iowrite8(value, at);
		break;
	case 2:
		iowrite16(value, at);
		break;
	case 4:
		iowrite32(value, at);
		break;
	default:
		writeq(value, at);
		break;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(vfio_pci_variant_mmio_write);

/**
 * vfio_pci_variant_pass_write - write a register as the user did
 * @vvdev: the device
 * @reg: the register, of a BAR in &vfio_pci_variant_ops.mmio_bars
 * @value: what to write instead of what the user wrote, or that
 * @mask: as the callback got it
 *
 * In the write callback of @reg. What the user wrote to is written, and no other
 * byte: a part of a register in the widest accesses that are aligned.
 *
 * Return: see vfio_pci_variant_mmio_read().
 */
int vfio_pci_variant_pass_write(struct vfio_pci_variant_device *vvdev,
				const struct vfio_pci_variant_reg *reg, u64 value,
				u64 mask)
{
	unsigned int at = __ffs64(mask) / BITS_PER_BYTE, width;
	unsigned int end = fls64(mask) / BITS_PER_BYTE;
	int ret;

	for (; at < end; at += width) {
		for (width = reg->width; at % width || at + width > end;)
			width /= 2;
		ret = vfio_pci_variant_mmio_write(vvdev, reg->bar, reg->offset + at,
						  width, value >> at * BITS_PER_BYTE);
		if (ret)
			return ret;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(vfio_pci_variant_pass_write);

/**
 * vfio_pci_variant_read_reg - read a register, whatever the user does meanwhile
 * @vvdev: the device, open and awake, as for vfio_pci_variant_mmio_begin(); callbacks of
 *	a register use vfio_pci_variant_mmio_read(), and reset_done neither
 * @bar: as for vfio_pci_variant_mmio_read()
 * @offset: likewise
 * @width: likewise
 * @value: likewise
 *
 * May sleep. Locks: none that reset_done or a callback of a register takes, see
 * vfio_pci_variant_mmio_begin().
 *
 * Return: 0; -EINVAL if there is no such register; -EIO if the function is not in D0,
 * by the user's leave, or has its Memory Enable clear.
 */
int vfio_pci_variant_read_reg(struct vfio_pci_variant_device *vvdev,
			      unsigned int bar, u64 offset, unsigned int width,
			      u64 *value)
{
	int ret;

	ret = vfio_pci_variant_mmio_begin(vvdev);
	if (ret)
		return ret;
	ret = vfio_pci_variant_mmio_read(vvdev, bar, offset, width, value);
	vfio_pci_variant_mmio_end(vvdev);
	return ret;
}
EXPORT_SYMBOL_GPL(vfio_pci_variant_read_reg);

/**
 * vfio_pci_variant_write_reg - write a register, whatever the user does meanwhile
 * @vvdev: as for vfio_pci_variant_read_reg()
 * @bar: likewise
 * @offset: likewise
 * @width: likewise
 * @value: what to write, in the processor's order
 *
 * Return: see vfio_pci_variant_read_reg().
 */
int vfio_pci_variant_write_reg(struct vfio_pci_variant_device *vvdev,
			       unsigned int bar, u64 offset, unsigned int width,
			       u64 value)
{
	int ret;

	ret = vfio_pci_variant_mmio_begin(vvdev);
	if (ret)
		return ret;
	ret = vfio_pci_variant_mmio_write(vvdev, bar, offset, width, value);
	vfio_pci_variant_mmio_end(vvdev);
	return ret;
}
EXPORT_SYMBOL_GPL(vfio_pci_variant_write_reg);

/* --- the user's accesses --------------------------------------------------------- */

/* The first register with a callback for such an access that ends above @at. */
static const struct vfio_pci_variant_reg *
reg_from(const struct vfio_pci_variant_ops *ops, unsigned int bar, u64 at,
	 bool iswrite)
{
	const struct vfio_pci_variant_reg *reg;

	for (reg = ops->regs; reg < ops->regs + ops->nr_regs; reg++)
		if (reg->bar == bar && vpv_reg_end(reg) > at &&
		    (iswrite ? !!reg->write : !!reg->read))
			return reg;
	return NULL;
}

static int call_read(struct vfio_pci_variant_device *vvdev,
		     const struct vfio_pci_variant_reg *reg, u64 *value)
{
	int ret;

	ret = vfio_pci_variant_mmio_begin(vvdev);
	if (ret)
		return ret;
	ret = vpv_errno(reg->read(vvdev, reg, value));
	vfio_pci_variant_mmio_end(vvdev);
	return ret;
}

static int call_write(struct vfio_pci_variant_device *vvdev,
		      const struct vfio_pci_variant_reg *reg, u64 value, u64 mask)
{
	int ret;

	ret = vfio_pci_variant_mmio_begin(vvdev);
	if (ret)
		return ret;
	ret = vpv_errno(reg->write(vvdev, reg, value, mask));
	vfio_pci_variant_mmio_end(vvdev);
	return ret;
}

/* @count bytes of @reg, from its byte @first on. */
static int access_reg(struct vfio_pci_variant_device *vvdev,
		      const struct vfio_pci_variant_reg *reg, unsigned int first,
		      char __user *buf, size_t count, bool iswrite)
{
	u64 mask = GENMASK_ULL((first + count) * 8 - 1, first * 8), value = 0;
	__le64 bytes = 0;
	int ret;

	if (iswrite) {
		if (copy_from_user((u8 *)&bytes + first, buf, count))
			return -EFAULT;
		return call_write(vvdev, reg, le64_to_cpu(bytes), mask);
	}

	ret = call_read(vvdev, reg, &value);
	if (ret)
		return ret;
	bytes = cpu_to_le64(value);
	return copy_to_user(buf, (u8 *)&bytes + first, count) ? -EFAULT : 0;
}

/* Up to where a register begins or ends. */
static ssize_t access_piece(struct vfio_pci_variant_device *vvdev,
			    char __user *buf, size_t count, loff_t *ppos,
			    bool iswrite)
{
	unsigned int bar = VFIO_PCI_OFFSET_TO_INDEX(*ppos);
	u64 at = *ppos & VFIO_PCI_OFFSET_MASK;
	struct vfio_device *vdev = &vvdev->core.vdev;
	const struct vfio_pci_variant_reg *reg;
	int ret;

	reg = reg_from(vvdev->ops, bar, at, iswrite);
	if (!reg || at < reg->offset) {
		if (reg)
			count = min_t(u64, count, reg->offset - at);
		return iswrite ? vfio_pci_core_write(vdev, buf, count, ppos) :
				 vfio_pci_core_read(vdev, buf, count, ppos);
	}

	count = min_t(u64, count, vpv_reg_end(reg) - at);
	ret = access_reg(vvdev, reg, at - reg->offset, buf, count, iswrite);
	if (ret)
		return ret;
	*ppos += count;
	return count;
}

/**
 * vpv_regs_rw - read or write a BAR with registers of the table
 * @vvdev: the device
 * @buf: as in the device's read and write ops
 * @count: likewise
 * @ppos: likewise, in such a BAR
 * @iswrite: which of the two it is
 *
 * Return: bytes done, which may be fewer than @count; or an errno if there are none.
 */
ssize_t vpv_regs_rw(struct vfio_pci_variant_device *vvdev, char __user *buf,
		    size_t count, loff_t *ppos, bool iswrite)
{
	struct device *dev = &vvdev->core.pdev->dev;
	size_t done = 0;
	ssize_t ret = 0;

	/* The user may have suspended the function. */
	if (count && pm_runtime_resume_and_get(dev))
		return -EIO;
	while (done < count) {
		ret = access_piece(vvdev, buf + done, count - done, ppos, iswrite);
		if (ret <= 0)
			break;
		done += ret;
	}
	if (count)
		pm_runtime_put(dev);
	return done ?: ret;
}
