/* SPDX-License-Identifier: GPL-2.0-only */
/* Nothing of it is needed on the host; the uapi header of that name would be. */
#ifndef UNIT_LINUX_KERNEL_H
#define UNIT_LINUX_KERNEL_H
#endif
