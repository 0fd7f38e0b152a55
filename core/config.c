// SPDX-License-Identifier: GPL-2.0-only
/*
 * What quirks make of the function that the user sees: hidden capabilities,
 * shown bytes, BARs that are not mapped.
 *
 * Hiding costs nothing per access: the core has a copy of the config space and
 * a map of who serves which byte, both made at each open, and a hidden
 * capability is taken out of the one and marked in the other. Showing a byte
 * can't be done that way. The core finds the start of a capability by going back
 * over the bytes that the map gives to it: a marked byte in its middle would make
 * what follows another register. So shown bytes are put in on their way to the
 * user, and only devices that have some take that way. That is no way to keep a
 * secret: another thread of the user may see the byte before it is put in.
 */
#include <linux/minmax.h>
#include <linux/uaccess.h>

#include "caps.h"
#include "core.h"

/* The function a fixup sees is what the rest of its row makes of it. */
static int apply_row(struct vfio_pci_variant_device *vvdev,
		     const struct vfio_pci_quirk *quirk)
{
	struct vpv_space space = {
		.config = vvdev->core.vconfig,
		.map = vvdev->core.pci_config_map,
		.size = vvdev->core.pdev->cfg_size,
	};
	int i;

	for (i = 0; i < VFIO_PCI_QUIRK_MAX_CAPS && quirk->hide_caps[i]; i++)
		vpv_hide_cap(&space, quirk->hide_caps[i]);
	for (i = 0; i < VFIO_PCI_QUIRK_MAX_CAPS && quirk->hide_ext_caps[i]; i++)
		vpv_hide_ext_cap(&space, quirk->hide_ext_caps[i]);

	return quirk->fixup ? vpv_errno(quirk->fixup(vvdev)) : 0;
}

/**
 * vpv_config_apply - apply what matched to the copy that an open has made
 * @vvdev: the device, after vfio_pci_core_enable(); dev_set lock held
 *
 * Return: 0, or the errno of a fixup.
 */
int vpv_config_apply(struct vfio_pci_variant_device *vvdev)
{
	const struct vpv_quirks *quirks = vvdev->quirks;
	unsigned int i;
	int ret;

	if (!quirks)
		return 0;

	for (i = 0; i < quirks->nr_rows; i++) {
		ret = apply_row(vvdev, quirks->rows[i].quirk);
		if (ret) {
			pci_warn(vvdev->core.pdev, "%s: quirk %ps failed with %d, not opened\n",
				 vvdev->variant->name,
				 quirks->rows[i].quirk->fixup, ret);
			return ret;
		}
	}

	return 0;
}

/**
 * vpv_config_limit_mmap - take back what the core offers too much
 * @vvdev: the device, after vfio_pci_core_finish_enable(), which finds out which
 *	BARs can be mapped; dev_set lock held, so nobody could map one yet
 */
void vpv_config_limit_mmap(struct vfio_pci_variant_device *vvdev)
{
	int i;

	for (i = 0; i < PCI_STD_NUM_BARS; i++)
		if (vvdev->no_mmap & BIT(i))
			vvdev->core.bar_mmap_supported[i] = false;
}

/**
 * vfio_pci_variant_emulate_config - give the user bytes of config space of their own
 * @vvdev: the device, in its open or add_regions hook
 * @offset: of the first byte, beyond the standard header
 * @value: what they hold at first
 * @count: their number
 *
 * For the rest of this open reads and writes of these bytes are served from the
 * core's copy; the function is not reached through them.
 *
 * Return: 0, or -EINVAL if the range is not in config space beyond its header, or
 * belongs to a capability.
 */
int vfio_pci_variant_emulate_config(struct vfio_pci_variant_device *vvdev,
				    unsigned int offset, const void *value,
				    size_t count)
{
	u8 *map = vvdev->core.pci_config_map;
	unsigned int size = vvdev->core.pdev->cfg_size;
	size_t i;

	if (offset < PCI_STD_HEADER_SIZEOF || offset > size ||
	    count > size - offset)
		return -EINVAL;
	for (i = offset; i < offset + count; i++)
		if (map[i] != VPV_MAP_NONE && map[i] != VPV_MAP_VIRTUAL)
			return -EINVAL;

	memcpy(vvdev->core.vconfig + offset, value, count);
	memset(map + offset, VPV_MAP_VIRTUAL, count);
	return 0;
}
EXPORT_SYMBOL_GPL(vfio_pci_variant_emulate_config);

/* The first shown byte at @offset or above, or the end of them. */
static const struct vfio_pci_quirk_byte *
shown_from(const struct vpv_quirks *quirks, loff_t offset)
{
	const struct vfio_pci_quirk_byte *byte = quirks->bytes;

	while (byte < quirks->bytes + quirks->nr_bytes && byte->offset < offset)
		byte++;
	return byte;
}

static int show_byte(u8 __user *to, const struct vfio_pci_quirk_byte *byte)
{
	u8 value;

	if (get_user(value, to) ||
	    put_user((u8)((value & ~byte->mask) | byte->value), to))
		return -EFAULT;
	return 0;
}

/**
 * vpv_config_read - vfio_pci_core_read() with the shown bytes put in
 * @vvdev: a device that has such bytes
 * @buf: as in the device's read op
 * @count: likewise
 * @ppos: likewise
 *
 * Return: bytes read, or an errno.
 */
ssize_t vpv_config_read(struct vfio_pci_variant_device *vvdev, char __user *buf,
			size_t count, loff_t *ppos)
{
	const struct vpv_quirks *quirks = vvdev->quirks;
	const struct vfio_pci_quirk_byte *byte;
	loff_t start = *ppos & VFIO_PCI_OFFSET_MASK;
	bool config = VFIO_PCI_OFFSET_TO_INDEX(*ppos) ==
		      VFIO_PCI_CONFIG_REGION_INDEX;
	ssize_t ret;

	ret = vfio_pci_core_read(&vvdev->core.vdev, buf, count, ppos);
	if (ret <= 0 || !config)
		return ret;

	for (byte = shown_from(quirks, start);
	     byte < quirks->bytes + quirks->nr_bytes &&
	     byte->offset < start + ret; byte++)
		if (show_byte((u8 __user *)buf + (byte->offset - start), byte))
			return -EFAULT;

	return ret;
}

/* Write up to the next shown byte. */
static ssize_t write_run(struct vfio_pci_variant_device *vvdev,
			 const char __user *buf, size_t count, loff_t *ppos)
{
	const struct vpv_quirks *quirks = vvdev->quirks;
	loff_t start = *ppos & VFIO_PCI_OFFSET_MASK;
	const struct vfio_pci_quirk_byte *byte = shown_from(quirks, start);

	if (byte < quirks->bytes + quirks->nr_bytes) {
		if (byte->offset == start) {
			/* Dropped. */
			*ppos += 1;
			return 1;
		}
		count = min_t(loff_t, count, byte->offset - start);
	}

	return vfio_pci_core_write(&vvdev->core.vdev, buf, count, ppos);
}

/**
 * vpv_config_write - vfio_pci_core_write() that spares the shown bytes
 * @vvdev: a device that has such bytes
 * @buf: as in the device's write op
 * @count: likewise
 * @ppos: likewise
 *
 * Return: bytes written, or an errno.
 */
ssize_t vpv_config_write(struct vfio_pci_variant_device *vvdev,
			 const char __user *buf, size_t count, loff_t *ppos)
{
	loff_t start = *ppos & VFIO_PCI_OFFSET_MASK;
	size_t done = 0;
	ssize_t ret;

	/* A write beyond the end is the core's to refuse, as a whole. */
	if (VFIO_PCI_OFFSET_TO_INDEX(*ppos) != VFIO_PCI_CONFIG_REGION_INDEX ||
	    start + count > vvdev->core.pdev->cfg_size)
		return vfio_pci_core_write(&vvdev->core.vdev, buf, count, ppos);

	while (done < count) {
		ret = write_run(vvdev, buf + done, count - done, ppos);
		if (ret <= 0)
			return done ?: ret;
		done += ret;
	}

	return done;
}
