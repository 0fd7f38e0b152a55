// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions that stand ready: what waits in an open, a reset above all, is done before
 * anybody opens them.
 *
 * After bind and after each close a worker enables such a function as an open would. From
 * there on it is reset, in D0, without bus mastering, and its BARs are claimed, so that
 * nobody maps them in sysfs (with IO_STRICT_DEVMEM, and without iomem=relaxed). An open that
 * finds it still like that goes on with quirks and hooks, which are never done ahead. One
 * that does not, or comes before the worker, does all of it itself.
 *
 * Not like that any more is a function that was reset, that had an error or VFs, with
 * which the system slept (vpv_disturb() tells of these), and one of whose config space
 * something changed, by a reset of the bus above or a tool. The worker begins again then.
 *
 * All state changes under the dev_set lock. A function is reset under it, as by an open;
 * one that shares it with others, for whose opens that would be in the way, does not stand
 * ready. The worker waits for neither lock: remove holds the device lock when it waits for the
 * worker, and a close may wait for the device lock. Nor does the core get a device lock
 * when a function is disabled here, which would have it reset once more.
 */
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>
#include <linux/suspend.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "core.h"

/* Until somebody who resets or binds a function has had the time for it. */
#define RETRY_DELAY	msecs_to_jiffies(20)
#define RETRIES		500

/* At a time, or in each NUMA node; a host may have hundreds of them, bound in a row. */
#define WORKERS		4

enum state { COLD, WARMING, WARM, OPEN };

/**
 * struct vpv_standby - a function that stands ready
 * @vvdev: the function
 * @pm: the system goes to sleep
 * @work: begins when it may, is disturbed or closed
 * @state: dev_set lock; read without it for what may be late
 * @expected: somebody may open it
 * @asleep: the system is about to sleep
 * @told: that it could not be made ready was told, and it was not since
 * @retries: how often the work was put off in a row
 * @shaken: how often it was disturbed in a row, with no use between
 * @warm_at: how often it had been disturbed when it was made ready
 * @claimed: BIT(n) for each BAR n that is claimed here
 * @size: of @config, in double words
 * @config: which bits of it are compared, and what they were when it was made ready
 */
struct vpv_standby {
	struct vfio_pci_variant_device *vvdev;
	struct notifier_block pm;
	struct delayed_work work;
	enum state state;
	bool expected;
	bool asleep;
	bool told;
	unsigned int retries;
	unsigned int shaken;
	int warm_at;
	u8 claimed;
	unsigned int size;
	struct {
		u32 mask, value;
	} config[];
};

static struct workqueue_struct *workers;

static void set_state(struct vpv_standby *standby, enum state state)
{
	WRITE_ONCE(standby->state, state);
}

/* --- config space -------------------------------------------------------------- */

/* Where the last capability begins, in blocks of 256 bytes; what follows is not read. */
static unsigned int config_size(struct pci_dev *pdev)
{
	int at, last = 0, ttl = PCI_CFG_SPACE_EXP_SIZE / 8;
	u32 header;

	for (at = PCI_CFG_SPACE_SIZE; at >= PCI_CFG_SPACE_SIZE && ttl--;
	     at = PCI_EXT_CAP_NEXT(header)) {
		if (at >= pdev->cfg_size)
			break;
		pci_read_config_dword(pdev, at, &header);
		if (!header || PCI_POSSIBLE_ERROR(header))
			break;
		last = max(last, at);
	}
	return round_up(last + 1, PCI_CFG_SPACE_SIZE) / sizeof(u32);
}

/*
 * What changes by itself, as status does, or in ordinary use: lspci reads VPD, and the
 * IOMMU's driver switches what has to do with ATS when it changes the domain. (PCI Power
 * Management 1.2, 3.2.4; PCI Local Bus 3.0, 6.2.3 and I; PCI Express Base 6.0, 7.5.3, 7.8.4,
 * 7.8.9 and 10.5)
 */
static const struct {
	bool is_ext;
	u8 cap;
	u8 at;
	u32 bits;
} unsteady[] = {
	{ false, PCI_CAP_ID_PM, PCI_PM_CTRL, PCI_PM_CTRL_PME_STATUS },
	{ false, PCI_CAP_ID_VPD, 0, GENMASK(31, 16) },
	{ false, PCI_CAP_ID_VPD, PCI_VPD_DATA, U32_MAX },
	{ false, PCI_CAP_ID_EXP, PCI_EXP_DEVCTL, GENMASK(31, 16) },
	{ false, PCI_CAP_ID_EXP, PCI_EXP_LNKCTL, GENMASK(31, 16) },
	{ false, PCI_CAP_ID_EXP, PCI_EXP_LNKCTL2, GENMASK(31, 16) },
	{ true, PCI_EXT_CAP_ID_ERR, PCI_ERR_UNCOR_STATUS, U32_MAX },
	{ true, PCI_EXT_CAP_ID_ERR, PCI_ERR_COR_STATUS, U32_MAX },
	{ true, PCI_EXT_CAP_ID_ERR, PCI_ERR_CAP, GENMASK(4, 0) },
	{ true, PCI_EXT_CAP_ID_ERR, PCI_ERR_HEADER_LOG, U32_MAX },
	{ true, PCI_EXT_CAP_ID_ERR, PCI_ERR_HEADER_LOG + 4, U32_MAX },
	{ true, PCI_EXT_CAP_ID_ERR, PCI_ERR_HEADER_LOG + 8, U32_MAX },
	{ true, PCI_EXT_CAP_ID_ERR, PCI_ERR_HEADER_LOG + 12, U32_MAX },
	{ true, PCI_EXT_CAP_ID_ATS, 4, U32_MAX },
	{ true, PCI_EXT_CAP_ID_PRI, PCI_PRI_CTRL, U32_MAX },
	{ true, PCI_EXT_CAP_ID_PRI, PCI_PRI_ALLOC_REQ, U32_MAX },
	{ true, PCI_EXT_CAP_ID_PASID, 4, U32_MAX },
};

/* Which bits of config space are compared. */
static void config_choose(struct vpv_standby *standby)
{
	struct pci_dev *pdev = standby->vvdev->core.pdev;
	unsigned int i, n;
	int at;

	for (i = 0; i < standby->size; i++)
		standby->config[i].mask = U32_MAX;
	/* The upper half is STATUS. */
	standby->config[PCI_COMMAND / sizeof(u32)].mask = U16_MAX;
	for (i = 0; i < ARRAY_SIZE(unsteady); i++) {
		at = unsteady[i].is_ext ?
		     pci_find_ext_capability(pdev, unsteady[i].cap) :
		     pci_find_capability(pdev, unsteady[i].cap);
		n = (at + unsteady[i].at) / sizeof(u32);
		/* Shorter in its first version. */
		if (unsteady[i].cap == PCI_CAP_ID_EXP && unsteady[i].at == PCI_EXP_LNKCTL2 &&
		    (pcie_caps_reg(pdev) & PCI_EXP_FLAGS_VERS) < 2)
			continue;
		if (at && n < standby->size)
			standby->config[n].mask &= ~unsteady[i].bits;
	}
}

static u32 config_read(const struct vpv_standby *standby, unsigned int n)
{
	u32 value;

	pci_read_config_dword(standby->vvdev->core.pdev, n * sizeof(u32), &value);
	return value & standby->config[n].mask;
}

static void config_note(struct vpv_standby *standby)
{
	unsigned int i;

	for (i = 0; i < standby->size; i++)
		standby->config[i].value = config_read(standby, i);
}

static bool config_is_same(const struct vpv_standby *standby)
{
	const struct vfio_pci_variant_device *vvdev = standby->vvdev;
	unsigned int i;

	for (i = 0; i < standby->size; i++) {
		if (config_read(standby, i) == standby->config[i].value)
			continue;
		dev_info_ratelimited(&vvdev->core.pdev->dev, "%s: standby: its config space has changed at 0x%03zx since it was made ready: it is reset once more\n",
				     vvdev->variant->name, i * sizeof(u32));
		return false;
	}
	return true;
}

/* --- warm and cold ------------------------------------------------------------- */

/* Newer kernels have the BARs claimed when a function is enabled. */
static int claim_bars(struct vpv_standby *standby)
{
	struct vfio_pci_variant_device *vvdev = standby->vvdev;
	struct pci_dev *pdev = vvdev->core.pdev;
	int i, ret;

	for (i = 0; i < PCI_STD_NUM_BARS; i++) {
		if (!pci_resource_len(pdev, i) ||
		    !IS_ERR_OR_NULL(vvdev->core.barmap[i]))
			continue;
		ret = pci_request_selected_regions_exclusive(pdev, BIT(i),
							     vvdev->variant->name);
		if (ret)
			return ret;
		standby->claimed |= BIT(i);
	}
	return 0;
}

static void release_bars(struct vpv_standby *standby)
{
	pci_release_selected_regions(standby->vvdev->core.pdev, standby->claimed);
	standby->claimed = 0;
}

/* Device lock held, too. What its last user may have left in it is as it was. */
static void disable(struct vpv_standby *standby)
{
	struct vfio_pci_variant_device *vvdev = standby->vvdev;
	bool needs_reset = vvdev->core.needs_reset;

	release_bars(standby);
	vpv_power_closed(vvdev);
	vfio_pci_core_disable(&vvdev->core);
	WRITE_ONCE(vvdev->core.needs_reset, needs_reset);
	set_state(standby, COLD);
}

/* Return: 0, or -EAGAIN if somebody has the device lock. */
static int cool(struct vpv_standby *standby)
{
	struct pci_dev *pdev = standby->vvdev->core.pdev;

	if (!pci_dev_trylock(pdev))
		return -EAGAIN;
	disable(standby);
	pci_dev_unlock(pdev);
	return 0;
}

static bool is_disturbed(const struct vpv_standby *standby)
{
	return atomic_read(&standby->vvdev->disturbed) != standby->warm_at;
}

/* In D0. It is marked as warm before it is looked at: see vpv_standby_disturbed(). */
static int enable(struct vpv_standby *standby)
{
	struct vfio_pci_variant_device *vvdev = standby->vvdev;
	struct pci_dev *pdev = vvdev->core.pdev;
	unsigned int resets = READ_ONCE(vvdev->hook_resets);
	int before, ret;

	/* Somebody resets it, or it waits for its recovery. */
	if (pci_channel_offline(pdev) || !vpv_state_is_whole(vvdev))
		return -EAGAIN;
	before = atomic_read(&vvdev->disturbed);
	ret = vpv_compat_enable(vvdev);
	if (ret)
		return ret;
	ret = vpv_reset_opened(vvdev, resets);
	/* By that reset, and by nothing else. */
	standby->warm_at = before + 1;
	set_state(standby, WARM);
	/* Pairs with that in vpv_disturb(). */
	smp_mb();

	if (!ret && !vvdev->core.reset_works)
		ret = -ENOTTY;
	if (!ret)
		ret = claim_bars(standby);
	config_note(standby);
	if (!ret && (is_disturbed(standby) || !vpv_state_is_whole(vvdev)))
		ret = -EAGAIN;
	return ret;
}

static int warm(struct vpv_standby *standby)
{
	struct device *dev = &standby->vvdev->core.pdev->dev;
	int ret;

	set_state(standby, WARMING);
	ret = pm_runtime_resume_and_get(dev);
	if (!ret) {
		ret = enable(standby);
		/* Not asleep and awake again with each attempt. */
		vpv_power_closed(standby->vvdev);
		pm_runtime_put(dev);
	}
	if (ret && standby->state == WARMING)
		set_state(standby, COLD);
	return ret;
}

static bool may_be_warm(const struct vpv_standby *standby)
{
	const struct vfio_pci_variant_device *vvdev = standby->vvdev;

	return READ_ONCE(standby->expected) && !READ_ONCE(standby->asleep) &&
	       !vpv_user_is_leaving(standby->vvdev) &&
	       !pci_num_vf(vvdev->core.pdev) &&
	       list_is_singular(&vvdev->core.vdev.dev_set->device_list);
}

/* Return: 0; -EAGAIN: try again; or why it can't be made ready. It is cold then. */
static int try_to_warm(struct vpv_standby *standby)
{
	int ret;

	if (standby->state == OPEN)
		return 0;
	if (standby->state == WARM) {
		if (!is_disturbed(standby) && may_be_warm(standby))
			return 0;
		ret = cool(standby);
		if (ret)
			return ret;
	}
	if (!may_be_warm(standby))
		return 0;

	ret = warm(standby);
	if (ret && standby->state == WARM && cool(standby)) {
		/* Then the next attempt does that. */
		vpv_disturb(standby->vvdev);
		ret = -EAGAIN;
	}
	return ret;
}

static void make_ready(struct work_struct *work)
{
	struct vpv_standby *standby = container_of(to_delayed_work(work),
						   struct vpv_standby, work);
	struct vfio_pci_variant_device *vvdev = standby->vvdev;
	struct vfio_device_set *dev_set = vvdev->core.vdev.dev_set;
	int ret = -EAGAIN;

	if (mutex_trylock(&dev_set->lock)) {
		ret = try_to_warm(standby);
		mutex_unlock(&dev_set->lock);
	}
	if (ret == -EAGAIN && standby->retries < RETRIES) {
		WRITE_ONCE(standby->retries, standby->retries + 1);
		queue_delayed_work(workers, &standby->work, RETRY_DELAY);
		return;
	}
	standby->retries = 0;
	if (ret && !standby->told)
		pci_warn(vvdev->core.pdev, "%s: standby: it could not be made ready (error %d), and is reset when it is opened; tried again after its next use\n",
			 vvdev->variant->name, ret);
	if (ret)
		standby->told = true;
	else if (READ_ONCE(standby->state) == WARM)
		standby->told = false;
}

static void queue(struct vpv_standby *standby)
{
	WRITE_ONCE(standby->retries, 0);
	WRITE_ONCE(standby->shaken, 0);
	mod_delayed_work(workers, &standby->work, RETRY_DELAY);
}

/*
 * No lock held that the worker needs for more than an attempt. Where @is_locked the
 * device lock is held, else it is waited for, for a while.
 */
static void stop(struct vpv_standby *standby, bool is_locked)
{
	struct vfio_device_set *dev_set = standby->vvdev->core.vdev.dev_set;
	int retries = RETRIES;

	cancel_delayed_work_sync(&standby->work);
	while (READ_ONCE(standby->state) == WARM && retries--) {
		mutex_lock(&dev_set->lock);
		if (standby->state == WARM && is_locked)
			disable(standby);
		else if (standby->state == WARM)
			cool(standby);
		mutex_unlock(&dev_set->lock);
		if (READ_ONCE(standby->state) == WARM)
			schedule_timeout_idle(RETRY_DELAY);
	}
	/* Not in time. The worker goes on, as it may not be warm. */
	if (READ_ONCE(standby->state) == WARM)
		queue(standby);
}

/* --- from bind to unbind ----------------------------------------------------------- */

static int count_function(struct pci_dev *pdev, void *data)
{
	unsigned int *count = data;

	(*count)++;
	return 0;
}

/* Has VFIO a set for it alone, as far as hardware goes? */
static bool is_alone(struct pci_dev *pdev)
{
	unsigned int count = 0;

	if (pdev->is_virtfn || pci_is_root_bus(pdev->bus))
		return true;
	pci_walk_bus(pdev->bus, count_function, &count);
	return count == 1;
}

/* The system's memory is all that is sure to be as it was when it comes back. */
static int pm_event(struct notifier_block *nb, unsigned long event, void *data)
{
	struct vpv_standby *standby = container_of(nb, struct vpv_standby, pm);

	switch (event) {
	case PM_SUSPEND_PREPARE:
	case PM_HIBERNATION_PREPARE:
	case PM_RESTORE_PREPARE:
		WRITE_ONCE(standby->asleep, true);
		vpv_disturb(standby->vvdev);
		stop(standby, false);
		break;
	default:
		/* One that was bound in between, before tasks were frozen, knew of nothing. */
		vpv_disturb(standby->vvdev);
		WRITE_ONCE(standby->asleep, false);
		if (READ_ONCE(standby->expected))
			queue(standby);
	}
	return NOTIFY_DONE;
}

/**
 * vpv_standby_bind - have a function stand ready if it is to
 * @vvdev: the device, settings latched, resets limited; not registered yet, device lock
 *	held
 *
 * It begins with vfio_pci_variant_stand_by(). Says so where it can't be.
 *
 * Return: 0 or an errno.
 */
int vpv_standby_bind(struct vfio_pci_variant_device *vvdev)
{
	struct pci_dev *pdev = vvdev->core.pdev;
	struct vpv_standby *standby;
	unsigned int size;
	int ret;

	if (!vvdev->settings.standby)
		return 0;
	if (!vpv_ways_has(pdev)) {
		pci_warn(pdev, "%s: standby does not hold: it can't be reset by itself\n",
			 vvdev->variant->name);
		return 0;
	}
	if (!is_alone(pdev)) {
		pci_warn(pdev, "%s: standby does not hold: there are other functions in its slot or on its bus, whose users would wait for its resets\n",
			 vvdev->variant->name);
		return 0;
	}

	if (vpv_compat_reset_bars_attach(pdev)) {
		pci_warn(pdev, "%s: standby does not hold: it has ATS, and on this kernel its resets would have others of its IOMMU group refused (EBUSY)\n",
			 vvdev->variant->name);
		return 0;
	}

	size = config_size(pdev);
	standby = kzalloc(struct_size(standby, config, size), GFP_KERNEL);
	if (!standby)
		return -ENOMEM;
	standby->vvdev = vvdev;
	standby->size = size;
	config_choose(standby);
	INIT_DELAYED_WORK(&standby->work, make_ready);
	standby->pm.notifier_call = pm_event;
	ret = register_pm_notifier(&standby->pm);
	if (ret) {
		kfree(standby);
		return ret;
	}
	vvdev->standby = standby;
	return 0;
}

/**
 * vpv_standby_unbind - mirror of vpv_standby_bind()
 * @vvdev: the device, which nobody has open or can open any more, and which nobody has
 *	stand by; device lock held
 */
void vpv_standby_unbind(struct vfio_pci_variant_device *vvdev)
{
	if (!vvdev->standby)
		return;
	unregister_pm_notifier(&vvdev->standby->pm);
	vpv_standby_cool(vvdev);
}

/**
 * vpv_standby_free - forget what vpv_standby_bind() made
 * @vvdev: the device, with its last reference gone
 */
void vpv_standby_free(struct vfio_pci_variant_device *vvdev)
{
	kfree(vvdev->standby);
}

/**
 * vpv_standby_cool - have a function not be ready
 * @vvdev: the device; device lock held, and until it is let go it is not made ready again
 */
void vpv_standby_cool(struct vfio_pci_variant_device *vvdev)
{
	if (vvdev->standby)
		stop(vvdev->standby, true);
}

/**
 * vpv_standby_resume - what kept a function from being ready may be over
 * @vvdev: the device, registered; device lock held
 */
void vpv_standby_resume(struct vfio_pci_variant_device *vvdev)
{
	if (vvdev->standby)
		queue(vvdev->standby);
}

/**
 * vfio_pci_variant_stand_by - somebody may open a device from now on
 * @vvdev: the device
 *
 * For gates: a device without one may be opened as long as it is bound. Where the
 * setting standby holds it is made ready for that. Takes no lock.
 */
void vfio_pci_variant_stand_by(struct vfio_pci_variant_device *vvdev)
{
	if (!vvdev->standby)
		return;
	WRITE_ONCE(vvdev->standby->expected, true);
	queue(vvdev->standby);
}
EXPORT_SYMBOL_GPL(vfio_pci_variant_stand_by);

/**
 * vfio_pci_variant_stand_down - nobody opens a device any more
 * @vvdev: the device, which its gate has closed
 *
 * Mirror of vfio_pci_variant_stand_by(): it sleeps as it would without standby.
 * Context: May sleep, and takes the dev_set lock.
 */
void vfio_pci_variant_stand_down(struct vfio_pci_variant_device *vvdev)
{
	if (!vvdev->standby)
		return;
	WRITE_ONCE(vvdev->standby->expected, false);
	stop(vvdev->standby, false);
}
EXPORT_SYMBOL_GPL(vfio_pci_variant_stand_down);

/**
 * vpv_standby_disturbed - something happened to a function
 * @vvdev: the device, of which vpv_disturb() has counted that
 *
 * The worker sees that, or this that it is warm. It lets ever more time pass, up to 20 s:
 * there may be errors after each reset.
 */
void vpv_standby_disturbed(struct vfio_pci_variant_device *vvdev)
{
	struct vpv_standby *standby = vvdev->standby;
	unsigned int shaken;

	if (!standby || READ_ONCE(standby->state) != WARM)
		return;
	shaken = READ_ONCE(standby->shaken);
	WRITE_ONCE(standby->shaken, shaken + 1);
	mod_delayed_work(workers, &standby->work, RETRY_DELAY << min(shaken, 10U));
}

/**
 * vpv_standby_open - take a function that stands ready
 * @vvdev: the device; dev_set lock held
 *
 * Return: 0: it is enabled and reset; -ENODATA: it is not, and not enabled; -EAGAIN: it is
 * not, and somebody has its device lock.
 */
int vpv_standby_open(struct vfio_pci_variant_device *vvdev)
{
	struct vpv_standby *standby = vvdev->standby;
	bool was_warm;
	int ret;

	if (!standby)
		return -ENODATA;
	was_warm = standby->state == WARM;
	if (was_warm && !is_disturbed(standby) &&
	    !pci_num_vf(vvdev->core.pdev) && config_is_same(standby)) {
		release_bars(standby);
		set_state(standby, OPEN);
		return 0;
	}
	if (was_warm) {
		ret = cool(standby);
		if (ret) {
			vpv_explain_open(vvdev, ret);
			return ret;
		}
	}
	set_state(standby, OPEN);
	return -ENODATA;
}

/**
 * vpv_standby_closed - a function is nobody's again
 * @vvdev: the device, disabled, or never enabled; dev_set lock held
 */
void vpv_standby_closed(struct vfio_pci_variant_device *vvdev)
{
	struct vpv_standby *standby = vvdev->standby;

	if (!standby || standby->state != OPEN)
		return;
	set_state(standby, COLD);
	queue(standby);
}

/**
 * vpv_standby_show - the state, for sysfs
 * @vvdev: the device, bound
 *
 * Return: off, cold, warming, warm or open.
 */
const char *vpv_standby_show(const struct vfio_pci_variant_device *vvdev)
{
	static const char * const names[] = {
		[COLD] = "cold", [WARMING] = "warming", [WARM] = "warm",
		[OPEN] = "open",
	};

	return vvdev->standby ? names[READ_ONCE(vvdev->standby->state)] : "off";
}

/**
 * vpv_standby_init - before any function is bound
 *
 * Return: 0 or -ENOMEM.
 */
int __init vpv_standby_init(void)
{
	/* Not while tasks are frozen: what it would find then is of no use afterwards. */
	workers = alloc_workqueue("vfio-pci-standby", WQ_UNBOUND | WQ_FREEZABLE,
				  WORKERS);
	return workers ? 0 : -ENOMEM;
}

/**
 * vpv_standby_exit - mirror of vpv_standby_init(), also in an init that fails
 */
void vpv_standby_exit(void)
{
	destroy_workqueue(workers);
}
