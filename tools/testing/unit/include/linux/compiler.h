/* SPDX-License-Identifier: GPL-2.0-only */
#define READ_ONCE(x)	__atomic_load_n(&(x), __ATOMIC_RELAXED)
