/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_LINUX_STRINGIFY_H
#define UNIT_LINUX_STRINGIFY_H
#endif
