// SPDX-License-Identifier: GPL-2.0-only
/*
 * Configuration that a function lost to a reset or a loss of power that was not
 * VFIO's: a fatal error, whose recovery resets the link; a bridge's Secondary Bus
 * Reset written from user space; firmware.
 *
 * vfio-pci-core answers to an error that it can recover, so nobody restores what
 * the reset of the link took: BARs and COMMAND are 0 from then on. Here a copy is
 * made at bind, and given back wherever the device lock is held anyway and the
 * function is about to be used: after the reset of a recovery, before each reset
 * by the PCI core, which saves and restores what it finds, and at open. That
 * something is missing shows in the BARs, of which the kernel knows the values.
 *
 * No lock of the core's is taken: a hot reset holds memory_lock and waits for device
 * locks.
 */
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>

#include "compat.h"
#include "core.h"

/**
 * struct vpv_state - configuration of a bound function
 * @saved: as of bind; NULL: the function could not be reached then
 * @command: COMMAND, as of bind
 * @bars: BARs that hold what the kernel's resources say; by them a loss is seen
 * @noted: COMMAND as of the error that is being recovered from; device lock
 * @is_noted: there is such a value; device lock
 */
struct vpv_state {
	struct pci_saved_state *saved;
	u16 command;
	u8 bars;
	u16 noted;
	bool is_noted;
};

/**
 * vpv_state_is_reachable - does a function answer?
 * @pdev: the function, in D0
 *
 * Return: false if it is off, gone or held in reset. Vendor and device ID of a VF are all
 * ones by design; COMMAND never is.
 */
bool vpv_state_is_reachable(struct pci_dev *pdev)
{
	u16 command;

	pci_read_config_word(pdev, PCI_COMMAND, &command);
	return !PCI_POSSIBLE_ERROR(command);
}

/* What BAR @i has to hold; 0: nothing that we know of. */
static u64 bar_wanted(struct pci_dev *pdev, int i)
{
	struct resource *res = &pdev->resource[i];
	struct pci_bus_region region;

	if (!res->parent ||
	    res->flags & (IORESOURCE_UNSET | IORESOURCE_PCI_FIXED))
		return 0;
	pcibios_resource_to_bus(pdev->bus, &region, res);
	return region.start;
}

static u64 bar_read(struct pci_dev *pdev, int i)
{
	unsigned long flags = pdev->resource[i].flags;
	int at = PCI_BASE_ADDRESS_0 + 4 * i;
	u32 low, high = 0;

	pci_read_config_dword(pdev, at, &low);
	if (flags & IORESOURCE_IO)
		return low & (u32)PCI_BASE_ADDRESS_IO_MASK;
	if (flags & IORESOURCE_MEM_64)
		pci_read_config_dword(pdev, at + 4, &high);
	return (u64)high << 32 | (low & (u32)PCI_BASE_ADDRESS_MEM_MASK);
}

static void bar_write(struct pci_dev *pdev, int i, u64 value)
{
	int at = PCI_BASE_ADDRESS_0 + 4 * i;

	pci_write_config_dword(pdev, at, lower_32_bits(value));
	if (pdev->resource[i].flags & IORESOURCE_MEM_64)
		pci_write_config_dword(pdev, at + 4, upper_32_bits(value));
}

/* Those of @bars that don't hold what they should. */
static u8 bars_lost(struct pci_dev *pdev, u8 bars)
{
	u8 lost = 0;
	int i;

	for (i = 0; i < PCI_STD_NUM_BARS; i++)
		if (bars & BIT(i) && bar_read(pdev, i) != bar_wanted(pdev, i))
			lost |= BIT(i);
	return lost;
}

/* For what the copy does not have: decoding is off while they change. */
static void bars_set(struct pci_dev *pdev, u8 bars)
{
	u16 command;
	int i;

	if (!bars)
		return;
	pci_read_config_word(pdev, PCI_COMMAND, &command);
	pci_write_config_word(pdev, PCI_COMMAND,
			      command & ~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
	for (i = 0; i < PCI_STD_NUM_BARS; i++)
		if (bars & BIT(i))
			bar_write(pdev, i, bar_wanted(pdev, i));
	pci_write_config_word(pdev, PCI_COMMAND, command);
}

/**
 * vpv_state_is_whole - has a function the configuration that it should have?
 * @vvdev: the device, in D0
 *
 * Return: false if it does not answer or has lost its BARs.
 */
bool vpv_state_is_whole(struct vfio_pci_variant_device *vvdev)
{
	struct pci_dev *pdev = vvdev->core.pdev;

	return vpv_state_is_reachable(pdev) && !bars_lost(pdev, vvdev->state->bars);
}

/*
 * BARs in which @pdev has something else than the kernel's resources say are none
 * to tell a loss by: on some platforms they are never asked. 0 is what a reset
 * leaves.
 */
static void find_bars(struct vfio_pci_variant_device *vvdev)
{
	struct pci_dev *pdev = vvdev->core.pdev;
	u8 bars = 0, lost = 0;
	int i;

	/* VFs have none in their config space. */
	for (i = 0; i < PCI_STD_NUM_BARS && !pdev->is_virtfn; i++) {
		u64 wanted = bar_wanted(pdev, i);
		u64 value = bar_read(pdev, i);

		if (!wanted)
			continue;
		if (value == wanted)
			bars |= BIT(i);
		else if (!value)
			lost |= BIT(i);
	}

	vvdev->state->bars = bars | lost;
	if (!lost)
		return;
	bars_set(pdev, lost);
	pci_warn(pdev, "%s: had lost its BARs before it was bound, to a reset or a loss of power: set again; if it does not work, remove and rescan it\n",
		 vvdev->variant->name);
}

/**
 * vpv_state_bind - copy what may have to be restored
 * @vvdev: the device, which nobody can open yet; device lock held
 *
 * Return: 0, or -ENOMEM. vpv_state_free() undoes it.
 */
int vpv_state_bind(struct vfio_pci_variant_device *vvdev)
{
	struct pci_dev *pdev = vvdev->core.pdev;
	struct vpv_state *state;

	/* Registration refuses the others. */
	if (pdev->hdr_type != PCI_HEADER_TYPE_NORMAL)
		return 0;

	state = kzalloc(sizeof(*state), GFP_KERNEL);
	if (!state)
		return -ENOMEM;
	vvdev->state = state;

	/* The last driver may have left it in any state, of which nobody knows. */
	pci_set_power_state(pdev, PCI_D0);
	if (!vpv_state_is_reachable(pdev))
		return 0;

	find_bars(vvdev);
	pci_read_config_word(pdev, PCI_COMMAND, &state->command);
	pci_save_state(pdev);
	state->saved = pci_store_saved_state(pdev);
	return state->saved ? 0 : -ENOMEM;
}

/**
 * vpv_state_free - forget the copy
 * @vvdev: the device, with its last reference gone
 */
void vpv_state_free(struct vfio_pci_variant_device *vvdev)
{
	if (!vvdev->state)
		return;
	kfree(vvdev->state->saved);
	kfree(vvdev->state);
}

/*
 * What COMMAND has to be when nobody could read it before the loss. A user who has
 * the device open finds it decoding, without bus mastering.
 */
static u16 command_wanted(struct vfio_pci_variant_device *vvdev)
{
	u16 command = vvdev->state->command & ~PCI_COMMAND_MASTER;
	struct pci_dev *pdev = vvdev->core.pdev;
	int i;

	if (!pci_is_enabled(pdev))
		return command;
	for (i = 0; i < PCI_STD_NUM_BARS; i++) {
		if (pdev->resource[i].flags & IORESOURCE_MEM)
			command |= PCI_COMMAND_MEMORY;
		if (pdev->resource[i].flags & IORESOURCE_IO)
			command |= PCI_COMMAND_IO;
	}
	if (vpv_compat_intx_off(&vvdev->core))
		return command | PCI_COMMAND_INTX_DISABLE;
	return command & ~PCI_COMMAND_INTX_DISABLE;
}

/* Device lock held, function in D0. True if it took all of it. */
static bool restore(struct vfio_pci_variant_device *vvdev, u16 command)
{
	struct vpv_state *state = vvdev->state;
	struct pci_dev *pdev = vvdev->core.pdev;

	if (!vpv_state_is_reachable(pdev))
		return false;
	if (state->saved && !pci_load_saved_state(pdev, state->saved))
		pci_restore_state(pdev);
	bars_set(pdev, bars_lost(pdev, state->bars));
	pci_write_config_word(pdev, PCI_COMMAND, command);
	return vpv_state_is_whole(vvdev);
}

static void reset_done(struct vfio_pci_variant_device *vvdev)
{
	vpv_migration_reset(vvdev);
	if (vvdev->ops->reset_done)
		vvdev->ops->reset_done(vvdev);
}

/* It is lost, or about to be, or in the hands of somebody who resets it. */
static int restore_at_open(struct vfio_pci_variant_device *vvdev)
{
	struct pci_dev *pdev = vvdev->core.pdev;
	const char *name = vvdev->variant->name;
	bool restored = false, whole;

	/* Remove holds the lock and waits for us: never wait for it here. */
	if (!pci_dev_trylock(pdev)) {
		pci_warn(pdev, "%s: not opened: it lost its configuration, or is being reset; try again\n",
			 name);
		return -EAGAIN;
	}
	whole = vpv_state_is_whole(vvdev);
	if (!whole) {
		restored = restore(vvdev, command_wanted(vvdev));
		if (restored)
			reset_done(vvdev);
	}
	pci_dev_unlock(pdev);

	if (whole)
		return 0;
	if (restored) {
		pci_warn(pdev, "%s: had lost its configuration to a reset or a loss of power: restored\n",
			 name);
		return 0;
	}
	if (vpv_state_is_reachable(pdev))
		pci_warn(pdev, "%s: not opened: it lost its configuration and does not take it back; remove and rescan it, or power cycle the machine\n",
			 name);
	else
		pci_warn(pdev, "%s: not opened: its config space can't be read, it is off, gone or held in reset; remove and rescan it, or power cycle the machine\n",
			 name);
	return -EIO;
}

/**
 * vpv_state_enable - vpv_compat_enable() of a function that has its configuration
 * @vvdev: the device, dev_set lock held
 *
 * Return: what vpv_compat_enable() returned; -EIO: the function lost its
 * configuration for good; -EAGAIN: somebody has its device lock just now; or the
 * errno of its resume.
 */
int vpv_state_enable(struct vfio_pci_variant_device *vvdev)
{
	struct device *dev = &vvdev->core.pdev->dev;
	int ret;

	/* Held beyond the check, as it would go to D3hot and come back. */
	ret = pm_runtime_resume_and_get(dev);
	if (ret) {
		dev_warn_ratelimited(dev, "%s: not opened: it is suspended and can't be resumed (error %d); unbind it and bind it with disable_idle_d3, so that it stays in D0\n",
				     vvdev->variant->name, ret);
		return ret;
	}

	ret = vpv_state_is_whole(vvdev) ? 0 : restore_at_open(vvdev);
	if (!ret) {
		ret = vpv_compat_enable(vvdev);
		if (ret)
			vpv_explain_open(vvdev, ret);
	}
	pm_runtime_put(dev);
	return ret;
}

/* The err_handlers: the device lock is held in each. */

static struct vfio_pci_variant_device *pdev_to_vvdev(struct pci_dev *pdev)
{
	return to_vfio_pci_variant_device(pci_get_drvdata(pdev));
}

/* The link will be reset if the channel is frozen, whatever anybody says. */
static pci_ers_result_t vpv_error_detected(struct pci_dev *pdev,
					   pci_channel_state_t channel)
{
	struct vfio_pci_variant_device *vvdev = pdev_to_vvdev(pdev);
	struct vpv_state *state = vvdev->state;
	pci_ers_result_t ret;

	vpv_disturb(vvdev);
	/* Before the user hears of it, who may be quick. */
	state->is_noted = vpv_state_is_whole(vvdev);
	if (state->is_noted)
		pci_read_config_word(pdev, PCI_COMMAND, &state->noted);

	ret = vfio_pci_core_aer_err_detected(pdev, channel);
	return channel == pci_channel_io_frozen ? PCI_ERS_RESULT_NEED_RESET : ret;
}

static pci_ers_result_t vpv_slot_reset(struct pci_dev *pdev)
{
	struct vfio_pci_variant_device *vvdev = pdev_to_vvdev(pdev);
	struct vpv_state *state = vvdev->state;
	bool restored;
	u16 command;

	vpv_disturb(vvdev);
	command = state->is_noted ? state->noted : command_wanted(vvdev);
	state->is_noted = false;

	/* Keeps the user out of config space while it is written. */
	pci_cfg_access_lock(pdev);
	vpv_compat_was_reset(pdev);
	restored = restore(vvdev, command);
	pci_cfg_access_unlock(pdev);

	if (!restored) {
		pci_warn(pdev, "%s: did not come back from the reset after a PCIe error; remove and rescan it, or power cycle the machine\n",
			 vvdev->variant->name);
		return PCI_ERS_RESULT_DISCONNECT;
	}
	reset_done(vvdev);
	pci_warn(pdev, "%s: was reset after a PCIe error: configuration restored, what a user had set up in it is lost\n",
		 vvdev->variant->name);
	return PCI_ERS_RESULT_RECOVERED;
}

/* The PCI core is about to save what is there, and to restore that. */
static void vpv_reset_prepare(struct pci_dev *pdev)
{
	struct vfio_pci_variant_device *vvdev = pdev_to_vvdev(pdev);

	vpv_disturb(vvdev);
	if (vpv_state_is_whole(vvdev))
		return;
	/* A user may have it in D3hot; the PCI core does the same next. */
	pci_set_power_state(pdev, PCI_D0);
	if (!restore(vvdev, command_wanted(vvdev)))
		return;
	pci_warn(pdev, "%s: had lost its configuration to a reset or a loss of power: restored, and now reset\n",
		 vvdev->variant->name);
}

static void vpv_reset_done(struct pci_dev *pdev)
{
	struct vfio_pci_variant_device *vvdev = pdev_to_vvdev(pdev);

	if (!vpv_reset_by_hook(vvdev))
		vpv_fresh_reset(vvdev);
	reset_done(vvdev);
}

const struct pci_error_handlers vpv_err_handlers = {
	.error_detected = vpv_error_detected,
	.slot_reset = vpv_slot_reset,
	.reset_prepare = vpv_reset_prepare,
	.reset_done = vpv_reset_done,
};
