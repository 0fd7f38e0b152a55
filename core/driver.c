// SPDX-License-Identifier: GPL-2.0-only
/*
 * Binding a function and letting it go: the PCI driver that every variant starts
 * from. The order of calls is told in <linux/vfio_pci_variant.h>.
 */
#include <linux/slab.h>

#include "compat.h"
#include "core.h"

static struct vfio_pci_variant *pdev_to_variant(struct pci_dev *pdev)
{
	return container_of(pdev->driver, struct vfio_pci_variant, pci_driver);
}

/* Up to where the device could be registered; undone by vpv_release(). */
static int prepare(struct vfio_pci_variant_device *vvdev,
		   const struct vfio_pci_variant_ops *ops)
{
	int ret;

	ret = vpv_regs_check(vvdev, ops);
	if (ret)
		return ret;
	ret = vpv_quirks_match(vvdev);
	if (ret)
		return ret;
	vvdev->reg_bars = vpv_reg_bars(ops);
	vvdev->no_mmap = vpv_hooked_bars(ops) & ~ops->mmap_bars;
	if (!vpv_compat_can_tell_areas())
		vvdev->no_mmap |= vvdev->reg_bars;
	if (vvdev->quirks)
		vvdev->no_mmap |= vvdev->quirks->no_mmap;
	vpv_settings_latch(vvdev);
	vpv_compat_init(vvdev);
	ret = vpv_state_bind(vvdev);
	if (ret)
		return ret;

	if (ops->init) {
		ret = vpv_errno(ops->init(vvdev));
		if (ret)
			return ret;
	}
	vvdev->ops = ops;
	ret = vpv_regs_bind(vvdev);
	if (ret)
		return ret;
	ret = vpv_migration_bind(vvdev, ops->migration);
	if (ret)
		return ret;
	if (vvdev->variant->gate)
		vvdev->variant->gate->init(vvdev);

	vvdev->special = vvdev->reg_bars;
	if (ops->rw)
		vvdev->special |= ops->rw_regions;
	if (vpv_shows_bytes(vvdev))
		vvdev->special |= BIT(VFIO_PCI_CONFIG_REGION_INDEX);

	if (vvdev->special)
		vvdev->core.vdev.ops = &vvdev->variant->rw_ops;
	else if (ops->region_info || ops->mmap)
		vvdev->core.vdev.ops = &vvdev->variant->map_ops;
	vvdev->touched_ops = vvdev->core.vdev.ops;
	return 0;
}

/* A device for @variant with the hooks @ops: private data of both is in it. */
static struct vfio_pci_variant_device *
alloc_device(struct pci_dev *pdev, const struct vfio_pci_variant *variant,
	     const struct vfio_pci_variant_ops *ops)
{
	const struct vfio_pci_variant_gate *gate = variant->gate;
	struct vfio_pci_variant_device *vvdev;
	struct vfio_device *vdev;
	size_t size, gate_at;

	gate_at = ALIGN(struct_size(vvdev, priv, ops->priv_size),
			ARCH_KMALLOC_MINALIGN);
	size = gate_at + (gate ? gate->priv_size : 0);
	vdev = _vfio_alloc_device(size, &pdev->dev, &variant->vfio_ops);
	if (IS_ERR(vdev))
		return ERR_CAST(vdev);

	vvdev = vdev_to_vvdev(vdev);
	vvdev->variant = variant;
	INIT_LIST_HEAD(&vvdev->plain);
	if (gate)
		vvdev->gate_priv = (void *)vvdev + gate_at;
	return vvdev;
}

int vpv_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct vfio_pci_variant *variant = pdev_to_variant(pdev);
	const struct vfio_pci_variant_ops *ops = variant->ops;
	const struct vfio_pci_variant *adopted;
	struct vfio_pci_variant_device *vvdev;
	int ret;

	if (ops->match) {
		ret = vpv_errno(ops->match(pdev));
		if (ret)
			return ret;
	}

	adopted = vpv_adopt(variant, pdev);
	if (adopted)
		ops = adopted->ops;

	vvdev = alloc_device(pdev, variant, ops);
	if (IS_ERR(vvdev)) {
		vpv_adopt_put(adopted);
		return PTR_ERR(vvdev);
	}
	vvdev->adopted = adopted;

	ret = prepare(vvdev, ops);
	if (ret)
		goto err_put_device;

	/* The core's PM and error handlers take drvdata for its device. */
	pci_set_drvdata(pdev, &vvdev->core);
	ret = vpv_ways_bind(vvdev);
	if (ret)
		goto err_put_device;
	vpv_bound_add(vvdev);
	vpv_compat_evict_framebuffers(vvdev);
	vpv_power_bind(vvdev);

	ret = vpv_standby_bind(vvdev);
	if (ret)
		goto err_unbind_ways;
	ret = vpv_settings_show(vvdev);
	if (ret)
		goto err_unbind_standby;
	ret = vpv_ways_register(vvdev);
	if (ret) {
		vpv_explain_bind(vvdev, ret);
		goto err_hide_settings;
	}

	vpv_compat_registered(vvdev);
	vpv_adopt_bound(vvdev);
	vpv_explain_bound(vvdev);
	if (!variant->gate) {
		vfio_pci_variant_stand_by(vvdev);
		return 0;
	}
	ret = vpv_errno(variant->gate->start(vvdev));
	if (ret)
		goto err_unregister;
	return 0;

err_unregister:
	vpv_adopt_unbound(vvdev);
	vpv_user_leave(vvdev);
	vfio_pci_core_unregister_device(&vvdev->core);
err_hide_settings:
	vpv_settings_hide(vvdev);
err_unbind_standby:
	vpv_standby_unbind(vvdev);
err_unbind_ways:
	vpv_power_unbind(vvdev);
	vpv_bound_del(vvdev);
	vpv_ways_unbind(vvdev);
err_put_device:
	vfio_put_device(&vvdev->core.vdev);
	return ret;
}

void vpv_remove(struct pci_dev *pdev)
{
	struct vfio_pci_core_device *core = pci_get_drvdata(pdev);
	struct vfio_pci_variant_device *vvdev = to_vfio_pci_variant_device(core);
	const struct vfio_pci_variant_gate *gate = vvdev->variant->gate;

	vpv_reset_removing(vvdev);
	vpv_settings_hide(vvdev);
	vpv_adopt_unbound(vvdev);
	/* Users of its VFs go before its own: the VFs need the PF. */
	vfio_pci_core_sriov_configure(core, 0);
	vpv_user_leave(vvdev);
	vpv_reset_removed(vvdev);
	vpv_standby_cool(vvdev);
	if (gate)
		gate->stop(vvdev);
	vpv_standby_unbind(vvdev);
	vfio_pci_core_unregister_device(core);
	vpv_power_unbind(vvdev);
	vpv_bound_del(vvdev);
	vpv_ways_unbind(vvdev);
	vfio_put_device(&core->vdev);
}

int vpv_sriov_configure(struct pci_dev *pdev, int nr_virtfn)
{
	struct vfio_pci_core_device *core = pci_get_drvdata(pdev);
	struct vfio_pci_variant_device *vvdev = to_vfio_pci_variant_device(core);
	struct vfio_pci_variant *variant = pdev_to_variant(pdev);
	int ret;

	if (!variant->params)
		return -ENOENT;
	if (!READ_ONCE(variant->params->enable_sriov)) {
		pci_info(pdev, "%s: sriov_numvfs can't be changed: a user of the PF could harm those of its VFs; the parameter enable_sriov=1 allows it\n",
			 variant->name);
		return -ENOENT;
	}

	vpv_standby_cool(vvdev);
	ret = vfio_pci_core_sriov_configure(&vvdev->core, nr_virtfn);
	vpv_disturb(vvdev);
	vpv_standby_resume(vvdev);
	return ret;
}
