// SPDX-License-Identifier: GPL-2.0-only
/*
 * Specialised variants are loaded when a generic one binds a function that they are
 * for: modprobe is asked by an alias that only they have.
 *
 * Not by their vfio_pci: alias. vfio-pci has one, too, that matches everything: while
 * its own init binds functions (ids=), modprobe would load it once more, which waits
 * for that init to end. And variants of the kernel's own would be loaded, which nothing
 * here can adopt.
 *
 * A work item asks, and probe waits for it with an end: what modprobe loads may wait
 * for the device lock that probe holds, itself (a dynamic ID of its own matches) or by
 * way of async_synchronize_full() for another driver's probe.
 */
#include <linux/async.h>
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/kmod.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "core.h"

#define WAIT		(10 * HZ)

/* How long it is held for true that there is none. */
#define REMEMBER	(60 * HZ)

/**
 * struct kind - what functions of one alias could adopt
 * @node: in the list
 * @refs: one of the list's and one of each who waits
 * @work: asks modprobe
 * @answered: modprobe has ended
 * @slow: somebody has given up waiting, so nobody else tries
 * @stale: what is loaded has changed since: the answer is not to be remembered
 * @until: it is remembered, once it is @answered
 * @alias: the alias
 */
struct kind {
	struct list_head node;
	struct kref refs;
	struct work_struct work;
	struct completion answered;
	bool slow;
	bool stale;
	unsigned long until;
	char alias[MODULE_NAME_LEN];
};

/* Those that modprobe is asked for, and those for which it had nothing. */
static LIST_HEAD(kinds);
static DEFINE_MUTEX(kinds_lock);
static struct workqueue_struct *workqueue;

static void free_kind(struct kref *refs)
{
	kfree(container_of(refs, struct kind, refs));
}

static void put_kind(struct kind *kind)
{
	kref_put(&kind->refs, free_kind);
}

static void drop(struct kind *kind)
{
	lockdep_assert_held(&kinds_lock);
	list_del(&kind->node);
	put_kind(kind);
}

/* The list holds it meanwhile: it drops none that is not answered. */
static void ask(struct work_struct *work)
{
	struct kind *kind = container_of(work, struct kind, work);
	int ret = request_module("%s", kind->alias);

	mutex_lock(&kinds_lock);
	kind->until = jiffies + REMEMBER;
	complete_all(&kind->answered);
	/* Negative: modprobe did not run, as in early boot. It may the next time. */
	if (ret < 0 || kind->stale)
		drop(kind);
	mutex_unlock(&kinds_lock);
}

/* Fields are as long as they are in a pci_dev: it has to fit request_module(). */
static void make_alias(char *alias, size_t size, const struct pci_dev *pdev)
{
	snprintf(alias, size,
		 "vfio_pci_variant:v%04Xd%04Xsv%04Xsd%04Xbc%02Xsc%02Xi%02X",
		 pdev->vendor, pdev->device, pdev->subsystem_vendor,
		 pdev->subsystem_device, pdev->class >> 16 & 0xff,
		 pdev->class >> 8 & 0xff, pdev->class & 0xff);
}

static struct kind *find_kind(const char *alias)
{
	struct kind *kind, *next, *found = NULL;

	lockdep_assert_held(&kinds_lock);
	list_for_each_entry_safe(kind, next, &kinds, node) {
		if (completion_done(&kind->answered) &&
		    time_after(jiffies, kind->until))
			drop(kind);
		else if (!strcmp(kind->alias, alias))
			found = kind;
	}
	return found;
}

/* The kind of @pdev, about which modprobe is asked or was; or NULL. */
static struct kind *get_kind(const struct pci_dev *pdev)
{
	char alias[MODULE_NAME_LEN];
	struct kind *kind;

	make_alias(alias, sizeof(alias), pdev);
	mutex_lock(&kinds_lock);
	kind = find_kind(alias);
	if (!kind) {
		kind = kzalloc(sizeof(*kind), GFP_KERNEL);
		if (!kind)
			goto out;
		kref_init(&kind->refs);
		INIT_WORK(&kind->work, ask);
		init_completion(&kind->answered);
		strscpy(kind->alias, alias, sizeof(kind->alias));
		list_add(&kind->node, &kinds);
		queue_work(workqueue, &kind->work);
	}
	kref_get(&kind->refs);
out:
	mutex_unlock(&kinds_lock);
	return kind;
}

/* What was given up is not waited for again: there may be 64 VFs of it. */
static const char *wait_for_answer(struct kind *kind)
{
	long left;

	if (completion_done(&kind->answered))
		return NULL;
	if (READ_ONCE(kind->slow))
		return "modprobe is still running since an earlier bind";

	left = wait_for_completion_killable_timeout(&kind->answered, WAIT);
	if (left > 0)
		return NULL;
	if (left < 0)
		return "who bound it was killed while modprobe was running";
	WRITE_ONCE(kind->slow, true);
	return "modprobe has been running for 10 s";
}

/**
 * vpv_adopt_load - have the specialised variant for a function loaded
 * @pdev: the function; device lock held
 *
 * Returns when modprobe has ended, or at once if it had nothing for such a function
 * a moment ago, or after 10 s. In an asynchronous probe also at once: the init of the
 * module waits for that probe.
 *
 * Return: NULL, or why it was not waited for, for the log.
 */
const char *vpv_adopt_load(struct pci_dev *pdev)
{
	const char *fault = NULL;
	struct kind *kind;

	/* Built in, this is called all the same when our init has failed. */
	if (!IS_ENABLED(CONFIG_MODULES) || !workqueue)
		return NULL;

	kind = get_kind(pdev);
	if (!kind)
		return "out of memory";
	/* If it comes vpv_adopt_bound() says so. */
	if (!current_is_async())
		fault = wait_for_answer(kind);
	put_kind(kind);
	return fault;
}

/**
 * vpv_adopt_load_forget - a specialised variant came or went
 *
 * What modprobe had nothing for is asked again.
 */
void vpv_adopt_load_forget(void)
{
	struct kind *kind, *next;

	mutex_lock(&kinds_lock);
	list_for_each_entry_safe(kind, next, &kinds, node) {
		if (completion_done(&kind->answered))
			drop(kind);
		else
			kind->stale = true;
	}
	mutex_unlock(&kinds_lock);
}

/**
 * vpv_adopt_load_init - first of all
 *
 * Return: 0 or -ENOMEM.
 */
int __init vpv_adopt_load_init(void)
{
	workqueue = alloc_workqueue("vfio-pci-variant", WQ_UNBOUND, 0);
	return workqueue ? 0 : -ENOMEM;
}

/**
 * vpv_adopt_load_exit - mirror of vpv_adopt_load_init()
 *
 * Waits for modprobe, where one is still running.
 */
void __exit vpv_adopt_load_exit(void)
{
	destroy_workqueue(workqueue);
	vpv_adopt_load_forget();
}
