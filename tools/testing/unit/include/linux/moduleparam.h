/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_LINUX_MODULEPARAM_H
#define UNIT_LINUX_MODULEPARAM_H

/* Of which only the address would be taken. */
struct kernel_param_ops {
	int unused;
};

#endif
