// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads sysfs. A file has 4095 bytes that count, a link its last part; no link is followed
 * but those of the kernel's from a function to its folder, so that no loop is one.
 */
#define _GNU_SOURCE
#include "lsvfio.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libkmod.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* must - memory, or the end */
void *must(void *memory)
{
	if (!memory) {
		fputs("lsvfio: no memory\n", stderr);
		exit(2);
	}
	return memory;
}

static char *vprint(const char *format, va_list args)
{
	char *text;

	return must(vasprintf(&text, format, args) < 0 ? NULL : text);
}

/* print - as printf, into a string of its own */
char *print(const char *format, ...)
{
	char *text;
	va_list args;

	va_start(args, format);
	text = vprint(format, args);
	va_end(args);
	return text;
}

/* add - a string, which the list has from now on */
void add(struct list *list, char *item)
{
	list->items = must(realloc(list->items, (list->count + 1) * sizeof(*list->items)));
	list->items[list->count++] = item;
}

bool has(const struct list *list, const char *item)
{
	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->items[i], item))
			return true;
	return false;
}

void drop(struct list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct list){ 0 };
}

/* join - all of them, in one string */
char *join(const struct list *list, const char *between)
{
	char *text = must(strdup(""));

	for (size_t i = 0; i < list->count; i++) {
		char *longer = print("%s%s%s", text, i ? between : "", list->items[i]);

		free(text);
		text = longer;
	}
	return text;
}

/* shown - the first LEN bytes, with "?" for what is no text */
static char *shown(const char *bytes, size_t len)
{
	char *text = must(calloc(1, len + 1));

	for (size_t i = 0; i < len; i++) {
		bool is_text = (bytes[i] >= ' ' && bytes[i] <= '~') ||
			       bytes[i] == '\n' || bytes[i] == '\t';

		text[i] = is_text ? bytes[i] : '?';
	}
	return text;
}

/* in_one_line - what is a name, or a word: whoever chose it forges no lines */
char *in_one_line(char *text)
{
	for (char *c = text; c && *c; c++)
		if (*c == '\n' || *c == '\t')
			*c = '?';
	return text;
}

/* clean - a copy of what somebody wrote, as one line of text */
char *clean(const char *text)
{
	return in_one_line(shown(text, strlen(text)));
}

/* is_name - of a module or driver */
bool is_name(const char *text)
{
	bool is = *text;

	for (; *text; text++)
		is &= isalnum((unsigned char)*text) || *text == '-' || *text == '_';
	return is;
}

/*
 * read_file - without the newline at its end; what is no text is shown as "?". NULL: it is not
 * there or can't be read.
 */
static char *read_file(const char *path)
{
	char buf[4096];
	size_t len = 0;
	ssize_t got;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return NULL;
	while (len < sizeof(buf) - 1 && (got = read(fd, buf + len, sizeof(buf) - 1 - len)) > 0)
		len += got;
	close(fd);
	if (!len && got < 0)
		return NULL;
	while (len && (buf[len - 1] == '\n' || buf[len - 1] == ' ' || !buf[len - 1]))
		len--;
	return shown(buf, len);
}

/* get_from - what a file below DIR has */
char *get_from(const char *dir, const char *format, ...)
{
	char *name, *path, *text;
	va_list args;

	va_start(args, format);
	name = vprint(format, args);
	va_end(args);
	path = print("%s/%s", dir, name);
	text = read_file(path);
	free(path);
	free(name);
	return text;
}

/* get - what a file in the folder of a function has */
char *get(const struct function *f, const char *format, ...)
{
	char *name, *text;
	va_list args;

	va_start(args, format);
	name = vprint(format, args);
	va_end(args);
	text = get_from(f->host->sys, "bus/pci/devices/%s/%s", f->address, name);
	free(name);
	return text;
}

/* link_of - the last part of what a link there points to */
char *link_of(const struct function *f, const char *name)
{
	char target[PATH_MAX], *path, *last;
	ssize_t len;

	path = print("%s/bus/pci/devices/%s/%s", f->host->sys, f->address, name);
	len = readlink(path, target, sizeof(target) - 1);
	free(path);
	if (len <= 0)
		return NULL;
	target[len] = 0;
	last = strrchr(target, '/');
	last = last ? last + 1 : target;
	return *last ? in_one_line(shown(last, strlen(last))) : NULL;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* is_word - what the kernel names nothing otherwise */
static bool is_word(const char *name)
{
	for (; *name; name++)
		if (*name <= ' ' || *name > '~')
			return false;
	return true;
}

/* entries - the names in a folder, sorted; none if there is no such folder */
struct list entries(const char *format, ...)
{
	struct list list = { 0 };
	struct dirent *entry;
	char *path;
	va_list args;
	DIR *dir;

	va_start(args, format);
	path = vprint(format, args);
	va_end(args);
	dir = opendir(path);
	free(path);
	if (!dir)
		return list;
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' && is_word(entry->d_name))
			add(&list, must(strdup(entry->d_name)));
	closedir(dir);
	if (list.count)
		qsort(list.items, list.count, sizeof(*list.items), by_name);
	return list;
}

bool exists(const char *format, ...)
{
	char *path;
	bool found;
	va_list args;

	va_start(args, format);
	path = vprint(format, args);
	va_end(args);
	found = !access(path, F_OK);
	free(path);
	return found;
}

/* mentions - has a line of a file the text? */
bool mentions(const char *dir, const char *file, const char *text)
{
	char *path = print("%s/%s", dir, file), *line = NULL;
	size_t size = 0;
	bool found = false;
	FILE *in = fopen(path, "re");

	free(path);
	while (in && !found && getline(&line, &size, in) > 0)
		found = strstr(line, text);
	free(line);
	if (in)
		fclose(in);
	return found;
}

/* number - that a file of the function's has; NONE if it has no number */
static unsigned int number(const struct function *f, const char *name, unsigned int none)
{
	char *text = get(f, "%s", name), *end;
	unsigned long value = none;

	if (text && *text) {
		errno = 0;
		value = strtoul(text, &end, 0);
		if (*end || errno || value > UINT_MAX || *text == '-')
			value = none;
	}
	free(text);
	return value;
}

/* is_address - 0000:01:00.0 */
static bool is_address(const char *text)
{
	unsigned int domain, bus, slot, function;
	int len = -1;

	return strlen(text) < sizeof(((struct function *)0)->address) &&
	       sscanf(text, "%8x:%2x:%2x.%1x%n", &domain, &bus, &slot, &function, &len) == 4 &&
	       !text[len] && slot < 32 && function < 8;
}

static int by_address(const void *a, const void *b)
{
	const struct function *f = a, *g = b;
	unsigned long domain = strtoul(f->address, NULL, 16), other = strtoul(g->address, NULL, 16);

	if (domain != other)
		return domain < other ? -1 : 1;
	return strcmp(strchr(f->address, ':'), strchr(g->address, ':'));
}

static void read_function(struct function *f)
{
	char *group = link_of(f, "iommu_group"), *end;
	unsigned long value;

	f->vendor = number(f, "vendor", 0xffff);
	f->device = number(f, "device", 0xffff);
	f->subvendor = number(f, "subsystem_vendor", 0);
	f->subdevice = number(f, "subsystem_device", 0);
	f->class = number(f, "class", 0xffffff);
	f->numvfs = number(f, "sriov_numvfs", 0);
	f->driver = link_of(f, "driver");
	f->physfn = link_of(f, "physfn");
	f->override = in_one_line(get(f, "driver_override"));
	if (f->override && (!*f->override || !strcmp(f->override, "(null)"))) {
		free(f->override);
		f->override = NULL;
	}
	f->group = -1;
	if (group) {
		value = strtoul(group, &end, 10);
		if (end != group && !*end && value <= INT_MAX)
			f->group = value;
	}
	free(group);
}

/* read_host - all functions; 0, or -1 if there is no PCI */
int read_host(struct host *host)
{
	struct list names = entries("%s/bus/pci/devices", host->sys);

	host->functions = must(calloc(names.count + 1, sizeof(*host->functions)));
	host->count = 0;
	for (size_t i = 0; i < names.count; i++) {
		struct function *f = &host->functions[host->count];

		if (!is_address(names.items[i]))
			continue;
		f->host = host;
		strcpy(f->address, names.items[i]);
		read_function(f);
		host->count++;
	}
	drop(&names);
	qsort(host->functions, host->count, sizeof(*host->functions), by_address);
	return host->count || exists("%s/bus/pci", host->sys) ? 0 : -1;
}

void free_host(struct host *host)
{
	for (size_t i = 0; i < host->count; i++) {
		free(host->functions[i].driver);
		free(host->functions[i].override);
		free(host->functions[i].physfn);
	}
	free(host->functions);
	if (host->aliases)
		drop(host->aliases);
	if (host->opened)
		drop(host->opened);
	free(host->aliases);
	free(host->opened);
	kmod_unref(host->kmod);
	host->functions = NULL;
	host->aliases = NULL;
	host->opened = NULL;
	host->kmod = NULL;
	drop(&host->ours);
	drop(&host->others);
	for (size_t i = 0; i < ARRAY_SIZE(host->users); i++)
		drop(&host->users[i].list);
	memset(host->users, 0, sizeof(host->users));
}

/* at - the function there; "01:00.0" is one of domain 0 */
struct function *at(const struct host *host, const char *address)
{
	struct function key = { 0 };
	const char *colon = strchr(address, ':');

	if (strlen(address) + 5 >= sizeof(key.address) || !colon)
		return NULL;
	sprintf(key.address, "%s%s", strchr(colon + 1, ':') ? "" : "0000:", address);
	for (char *c = key.address; *c; c++)
		*c = tolower((unsigned char)*c);
	if (!is_address(key.address))
		return NULL;
	return bsearch(&key, host->functions, host->count, sizeof(key), by_address);
}

/* header_type - of config space (PCI Express Base 6.0, 7.5.1.1.9); -1: it can't be read */
static int header_type(const struct function *f)
{
	char *path = print("%s/bus/pci/devices/%s/config", f->host->sys, f->address);
	unsigned char type;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool read_it = fd >= 0 && pread(fd, &type, 1, 0x0e) == 1;

	free(path);
	if (fd >= 0)
		close(fd);
	return read_it && type != 0xff ? type & 0x7f : -1;
}

/*
 * is_bridge - what is no function for users: bridges, which the kernel knows by their header,
 * and what the chipset can't do without. "Other" bridges are devices, such as NVSwitch.
 */
bool is_bridge(const struct function *f)
{
	if (f->class >> 16 != 0x06)
		return false;
	return f->class >> 8 != 0x0680 || header_type(f) > 0;
}

/* is_vfio - has it a driver that hands it to users? Ours say so, as do names in the kernel */
bool is_vfio(const struct function *f)
{
	if (!f->driver)
		return false;
	return exists("%s/bus/pci/devices/%s/vfio-dev", f->host->sys, f->address) ||
	       exists("%s/bus/pci/devices/%s/vfio_pci_variant", f->host->sys, f->address) ||
	       strstr(f->driver, "vfio");
}

/* mdevs - UUIDs of the mediated devices that were made of it */
struct list mdevs(const struct function *f)
{
	struct list types = entries("%s/bus/pci/devices/%s/mdev_supported_types", f->host->sys,
				    f->address), all = { 0 };

	for (size_t i = 0; i < types.count; i++) {
		struct list made = entries("%s/bus/pci/devices/%s/mdev_supported_types/%s/devices",
					   f->host->sys, f->address, types.items[i]);

		for (size_t j = 0; j < made.count; j++)
			add(&all, must(strdup(made.items[j])));
		drop(&made);
	}
	drop(&types);
	return all;
}

/* is_noiommu - is its group one that confines nothing? */
bool is_noiommu(const struct function *f)
{
	char *name = get_from(f->host->sys, "kernel/iommu_groups/%d/name", f->group);
	bool none = name && !strcmp(name, "vfio-noiommu");

	free(name);
	return none;
}

/* group_node - what one opens, below the folder of devices, for all of its group */
char *group_node(const struct function *f)
{
	return print("vfio/%s%d", is_noiommu(f) ? "noiommu-" : "", f->group);
}

/* add_nodes - what one opens for the function and its mdevs alone */
void add_nodes(struct list *of, const struct function *f)
{
	struct list made = mdevs(f);

	add(&made, must(strdup(".")));
	for (size_t i = 0; i < made.count; i++) {
		struct list own = entries("%s/bus/pci/devices/%s/%s/vfio-dev", f->host->sys,
					  f->address, made.items[i]);

		for (size_t j = 0; j < own.count; j++)
			add(of, print("vfio/devices/%s", own.items[j]));
		drop(&own);
	}
	drop(&made);
}

/* siblings - the others of its group */
struct list siblings(const struct function *f)
{
	struct list all = { 0 }, others = { 0 };

	if (f->group >= 0)
		all = entries("%s/kernel/iommu_groups/%d/devices", f->host->sys, f->group);
	for (size_t i = 0; i < all.count; i++)
		if (strcmp(all.items[i], f->address))
			add(&others, must(strdup(all.items[i])));
	drop(&all);
	return others;
}
