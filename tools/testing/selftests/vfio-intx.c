// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: vfio-intx BDF [OTHER]
 * Enable INTx of a function and mask it, and print where VFIO masked it, as the
 * hardware shows: "masked: device" (INTx Disable is set) or "masked: irqchip".
 * With INTx still enabled do the same with OTHER, if there is one, and print
 * "other: masked: ..." or, when its INTx can't be enabled, "other: errno N",
 * which is EBUSY when both use one line and one of them must have it to itself.
 * "no INTx" stands for a function that has none, as far as VFIO says.
 */
#include "vfio_lib.h"

static void intx(struct vfio *vfio, const char *bdf, const char *prefix)
{
	struct vfio_irq_info info = { .argsz = sizeof(info),
				      .index = VFIO_PCI_INTX_IRQ_INDEX };
	int ret;

	ret = vfio_open(vfio, bdf);
	if (ret) {
		errno = ret;
		err(1, "open of %s", bdf);
	}
	if (ioctl(vfio->device, VFIO_DEVICE_GET_IRQ_INFO, &info))
		err(1, "VFIO_DEVICE_GET_IRQ_INFO");
	if (info.count == 0) {
		printf("%sno INTx\n", prefix);
		return;
	}
	ret = vfio_set_irq(vfio, VFIO_PCI_INTX_IRQ_INDEX, VFIO_IRQ_TRIGGER_FD,
			   eventfd(0, 0));
	if (ret) {
		printf("%serrno %d\n", prefix, ret);
		return;
	}
	if (vfio_intx_disabled(bdf))
		errx(1, "%s: INTx is disabled before it is masked", bdf);
	ret = vfio_set_irq(vfio, VFIO_PCI_INTX_IRQ_INDEX, VFIO_IRQ_MASK_NOW, -1);
	if (ret)
		errx(1, "%s: can't mask INTx: errno %d", bdf, ret);
	printf("%smasked: %s\n", prefix,
	       vfio_intx_disabled(bdf) ? "device" : "irqchip");
}

int main(int argc, char **argv)
{
	struct vfio vfio, other;

	if (argc != 2 && argc != 3)
		errx(2, "usage: vfio-intx BDF [OTHER]");
	intx(&vfio, argv[1], "");
	if (argc == 3) {
		intx(&other, argv[2], "other: ");
		vfio_close(&other);
	}
	vfio_close(&vfio);
	return 0;
}
