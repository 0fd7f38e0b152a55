/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Framework for vendor variants of vfio-pci.
 *
 * A variant is one module with one pci_driver. It describes itself in a
 * struct vfio_pci_variant, declares its own copy of the module parameters, and
 * names in a struct vfio_pci_variant_ops only what it does differently from a
 * plain pass-through driver. Everything it leaves out is vfio-pci-core's own
 * code, called without a detour.
 *
 * What runs, in this order (see each hook for its locks):
 *
 *   probe    match()
 *            a generic variant looks for a specialised one to adopt, and has
 *            it loaded: its match();
 *            all hooks below are then those of the adopted one
 *            vfio_pci_core_init_dev()
 *            quirks matched; denied by one? then -EINVAL
 *            settings latched
 *            init(), init() of the gate
 *            vfio_pci_core_register_device(): from here on it can be opened, but
 *            for those with a gate: start() lets users in
 *   open     match() of the gate, where it is asked for by name
 *            open() of the gate
 *            configuration restored if it was lost: reset_done()
 *            vfio_pci_core_enable(), which resets the function: reset_done();
 *            both were done before, and not now, if it stands ready
 *            quirks applied to what the user sees, their fixups run
 *            open()
 *            add_regions()
 *            vfio_pci_core_finish_enable()
 *   access   rw(), for its regions, or read() and write() of its registers; then
 *            vfio_pci_core_read() or vfio_pci_core_write(), with what quirks show
 *            of config space put in;
 *            region_info() after the core's answer, mmap() instead of the core's
 *   migrate  suspend(), then save() for each chunk; or load() for each, and load_done();
 *            resume(): see <linux/vfio_pci_migration.h>
 *   reset    reset() instead of the PCI core's ways, or after one of its slot or bus;
 *            reset_done(), at any time between probe and remove; a VFIO_DEVICE_RESET of a
 *            function that is untouched since its open does nothing
 *   close    close()
 *            vfio_pci_core_close_device(), which frees the regions and resets the
 *            function; of its bus or slot, if there is no other way: reset_done()
 *            reset now if the core could not have the locks: reset_done()
 *            close() of the gate
 *   remove   VFs disabled
 *            opens refused, the user asked to let go; waits for the last close
 *            reset if that close could not have the locks: reset_done()
 *            stop() of the gate
 *            vfio_pci_core_unregister_device()
 *            release(), then vfio_pci_core_release_dev(), with the last
 *            reference, which may come after remove
 */
#ifndef VFIO_PCI_VARIANT_H
#define VFIO_PCI_VARIANT_H

#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vfio.h>
#include <linux/vfio_pci_core.h>
#include <linux/vfio_pci_migration.h>
#include <linux/vfio_pci_quirk.h>
#include <linux/vfio_pci_setting.h>
#include <linux/wait.h>

/*
 * A number that variant.mk takes of these headers, for the framework and for each
 * variant: one that was built with others is refused when it registers.
 */
#ifndef VFIO_PCI_VARIANT_ABI
#error "no variant.mk: include /usr/share/vfio-pci-variants/variant.mk in its Kbuild"
#endif

struct vfio_pci_variant;
struct vfio_pci_variant_counters;
struct vfio_pci_variant_device;
struct vfio_pci_variant_ro_ops;
struct vpv_migration;
struct vpv_quirks;
struct vpv_standby;
struct vpv_state;
struct vpv_user_rows;
struct vpv_ways;

/*
 * The checksums that a kernel with CONFIG_MODVERSIONS makes of exported functions
 * leave out what follows. With it the kernel would refuse such a variant itself, and
 * could not say what to do.
 */
#ifndef __GENKSYMS__

/*
 * The largest @priv_size. Private data lives in the same allocation as the
 * device; what is larger belongs into an allocation of the variant's own.
 */
#define VFIO_PCI_VARIANT_PRIV_MAX	SZ_64K

/**
 * struct vfio_pci_variant_reg - a register of a BAR that the variant answers for
 * @offset: in the BAR, in bytes; a multiple of @width
 * @width: 1, 2, 4 or 8 bytes
 * @bar: 0 to 5, a memory BAR
 *
 * The user's accesses come to the callbacks whatever their length and alignment: what
 * is before and behind the register is the core's. The user can't map the register,
 * see &struct vfio_pci_variant_ops.
 *
 * Both callbacks run with Memory Enable set and the function in D0, as between
 * vfio_pci_variant_mmio_begin() and vfio_pci_variant_mmio_end(), and heed what is told
 * there; vfio_pci_variant_mmio_read() and vfio_pci_variant_mmio_write() reach the
 * hardware, and vfio_pci_variant_pass_write() as the user would have. While the memory
 * is off they are not called, and the user gets EIO, as from the core. Calls for one
 * device run in parallel. An errno ends the user's access with it, or short behind what
 * was done by then. One of them may be NULL: such accesses are the core's. A lock that
 * they take is never held by others while these call vfio_pci_variant_mmio_begin() or
 * what calls that.
 */
struct vfio_pci_variant_reg {
	u64 offset;
	u8 width;
	u8 bar;

	/**
	 * @read: What the register reads as.
	 *
	 * All of it, in the processor's order, though the user may have asked for
	 * a part. Return 0 or an errno.
	 */
	int (*read)(struct vfio_pci_variant_device *vvdev,
		    const struct vfio_pci_variant_reg *reg, u64 *value);

	/**
	 * @write: The user wrote @value to the bits in @mask.
	 *
	 * @mask has bits for each byte that was written, all of them where the
	 * access has the register's width; others are 0 in @value. Return 0 or an
	 * errno.
	 */
	int (*write)(struct vfio_pci_variant_device *vvdev,
		     const struct vfio_pci_variant_reg *reg, u64 value, u64 mask);
};

/**
 * struct vfio_pci_variant_ops - what a variant does differently
 * @priv_size: bytes of private data to append to each device, zeroed, at most
 *	%VFIO_PCI_VARIANT_PRIV_MAX. 0: none. See vfio_pci_variant_priv(). It is from
 *	bind to unbind: what one user leaves in it the next one finds, but for what @open
 *	clears.
 * @rw_regions: BIT(index) for each region, %VFIO_PCI_BAR0_REGION_INDEX to
 *	%VFIO_PCI_VGA_REGION_INDEX, that @rw is for. A BAR among them can be neither
 *	mapped, but for what @mmap maps, nor exported as dma-buf, and a device with
 *	such a BAR has no ioeventfds: the user would get past the hook. Regions of a variant's own
 *	have a hook of their own (&struct vfio_pci_regops).
 * @mmap_bars: BIT(n) for each BAR n that @mmap is for. It is not exported as dma-buf.
 *	None with registers of the table.
 * @mmio_bars: BIT(n) for each BAR n whose registers hooks read and write themselves
 *	(vfio_pci_variant_read_reg()). It is mapped from before @open until after
 *	@close, or as long as it is bound if there is @reset. A function where one of
 *	them is no memory is not bound.
 * @regs: registers that the variant answers for, in the order of BAR and offset. NULL:
 *	none. The user maps the rest of such a BAR in whole pages, where the kernel can
 *	tell them which (&vfio_device_ops.get_region_info_caps); on others nothing of it.
 *	It is not exported as dma-buf, and the device has no ioeventfds. A function
 *	without them is not bound. Other BARs cost what they cost without.
 * @nr_regs: number of @regs
 * @migration: how a device is moved to another machine while its guest runs. NULL: it is
 *	not
 *
 * Every hook is optional. Registration refuses a table in which a hook stands
 * without the one it mirrors, @rw without @rw_regions or @mmap without @mmap_bars.
 */
struct vfio_pci_variant_ops {
	size_t priv_size;
	u32 rw_regions;
	u8 mmap_bars;
	u8 mmio_bars;
	const struct vfio_pci_variant_reg *regs;
	size_t nr_regs;
	const struct vfio_pci_variant_migration *migration;

	/**
	 * @match: Decide whether this function is one for the variant.
	 *
	 * Called first in probe, with the function's device lock held and
	 * nothing allocated; it must not allocate either, as nothing undoes it.
	 * Return 0 to take the function, -ENODEV to decline it silently, any
	 * other errno to fail the probe. NULL: whatever the id table, a
	 * dynamic id or driver_override selected is taken.
	 *
	 * Of a specialised variant it is also asked before a generic one adopts
	 * it for this function, with a lock of the framework held: then any
	 * errno declines.
	 */
	int (*match)(struct pci_dev *pdev);

	/**
	 * @init: Prepare a device that nobody can open yet.
	 *
	 * The core's part is initialised, the settings are latched, the private
	 * data is zeroed; drvdata is not set yet. The function is in D0. Device
	 * lock held. On error
	 * undo what you did: @release is not called. NULL: nothing to prepare.
	 */
	int (*init)(struct vfio_pci_variant_device *vvdev);

	/**
	 * @open: The first user opens the device.
	 *
	 * Called after vfio_pci_core_enable(): the function is in D0, reset and
	 * its config space is set up. dev_set lock held. On error the open
	 * fails with that errno and @close is not called. NULL: nothing to do.
	 */
	int (*open)(struct vfio_pci_variant_device *vvdev);

	/**
	 * @add_regions: Add device specific regions for this open.
	 *
	 * Use vfio_pci_variant_add_ro_region() or, for more than reads,
	 * vfio_pci_core_register_dev_region(). A region that was registered
	 * is the core's: its data is freed by the region's own release, on
	 * failure too. Called after @open, dev_set lock held. On error the open
	 * fails with that errno, and @close is called if there is an @open.
	 * NULL: no regions of its own.
	 */
	int (*add_regions)(struct vfio_pci_variant_device *vvdev);

	/**
	 * @rw: See reads and writes of some regions before the core does.
	 *
	 * Called for the regions in @rw_regions, if @count is not 0.
	 * @ppos holds region index and offset (VFIO_PCI_OFFSET_TO_INDEX()).
	 * Return 0 for "not mine": the core handles the access; otherwise the
	 * number of bytes done, with @ppos advanced by as many, or an errno.
	 *
	 * Runtime PM keeps the function awake meanwhile. That does not make its
	 * memory answer: the user may have written D3hot to PMCSR or cleared
	 * Memory Enable, and may do so, or reset it, at any moment. MMIO stands
	 * between vfio_pci_variant_mmio_begin() and vfio_pci_variant_mmio_end(); without
	 * them it may be an Unsupported Request, which some hosts don't survive.
	 *
	 * No locks held; calls for one device run
	 * in parallel. What it answers itself is not changed by config bytes of
	 * quirks. NULL: the core's functions stand in the device ops themselves,
	 * so that an access costs what it costs with the in-tree driver.
	 */
	ssize_t (*rw)(struct vfio_pci_variant_device *vvdev, char __user *buf,
		      size_t count, loff_t *ppos, bool iswrite);

	/**
	 * @region_info: Tell the user of a region otherwise than the core does.
	 *
	 * Called when the user asks about any region, with what the core says in
	 * @info; change its flags and size. It is what the user is told: what they
	 * reach is for @rw and @mmap to limit. The size of a BAR in config space
	 * stays. @caps take more capabilities (vfio_info_add_capability()); NULL
	 * on kernels where a driver can't add any, which have no
	 * &vfio_device_ops.get_region_info_caps: there flags and size come from
	 * the user's memory, so that the core's word for them is not to be relied on; the
	 * index is a region's. No locks held; calls for one device
	 * run in parallel. Return 0 or an errno. NULL: what the core says.
	 */
	int (*region_info)(struct vfio_pci_variant_device *vvdev,
			   struct vfio_region_info *info,
			   struct vfio_info_cap *caps);

	/**
	 * @mmap: Map a part of a BAR in @mmap_bars.
	 *
	 * @vma's vm_pgoff has the index and the page in the BAR; it is not checked
	 * against its size, nor whether the function has such a BAR. The map is a
	 * shared one. mmap_lock of the process held for writing.
	 * vfio_pci_variant_mmap() maps it as the core does: what a hook maps itself
	 * does not go away while the function is in reset or its memory off, nor
	 * is anything known of it when the function is unbound, which waits for
	 * the user to close the device, not for their mappings. A BAR that a quirk
	 * keeps from being mapped is not mapped. Return 0 or an errno. NULL: the
	 * core maps.
	 */
	int (*mmap)(struct vfio_pci_variant_device *vvdev, unsigned int bar,
		    struct vm_area_struct *vma);

	/**
	 * @reset: Reset the function, in a way that the PCI core does not know.
	 *
	 * Instead of the PCI core's ways to reset the function alone, wherever it is
	 * reset: when it is opened and closed, by VFIO_DEVICE_RESET, by root; and after
	 * a reset of its slot or bus, but for that of a recovery from an error. What the
	 * kernel itself has for the particular function comes before it, and so do the
	 * ways that root writes to reset_method. Not where a quirk rules it out (no_reset,
	 * or resets without %VFIO_PCI_RESET_DEVICE_SPECIFIC).
	 *
	 * Called with the device lock held and the function in D0, its memory enabled,
	 * interrupts and bus mastering off. Nobody else reaches it: who has it open waits,
	 * unless it was root who reset it then. Config space is saved before and restored
	 * afterwards. The registers of
	 * the BARs in @mmio_bars are there, open or not, for
	 * vfio_pci_variant_mmio_read() and vfio_pci_variant_mmio_write(), without
	 * vfio_pci_variant_mmio_begin(), as the core's memory_lock may be held. It may
	 * sleep; who opens the function waits for it. Return 0 when the function is as
	 * after power on, as far as a user could tell; or an errno, with which
	 * VFIO_DEVICE_RESET ends, and the open: a function that can't be reset is not
	 * handed out. NULL: the PCI core's ways.
	 */
	int (*reset)(struct vfio_pci_variant_device *vvdev);

	/**
	 * @reset_done: The PCI core has tried to reset the function.
	 *
	 * That can be at any time between probe and remove, whether the device
	 * is open or not, in parallel with every other hook but @match and
	 * @init; vfio_pci_core_enable() resets it too, before @open. Of what
	 * follows @close the core's reset of the function alone is not reported;
	 * one that is made up for is, and that of its bus or slot, where the
	 * function has no other, to all functions on it. Recovery from a PCIe
	 * error calls it too, once the configuration is restored, and so does an
	 * open that finds and restores a loss of configuration. vconfig and the
	 * regions may not exist: touch only private data, under a lock of your own.
	 * Called from the PCI error handlers with the device lock held. The
	 * thread may hold the dev_set lock, as in a hot reset and at close, and it
	 * or another, that waits for the device lock, the core's memory_lock:
	 * take neither here. So a lock of your own that is taken here is not held
	 * when vfio_pci_variant_mmio_begin() or vfio_pci_variant_read_reg() and
	 * the like, which take the memory_lock, are called. NULL: no state to
	 * restore.
	 */
	void (*reset_done)(struct vfio_pci_variant_device *vvdev);

	/**
	 * @close: The last user closed the device.
	 *
	 * Mirror of @open (or of @add_regions, in a variant without @open);
	 * called before the core disables the function and frees the regions.
	 * dev_set lock held. NULL: nothing to undo.
	 *
	 * It is resumed if the user had suspended it. Where that fails, which the
	 * kernel logs, the hook is called all the same and its reads give all ones.
	 * What the user did in config space holds: they may have put the function in
	 * D3hot there or cleared Memory Space Enable, so a register may read as all
	 * ones in any case.
	 */
	void (*close)(struct vfio_pci_variant_device *vvdev);

	/**
	 * @release: The last reference is gone; mirror of @init.
	 *
	 * May sleep. No locks of ours are held. NULL: nothing to undo.
	 */
	void (*release)(struct vfio_pci_variant_device *vvdev);
};

/**
 * struct vfio_pci_variant_gate - how users come to the devices of a variant
 * @priv_size: bytes of data of its own for each device, zeroed, at most
 *	%VFIO_PCI_VARIANT_PRIV_MAX. See vfio_pci_variant_gate_priv().
 *
 * For variants that hand out their functions in another way than by address. Its
 * hooks are always those of the variant that is bound: what a generic variant
 * adopts is what a device is like, this is who may have it. All but @close are
 * mandatory.
 */
struct vfio_pci_variant_gate {
	size_t priv_size;

	/**
	 * @init: Prepare the gate's data of a device that nobody can open yet.
	 *
	 * Nothing undoes it: no more than locks and values. Device lock held.
	 */
	void (*init)(struct vfio_pci_variant_device *vvdev);

	/**
	 * @start: The device is registered: let users in.
	 *
	 * They may come before it returns. Device lock held. On error the probe
	 * fails with that errno, and @stop is not called.
	 */
	int (*start)(struct vfio_pci_variant_device *vvdev);

	/**
	 * @stop: Undo @start.
	 *
	 * In remove, when VFs are gone, nobody has the device open and nobody can
	 * open it any more. Device lock held. It may wait: in steps that the
	 * detector of hung tasks knows for life.
	 */
	void (*stop)(struct vfio_pci_variant_device *vvdev);

	/**
	 * @match: Is this the device that VFIO_GROUP_GET_DEVICE_FD asks for?
	 *
	 * @name is the user's string, which may be changed. May run at any time
	 * between registration and remove, with a lock of VFIO held
	 * that openers of other devices in the group wait for. Return 1 if it is, 0 if
	 * not, or an errno, which ends the search. It decides about a name only,
	 * the device can be opened without one (/dev/vfio/devices).
	 */
	int (*match)(struct vfio_pci_variant_device *vvdev, char *name);

	/**
	 * @open: The first user opens the device; may he?
	 *
	 * Called before vfio_pci_core_enable(), dev_set lock held. On error
	 * the open fails with that errno. May run at any time between
	 * registration and remove. Who is let in is waited for by
	 * vfio_pci_variant_wait_for_close() of whoever closes the gate then.
	 */
	int (*open)(struct vfio_pci_variant_device *vvdev);

	/**
	 * @close: Mirror of @open.
	 *
	 * The device is disabled, or its open failed. dev_set lock held. NULL:
	 * nothing to undo.
	 */
	void (*close)(struct vfio_pci_variant_device *vvdev);
};

/* The longest value of the ids parameter, with its final 0, as in the in-tree driver. */
#define VFIO_PCI_VARIANT_IDS_MAX	SZ_1K

/* The longest value of the quirks parameter, with its final 0. */
#define VFIO_PCI_VARIANT_QUIRKS_MAX	SZ_2K

/* The quirks parameter of a module; the framework's alone. */
struct vfio_pci_variant_quirks {
	/* private: under the parameter's lock */
	char text[VFIO_PCI_VARIANT_QUIRKS_MAX];
	bool edge_comma;
	const struct vfio_pci_variant *variant;

	/* private: under a lock of the framework */
	struct vpv_user_rows *rows;
};

/**
 * struct vfio_pci_variant_params - one module's parameters
 * @ids: PCI IDs that the driver takes from the moment it is loaded
 * @nointxmask: do not mask INTx in the device; keep its line to itself
 * @disable_vga: no access to the legacy VGA ranges
 * @disable_idle_d3: leave an unused function in D0
 * @standby: have an unused function reset and ready, in D0
 * @enable_sriov: VFs may be created while the function is bound
 * @disable_denylist: bind functions that a row of a table denies
 * @disable_adoption: a generic variant adopts no specialised one; not among the
 *	standard ones, see VFIO_PCI_VARIANT_PARAM_DISABLE_ADOPTION()
 * @quirks: the user's own rows, see <linux/vfio_pci_quirk.h>
 *
 * Each module has its own, see VFIO_PCI_VARIANT_PARAMS(). @nointxmask,
 * @disable_vga, @disable_idle_d3, @standby and @quirks are latched into each device when
 * it is bound. @disable_denylist and @disable_adoption are asked at bind, and
 * @enable_sriov when somebody writes to sriov_numvfs, as in the in-tree driver:
 * they allow an act, they are not state of a device.
 */
struct vfio_pci_variant_params {
	char ids[VFIO_PCI_VARIANT_IDS_MAX];
	bool nointxmask;
	bool disable_vga;
	bool disable_idle_d3;
	bool standby;
	bool enable_sriov;
	bool disable_denylist;
	bool disable_adoption;
	struct vfio_pci_variant_quirks quirks;
};

/**
 * struct vfio_pci_variant_settings - what holds for one bound device
 * @nointxmask: see &struct vfio_pci_variant_params
 * @disable_vga: likewise; always true for VFs, and where the kernel has no
 *	VFIO_PCI_VGA
 * @disable_idle_d3: likewise
 * @standby: likewise
 *
 * Module parameters, and quirks above them. Written once, in probe, before the
 * device is published; constant then.
 */
struct vfio_pci_variant_settings {
	bool nointxmask;
	bool disable_vga;
	bool disable_idle_d3;
	bool standby;
};

/**
 * struct vfio_pci_variant - one variant, one module
 * @name: name of its PCI driver; also what SR-IOV writes into the
 *	driver_override of new VFs. Mandatory.
 * @id_table: what it may bind. NULL: only what ids=, new_id or driver_override
 *	name.
 * @ops: what it does differently. NULL: nothing, plain pass-through.
 * @quirks: rows for hardware that it may bind. NULL: none.
 * @nr_quirks: number of @quirks
 * @settings: those that it has besides the standard ones, a list that NULL ends. NULL:
 *	none. A generic variant has none.
 * @generic: it takes any function, adds nothing of its own, and adopts: when it
 *	binds a function that a specialised variant matches, it runs that
 *	one's hooks and applies its quirks, under its own name and settings, and
 *	pins its module. So it has no @ops, but it may have a @gate.
 * @specialised: it is for the functions in its @id_table, and generic variants
 *	adopt it there; VFIO_PCI_VARIANT_ADOPTABLE() has it loaded for them. Its
 *	hooks then run for devices that are bound to another
 *	variant, and its registration must be the last thing that its module's
 *	init does: it can be in use from there on.
 * @gate: how users come to its devices. NULL: by address, as with the in-tree
 *	driver.
 * @params: the module's parameters, from VFIO_PCI_VARIANT_PARAMS(). NULL: it
 *	has none and every setting is off.
 * @driver: further fields for its pci_driver, such as shutdown. NULL: none.
 *	Those that the framework fills itself must be left empty; a name, if
 *	there is one, must equal @name.
 *
 * The structure belongs to the module and stays in use until
 * vfio_pci_variant_unregister() returns.
 */
struct vfio_pci_variant {
	const char *name;
	const struct pci_device_id *id_table;
	const struct vfio_pci_variant_ops *ops;
	const struct vfio_pci_quirk *quirks;
	size_t nr_quirks;
	struct vfio_pci_variant_setting * const *settings;
	bool generic;
	bool specialised;
	const struct vfio_pci_variant_gate *gate;
	struct vfio_pci_variant_params *params;
	const struct pci_driver *driver;

	/* private: built at registration */
	struct pci_driver pci_driver;
	struct vfio_device_ops vfio_ops;
	/* private: the same for devices with a region_info or mmap hook */
	struct vfio_device_ops map_ops;
	/* private: and for those with an rw hook, registers or shown bytes */
	struct vfio_device_ops rw_ops;
	/* private: and for those that nobody has touched since their open */
	struct vfio_device_ops fresh_ops;
	/* private: in the list of specialised ones */
	struct list_head node;
};

/* Who has a device open; the framework's alone. */
struct vfio_pci_variant_user {
	/* private: not held while anybody waits */
	struct mutex lock;
	/* private: the device is about to go, nobody opens it any more */
	bool leaving;
	/* private: read without the lock to wait for its end */
	bool open;
	/* private: of the process that opened it, as they were then */
	pid_t pid;
	char comm[TASK_COMM_LEN];
	/* private: woken when @open ends */
	wait_queue_head_t closed;
};

/**
 * struct vfio_pci_variant_device - one bound function
 * @core: the core's device; first, as the core's hot reset treats every VFIO
 *	device of a slot or bus as one of these
 * @variant: whose it is
 * @adopted: the specialised variant whose hooks it has, and whose quirks apply
 *	before those of @variant; NULL: none
 * @settings: its latched settings, from the parameters of @variant
 */
struct vfio_pci_variant_device {
	struct vfio_pci_core_device core;
	const struct vfio_pci_variant *variant;
	const struct vfio_pci_variant *adopted;
	struct vfio_pci_variant_settings settings;

	/* private: the hooks, of either; none until its init hook succeeded */
	const struct vfio_pci_variant_ops *ops;

	/* private: what is special about it; NULL: nothing */
	struct vpv_quirks *quirks;

	/* private: of the variant whose hooks it has, by their index */
	unsigned int values[VFIO_PCI_VARIANT_MAX_SETTINGS];

	/* private: quirks= of @adopted, as it was; NULL: none */
	struct vpv_user_rows *adopted_rows;

	/* private: who has it open */
	struct vfio_pci_variant_user user;

	/* private: configuration to restore when it is lost; constant pointer */
	struct vpv_state *state;

	/* private: those of a device that was touched since its open; see core/fresh.c */
	const struct vfio_device_ops *touched_ops;

	/* private: how often something happened to it, and when it was reset last */
	atomic_t disturbed;
	int reset_at;

	/* private: VFIO_DEVICE_RESETs that had nothing to do; one since its open? */
	atomic_t resets_spared;
	bool is_spared;

	/* private: its state of migration; NULL: it can't be migrated */
	struct vpv_migration *migration;

	/* private: it is to stand ready; NULL: it is not */
	struct vpv_standby *standby;

	/* private: runtime PM's delay, and whether it had one, before it was bound */
	int autosuspend_delay;
	bool autosuspend;

	/* private: its D3cold was taken from it while it is bound */
	bool has_d3cold;

	/* private: how it may be reset; NULL: as it could be before it was bound */
	struct vpv_ways *ways;

	/* private: its reset hook resets it: how often it has, and what came of it last */
	unsigned int hook_resets;
	int hook_error;
	bool resets_itself;

	/* private: it is in its reset hook */
	bool is_resetting;

	/* private: hook_resets before its close; its device lock is held over that */
	unsigned int closing_at;
	bool is_locked;

	/* private: a close leaves the reset to remove */
	bool removing;

	/* private: the last close could not have the locks for a reset */
	bool reset_is_due;

	/* private: BIT(n) for each BAR n that is not to be mapped or exported */
	u8 no_mmap;

	/* private: BIT(n) for each region n that is not the core's alone to read and write */
	u32 special;

	/* private: BIT(n) for each BAR n with registers that its hooks answer for */
	u8 reg_bars;

	/* private: those of ops->mmio_bars, mapped while it is open */
	void __iomem *bars[PCI_STD_NUM_BARS];

	/* private: in the list of those that a write of quirks= comes too late for */
	struct list_head bound;

	/* private: among those that adopted none */
	struct list_head plain;

	/* private: behind @priv; use vfio_pci_variant_gate_priv() */
	void *gate_priv;

	/* private: use vfio_pci_variant_priv() */
	u8 priv[] __aligned(ARCH_KMALLOC_MINALIGN);
};

static_assert(offsetof(struct vfio_pci_variant_device, core) == 0);

/**
 * to_vfio_pci_variant_device - the variant's view of a core device
 * @core: a core device of a function that a variant is bound to
 *
 * Return: the device that embeds @core.
 */
static inline struct vfio_pci_variant_device *
to_vfio_pci_variant_device(struct vfio_pci_core_device *core)
{
	return container_of(core, struct vfio_pci_variant_device, core);
}

/**
 * vfio_pci_variant_priv - the private data of a device
 * @vvdev: the device
 *
 * Return: &vfio_pci_variant_ops.priv_size bytes, zeroed before the init hook
 * and alive until after the release hook.
 */
static inline void *vfio_pci_variant_priv(struct vfio_pci_variant_device *vvdev)
{
	return vvdev->priv;
}

/**
 * vfio_pci_variant_value - what a setting of the variant's own is for a device
 * @vvdev: the device, from the init hook on
 * @setting: one of &vfio_pci_variant.settings
 *
 * Constant while the device is bound. Adopted or not, it is what the parameter of
 * the variant that has the setting said when the device was bound, or the quirks
 * parameter of the same module for this device.
 *
 * Return: 0 or 1; a number; or the index of a choice.
 */
static inline unsigned int
vfio_pci_variant_value(const struct vfio_pci_variant_device *vvdev,
		       const struct vfio_pci_variant_setting *setting)
{
	/* One that is in no list would be taken for the first of it. */
	if (WARN_ON_ONCE(!setting->file.show))
		return setting->value;
	return vvdev->values[setting->index];
}

/**
 * vfio_pci_variant_gate_priv - the data of a device's gate
 * @vvdev: the device, whose variant has a gate
 *
 * Return: &vfio_pci_variant_gate.priv_size bytes, zeroed before the gate's init
 * hook and alive as long as the device.
 */
static inline void *
vfio_pci_variant_gate_priv(struct vfio_pci_variant_device *vvdev)
{
	return vvdev->gate_priv;
}

/**
 * struct vfio_pci_variant_ro_ops - a region that users only read
 * @read: Fill @buf with @count bytes of the region from @at on. The range is
 *	within the region and at most %VFIO_PCI_VARIANT_RO_PIECE bytes long; a long
 *	read of the user's comes in pieces. No locks held, calls run in parallel.
 *	Return 0 or an errno. Mandatory.
 * @release: The device was closed, or its open failed: free @data. NULL: nothing
 *	to free.
 */
struct vfio_pci_variant_ro_ops {
	int (*read)(void *data, u8 *buf, size_t count, loff_t at);
	void (*release)(void *data);
};

/* What a read of a region is split into. */
#define VFIO_PCI_VARIANT_RO_PIECE	256

/**
 * struct vfio_pci_variant_counters - a region of numbers that users read
 * @nr: their number, not 0
 * @read: The value of the one with index @n, 0 to @nr - 1. No locks held, calls run in
 *	parallel. Return 0 or an errno. NULL: they are the @nr atomic64_t in the private
 *	data from @offset on, which are 0 from when the region is added, so that nobody
 *	is told what an earlier user did.
 * @offset: of the first one in the private data, in bytes, a multiple of 8; without @read
 *
 * The region has 8 bytes for each, little-endian. A read takes each value that it
 * touches once, so that one read of all of them, of up to
 * %VFIO_PCI_VARIANT_RO_PIECE bytes, never shows halves of two values.
 */
struct vfio_pci_variant_counters {
	unsigned int nr;
	int (*read)(struct vfio_pci_variant_device *vvdev, unsigned int n,
		    u64 *value);
	size_t offset;
};

#endif /* !__GENKSYMS__ */

/* More on each of these is where it is defined, and in Documentation/reference.rst. */

/* Add a region that users only read; in add_regions. */
int vfio_pci_variant_add_ro_region(struct vfio_pci_variant_device *vvdev,
				   u32 type, u32 subtype, size_t size,
				   const struct vfio_pci_variant_ro_ops *ops,
				   void *data);
/* Add a region of numbers that users read; in add_regions. */
int vfio_pci_variant_add_counters(struct vfio_pci_variant_device *vvdev,
				  u32 type, u32 subtype,
				  const struct vfio_pci_variant_counters *counters);
/* Give the user bytes of config space of their own, until the device is closed. */
int vfio_pci_variant_emulate_config(struct vfio_pci_variant_device *vvdev,
				    unsigned int offset, const void *value,
				    size_t count);

/* Ask the user of a device to let go, and wait until they do. */
void vfio_pci_variant_wait_for_close(struct vfio_pci_variant_device *vvdev);
void vfio_pci_variant_stand_by(struct vfio_pci_variant_device *vvdev);
void vfio_pci_variant_stand_down(struct vfio_pci_variant_device *vvdev);

/* Map a part of a BAR as the core does; in a mmap hook. */
int vfio_pci_variant_mmap(struct vfio_pci_variant_device *vvdev,
			  struct vm_area_struct *vma);
/* Add flags to those of a mapping; in a mmap hook. */
void vfio_pci_variant_set_vm_flags(struct vm_area_struct *vma, unsigned long flags);

/* Make sure that the memory of the function answers, until _end(). */
int __must_check vfio_pci_variant_mmio_begin(struct vfio_pci_variant_device *vvdev);
void vfio_pci_variant_mmio_end(struct vfio_pci_variant_device *vvdev);
/* Read and write a register between the two, or in callbacks of a register. */
int __must_check
vfio_pci_variant_mmio_read(struct vfio_pci_variant_device *vvdev,
			   unsigned int bar, u64 offset, unsigned int width,
			   u64 *value);
int vfio_pci_variant_mmio_write(struct vfio_pci_variant_device *vvdev,
				unsigned int bar, u64 offset,
				unsigned int width, u64 value);
/* Write a register as the user did, or nearly; in its write callback. */
int vfio_pci_variant_pass_write(struct vfio_pci_variant_device *vvdev,
				const struct vfio_pci_variant_reg *reg, u64 value,
				u64 mask);
/* Read and write one in one call, for other hooks. */
int __must_check
vfio_pci_variant_read_reg(struct vfio_pci_variant_device *vvdev,
			  unsigned int bar, u64 offset, unsigned int width,
			  u64 *value);
int vfio_pci_variant_write_reg(struct vfio_pci_variant_device *vvdev,
			       unsigned int bar, u64 offset, unsigned int width,
			       u64 value);

/* For vfio_pci_variant_register(). */
int __vfio_pci_variant_register(struct vfio_pci_variant *variant,
				struct module *owner, const char *mod_name,
				u64 abi);

/* The headers, and what this kernel's add to the structures in them. */
#define VFIO_PCI_VARIANT_BUILD \
	((u64)VFIO_PCI_VARIANT_ABI << 32 | sizeof(struct vfio_pci_variant_device))

/**
 * VFIO_PCI_VARIANT_IMPORT - let a module use the framework
 *
 * Its exports are in a namespace. For modules with an init of their own;
 * module_vfio_pci_variant() does it.
 */
#define VFIO_PCI_VARIANT_IMPORT() MODULE_INFO(import_ns, "VFIO_PCI_VARIANT")

/**
 * vfio_pci_variant_register - check a variant and register its PCI driver
 * @variant: the variant
 *
 * Builds the pci_driver and the vfio_device_ops, registers them and adds the
 * IDs of the ids parameter. A malformed piece of ids or quirks is named in a
 * warning and skipped.
 * May sleep; call it from module init. module_vfio_pci_variant() does.
 *
 * Return: 0; -ENOEXEC for a module that was built with other headers than the
 * framework; -EINVAL for a bad table, either with a log line that says what is wrong;
 * -EBUSY if a PCI driver of that name is registered already; or what
 * the driver core returns. Nothing stays registered on error.
 */
#define vfio_pci_variant_register(variant)				\
	__vfio_pci_variant_register(variant, THIS_MODULE, KBUILD_MODNAME, \
				    VFIO_PCI_VARIANT_BUILD)

/* Undo vfio_pci_variant_register(): unbind all functions. */
void vfio_pci_variant_unregister(struct vfio_pci_variant *variant);

/**
 * module_vfio_pci_variant - the last line of a variant
 * @__variant: its struct vfio_pci_variant
 *
 * Supplies the module's init and exit, which do nothing but register and
 * unregister the variant.
 */
#define module_vfio_pci_variant(__variant) \
	VFIO_PCI_VARIANT_IMPORT(); \
	module_driver(__variant, vfio_pci_variant_register, \
		      vfio_pci_variant_unregister)

/**
 * VFIO_PCI_VARIANT_ADOPTABLE - have a specialised variant loaded by ID
 * @__vendor: a string of four upper-case hex digits, or "*" for any, as the following
 * @__device: likewise
 *
 * When a generic variant binds such a function it has this module loaded, and adopts
 * it. One line for each entry of the ID table. It is an alias of the framework's own,
 * as the vfio_pci: alias that MODULE_DEVICE_TABLE() makes would have others loaded, too.
 */
#define VFIO_PCI_VARIANT_ADOPTABLE(__vendor, __device) \
	VFIO_PCI_VARIANT_ADOPTABLE_AS(__vendor, __device, "*", "*", "*", "*", "*")

/**
 * VFIO_PCI_VARIANT_ADOPTABLE_CLASS - the same by vendor and class
 * @__vendor: a string of four upper-case hex digits, or "*"
 * @__base: base class: two digits, or "*"
 * @__sub: sub-class: likewise
 */
#define VFIO_PCI_VARIANT_ADOPTABLE_CLASS(__vendor, __base, __sub) \
	VFIO_PCI_VARIANT_ADOPTABLE_AS(__vendor, "*", "*", "*", __base, __sub, "*")

/**
 * VFIO_PCI_VARIANT_ADOPTABLE_AS - the same by all that an ID table can say
 * @__vendor: a string of four upper-case hex digits, or "*"
 * @__device: likewise
 * @__subvendor: likewise
 * @__subdevice: likewise
 * @__base: base class: two digits, or "*"
 * @__sub: sub-class: likewise
 * @__interface: programming interface: likewise
 */
#define VFIO_PCI_VARIANT_ADOPTABLE_AS(__vendor, __device, __subvendor,	\
				      __subdevice, __base, __sub, __interface) \
	MODULE_ALIAS("vfio_pci_variant:v" __vendor "d" __device		\
		     "sv" __subvendor "sd" __subdevice			\
		     "bc" __base "sc" __sub "i" __interface)

/**
 * VFIO_PCI_VARIANT_PARAM_DISABLE_VGA - parameter disable_vga; none without VFIO_PCI_VGA
 * @__p: name of the struct vfio_pci_variant_params
 */
#ifdef CONFIG_VFIO_PCI_VGA
#define VFIO_PCI_VARIANT_PARAM_DISABLE_VGA(__p)				\
	module_param_named(disable_vga, (__p).disable_vga, bool, 0444);	\
	MODULE_PARM_DESC(disable_vga,					\
		"Give users no access to the legacy VGA ranges")
#else
#define VFIO_PCI_VARIANT_PARAM_DISABLE_VGA(__p)	static_assert(1)
#endif

/**
 * VFIO_PCI_VARIANT_PARAM_ENABLE_SRIOV - parameter enable_sriov; none without PCI_IOV
 * @__p: name of the struct vfio_pci_variant_params
 */
#ifdef CONFIG_PCI_IOV
#define VFIO_PCI_VARIANT_PARAM_ENABLE_SRIOV(__p)			\
	module_param_named(enable_sriov, (__p).enable_sriov, bool, 0644); \
	MODULE_PARM_DESC(enable_sriov,					\
		"Allow VFs on a PF whose driver is in user space")
#else
#define VFIO_PCI_VARIANT_PARAM_ENABLE_SRIOV(__p)	static_assert(1)
#endif

extern const struct kernel_param_ops vfio_pci_variant_ids_ops;

/**
 * VFIO_PCI_VARIANT_PARAM_IDS - parameter ids
 * @__p: name of the struct vfio_pci_variant_params
 */
#define VFIO_PCI_VARIANT_PARAM_IDS(__p)					\
	module_param_cb(ids, &vfio_pci_variant_ids_ops, (__p).ids, 0);	\
	MODULE_INFO(parmtype, "ids:string");				\
	MODULE_PARM_DESC(ids,						\
		"PCI IDs to bind: vendor:device[:subvendor[:subdevice[:class[:class_mask]]]],...")

/**
 * VFIO_PCI_VARIANT_PARAM_NOINTXMASK - parameter nointxmask
 * @__p: name of the struct vfio_pci_variant_params
 */
#define VFIO_PCI_VARIANT_PARAM_NOINTXMASK(__p)				\
	module_param_named(nointxmask, (__p).nointxmask, bool, 0644);	\
	MODULE_PARM_DESC(nointxmask,					\
		"Mask INTx at the interrupt controller, for devices that can't themselves")

/**
 * VFIO_PCI_VARIANT_PARAM_DISABLE_IDLE_D3 - parameter disable_idle_d3
 * @__p: name of the struct vfio_pci_variant_params
 */
#define VFIO_PCI_VARIANT_PARAM_DISABLE_IDLE_D3(__p)			\
	module_param_named(disable_idle_d3, (__p).disable_idle_d3, bool, 0644); \
	MODULE_PARM_DESC(disable_idle_d3,				\
		"Leave functions in D0 while nobody uses them")

/**
 * VFIO_PCI_VARIANT_PARAM_STANDBY - parameter standby
 * @__p: name of the struct vfio_pci_variant_params
 */
#define VFIO_PCI_VARIANT_PARAM_STANDBY(__p)				\
	module_param_named(standby, (__p).standby, bool, 0644);		\
	MODULE_PARM_DESC(standby,					\
		"Have functions reset and ready while nobody uses them")

/**
 * VFIO_PCI_VARIANT_PARAM_DISABLE_DENYLIST - parameter disable_denylist
 * @__p: name of the struct vfio_pci_variant_params
 */
#define VFIO_PCI_VARIANT_PARAM_DISABLE_DENYLIST(__p)			\
	module_param_named(disable_denylist, (__p).disable_denylist, bool, 0444); \
	MODULE_PARM_DESC(disable_denylist,				\
		"Bind functions known to be unsafe in the hands of an untrusted user")

/**
 * VFIO_PCI_VARIANT_PARAM_DISABLE_ADOPTION - parameter disable_adoption, for generic variants
 * @__p: name of the struct vfio_pci_variant_params
 */
#define VFIO_PCI_VARIANT_PARAM_DISABLE_ADOPTION(__p)			\
	module_param_named(disable_adoption, (__p).disable_adoption, bool, 0644); \
	MODULE_PARM_DESC(disable_adoption,				\
		"Leave out what specialised variants have for the functions they match")

extern const struct kernel_param_ops vfio_pci_variant_quirks_ops;

/**
 * VFIO_PCI_VARIANT_PARAM_QUIRKS - parameter quirks
 * @__p: name of the struct vfio_pci_variant_params
 */
#define VFIO_PCI_VARIANT_PARAM_QUIRKS(__p)				\
	module_param_cb(quirks, &vfio_pci_variant_quirks_ops, &(__p).quirks, 0644); \
	MODULE_PARM_DESC(quirks,					\
		"Quirks of devices: ID[@address] or address:flag[+flag...],... (string)")

/**
 * VFIO_PCI_VARIANT_PARAMS - declare the standard parameters of a module
 * @__p: name of the struct vfio_pci_variant_params that it defines
 *
 * Names and permissions are those of the in-tree vfio-pci, which has neither
 * quirks nor standby. A variant that
 * wants fewer defines the structure itself and uses the
 * VFIO_PCI_VARIANT_PARAM_* macros it likes; one that wants more has settings of its
 * own, see <linux/vfio_pci_setting.h>.
 */
#define VFIO_PCI_VARIANT_PARAMS(__p)				\
	static struct vfio_pci_variant_params __p;		\
	VFIO_PCI_VARIANT_PARAM_IDS(__p);			\
	VFIO_PCI_VARIANT_PARAM_NOINTXMASK(__p);			\
	VFIO_PCI_VARIANT_PARAM_DISABLE_VGA(__p);		\
	VFIO_PCI_VARIANT_PARAM_DISABLE_IDLE_D3(__p);		\
	VFIO_PCI_VARIANT_PARAM_STANDBY(__p);			\
	VFIO_PCI_VARIANT_PARAM_ENABLE_SRIOV(__p);		\
	VFIO_PCI_VARIANT_PARAM_DISABLE_DENYLIST(__p);		\
	VFIO_PCI_VARIANT_PARAM_QUIRKS(__p)

#endif /* VFIO_PCI_VARIANT_H */
