// SPDX-License-Identifier: GPL-2.0-only
/* See devmem.h. All that is powerpc's. */
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <asm/mmu_context.h>

#include "devmem.h"

/**
 * struct nvlink2_devmem - an entry in the list of a process
 * @mm: the process's memory; its list has to outlive the entry
 * @mem: the entry
 * @start: where the process had it
 * @pages: how many
 * @addr: physical address of what it is about
 * @node: among those that are gone but for DMA
 */
struct nvlink2_devmem {
	struct mm_struct *mm;
	struct mm_iommu_table_group_mem_t *mem;
	unsigned long start;
	unsigned long pages;
	u64 addr;
	struct list_head node;
};

static void reap(struct work_struct *work);

/* Protects the list of those that are gone but for DMA; taken by each user of entries. */
static DEFINE_MUTEX(mapped_lock);
static LIST_HEAD(mapped);
static DECLARE_DELAYED_WORK(reaper, reap);

/*
 * Drop our reference, unless it is the one that has to stay. The list does not say of
 * one that a container holds (VFIO_IOMMU_SPAPR_REGISTER_MEMORY), with which DMA can be
 * mapped later. So look whether the entry is still there: in this process only we make
 * one with this address, and not now.
 */
static bool is_freed(struct nvlink2_devmem *devmem)
{
	unsigned long addr;

	lockdep_assert_held(&mapped_lock);
	if (mm_iommu_put(devmem->mm, devmem->mem) == -EBUSY)
		return false;

	devmem->mem = mm_iommu_get(devmem->mm, devmem->start, devmem->pages);
	if (!devmem->mem)
		return true;
	if (!mm_iommu_ua_to_hpa(devmem->mem, devmem->start, PAGE_SHIFT, &addr) &&
	    addr == devmem->addr)
		return false;
	mm_iommu_put(devmem->mm, devmem->mem);
	return true;
}

static void free_devmem(struct nvlink2_devmem *devmem)
{
	mmdrop(devmem->mm);
	kfree(devmem);
}

/* Nothing tells when a container is done with an entry. */
static void reap_mapped(void)
{
	struct nvlink2_devmem *devmem, *next;

	list_for_each_entry_safe(devmem, next, &mapped, node) {
		if (!is_freed(devmem))
			continue;
		list_del(&devmem->node);
		free_devmem(devmem);
		module_put(THIS_MODULE);
	}
}

static void reap(struct work_struct *work)
{
	mutex_lock(&mapped_lock);
	reap_mapped();
	if (!list_empty(&mapped))
		schedule_delayed_work(&reaper, HZ);
	mutex_unlock(&mapped_lock);
}

int nvlink2_devmem_add(struct vm_area_struct *vma, u64 addr,
		       struct nvlink2_devmem **devmem)
{
	struct nvlink2_devmem *new;
	int ret;

	*devmem = NULL;
	if (IS_ENABLED(CONFIG_PREEMPT_COUNT) || IS_ENABLED(CONFIG_DEBUG_LOCK_ALLOC))
		return 0;

	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return -ENOMEM;
	new->mm = vma->vm_mm;
	new->start = vma->vm_start;
	new->pages = vma_pages(vma);
	new->addr = addr;

	mutex_lock(&mapped_lock);
	/* What was at these addresses before may be in its way. */
	reap_mapped();
	ret = mm_iommu_newdev(new->mm, new->start, new->pages, addr, &new->mem);
	mutex_unlock(&mapped_lock);
	if (ret) {
		kfree(new);
		return ret;
	}
	mmgrab(new->mm);
	*devmem = new;
	return 0;
}

void nvlink2_devmem_put(struct nvlink2_devmem *devmem)
{
	if (!devmem)
		return;

	mutex_lock(&mapped_lock);
	if (is_freed(devmem)) {
		free_devmem(devmem);
	} else {
		/* The reaper drops it. */
		__module_get(THIS_MODULE);
		list_add(&devmem->node, &mapped);
		schedule_delayed_work(&reaper, HZ);
	}
	mutex_unlock(&mapped_lock);
}

bool nvlink2_devmem_is_mapped(u64 addr, u64 size)
{
	struct nvlink2_devmem *devmem;
	bool is_mapped = false;

	mutex_lock(&mapped_lock);
	reap_mapped();
	list_for_each_entry(devmem, &mapped, node)
		is_mapped |= devmem->addr < addr + size &&
			     addr < devmem->addr + (devmem->pages << PAGE_SHIFT);
	mutex_unlock(&mapped_lock);
	return is_mapped;
}

void nvlink2_devmem_exit(void)
{
	/* The list is empty, as its entries pin the module, but the work may linger. */
	cancel_delayed_work_sync(&reaper);
}
