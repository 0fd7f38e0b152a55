/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a machine has for VFIO, as sysfs tells it: read by host.c, which of its drivers would
 * match by modules.c, who has one open by users.c; what keeps it from a guest by why.c, with
 * host_use.c and rows.c; shown by show.c, and for programs by formats.c. Each folder may be a
 * recorded one, and nothing in it is trusted: what is missing or makes no sense is "not known".
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
struct kmod_ctx;

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
 * @dev: its nodes; NULL: likewise
 * @is_recorded: it is not this machine
 * @functions: of all buses, by address
 * @count: how many
 * @aliases: of VFIO's and of ours, as "ALIAS MODULE", once they were asked for
 * @opened: nodes that processes have open, as "NODE PROCESS", sorted, once it was asked for
 * @kmod: for what modprobe.d says, once it was asked for
 * @users: who has which group open, of some that were asked for, by their number
 * @ours: modules that are this project's, of those that were asked for; @others: the rest
 */
struct host {
	const char *sys;
	const char *modules;
	const char *proc;
	const char *dev;
	bool is_recorded;
	struct function *functions;
	size_t count;
	struct list *aliases;
	struct list *opened;
	struct kmod_ctx *kmod;
	struct {
		bool known;
		int group;
		struct list list;
	} users[1024];
	struct list ours, others;
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
char *in_one_line(char *text);
char *clean(const char *text);
bool is_name(const char *text);
char *link_of(const struct function *f, const char *name);
struct list entries(const char *format, ...) __printf(1, 2);
bool exists(const char *format, ...) __printf(1, 2);
bool mentions(const char *dir, const char *file, const char *text);
int read_host(struct host *host);
void free_host(struct host *host);
struct function *at(const struct host *host, const char *address);
bool is_bridge(const struct function *f);
bool is_vfio(const struct function *f);
bool is_noiommu(const struct function *f);
struct list mdevs(const struct function *f);
char *group_node(const struct function *f);
void add_nodes(struct list *nodes, const struct function *f);
struct list siblings(const struct function *f);

/* modules.c */
struct list variants(const struct function *f);
void choice(const struct function *f, char **module, char **driver);
char *adoption(const struct function *f);
bool has_module(const struct host *host, const char *module);
bool is_loaded(const struct host *host, const char *module);
bool is_kept_out(struct host *host, const char *module);
bool is_ours(struct host *host, const char *module);
bool is_on(const char *value);
char *configured(struct host *host, const char *module, const char *parameter);
char *parameter(const struct host *host, const char *module, const char *name);
char *in_force(struct host *host, const char *module, const char *name);

/* users.c */
bool can_see_users(const struct host *host);
void add_openers(struct list *found, struct host *host, const char *node);
const struct list *users(const struct function *f);

/* rows.c */
char *denies(const struct function *f, const char *module);

/* why.c */
void judge(const struct function *f, struct verdicts *verdicts);
void say(struct verdicts *verdicts, const char *condition, enum answer answer,
	 const char *remedy, const char *format, ...) __printf(5, 6);
void free_verdicts(struct verdicts *verdicts);
enum answer overall(const struct verdicts *verdicts);

/* host_use.c */
void judge_host_use(const struct function *f, struct verdicts *verdicts);

/* show.c */
char *name_of(const struct function *f);
char *class_of(const struct function *f);
char *power_of(const struct function *f);
struct function **sorted_by_group(struct function *const *shown, size_t count);
void show_table(struct function *const *shown, size_t count, bool verbose, bool colour);
void show_tree(struct function *const *shown, size_t count, bool verbose, bool colour);
void show_why(const struct function *f, const struct verdicts *verdicts, bool colour);
int show_plan(const struct function *f, const char *variant);

/* formats.c */
extern const char *const answers[];
void show_json(struct function *const *shown, size_t count);
void show_why_json(const struct function *f, const struct verdicts *verdicts);
void show_dot(struct function *const *shown, size_t count);
void show_prometheus(struct function *const *shown, size_t count);

#endif
