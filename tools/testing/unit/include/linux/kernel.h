/* SPDX-License-Identifier: GPL-2.0-only */
/* What the code under test uses of it; the uapi header of that name is not it. */
#ifndef UNIT_LINUX_KERNEL_H
#define UNIT_LINUX_KERNEL_H

#include <errno.h>
#include <linux/types.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#endif

/* As snprintf(), but returns what was written. */
static inline int scnprintf(char *buf, size_t size, const char *format, ...)
{
	va_list args;
	int n;

	if (size == 0)
		return 0;
	va_start(args, format);
	n = vsnprintf(buf, size, format, args);
	va_end(args);
	return (size_t)n < size ? n : (int)size - 1;
}

static inline int kstrtoull(const char *text, unsigned int base, u64 *number)
{
	char *end;

	*number = strtoull(text, &end, base);
	return end == text || *end ? -EINVAL : 0;
}

#endif
