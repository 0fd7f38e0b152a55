/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a machine has for VFIO, as sysfs tells it: read by host.c, which of its drivers would
 * match by variants.c, what keeps a function from a guest by why.c, shown by show.c.
 * Everything is read from one directory, which may be a recorded one, and nothing in it is
 * trusted: what is missing or makes no sense is "not known".
 */
#ifndef LSVFIO_H
#define LSVFIO_H

#include <stdbool.h>
#include <stddef.h>

#define __printf(text, first) __attribute__((__format__(printf, text, first)))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* A growing list of strings. */
struct list {
	char **items;
	size_t count;
};

struct host;

/**
 * struct function - a PCI function
 * @host: where it is
 * @address: as sysfs names it: 0000:01:00.0, with more digits of a domain past 0xffff
 * @vendor: and the following: what it is; @class with subclass and interface
 * @group: its IOMMU group; -1: it is in none
 * @driver: that has it; NULL: none
 * @override: of driver_override; NULL: none
 * @physfn: address of the PF that it is a VF of; NULL: it is none
 * @numvfs: how many VFs it has
 */
struct function {
	struct host *host;
	char address[24];
	unsigned int vendor, device, subvendor, subdevice, class;
	int group;
	char *driver;
	char *override;
	char *physfn;
	unsigned int numvfs;
};

/**
 * struct host - a machine
 * @sys: its sysfs
 * @modules: the folder with its modules.alias; NULL: not known
 * @proc: its procfs; NULL: it is a recorded one without
 * @functions: of all buses, by address
 * @count: how many
 * @aliases: that begin with "vfio_pci:", as "ALIAS MODULE", once they were asked for
 * @opened: what processes have open of /dev/vfio, as "FILE PROCESS", once it was asked for
 */
struct host {
	const char *sys;
	const char *modules;
	const char *proc;
	struct function *functions;
	size_t count;
	struct list *aliases;
	struct list *opened;
};

/**
 * enum answer - of a condition that a function has to meet
 * @YES: it does
 * @NOTE: it does, but somebody should know
 * @UNKNOWN: it can't be seen from here
 * @NO: it does not
 */
enum answer { YES, NOTE, UNKNOWN, NO };

/**
 * struct verdict - on one condition
 * @condition: what is asked for, in a word or two
 * @answer: whether it holds
 * @reason: what was seen
 * @remedy: what to do about it; NULL: nothing
 */
struct verdict {
	const char *condition;
	enum answer answer;
	char *reason;
	char *remedy;
};

struct verdicts {
	struct verdict *of;
	size_t count;
};

/* host.c */
void *must(void *memory);
char *print(const char *format, ...) __printf(1, 2);
void add(struct list *list, char *item);
bool has(const struct list *list, const char *item);
void drop(struct list *list);
char *join(const struct list *list, const char *between);
char *get_from(const char *dir, const char *format, ...) __printf(2, 3);
char *get(const struct function *f, const char *format, ...) __printf(2, 3);
char *link_of(const struct function *f, const char *name);
struct list entries(const char *format, ...) __printf(1, 2);
bool exists(const char *format, ...) __printf(1, 2);
int read_host(struct host *host);
void free_host(struct host *host);
struct function *at(const struct host *host, const char *address);
bool is_bridge(const struct function *f);
bool is_vfio(const struct function *f);
struct list siblings(const struct function *f);
struct list users(const struct function *f);

/* variants.c */
struct list variants(const struct function *f);
bool has_module(const struct host *host, const char *name);

/* why.c */
void judge(const struct function *f, struct verdicts *verdicts);
void free_verdicts(struct verdicts *verdicts);
enum answer answer(const struct verdicts *verdicts);

/* show.c */
void show_table(struct function *const *shown, size_t count, bool colour);
void show_tree(struct function *const *shown, size_t count, bool colour);
void show_json(struct function *const *shown, size_t count);
void show_dot(struct function *const *shown, size_t count);
void show_why(const struct function *f, const struct verdicts *verdicts, bool colour);
void show_why_json(const struct function *f, const struct verdicts *verdicts);
int show_plan(const struct function *f, const char *variant);

#endif
