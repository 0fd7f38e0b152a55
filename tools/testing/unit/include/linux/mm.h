/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_LINUX_MM_H
#define UNIT_LINUX_MM_H

#include <linux/kernel.h>

#define PAGE_SIZE		4096ull
#define IS_ALIGNED(x, a)	(((x) & ((a) - 1)) == 0)
#define min_t(type, x, y)	((type)(x) < (type)(y) ? (type)(x) : (type)(y))

#endif
