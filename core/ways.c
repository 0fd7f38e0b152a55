// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ways in which the PCI core resets a function alone, while it is bound: it is kept
 * from those that the function must not see, and has those that it was told to have.
 */
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "core.h"

/*
 * VFIO_PCI_RESET_* are indices into the PCI core's table of reset methods, too, as they
 * stand in struct pci_dev's reset_methods[]. It has that to itself; they are the same in
 * every kernel we serve, and the tests of no_flr and reset= fail where they are not.
 */
#define WAY(__name)	BIT(VFIO_PCI_RESET_##__name)

static_assert(PCI_NUM_RESET_METHODS <= 8);

/*
 * A flag is the PCI core's own way to say that a function does not stand a reset.
 * It does not go far enough: some methods for particular functions don't look at
 * it, others don't look at what came of the FLR in them and report a reset that
 * did not happen. So each quirk takes its methods out of the list as well.
 */
static const struct {
	u32 quirk;
	pci_dev_flags_t flag;
	u8 methods;
} reset_kinds[] = {
	{ VFIO_PCI_QUIRK_NO_FLR, PCI_DEV_FLAGS_NO_FLR_RESET,
	  WAY(DEVICE_SPECIFIC) | WAY(FLR) | WAY(AF_FLR) },
	{ VFIO_PCI_QUIRK_NO_PM_RESET, PCI_DEV_FLAGS_NO_PM_RESET, WAY(PM) },
	{ VFIO_PCI_QUIRK_NO_BUS_RESET, PCI_DEV_FLAGS_NO_BUS_RESET,
	  WAY(BUS) | WAY(CXL_BUS) },
};

/*
 * Functions that have PCI_DEV_FLAGS_NO_BUS_RESET from us. The lock is taken under
 * a device lock, and no other device lock is taken under it.
 */
static LIST_HEAD(bus_limits);
static DEFINE_MUTEX(bus_limits_lock);

/* Copy a list of methods without those in @blocked. */
static void filter_methods(u8 *to, const u8 *from, u8 blocked)
{
	size_t i, n = 0;

	memset(to, 0, PCI_NUM_RESET_METHODS);
	for (i = 0; i < PCI_NUM_RESET_METHODS && from[i]; i++)
		if (!(blocked & BIT(from[i])))
			to[n++] = from[i];
}

/* BIT(n) for each method n that quirks rule out, and the flags that go with them. */
static u8 find_blocked(const struct vpv_quirks *quirks, pci_dev_flags_t *flags)
{
	u8 blocked = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(reset_kinds); i++) {
		if (!(quirks->set & (reset_kinds[i].quirk |
				     VFIO_PCI_QUIRK_NO_RESET)))
			continue;
		*flags |= reset_kinds[i].flag;
		blocked |= reset_kinds[i].methods;
	}
	return quirks->set & VFIO_PCI_QUIRK_NO_RESET ? U8_MAX : blocked;
}

/* The ways in @resets, in their order, of those that the function has, and no others. */
static void choose_methods(const struct vfio_pci_variant_device *vvdev,
			   struct vpv_ways *ways, const u8 *resets)
{
	size_t i, n = 0;
	u8 chosen = 0;

	for (i = 0; i < VFIO_PCI_QUIRK_MAX_RESETS && resets[i]; i++) {
		if (!(ways->blocked & BIT(resets[i])) &&
		    memchr(ways->methods, resets[i], sizeof(ways->methods)))
			ways->given[n++] = resets[i];
		else
			pci_warn(vvdev->core.pdev, "%s: reset=: it can't be reset by %s; reset_method in its sysfs directory names its ways while it is not bound\n",
				 vvdev->variant->name, vpv_way_name(resets[i]));
	}
	for (i = 0; i < n; i++)
		chosen |= BIT(ways->given[i]);
	if (chosen)
		ways->blocked = ~chosen;
}

/* Is it the variant's hook that resets it? */
static bool resets_itself(const struct vfio_pci_variant_device *vvdev)
{
	const struct vpv_quirks *quirks = vvdev->quirks;

	if (!vvdev->ops->reset || vpv_quirk(vvdev, VFIO_PCI_QUIRK_NO_RESET))
		return false;
	return !quirks || !quirks->resets[0] ||
	       memchr(quirks->resets, VFIO_PCI_RESET_DEVICE_SPECIFIC,
		      sizeof(quirks->resets));
}

/**
 * vpv_ways_bind - have the PCI core reset a function as it should be, while it is bound
 * @vvdev: the device, not registered yet; device lock held, as in every reset
 *
 * The bus flag waits for vpv_ways_register(). reset_method in sysfs is written
 * without the device lock: a write at this moment may be lost or mix with ours. The
 * list stays one of methods, each of which asks the flags again, but for those that
 * the table above is about.
 *
 * One that a variant's hook resets is left the method for particular functions. The
 * kernel has none for it, most likely: then the PCI core comes to vpv_reset_by_hook() with
 * all that is to be done around a reset done, and nothing reset.
 *
 * Return: 0 or -ENOMEM.
 */
int vpv_ways_bind(struct vfio_pci_variant_device *vvdev)
{
	struct vpv_quirks *quirks = vvdev->quirks;
	struct pci_dev *pdev = vvdev->core.pdev;
	pci_dev_flags_t flags = 0;
	struct vpv_ways *ways;
	u8 blocked = 0;

	if (quirks)
		blocked = find_blocked(quirks, &flags);
	vvdev->resets_itself = resets_itself(vvdev);
	if (!blocked && !vvdev->resets_itself && !(quirks && quirks->resets[0]))
		return 0;

	ways = kzalloc(sizeof(*ways), GFP_KERNEL);
	if (!ways)
		return -ENOMEM;
	ways->pdev = pdev;
	ways->blocked = blocked;
	INIT_LIST_HEAD(&ways->node);
	/* Behind its end there may be old ones. */
	filter_methods(ways->methods, pdev->reset_methods, 0);
	if (vvdev->resets_itself)
		ways->given[0] = VFIO_PCI_RESET_DEVICE_SPECIFIC;
	else if (quirks->resets[0])
		choose_methods(vvdev, ways, quirks->resets);
	else
		filter_methods(ways->given, ways->methods, blocked);

	flags &= ~pdev->dev_flags;
	ways->bus_flag = flags & PCI_DEV_FLAGS_NO_BUS_RESET;
	ways->flags = flags & ~ways->bus_flag;
	pdev->dev_flags |= ways->flags;
	memcpy(pdev->reset_methods, ways->given, sizeof(ways->given));
	vvdev->ways = ways;
	return 0;
}

/*
 * Let a registration see the slot of @pdev as it is without our bus flags, or put
 * them back.
 */
static void lift_bus_flags(struct pci_dev *pdev, bool lift)
{
	struct vpv_ways *ways;

	lockdep_assert_held(&bus_limits_lock);

	if (!pdev->slot || pdev->is_virtfn)
		return;
	list_for_each_entry(ways, &bus_limits, node) {
		if (ways->pdev->slot != pdev->slot)
			continue;
		if (lift)
			ways->pdev->dev_flags &= ~ways->bus_flag;
		else
			ways->pdev->dev_flags |= ways->bus_flag;
	}
}

/**
 * vpv_ways_register - vfio_pci_core_register_device(), whatever its siblings' flags
 * @vvdev: the device; device lock held
 *
 * Registration puts a function into the set of its slot if the slot can be reset,
 * else into that of its bus, and there it stays. A sibling that must not see a bus
 * reset would decide that for it, and once it is bound without that flag the two
 * were in different sets and neither had a hot reset. So the set is made a matter
 * of hardware: our flags in the slot, and its own, are not there meanwhile. This is
 * safe, as each way to the reset that they block is shut otherwise:
 *
 * - A reset of the slot or bus needs the lock of every device on it, that of
 *   @vvdev too, and VFIO and sysfs give up where they can't have it. Only the
 *   recovery from a fatal error waits for the lock; the link was down then.
 * - A reset of one function by its bus has been taken out of its methods. Only
 *   root could have put it back.
 *
 * Bridges in the slot, with functions of ours below, are let alone: those could be
 * reset without the lock of @vvdev.
 *
 * Return: what vfio_pci_core_register_device() returned.
 */
int vpv_ways_register(struct vfio_pci_variant_device *vvdev)
{
	struct pci_dev *pdev = vvdev->core.pdev;
	struct vpv_ways *ways = vvdev->ways;
	int ret;

	mutex_lock(&bus_limits_lock);
	lift_bus_flags(pdev, true);
	ret = vfio_pci_core_register_device(&vvdev->core);
	if (!ret && ways && ways->bus_flag) {
		pdev->dev_flags |= ways->bus_flag;
		list_add(&ways->node, &bus_limits);
	}
	lift_bus_flags(pdev, false);
	mutex_unlock(&bus_limits_lock);
	return ret;
}

/* Forget the bus flag of a function, if it has one from us. */
static void drop_bus_flag(struct vpv_ways *ways)
{
	mutex_lock(&bus_limits_lock);
	if (!list_empty(&ways->node)) {
		ways->pdev->dev_flags &= ~ways->bus_flag;
		list_del_init(&ways->node);
	}
	mutex_unlock(&bus_limits_lock);
}

/**
 * vpv_ways_unbind - mirror of vpv_ways_bind()
 * @vvdev: the device, closed and not registered any more; device lock held
 *
 * The function gets back the methods that it had, unless root has chosen others
 * meanwhile. "default" in reset_method is no such choice: it gives what the flags
 * leave, and perhaps methods that don't look at them. Hence the comparison is of
 * what is left of the lists without the blocked ones, too. As above, a write to
 * reset_method at this very moment may be lost.
 */
void vpv_ways_unbind(struct vfio_pci_variant_device *vvdev)
{
	u8 was[PCI_NUM_RESET_METHODS], is[PCI_NUM_RESET_METHODS];
	u8 now[PCI_NUM_RESET_METHODS];
	struct pci_dev *pdev = vvdev->core.pdev;
	struct vpv_ways *ways = vvdev->ways;

	if (!ways)
		return;
	drop_bus_flag(ways);
	pdev->dev_flags &= ~ways->flags;

	filter_methods(was, ways->methods, ways->blocked);
	filter_methods(is, pdev->reset_methods, ways->blocked);
	filter_methods(now, pdev->reset_methods, 0);
	if (!memcmp(is, was, sizeof(is)) || !memcmp(now, ways->given, sizeof(now)))
		memcpy(pdev->reset_methods, ways->methods, sizeof(ways->methods));
}

/**
 * vpv_ways_free - forget what vpv_ways_bind() made
 * @vvdev: the device, with its last reference gone
 */
void vpv_ways_free(struct vfio_pci_variant_device *vvdev)
{
	kfree(vvdev->ways);
}

/**
 * vpv_ways_has - does the PCI core know a way to reset this function alone?
 * @pdev: the function, bound
 *
 * The list of ways is the PCI core's own and ends with 0 in every kernel we serve;
 * its own question for that is not exported. sysfs may write the list meanwhile.
 *
 * Return: true if it does.
 */
bool vpv_ways_has(const struct pci_dev *pdev)
{
	return READ_ONCE(pdev->reset_methods[0]);
}

/**
 * vpv_ways_by_bus - does a reset of this function alone go by its bus?
 * @pdev: the function, bound
 *
 * That is the port's to do, which is why the PCI core wants its lock. Most functions
 * have that way as a last one, for when others fail; then there is no lock of the port
 * at an open either.
 *
 * Return: true if the first of its ways is that.
 */
bool vpv_ways_by_bus(const struct pci_dev *pdev)
{
	return (WAY(BUS) | WAY(CXL_BUS)) & BIT(READ_ONCE(pdev->reset_methods[0]));
}
