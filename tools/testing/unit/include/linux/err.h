/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_LINUX_ERR_H
#define UNIT_LINUX_ERR_H

#define ERR_PTR(error)	((void *)(long)(error))
#define IS_ERR(pointer)	((unsigned long)(pointer) >= (unsigned long)-4095)

#endif
