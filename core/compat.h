/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels we serve: this header and compat.c, nothing
 * else. Kbuild looks for each feature in the target's headers and defines
 * VPV_HAVE_* for what it finds; kernel versions are never compared, as
 * distributions carry features back.
 */
#ifndef VPV_COMPAT_H
#define VPV_COMPAT_H

#include <linux/build_bug.h>
#include <linux/iommu.h>
#include <linux/limits.h>
#include <linux/vfio.h>
#include <linux/vfio_pci_variant.h>

#include "compat_map.h"

/**
 * vpv_refuses_ioctl - is this one that nobody may use on this kernel?
 * @cmd: the ioctl of a VFIO device
 *
 * Where the index of a region is a signed shift of the offset, an offset with bit
 * 63 set makes VFIO_DEVICE_IOEVENTFD take a negative BAR for a valid one: the core
 * then writes what the user says to wherever the memory before its array of BARs
 * points. To look at the offset before the core reads it would be a race with
 * its owner, so there is no such ioctl; its users have to do without on other
 * hardware, too. All else that takes an offset compares it as an unsigned number.
 *
 * Return: true if it has to end with -ENOTTY.
 */
static inline bool vpv_refuses_ioctl(unsigned int cmd)
{
#ifdef VPV_HAVE_UNSIGNED_REGION_INDEX
	static_assert(VFIO_PCI_OFFSET_TO_INDEX((loff_t)S64_MIN) >
		      VFIO_PCI_BAR5_REGION_INDEX);
	return false;
#else
	return cmd == VFIO_DEVICE_IOEVENTFD;
#endif
}

/**
 * vpv_compat_reset_bars_attach - does a reset bar others from an IOMMU domain?
 * @pdev: the function
 *
 * Newer kernels shut the DMA of a function with ATS off while it is reset, and refuse
 * with EBUSY whoever attaches its IOMMU group, or a PASID, to a domain meanwhile.
 *
 * Return: true if one that nobody has asked for would show.
 */
static inline bool vpv_compat_reset_bars_attach(struct pci_dev *pdev)
{
#ifdef VPV_RESET_BARS_ATTACH
	return pci_find_ext_capability(pdev, PCI_EXT_CAP_ID_ATS);
#else
	return false;
#endif
}

/**
 * vpv_compat_reset_begin - a function is about to be reset without the PCI core
 * @pdev: the function; device lock held
 *
 * As in the PCI core's own ways, where these tell the IOMMU so.
 *
 * Return: 0 or an errno; vpv_compat_reset_end() is its mirror.
 */
static inline int vpv_compat_reset_begin(struct pci_dev *pdev)
{
#ifdef VPV_RESET_BARS_ATTACH
	return pci_dev_reset_iommu_prepare(pdev);
#else
	return 0;
#endif
}

static inline void vpv_compat_reset_end(struct pci_dev *pdev)
{
#ifdef VPV_RESET_BARS_ATTACH
	pci_dev_reset_iommu_done(pdev);
#endif
}

/* Where the core loses sight of mappings of BARs, we help it to keep it. */
#ifdef VPV_CORE_LISTS_MAPPINGS
int vpv_mmap(struct vfio_device *vdev, struct vm_area_struct *vma);
#else
#define vpv_mmap vfio_pci_core_mmap
#endif

bool vpv_compat_watch(const struct vfio_pci_variant_device *vvdev,
		      struct vm_area_struct *vma);

/* Region info with capabilities is a device op of its own (not an ioctl). */
#ifdef VPV_HAVE_GET_REGION_INFO_CAPS
#define VPV_OP_REGION_INFO \
	.get_region_info_caps = vfio_pci_ioctl_get_region_info,
#define vpv_set_region_info(__ops, __op) ((__ops)->get_region_info_caps = (__op))
#else
#define VPV_OP_REGION_INFO
#define vpv_set_region_info(__ops, __op) ((void)0)
#endif

/**
 * vpv_compat_can_tell_areas - can a user be told what of a BAR can be mapped?
 *
 * Return: true if a device of ours has a say in what region info says of it.
 */
static inline bool vpv_compat_can_tell_areas(void)
{
#ifdef VPV_HAVE_GET_REGION_INFO_CAPS
	return true;
#else
	return false;
#endif
}

/* The VF token is matched by an op of its own when a device is bound by cdev. */
#ifdef VPV_HAVE_MATCH_TOKEN_UUID
#define VPV_OP_TOKEN	.match_token_uuid = vfio_pci_core_match_token_uuid,
#else
#define VPV_OP_TOKEN
#endif

/* The headers make each of these NULL in a kernel without IOMMUFD. */
#ifdef VPV_HAVE_IOMMUFD_BIND
#define VPV_OP_IOMMUFD_BIND					\
	.bind_iommufd = vfio_iommufd_physical_bind,		\
	.unbind_iommufd = vfio_iommufd_physical_unbind,		\
	.attach_ioas = vfio_iommufd_physical_attach_ioas,
#else
#define VPV_OP_IOMMUFD_BIND
#endif

#ifdef VPV_HAVE_IOMMUFD_DETACH
#define VPV_OP_IOMMUFD_DETACH \
	.detach_ioas = vfio_iommufd_physical_detach_ioas,
#else
#define VPV_OP_IOMMUFD_DETACH
#endif

#ifdef VPV_HAVE_IOMMUFD_PASID
#define VPV_OP_IOMMUFD_PASID						\
	.pasid_attach_ioas = vfio_iommufd_physical_pasid_attach_ioas,	\
	.pasid_detach_ioas = vfio_iommufd_physical_pasid_detach_ioas,
#else
#define VPV_OP_IOMMUFD_PASID
#endif

/* Members of a struct vfio_device_ops that not every kernel has. */
#define VPV_COMPAT_DEVICE_OPS	\
	VPV_OP_REGION_INFO	\
	VPV_OP_TOKEN		\
	VPV_OP_IOMMUFD_BIND	\
	VPV_OP_IOMMUFD_DETACH	\
	VPV_OP_IOMMUFD_PASID

void vpv_compat_init(struct vfio_pci_variant_device *vvdev);
bool vpv_compat_intx_off(const struct vfio_pci_core_device *core);
void vpv_compat_was_reset(struct pci_dev *pdev);
int vpv_compat_enable(struct vfio_pci_variant_device *vvdev);
void vpv_compat_registered(struct vfio_pci_variant_device *vvdev);
void vpv_compat_evict_framebuffers(struct vfio_pci_variant_device *vvdev);

#endif /* VPV_COMPAT_H */
