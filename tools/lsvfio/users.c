// SPDX-License-Identifier: GPL-2.0-only
/* Which processes have a function open, and which guest of libvirt's that is. */
#define _GNU_SOURCE
#include "lsvfio.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* domain_of - libvirt's name of what a QEMU runs: "-name guest=NAME,..." */
static char *domain_of(const char *proc, const char *pid)
{
	char *line = get_from(proc, "%s/cmdline", pid), *name = NULL, *start;

	/* Its zeroes were shown as "?". */
	start = line ? strstr(line, "?-name?guest=") : NULL;
	if (start) {
		start += strlen("?-name?guest=");
		name = must(strndup(start, strcspn(start, ",?")));
	}
	free(line);
	return in_one_line(name);
}

/* is_of_interest - a node that somebody may have open who is in a guest's way */
static bool is_of_interest(const char *target)
{
	static const char *const others[] = { "null", "zero", "full", "random", "urandom",
					      "tty", "pts/", "ptmx", "shm/", "vfio/vfio" };

	if (strncmp(target, "/dev/", 5) || strchr(target, ' '))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (!strncmp(target + 5, others[i], strlen(others[i])))
			return false;
	return true;
}

/* add_opened - which nodes a process has open */
static void add_opened(struct list *opened, const char *proc, const char *pid)
{
	char *fds = print("%s/%s/fd", proc, pid), *name = NULL, *domain = NULL, target[PATH_MAX];
	struct list files = entries("%s", fds);

	for (size_t i = 0; i < files.count; i++) {
		char *path = print("%s/%s", fds, files.items[i]);
		ssize_t len = readlink(path, target, sizeof(target) - 1);

		free(path);
		target[len > 0 ? len : 0] = 0;
		if (!is_of_interest(target))
			continue;
		if (!name) {
			name = in_one_line(get_from(proc, "%s/comm", pid));
			name = name ? name : must(strdup("?"));
			domain = domain_of(proc, pid);
		}
		add(opened, print("%s %s (%s)%s%s", target + 5, name, pid,
				  domain ? ", domain " : "", domain ? domain : ""));
	}
	drop(&files);
	free(fds);
	free(name);
	free(domain);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static const struct list *opened(struct host *host)
{
	struct list pids, *all;

	if (host->opened)
		return host->opened;
	all = must(calloc(1, sizeof(*all)));
	host->opened = all;
	pids = entries("%s", host->proc);
	for (size_t i = 0; i < pids.count; i++)
		if (!pids.items[i][strspn(pids.items[i], "0123456789")])
			add_opened(all, host->proc, pids.items[i]);
	drop(&pids);
	if (all->count)
		qsort(all->items, all->count, sizeof(*all->items), by_text);
	return all;
}

/* can_see_users - others than root see their own processes only */
bool can_see_users(const struct host *host)
{
	return host->proc && (host->is_recorded || !geteuid());
}

/* first_from - the first of a sorted list that is not before TEXT */
static size_t first_from(const struct list *list, const char *text)
{
	size_t from = 0, to = list->count;

	while (from < to) {
		size_t middle = (from + to) / 2;

		if (strcmp(list->items[middle], text) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* add_openers - processes that have a node open, which is named without "/dev/" */
void add_openers(struct list *found, struct host *host, const char *node)
{
	const struct list *all;
	char *start;

	if (!host->proc)
		return;
	all = opened(host);
	start = print("%s ", node);
	for (size_t i = first_from(all, start);
	     i < all->count && !strncmp(all->items[i], start, strlen(start)); i++) {
		const char *who = all->items[i] + strlen(start);

		/* One that has it open twice is beside itself. */
		if (!has(found, who))
			add(found, must(strdup(who)));
	}
	free(start);
}

/* any_user - has anybody a node of VFIO's open? */
static bool any_user(struct host *host)
{
	const struct list *all = opened(host);
	size_t first = first_from(all, "vfio/");

	return first < all->count && !strncmp(all->items[first], "vfio/", 5);
}

static struct list users_of_group(const struct function *f)
{
	struct list found = { 0 }, nodes = { 0 }, others = siblings(f);

	add(&nodes, group_node(f));
	add_nodes(&nodes, f);
	for (size_t i = 0; i < others.count; i++) {
		const struct function *other = at(f->host, others.items[i]);

		if (other)
			add_nodes(&nodes, other);
	}
	for (size_t i = 0; i < nodes.count; i++)
		add_openers(&found, f->host, nodes.items[i]);
	drop(&nodes);
	drop(&others);
	return found;
}

/*
 * users - processes that have its group open, by whichever function of it: nobody else can have
 * the function then. "qemu-system-x86 (1234), domain web"
 */
const struct list *users(const struct function *f)
{
	static const struct list nobody;
	struct host *host = f->host;
	typeof(host->users[0]) *slot;

	if (f->group < 0 || !host->proc || !any_user(host))
		return &nobody;
	slot = &host->users[f->group % ARRAY_SIZE(host->users)];
	if (!slot->known || slot->group != f->group) {
		drop(&slot->list);
		slot->list = users_of_group(f);
		slot->group = f->group;
		slot->known = true;
	}
	return &slot->list;
}
