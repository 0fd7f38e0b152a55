/* SPDX-License-Identifier: GPL-2.0-only */
/* The part of an offset that is not the region's number. */
#define VFIO_PCI_OFFSET_MASK	((1ull << 40) - 1)
