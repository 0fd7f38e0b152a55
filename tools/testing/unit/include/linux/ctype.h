/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's take any char; libc's want an unsigned one. "C" locale only. */
#ifndef UNIT_LINUX_CTYPE_H
#define UNIT_LINUX_CTYPE_H

#include <ctype.h>

#undef isdigit
#undef islower
#undef isspace
#undef isxdigit
#undef tolower
#define isdigit(c)	((isdigit)((unsigned char)(c)))
#define islower(c)	((islower)((unsigned char)(c)))
#define isspace(c)	((isspace)((unsigned char)(c)))
#define isxdigit(c)	((isxdigit)((unsigned char)(c)))
#define tolower(c)	((tolower)((unsigned char)(c)))

#endif
