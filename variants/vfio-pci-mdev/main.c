// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generic variant for mediated devices: each function can be one mdev, and who
 * names its UUID gets the whole function.
 *
 * What users open is the function's own VFIO device. It is registered from bind to
 * unbind, as by vfio-pci: so it is in the function's IOMMU group, which isolates
 * it, and its siblings know of it. The mdev is the key to it and no more: it has
 * the UUID, and links to where the device is.
 */
#include <linux/completion.h>
#include <linux/kernfs.h>
#include <linux/mdev.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/sysfs.h>
#include <linux/uuid.h>
#include <linux/vfio_pci_variant.h>

VFIO_PCI_VARIANT_PARAMS(params);
VFIO_PCI_VARIANT_PARAM_DISABLE_ADOPTION(params);

/* As often as users are asked for a device, and well below the detector of hung tasks. */
#define VPM_ASK_AGAIN	(10 * HZ)

/**
 * struct vpm_gate - what is between a function and its users
 * @vvdev: the function
 * @parent: the function, as mdevs see it
 * @type: the only type it has: all of it
 * @types: @type
 * @name: of the type, for people
 * @lock: guards @mdev, @uuid and @published
 * @mdev: the one mdev there can be, from its probe until it is freed
 * @uuid: of the mdev, while @published
 * @published: there is an mdev, and it is not about to go
 * @mdevs: one for each mdev that has memory, and one while bound
 * @gone: when @mdevs comes to 0
 * @release: what frees an mdev
 */
struct vpm_gate {
	struct vfio_pci_variant_device *vvdev;
	struct mdev_parent parent;
	struct mdev_type type;
	struct mdev_type *types[1];
	char name[sizeof("PCI function 8086:10d3")];

	/* Not held while anybody waits. */
	struct mutex lock;
	struct mdev_device *mdev;
	guid_t uuid;
	bool published;

	refcount_t mdevs;
	struct completion gone;
	void (*release)(struct device *dev);
};

static struct vpm_gate *type_to_gate(struct mdev_type *type)
{
	return container_of(type, struct vpm_gate, type);
}

/* --- users ------------------------------------------------------------------- */

static int vpm_open(struct vfio_pci_variant_device *vvdev)
{
	struct vpm_gate *gate = vfio_pci_variant_gate_priv(vvdev);
	int ret = -ENODEV;

	mutex_lock(&gate->lock);
	if (gate->published)
		ret = 0;
	mutex_unlock(&gate->lock);
	return ret;
}

/* Is @name "UUID" or "UUID options"? Returns where the UUID ends, or NULL. */
static const char *vpm_after_uuid(struct vpm_gate *gate, const char *name)
{
	char uuid[UUID_STRING_LEN + 1] = "";

	mutex_lock(&gate->lock);
	if (gate->published)
		snprintf(uuid, sizeof(uuid), "%pUl", &gate->uuid);
	mutex_unlock(&gate->lock);

	if (!*uuid || strncmp(name, uuid, UUID_STRING_LEN))
		return NULL;
	name += UUID_STRING_LEN;
	return *name && *name != ' ' ? NULL : name;
}

/* The address is not a name of the device; the core knows it by no other. */
static int vpm_match(struct vfio_pci_variant_device *vvdev, char *name)
{
	const char *options =
		vpm_after_uuid(vfio_pci_variant_gate_priv(vvdev), name);
	char *address;
	int ret;

	if (!options)
		return 0;
	address = kasprintf(GFP_KERNEL, "%s%s", pci_name(vvdev->core.pdev),
			    options);
	if (!address)
		return -ENOMEM;
	ret = vfio_pci_core_match(&vvdev->core.vdev, address);
	kfree(address);
	return ret;
}

/* --- the mdev ---------------------------------------------------------------- */

/*
 * The directory of the function's IOMMU group. Users take its name, the number,
 * from what the link in the mdev's directory points to, so a link to the
 * function's own will not do. There is no accessor for it.
 */
static struct kobject *vpm_group_kobj(struct pci_dev *pdev)
{
	struct kobject *kobj = NULL;
	struct kernfs_node *link;

	link = kernfs_find_and_get(pdev->dev.kobj.sd, "iommu_group");
	if (!link)
		return NULL;
	if (kernfs_type(link) == KERNFS_LINK)
		kobj = link->symlink.target_kn->priv;
	/* The device is registered: it holds the group. */
	kernfs_put(link);
	return kobj;
}

static int vpm_add_links(struct vpm_gate *gate, struct mdev_device *mdev)
{
	struct vfio_pci_core_device *core = &gate->vvdev->core;
	struct kobject *group = vpm_group_kobj(core->pdev);
	int ret;

	if (!group) {
		pci_warn(core->pdev, "vfio-pci-mdev: it is in no IOMMU group\n");
		return -ENODEV;
	}
	ret = sysfs_create_link(&mdev->dev.kobj, group, "iommu_group");
	if (ret)
		return ret;
	/* The directory that its device of class vfio-dev is in. */
	ret = sysfs_create_link(&mdev->dev.kobj, core->vdev.device.kobj.parent,
				"vfio-dev");
	if (ret)
		goto err_remove_group;
	return 0;

err_remove_group:
	sysfs_remove_link(&mdev->dev.kobj, "iommu_group");
	return ret;
}

static void vpm_remove_links(struct mdev_device *mdev)
{
	sysfs_remove_link(&mdev->dev.kobj, "vfio-dev");
	sysfs_remove_link(&mdev->dev.kobj, "iommu_group");
}

static void vpm_put(struct vpm_gate *gate)
{
	if (refcount_dec_and_test(&gate->mdevs))
		complete(&gate->gone);
}

static void vpm_mdev_release(struct device *dev)
{
	struct mdev_device *mdev = to_mdev_device(dev);
	struct vpm_gate *gate = type_to_gate(mdev->type);

	mutex_lock(&gate->lock);
	if (gate->mdev == mdev)
		WRITE_ONCE(gate->mdev, NULL);
	mutex_unlock(&gate->lock);

	gate->release(dev);
	vpm_put(gate);
}

/*
 * Somebody may hold a reference to an mdev longer than it is there, and what frees
 * it looks at our type and parent: they have to outlive it.
 */
static void vpm_get_until_release(struct vpm_gate *gate, struct mdev_device *mdev)
{
	refcount_inc(&gate->mdevs);
	gate->release = mdev->dev.release;
	mdev->dev.release = vpm_mdev_release;
}

/*
 * One mdev a function. The mdev core would count, but what its own allocation took
 * when it failed it never gives back.
 */
static int vpm_take(struct vpm_gate *gate, struct mdev_device *mdev)
{
	int ret = 0;

	mutex_lock(&gate->lock);
	if (gate->mdev) {
		ret = -EUSERS;
		pci_warn(gate->vvdev->core.pdev, "vfio-pci-mdev: mdev %pUl refused: the function has %pUl, %s\n",
			 &mdev->uuid, &gate->mdev->uuid, gate->published ?
			 "and can have one; remove that first" :
			 "which is not yet made or not yet gone; try again");
	} else {
		WRITE_ONCE(gate->mdev, mdev);
	}
	mutex_unlock(&gate->lock);
	return ret;
}

static unsigned int vpm_get_available(struct mdev_type *type)
{
	return READ_ONCE(type_to_gate(type)->mdev) ? 0 : 1;
}

/*
 * What QEMU knows as an mdev of Intel VGA is GVT-g's, which has an OpRegion region in
 * any case, and no stolen memory that a guest would have to know of.
 */
static void vpm_warn_of_qemu(struct pci_dev *pdev)
{
	if (pdev->vendor == PCI_VENDOR_ID_INTEL &&
	    pdev->class >> 8 == PCI_CLASS_DISPLAY_VGA)
		pci_warn(pdev, "vfio-pci-mdev: QEMU takes an mdev of Intel VGA for GVT-g: it leaves out the BDSM quirk, and 11.1.3 crashes when there is no OpRegion region; to pass it to a guest bind it to vfio-pci\n");
}

/* No lock of the function's may be taken here: unbind holds it and waits for us. */
static int vpm_mdev_probe(struct mdev_device *mdev)
{
	struct vpm_gate *gate = type_to_gate(mdev->type);
	int ret;

	vpm_get_until_release(gate, mdev);
	ret = vpm_take(gate, mdev);
	if (ret)
		return ret;
	ret = vpm_add_links(gate, mdev);
	if (ret)
		return ret;

	mutex_lock(&gate->lock);
	guid_copy(&gate->uuid, &mdev->uuid);
	gate->published = true;
	mutex_unlock(&gate->lock);
	vfio_pci_variant_stand_by(gate->vvdev);
	vpm_warn_of_qemu(gate->vvdev->core.pdev);
	return 0;
}

static void vpm_mdev_remove(struct mdev_device *mdev)
{
	struct vpm_gate *gate = type_to_gate(mdev->type);

	mutex_lock(&gate->lock);
	gate->published = false;
	mutex_unlock(&gate->lock);

	/* Who was let in is known by now, so all of them are waited for. */
	vfio_pci_variant_wait_for_close(gate->vvdev);
	vfio_pci_variant_stand_down(gate->vvdev);
	vpm_remove_links(mdev);
}

static ssize_t vpm_show_description(struct mdev_type *type, char *buf)
{
	struct pci_dev *pdev = type_to_gate(type)->vvdev->core.pdev;

	return sysfs_emit(buf, "vendor 0x%04x, device 0x%04x, class 0x%06x, address %s\n",
			  pdev->vendor, pdev->device, pdev->class,
			  pci_name(pdev));
}

static struct mdev_driver vpm_mdev_driver = {
	.device_api = VFIO_DEVICE_API_PCI_STRING,
	.probe = vpm_mdev_probe,
	.remove = vpm_mdev_remove,
	.get_available = vpm_get_available,
	.show_description = vpm_show_description,
	.driver = {
		.name = "vfio-pci-mdev",
		.owner = THIS_MODULE,
		.mod_name = KBUILD_MODNAME,
		.suppress_bind_attrs = true,
	},
};

/* --- the function -------------------------------------------------------------- */

static void vpm_init(struct vfio_pci_variant_device *vvdev)
{
	struct vpm_gate *gate = vfio_pci_variant_gate_priv(vvdev);

	gate->vvdev = vvdev;
	mutex_init(&gate->lock);
	refcount_set(&gate->mdevs, 1);
	init_completion(&gate->gone);
}

static int vpm_start(struct vfio_pci_variant_device *vvdev)
{
	struct vpm_gate *gate = vfio_pci_variant_gate_priv(vvdev);
	struct pci_dev *pdev = vvdev->core.pdev;

	snprintf(gate->name, sizeof(gate->name), "PCI function %04x:%04x",
		 pdev->vendor, pdev->device);
	/* Its directory is DRIVER-NAME: vfio-pci-mdev-function. */
	gate->type.sysfs_name = "function";
	gate->type.pretty_name = gate->name;
	gate->types[0] = &gate->type;
	return mdev_register_parent(&gate->parent, &pdev->dev, &vpm_mdev_driver,
				    gate->types, ARRAY_SIZE(gate->types));
}

/*
 * The user is gone by now, as the framework has it: somebody who removes the mdev may
 * have been waiting for them, and the mdev core would wait for that one in D state.
 */
static void vpm_stop(struct vfio_pci_variant_device *vvdev)
{
	struct vpm_gate *gate = vfio_pci_variant_gate_priv(vvdev);
	struct pci_dev *pdev = vvdev->core.pdev;

	mdev_unregister_parent(&gate->parent);
	vpm_put(gate);
	/* The last thing that vpm_put() does: then the gate may go. */
	while (!wait_for_completion_timeout(&gate->gone, VPM_ASK_AGAIN))
		pci_warn(pdev, "vfio-pci-mdev: somebody in the kernel still has the mdev that was removed, unbind waits for them\n");
}

static const struct vfio_pci_variant_gate vpm_gate = {
	.priv_size = sizeof(struct vpm_gate),
	.init = vpm_init,
	.start = vpm_start,
	.stop = vpm_stop,
	.match = vpm_match,
	.open = vpm_open,
};

/* --- the module ---------------------------------------------------------------- */

/* No table: it takes what it is told to take, and is nobody's automatic choice. */
static struct vfio_pci_variant variant = {
	.name = "vfio-pci-mdev",
	.generic = true,
	.gate = &vpm_gate,
	.params = &params,
};

/* A function that is bound needs the mdev driver, from its first moment to its last. */
static int __init vpm_module_init(void)
{
	int ret;

	ret = mdev_register_driver(&vpm_mdev_driver);
	if (ret)
		return ret;
	ret = vfio_pci_variant_register(&variant);
	if (ret)
		goto err_unregister;
	return 0;

err_unregister:
	mdev_unregister_driver(&vpm_mdev_driver);
	return ret;
}
module_init(vpm_module_init);

static void __exit vpm_module_exit(void)
{
	vfio_pci_variant_unregister(&variant);
	mdev_unregister_driver(&vpm_mdev_driver);
	/*
	 * Who put the last mdev has woken the one who unbound its function, but may
	 * still be on the way out of vpm_put(), preempted. There they do not sleep, so
	 * this waits for them. Without TASKS_RCU, which preemptible kernels have if they
	 * can be traced, it is synchronize_rcu(): enough where tasks aren't preempted.
	 */
	synchronize_rcu_tasks();
}
module_exit(vpm_module_exit);
VFIO_PCI_VARIANT_IMPORT();

MODULE_DESCRIPTION("VFIO for a whole PCI function as a mediated device");
MODULE_AUTHOR("vfio-pci-variants maintainers");
MODULE_LICENSE("GPL");
MODULE_VERSION(VPV_VERSION);
