/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_LINUX_BITS_H
#define UNIT_LINUX_BITS_H

#define BIT(n)		(1u << (n))
#define GENMASK(h, l)	((~0u >> (31 - (h))) & (~0u << (l)))

#endif
