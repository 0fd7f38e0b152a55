// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ways in which the PCI core resets a function alone: it is kept from those that the
 * function must not see, while it is bound.
 */
#include <linux/mutex.h>
#include <linux/pci.h>

#include "core.h"

/*
 * Indices into the PCI core's table of reset methods, as they stand in struct
 * pci_dev's reset_methods[]. It has them to itself; they are the same in every
 * kernel we serve, and the tests of no_flr and no_bus_reset fail where they are
 * not. What has no name here (ACPI's _RST) is blocked only by no_reset.
 */
#define RESET_DEVICE_SPECIFIC	BIT(1)
#define RESET_FLR		BIT(3)
#define RESET_AF_FLR		BIT(4)
#define RESET_PM		BIT(5)
#define RESET_BUS		BIT(6)
#define RESET_CXL_BUS		BIT(7)

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
	  RESET_DEVICE_SPECIFIC | RESET_FLR | RESET_AF_FLR },
	{ VFIO_PCI_QUIRK_NO_PM_RESET, PCI_DEV_FLAGS_NO_PM_RESET, RESET_PM },
	{ VFIO_PCI_QUIRK_NO_BUS_RESET, PCI_DEV_FLAGS_NO_BUS_RESET,
	  RESET_BUS | RESET_CXL_BUS },
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

/**
 * vpv_ways_bind - keep the PCI core from resets that a function must not see
 * @vvdev: the device, not registered yet; device lock held, as in every reset
 *
 * The bus flag waits for vpv_ways_register(). reset_method in sysfs is written
 * without the device lock: a write at this moment may be lost or mix with ours. The
 * list stays one of methods, each of which asks the flags again, but for those that
 * the table above is about.
 */
void vpv_ways_bind(struct vfio_pci_variant_device *vvdev)
{
	struct pci_dev *pdev = vvdev->core.pdev;
	struct vpv_quirks *quirks = vvdev->quirks;
	struct vpv_reset_limits *limits;
	pci_dev_flags_t flags = 0;
	size_t i;

	if (!quirks)
		return;

	limits = &quirks->limits;
	limits->pdev = pdev;
	INIT_LIST_HEAD(&limits->node);
	for (i = 0; i < ARRAY_SIZE(reset_kinds); i++) {
		if (!(quirks->set & (reset_kinds[i].quirk |
				     VFIO_PCI_QUIRK_NO_RESET)))
			continue;
		flags |= reset_kinds[i].flag;
		limits->blocked |= reset_kinds[i].methods;
	}
	if (quirks->set & VFIO_PCI_QUIRK_NO_RESET)
		limits->blocked = U8_MAX;
	if (!limits->blocked)
		return;

	flags &= ~pdev->dev_flags;
	limits->bus_flag = flags & PCI_DEV_FLAGS_NO_BUS_RESET;
	limits->flags = flags & ~limits->bus_flag;
	pdev->dev_flags |= limits->flags;

	memcpy(limits->methods, pdev->reset_methods, sizeof(limits->methods));
	filter_methods(pdev->reset_methods, limits->methods, limits->blocked);
}

/*
 * Let a registration see the slot of @pdev as it is without our bus flags, or put
 * them back.
 */
static void lift_bus_flags(struct pci_dev *pdev, bool lift)
{
	struct vpv_reset_limits *limits;

	lockdep_assert_held(&bus_limits_lock);

	if (!pdev->slot || pdev->is_virtfn)
		return;
	list_for_each_entry(limits, &bus_limits, node) {
		if (limits->pdev->slot != pdev->slot)
			continue;
		if (lift)
			limits->pdev->dev_flags &= ~limits->bus_flag;
		else
			limits->pdev->dev_flags |= limits->bus_flag;
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
	struct vpv_quirks *quirks = vvdev->quirks;
	struct pci_dev *pdev = vvdev->core.pdev;
	int ret;

	mutex_lock(&bus_limits_lock);
	lift_bus_flags(pdev, true);
	ret = vfio_pci_core_register_device(&vvdev->core);
	if (!ret && quirks && quirks->limits.bus_flag) {
		pdev->dev_flags |= quirks->limits.bus_flag;
		list_add(&quirks->limits.node, &bus_limits);
	}
	lift_bus_flags(pdev, false);
	mutex_unlock(&bus_limits_lock);
	return ret;
}

/* Forget the bus flag of a function, if it has one from us. */
static void drop_bus_flag(struct vpv_reset_limits *limits)
{
	mutex_lock(&bus_limits_lock);
	if (!list_empty(&limits->node)) {
		limits->pdev->dev_flags &= ~limits->bus_flag;
		list_del_init(&limits->node);
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
 * what is left of both lists without the blocked ones. As above, a write to
 * reset_method at this very moment may be lost.
 */
void vpv_ways_unbind(struct vfio_pci_variant_device *vvdev)
{
	u8 was[PCI_NUM_RESET_METHODS], is[PCI_NUM_RESET_METHODS];
	struct pci_dev *pdev = vvdev->core.pdev;
	struct vpv_reset_limits *limits;

	if (!vvdev->quirks || !vvdev->quirks->limits.blocked)
		return;

	limits = &vvdev->quirks->limits;
	drop_bus_flag(limits);
	pdev->dev_flags &= ~limits->flags;

	filter_methods(was, limits->methods, limits->blocked);
	filter_methods(is, pdev->reset_methods, limits->blocked);
	if (!memcmp(was, is, sizeof(was)))
		memcpy(pdev->reset_methods, limits->methods,
		       sizeof(limits->methods));
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
	return (RESET_BUS | RESET_CXL_BUS) & BIT(READ_ONCE(pdev->reset_methods[0]));
}
