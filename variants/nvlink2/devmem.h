/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DMA to the RAM of a GPU. On POWER a container of VFIO maps only memory that the
 * architecture's list of the process has, and this puts a mapping of GPU RAM there.
 */
#ifndef NVLINK2_DEVMEM_H
#define NVLINK2_DEVMEM_H

#include <linux/types.h>

struct nvlink2_devmem;
struct vm_area_struct;

#ifdef CONFIG_SPAPR_TCE_IOMMU
/**
 * nvlink2_devmem_add - let a mapping be mapped for DMA, too
 * @vma: the mapping, of the current process
 * @addr: physical address of its first page
 * @devmem: what to hand to nvlink2_devmem_put(); NULL where this kernel can't: what it
 *	has for that returns in an RCU read section (mm_iommu_is_devmem(), up to 7.3
 *	at least), which is an error where these, or locks, are counted
 *
 * Locks: mmap_lock of the process, for writing.
 *
 * Return: 0, -ENOMEM, or -EINVAL if the list has something at these addresses: what a
 * container holds of an earlier mapping, or of memory that was there.
 */
int nvlink2_devmem_add(struct vm_area_struct *vma, u64 addr,
		       struct nvlink2_devmem **devmem);

/**
 * nvlink2_devmem_put - take it from the list
 * @devmem: may be NULL
 *
 * While a container has any of it mapped or registered it stays, and is tried again each
 * second: the container looks for it when it unmaps. Until then it pins this module.
 *
 * Locks: that of the process's memory may be held. May sleep.
 */
void nvlink2_devmem_put(struct nvlink2_devmem *devmem);

/**
 * nvlink2_devmem_is_mapped - can a user of the past still do DMA there?
 * @addr: a physical address
 * @size: in bytes
 *
 * May sleep.
 *
 * Return: true while a container has any of it mapped or registered, though no mapping
 * of it is left.
 */
bool nvlink2_devmem_is_mapped(u64 addr, u64 size);

/**
 * nvlink2_devmem_exit - the module goes
 */
void nvlink2_devmem_exit(void);
#else
static inline int nvlink2_devmem_add(struct vm_area_struct *vma, u64 addr,
				     struct nvlink2_devmem **devmem)
{
	*devmem = NULL;
	return 0;
}

static inline void nvlink2_devmem_put(struct nvlink2_devmem *devmem)
{
}

static inline bool nvlink2_devmem_is_mapped(u64 addr, u64 size)
{
	return false;
}

static inline void nvlink2_devmem_exit(void)
{
}
#endif

#endif /* NVLINK2_DEVMEM_H */
