/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Live migration of a variant's devices. The variant says how its device stands still, and
 * how its state is had and put back; all else is the framework's: VFIO's states, the files
 * that users read and write, what is in them, resets, errors.
 *
 * What runs, when a user moves a device:
 *
 *   from here   suspend() to VFIO_PCI_MIGRATION_P2P, then to VFIO_PCI_MIGRATION_FULL
 *               save(), until it says that there is no more
 *   to there    suspend(), twice, as above
 *               load(), for each chunk that was saved, in order
 *               load_done()
 *               resume() to VFIO_PCI_MIGRATION_P2P, then to VFIO_PCI_MIGRATION_RUNNING
 */
#ifndef VFIO_PCI_MIGRATION_H
#define VFIO_PCI_MIGRATION_H

#include <linux/sizes.h>
#include <linux/types.h>

struct vfio_pci_variant_device;

/* The largest @chunk_max. */
#define VFIO_PCI_MIGRATION_CHUNK_MAX	SZ_1M

/**
 * enum vfio_pci_migration_level - how still a device stands
 * @VFIO_PCI_MIGRATION_RUNNING: not at all
 * @VFIO_PCI_MIGRATION_P2P: it starts no DMA and raises no interrupt, and what it had started
 *	is over; accesses of the processor and of other devices are answered, and may change it
 * @VFIO_PCI_MIGRATION_FULL: nobody accesses it; nothing in it changes
 */
enum vfio_pci_migration_level {
	VFIO_PCI_MIGRATION_RUNNING,
	VFIO_PCI_MIGRATION_P2P,
	VFIO_PCI_MIGRATION_FULL,
};

/**
 * struct vfio_pci_variant_migration - how a variant's devices are moved
 * @chunk_max: bytes that @save is given room for, and @load gets at most; 1 to
 *	%VFIO_PCI_MIGRATION_CHUNK_MAX
 * @size_max: bytes of all chunks of a device together, at most; not 0
 *
 * All hooks but @reset and @abort are mandatory. They are called one at a time for each
 * device, between its open and its close, with a mutex of the framework held that no reset
 * waits for; they may sleep, and take what vfio_pci_variant_mmio_begin() and
 * vfio_pci_variant_read_reg() take. The function is resumed, but its user may have put it in
 * D3hot or have turned its memory off, and it may be reset at any moment, which a hook need
 * not notice: what it returns then is of no interest. They never see a user's memory. Return
 * 0 or an errno, which the user gets.
 */
struct vfio_pci_variant_migration {
	size_t chunk_max;
	u64 size_max;

	/**
	 * @suspend: Have the device stand still, one level more than it does.
	 *
	 * @level is %VFIO_PCI_MIGRATION_P2P or %VFIO_PCI_MIGRATION_FULL. A device that
	 * knows one kind of standing still does that at the first, and nothing at the
	 * second. On error it is as it was before.
	 */
	int (*suspend)(struct vfio_pci_variant_device *vvdev,
		       enum vfio_pci_migration_level level);

	/**
	 * @resume: The reverse, one level less.
	 *
	 * @level is %VFIO_PCI_MIGRATION_P2P or %VFIO_PCI_MIGRATION_RUNNING. On error it
	 * is as it was before.
	 */
	int (*resume)(struct vfio_pci_variant_device *vvdev,
		      enum vfio_pci_migration_level level);

	/**
	 * @size: How many bytes would @save give, all together?
	 *
	 * An estimate, in any state; users reserve memory by it.
	 */
	u64 (*size)(struct vfio_pci_variant_device *vvdev);

	/**
	 * @save: Put the next part of the state into @chunk.
	 *
	 * @chunk has @chunk_max bytes, zeroed; @offset is the number of bytes of all
	 * chunks before, 0 for a new transfer, also after one that was not finished. The
	 * device is suspended, fully. Return how many bytes were put there, at least 1,
	 * or an errno; set @more if that was not all.
	 */
	ssize_t (*save)(struct vfio_pci_variant_device *vvdev, void *chunk,
			u64 offset, bool *more);

	/**
	 * @load: Keep the next part of a state.
	 *
	 * @chunk has @length bytes as @save put them there, of a device of this kind:
	 * they are what was saved by somebody, which need not be true. @offset as above.
	 * The device is suspended, fully.
	 */
	int (*load)(struct vfio_pci_variant_device *vvdev, const void *chunk,
		    size_t length, u64 offset);

	/**
	 * @load_done: All of it was loaded: check that it fits together, and let the device
	 * have it.
	 *
	 * After an error of @load or of this one the device is not resumed before it was
	 * reset.
	 */
	int (*load_done)(struct vfio_pci_variant_device *vvdev);

	/**
	 * @reset: The device was reset, and runs.
	 *
	 * Forget what @suspend and @load had noted, and touch no hardware, which may be
	 * asleep. Called before the next hook, not from the reset. NULL: nothing to
	 * forget.
	 */
	void (*reset)(struct vfio_pci_variant_device *vvdev);

	/**
	 * @abort: A transfer ends that was not finished.
	 *
	 * Free what @save or @load had kept for it, and touch no hardware. NULL: nothing
	 * to free.
	 */
	void (*abort)(struct vfio_pci_variant_device *vvdev);
};

#endif /* VFIO_PCI_MIGRATION_H */
