/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the framework share; variants see none of it. */
#ifndef VPV_CORE_H
#define VPV_CORE_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/string.h>
#include <linux/vfio_pci_variant.h>

#include "quirk_text.h"

/* pci_match_id() takes such an entry for the end of a table. */
static inline bool vpv_id_is_empty(const struct pci_device_id *id)
{
	return !id->vendor && !id->subvendor && !id->class_mask;
}

static inline bool vpv_id_matches(const struct pci_device_id *id,
				  struct pci_dev *pdev)
{
	const struct pci_device_id table[] = { *id, { } };

	/* Most rows are another vendor's, and a bind looks at all of them. */
	if (id->vendor != (u32)PCI_ANY_ID && id->vendor != pdev->vendor)
		return false;
	return pci_match_id(table, pdev);
}

/* device.c */
extern const struct vfio_pci_variant_ops vpv_no_ops;
extern const struct vfio_device_ops vpv_vfio_ops;

static inline struct vfio_pci_variant_device *
vdev_to_vvdev(struct vfio_device *vdev)
{
	return container_of(vdev, struct vfio_pci_variant_device, core.vdev);
}

ssize_t vpv_read(struct vfio_device *vdev, char __user *buf, size_t count,
		 loff_t *ppos);
ssize_t vpv_write(struct vfio_device *vdev, const char __user *buf,
		  size_t count, loff_t *ppos);

/* The BARs, as BIT(n) for each BAR n, that an rw hook is for. */
static inline u8 vpv_hooked_bars(const struct vfio_pci_variant_ops *ops)
{
	return ops->rw_regions & GENMASK(PCI_STD_NUM_BARS - 1, 0);
}

/* regs.c */
static inline u64 vpv_reg_end(const struct vfio_pci_variant_reg *reg)
{
	return reg->offset + reg->width;
}

const char *vpv_regs_fault(const struct vfio_pci_variant_ops *ops);
u8 vpv_reg_bars(const struct vfio_pci_variant_ops *ops);
int vpv_regs_check(const struct vfio_pci_variant_device *vvdev,
		   const struct vfio_pci_variant_ops *ops);
int vpv_regs_bind(struct vfio_pci_variant_device *vvdev);
void vpv_regs_free(struct vfio_pci_variant_device *vvdev);
int vpv_regs_map(struct vfio_pci_variant_device *vvdev);
void vpv_regs_unmap(struct vfio_pci_variant_device *vvdev);
ssize_t vpv_regs_rw(struct vfio_pci_variant_device *vvdev, char __user *buf,
		    size_t count, loff_t *ppos, bool iswrite);

/* map.c */
int vpv_map(struct vfio_device *vdev, struct vm_area_struct *vma);
int vpv_region_info(struct vfio_device *vdev, struct vfio_region_info *info,
		    struct vfio_info_cap *caps);
long vpv_map_ioctl(struct vfio_device *vdev, unsigned int cmd, unsigned long arg);

/* user.c */
void vpv_user_init(struct vfio_pci_variant_device *vvdev);
int vpv_user_open(struct vfio_pci_variant_device *vvdev);
void vpv_user_close(struct vfio_pci_variant_device *vvdev);
bool vpv_user_is_leaving(struct vfio_pci_variant_device *vvdev);
void vpv_user_leave(struct vfio_pci_variant_device *vvdev);
void vpv_request(struct vfio_device *vdev, unsigned int count);

/* driver.c */
int vpv_probe(struct pci_dev *pdev, const struct pci_device_id *id);
void vpv_remove(struct pci_dev *pdev);
int vpv_sriov_configure(struct pci_dev *pdev, int nr_virtfn);

/* state.c */
extern const struct pci_error_handlers vpv_err_handlers;
int vpv_state_bind(struct vfio_pci_variant_device *vvdev);
void vpv_state_free(struct vfio_pci_variant_device *vvdev);
bool vpv_state_is_reachable(struct pci_dev *pdev);
bool vpv_state_is_whole(struct vfio_pci_variant_device *vvdev);
int vpv_state_enable(struct vfio_pci_variant_device *vvdev);

/* ways.c */
int vpv_ways_bind(struct vfio_pci_variant_device *vvdev);
int vpv_ways_register(struct vfio_pci_variant_device *vvdev);
void vpv_ways_unbind(struct vfio_pci_variant_device *vvdev);
void vpv_ways_free(struct vfio_pci_variant_device *vvdev);
bool vpv_ways_has(const struct pci_dev *pdev);
bool vpv_ways_by_bus(const struct pci_dev *pdev);

/* reset.c */
int vpv_reset_by_hook(struct vfio_pci_variant_device *vvdev);
int vpv_reset_result(const struct vfio_pci_variant_device *vvdev,
		     unsigned int before, int ret);
long vpv_reset_ioctl(struct vfio_pci_variant_device *vvdev, unsigned int cmd,
		     unsigned long arg);
int vpv_reset_opened(struct vfio_pci_variant_device *vvdev, unsigned int before);
void vpv_reset_closing(struct vfio_pci_variant_device *vvdev);
void vpv_reset_closed(struct vfio_pci_variant_device *vvdev);
void vpv_reset_removing(struct vfio_pci_variant_device *vvdev);
void vpv_reset_removed(struct vfio_pci_variant_device *vvdev);
bool vpv_reset_is_left(const struct vfio_pci_variant_device *vvdev);

/* power.c */
void vpv_power_bind(struct vfio_pci_variant_device *vvdev);
void vpv_power_unbind(struct vfio_pci_variant_device *vvdev);
void vpv_power_closed(struct vfio_pci_variant_device *vvdev);

/* standby.c */
int vpv_standby_bind(struct vfio_pci_variant_device *vvdev);
void vpv_standby_unbind(struct vfio_pci_variant_device *vvdev);
void vpv_standby_free(struct vfio_pci_variant_device *vvdev);
void vpv_standby_cool(struct vfio_pci_variant_device *vvdev);
void vpv_standby_resume(struct vfio_pci_variant_device *vvdev);
void vpv_standby_disturbed(struct vfio_pci_variant_device *vvdev);
int vpv_standby_open(struct vfio_pci_variant_device *vvdev);
void vpv_standby_closed(struct vfio_pci_variant_device *vvdev);
const char *vpv_standby_show(const struct vfio_pci_variant_device *vvdev);
int vpv_standby_init(void);
void vpv_standby_exit(void);

/* migration.c */
const char *vpv_migration_fault(const struct vfio_pci_variant_migration *ops);
int vpv_migration_bind(struct vfio_pci_variant_device *vvdev,
		       const struct vfio_pci_variant_migration *ops);
void vpv_migration_free(struct vfio_pci_variant_device *vvdev);
int vpv_migration_open(struct vfio_pci_variant_device *vvdev);
void vpv_migration_close(struct vfio_pci_variant_device *vvdev);
void vpv_migration_reset(struct vfio_pci_variant_device *vvdev);

/* fresh.c */
void vpv_touch(struct vfio_pci_variant_device *vvdev);
void vpv_disturb(struct vfio_pci_variant_device *vvdev);
void vpv_fresh_reset(struct vfio_pci_variant_device *vvdev);
void vpv_fresh_open(struct vfio_pci_variant_device *vvdev);
void vpv_fresh_ops(struct vfio_device_ops *ops, const struct vfio_device_ops *touched);

/* adopt.c */
const struct vfio_pci_variant *vpv_adopt(const struct vfio_pci_variant *variant,
					 struct pci_dev *pdev);
void vpv_adopt_put(const struct vfio_pci_variant *adopted);
void vpv_adopt_bound(struct vfio_pci_variant_device *vvdev);
void vpv_adopt_unbound(struct vfio_pci_variant_device *vvdev);
void vpv_adopt_start(struct vfio_pci_variant *variant);
void vpv_adopt_stop(struct vfio_pci_variant *variant);

/* adopt_load.c */
const char *vpv_adopt_load(struct pci_dev *pdev);
void vpv_adopt_load_forget(void);
int vpv_adopt_load_init(void);
void vpv_adopt_load_exit(void);

/* settings.c */
void vpv_settings_start(const struct vfio_pci_variant *variant);
void vpv_settings_latch(struct vfio_pci_variant_device *vvdev);
void vpv_settings_free(struct vfio_pci_variant_device *vvdev);
int vpv_settings_show(struct vfio_pci_variant_device *vvdev);
void vpv_settings_hide(struct vfio_pci_variant_device *vvdev);

/*
 * What a hook returned, as an errno. A PCI accessor's own code, which is positive,
 * would pass for success in some callers and for a pointer in others.
 */
static inline int vpv_errno(int ret)
{
	return ret > 0 ? pcibios_err_to_errno(ret) : ret;
}

/* ids_param.c */
void vpv_ids_add(struct vfio_pci_variant *variant);

/*
 * A parameter, for the log: "vfio_pci.ids". Before the module's init there is no
 * name of a variant yet, and a module's own parameters do not name the module.
 */
#define VPV_PARAM_FMT		"%s%s%s"
#define VPV_PARAM_ARGS(__kp)						\
	(__kp)->mod ? module_name((__kp)->mod) : "",			\
	(__kp)->mod ? "." : "", (__kp)->name

/* What a space in a list does, which modprobe and the kernel take for its end. */
#define VPV_EDGE_COMMA							\
	"it starts or ends with a comma: what stood beyond a space was not read, the kernel's log has it as an unknown parameter; write %s= without spaces, or with double quotes around its value"

static inline bool vpv_has_edge_comma(const char *text)
{
	return *text == ',' || (*text && text[strlen(text) - 1] == ',');
}

/* quirk_param.c */

/* What one value of the parameter says; shared with the devices it matched. */
struct vpv_user_rows {
	struct kref ref;
	unsigned int nr;
	struct vpv_user_quirk rows[];
};

struct vpv_user_rows *vpv_user_rows_get(struct vfio_pci_variant_quirks *param);
void vpv_user_rows_put(struct vpv_user_rows *rows);
void vpv_rows_values(const struct vpv_user_rows *rows, struct pci_dev *pdev,
		     struct vpv_set_values *values);
struct vpv_user_rows *
vpv_user_rows_replace(struct vfio_pci_variant_quirks *param,
		      struct vpv_user_rows *rows);
int vpv_quirks_start(struct vfio_pci_variant *variant, struct module *owner);
void vpv_quirks_stop(struct vfio_pci_variant *variant, struct module *owner);

/* quirk.c */

enum vpv_quirk_source {
	VPV_QUIRK_OF_FRAMEWORK,
	VPV_QUIRK_OF_ADOPTED,
	VPV_QUIRK_OF_VARIANT,
	VPV_QUIRK_OF_USER,
};

/* A row that matches a device. */
struct vpv_matched_row {
	const struct vfio_pci_quirk *quirk;
	enum vpv_quirk_source source;
};

/**
 * struct vpv_ways - in which ways the PCI core may reset a bound function
 * @node: in the list of those whose @bus_flag is ours
 * @pdev: the function
 * @flags: what was added to its dev_flags, but for @bus_flag
 * @bus_flag: PCI_DEV_FLAGS_NO_BUS_RESET if that was added, else 0
 * @blocked: BIT(n) for each reset method n that it is not to use
 * @methods: its reset methods before they were limited
 * @given: those that it was given instead
 */
struct vpv_ways {
	struct list_head node;
	struct pci_dev *pdev;
	pci_dev_flags_t flags;
	pci_dev_flags_t bus_flag;
	u8 blocked;
	u8 methods[PCI_NUM_RESET_METHODS];
	u8 given[PCI_NUM_RESET_METHODS];
};

/**
 * struct vpv_quirks - what is special about one bound function
 * @user_rows: holds the rows of the parameter, which may have been written anew
 * @set: flags that hold, of all rows
 * @clear: flags that do not, though a parameter may say so
 * @no_mmap: BARs that are not to be mapped
 * @resets: how it is to be reset, of VFIO_PCI_RESET_*, which 0 ends; none: as it is
 * @bytes: config bytes to show, in the order of their offsets
 * @nr_bytes: their number
 * @nr_rows: number of @rows, not 0
 * @rows: those that match, in the order in which they apply
 *
 * Constant from init to release.
 */
struct vpv_quirks {
	struct vpv_user_rows *user_rows;
	u32 set;
	u32 clear;
	u8 no_mmap;
	u8 resets[VFIO_PCI_QUIRK_MAX_RESETS];
	struct vfio_pci_quirk_byte *bytes;
	unsigned int nr_bytes;
	unsigned int nr_rows;
	struct vpv_matched_row rows[];
};

static inline bool vpv_quirk(const struct vfio_pci_variant_device *vvdev,
			     u32 flag)
{
	return vvdev->quirks && vvdev->quirks->set & flag;
}

static inline bool vpv_shows_bytes(const struct vfio_pci_variant_device *vvdev)
{
	return vvdev->quirks && vvdev->quirks->nr_bytes;
}

/* Of a row whose source is the user. */
static inline const struct vpv_user_quirk *
to_user_quirk(const struct vfio_pci_quirk *quirk)
{
	return container_of(quirk, struct vpv_user_quirk, quirk);
}

bool vpv_row_is_at(const struct vpv_user_quirk *user, struct pci_dev *pdev);
bool vpv_row_is_for(const struct vpv_user_quirk *user, struct pci_dev *pdev);
int vpv_quirks_match(struct vfio_pci_variant_device *vvdev);
void vpv_quirks_free(struct vfio_pci_variant_device *vvdev);
bool vpv_quirks_setting(const struct vfio_pci_variant_device *vvdev, u32 flag,
			bool param);
ssize_t vpv_quirks_show(const struct vfio_pci_variant_device *vvdev, char *buf);

/* quirk_report.c */
void vpv_bound_add(struct vfio_pci_variant_device *vvdev);
void vpv_bound_del(struct vfio_pci_variant_device *vvdev);
struct vpv_user_rows *vpv_bound_replace(const struct vfio_pci_variant *variant,
					struct vpv_user_rows *rows);
void vpv_report_rows(const struct vfio_pci_variant *variant,
		     const struct vpv_user_rows *rows);
void vpv_report_matched(const struct vfio_pci_variant_device *vvdev);

/* config.c */
int vpv_config_apply(struct vfio_pci_variant_device *vvdev);
void vpv_config_limit_mmap(struct vfio_pci_variant_device *vvdev);
ssize_t vpv_config_read(struct vfio_pci_variant_device *vvdev, char __user *buf,
			size_t count, loff_t *ppos);
ssize_t vpv_config_write(struct vfio_pci_variant_device *vvdev,
			 const char __user *buf, size_t count, loff_t *ppos);

/* explain.c */
void vpv_explain_bind(const struct vfio_pci_variant_device *vvdev, int ret);
void vpv_explain_bound(const struct vfio_pci_variant_device *vvdev);
void vpv_explain_bars(const struct vfio_pci_variant_device *vvdev);
void vpv_explain_open(const struct vfio_pci_variant_device *vvdev, int ret);
void vpv_explain_opened(const struct vfio_pci_variant_device *vvdev);
void vpv_explain_ioctl(struct vfio_pci_variant_device *vvdev, unsigned int cmd,
		       unsigned long arg, long ret);

#endif /* VPV_CORE_H */
