// SPDX-License-Identifier: GPL-2.0-only
/*
 * What modprobe knows. Variants say of themselves for which functions they are by an alias in
 * modules.alias: "vfio_pci:" as MODULE_DEVICE_TABLE() with PCI_DRIVER_OVERRIDE_DEVICE_VFIO() makes
 * it, by which libvirt 10 and later takes the one with the fewest wildcards among the fields,
 * and of several the first in the file; "vfio_pci_variant:" by which our vfio-pci adopts one,
 * of several the first by name. What modprobe.d says is read by libkmod.
 */
#define _GNU_SOURCE
#include "lsvfio.h"
#include <fnmatch.h>
#include <libkmod.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct match {
	const char *module;
	unsigned int wildcards;
	size_t line;
};

static int by_wildcards(const struct match *m, const struct match *n)
{
	return (m->wildcards > n->wildcards) - (m->wildcards < n->wildcards);
}

static int first_in_file(const void *a, const void *b)
{
	const struct match *m = a, *n = b;
	int order = by_wildcards(m, n);

	return order ? order : (m->line > n->line) - (m->line < n->line);
}

static int first_by_name(const void *a, const void *b)
{
	const struct match *m = a, *n = b;
	int order = by_wildcards(m, n);

	return order ? order : strcmp(m->module, n->module);
}

static char *with(const char *name, char from, char to)
{
	char *text = must(strdup(name));

	for (char *c = text; *c; c++)
		if (*c == from)
			*c = to;
	return text;
}

/* is_module - the same name? "-" is "_" there */
static bool is_module(const char *name, const char *other)
{
	char *a = with(name, '-', '_'), *b = with(other, '-', '_');
	bool same = !strcmp(a, b);

	free(a);
	free(b);
	return same;
}

/* in_file - does a line of it begin with such a module? Then what follows it is REST */
static bool in_file(const char *dir, const char *file, const char *name, char **rest)
{
	char *path = print("%s/%s", dir, file), *line = NULL, *colon, *last;
	FILE *in = fopen(path, "re");
	bool found = false;
	size_t size = 0;

	free(path);
	*rest = NULL;
	while (in && !found && getline(&line, &size, in) > 0) {
		colon = line + strcspn(line, ":\n");
		free(*rest);
		*rest = must(strdup(colon));
		*colon = 0;
		last = strrchr(line, '/');
		last = last ? last + 1 : line;
		last[strcspn(last, ".")] = 0;
		found = is_module(last, name);
	}
	if (!found) {
		free(*rest);
		*rest = NULL;
	}
	free(line);
	if (in)
		fclose(in);
	return found;
}

/* is_loaded - or built in, with something that shows */
bool is_loaded(const struct host *host, const char *module)
{
	char *name = with(module, '-', '_');
	bool loaded = exists("%s/module/%s", host->sys, name) ||
		      exists("%s/bus/pci/drivers/%s", host->sys, module);

	free(name);
	return loaded;
}

/* has_module - for this kernel, or built into it? */
bool has_module(const struct host *host, const char *module)
{
	static const char *const files[] = { "modules.dep", "modules.builtin" };
	bool found = is_loaded(host, module);
	char *rest;

	for (size_t i = 0; i < ARRAY_SIZE(files) && host->modules && !found; i++) {
		found = in_file(host->modules, files[i], module, &rest);
		free(rest);
	}
	return found;
}

/* is_ours - is that module, loaded or to be loaded, a variant of this project's? */
bool is_ours(struct host *host, const char *module)
{
	char *name = with(module, '-', '_'), *needs = NULL;
	bool ours = false;

	if (has(&host->ours, name) || has(&host->others, name)) {
		ours = has(&host->ours, name);
		free(name);
		return ours;
	}
	if (is_loaded(host, name))
		ours = exists("%s/module/vfio_pci_variant/holders/%s", host->sys, name);
	else if (host->modules && in_file(host->modules, "modules.dep", name, &needs))
		ours = strstr(needs, "/vfio-pci-variant.ko");
	free(needs);
	/* modules.dep is long, and asked of each function. */
	add(ours ? &host->ours : &host->others, name);
	return ours;
}

/*
 * driver_of - the PCI driver of a module: as it says itself once it is loaded; until then ours
 * are taken to have dashes, and others to have the module's name, as in the kernel
 */
static char *driver_of(struct host *host, const char *module)
{
	char *name = with(module, '-', '_'), *driver = NULL;
	struct list drivers = entries("%s/module/%s/drivers", host->sys, name);

	for (size_t i = 0; i < drivers.count && !driver; i++)
		if (!strncmp(drivers.items[i], "pci:", 4))
			driver = must(strdup(drivers.items[i] + 4));
	drop(&drivers);
	if (!driver)
		driver = is_ours(host, name) ? with(name, '_', '-') : must(strdup(name));
	free(name);
	return driver;
}

/* aliases - those of VFIO's and of ours, "ALIAS MODULE" each, in the order of the file */
static const struct list *aliases(struct host *host)
{
	char line[1024], alias[256], module[256], *path;
	FILE *in;

	if (host->aliases)
		return host->aliases;
	host->aliases = must(calloc(1, sizeof(*host->aliases)));
	if (!host->modules)
		return host->aliases;
	path = print("%s/modules.alias", host->modules);
	in = fopen(path, "re");
	free(path);
	while (in && fgets(line, sizeof(line), in))
		if (sscanf(line, "alias %255s %255s", alias, module) == 2 &&
		    !strncmp(alias, "vfio_pci", 8) && is_name(module))
			add(host->aliases, print("%s %s", alias, module));
	if (in)
		fclose(in);
	return host->aliases;
}

/*
 * matching - names of modules with an alias that is for WHAT, in that order; "vfio-pci" itself
 * is not among them
 */
static struct list matching(struct host *host, const char *what,
			    int (*order)(const void *a, const void *b))
{
	const struct list *all = aliases(host);
	struct match *matches = must(calloc(all->count + 1, sizeof(*matches)));
	struct list list = { 0 };
	size_t count = 0;

	for (size_t i = 0; i < all->count; i++) {
		const char *module = strchr(all->items[i], ' ') + 1;
		char *alias = must(strndup(all->items[i], module - 1 - all->items[i]));
		unsigned int wildcards = 0;

		for (char *c = alias; *c; c++)
			wildcards += *c == '*';
		if (!fnmatch(alias, what, 0))
			matches[count++] = (struct match){ module, wildcards, i };
		free(alias);
	}
	qsort(matches, count, sizeof(*matches), order);
	for (size_t i = 0; i < count; i++)
		if (!has(&list, matches[i].module) && !is_module(matches[i].module, "vfio-pci"))
			add(&list, must(strdup(matches[i].module)));
	free(matches);
	return list;
}

/* modules_of - in the order in which libvirt would take them */
static struct list modules_of(const struct function *f)
{
	char *what = print("vfio_pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X", f->vendor,
			   f->device, f->subvendor, f->subdevice, f->class >> 16 & 0xff,
			   f->class >> 8 & 0xff, f->class & 0xff);
	struct list list = matching(f->host, what, first_in_file);

	free(what);
	return list;
}

/* variants - the drivers that say that they are for it, in libvirt's order */
struct list variants(const struct function *f)
{
	struct list modules = modules_of(f), drivers = { 0 };

	for (size_t i = 0; i < modules.count; i++)
		add(&drivers, driver_of(f->host, modules.items[i]));
	drop(&modules);
	return drivers;
}

/* choice - the module that libvirt would take, and its driver */
void choice(const struct function *f, char **module, char **driver)
{
	struct list modules = modules_of(f);

	*module = must(strdup(modules.count ? modules.items[0] : "vfio-pci"));
	*driver = modules.count ? driver_of(f->host, *module) : must(strdup("vfio-pci"));
	drop(&modules);
}

static struct kmod_ctx *kmod(struct host *host)
{
	char *own;

	if (host->kmod || !host->modules)
		return host->kmod;
	/* What it says of folders with something else in them is no answer. */
	setenv("KMOD_LOG", "0", 0);
	if (host->is_recorded) {
		own = print("%s/modprobe.d", host->modules);
		host->kmod = kmod_new(host->modules, (const char *const[]){ own, NULL });
		free(own);
	} else {
		host->kmod = kmod_new(host->modules, NULL);
	}
	return must(host->kmod);
}

/* does_nothing - "install vfio-pci /bin/false" is the other way to say it */
static bool does_nothing(const char *command)
{
	const char *last = strrchr(command, '/');

	if (strpbrk(command, " \t;&|"))
		return false;
	last = last ? last + 1 : command;
	return !strcmp(last, "false") || !strcmp(last, "true") || !strcmp(last, ":");
}

/* is_kept_out - by modprobe.d, so that neither libvirt nor an alias has it loaded? */
bool is_kept_out(struct host *host, const char *module)
{
	struct kmod_config_iter *lines;
	bool found = false;

	if (is_loaded(host, module) || !kmod(host))
		return false;
	lines = must(kmod_config_get_blacklists(kmod(host)));
	while (kmod_config_iter_next(lines))
		found |= is_module(kmod_config_iter_get_key(lines), module);
	kmod_config_iter_free_iter(lines);
	lines = must(kmod_config_get_install_commands(kmod(host)));
	while (kmod_config_iter_next(lines)) {
		const char *command = kmod_config_iter_get_value(lines);

		if (is_module(kmod_config_iter_get_key(lines), module) && command)
			found |= does_nothing(command);
	}
	kmod_config_iter_free_iter(lines);
	return found;
}

/* is_on - a parameter of the kernel's that is a switch */
bool is_on(const char *value)
{
	return value && (strchr("yYtT1", *value) ? *value != 0 :
			 (*value == 'o' || *value == 'O') && (value[1] == 'n' || value[1] == 'N'));
}

/* add_options - those of a line for one parameter, with its quotes gone */
static void add_options(struct list *values, const char *line, const char *parameter)
{
	char *copy = must(strdup(line)), *from = copy, *to, *word;
	bool quoted;

	while (*from) {
		word = from;
		to = from;
		for (quoted = false; *from && (quoted || !strchr(" \t", *from)); from++) {
			if (*from == '"')
				quoted = !quoted;
			else
				*to++ = *from;
		}
		while (*from && strchr(" \t", *from))
			from++;
		*to = 0;
		if (strncmp(word, parameter, strlen(parameter)))
			continue;
		word += strlen(parameter);
		/* A switch needs no value. */
		if (!*word || *word == '=')
			add(values, clean(*word ? word + 1 : "Y"));
	}
	free(copy);
}

/* configured - what modprobe would give a module for one of its parameters; NULL: nothing */
char *configured(struct host *host, const char *module, const char *parameter)
{
	struct kmod_config_iter *lines;
	struct list values = { 0 };
	char *value = NULL;

	if (!kmod(host))
		return NULL;
	lines = must(kmod_config_get_options(kmod(host)));
	while (kmod_config_iter_next(lines))
		if (is_module(kmod_config_iter_get_key(lines), module))
			add_options(&values, kmod_config_iter_get_value(lines), parameter);
	kmod_config_iter_free_iter(lines);
	/* Of quirks= each one adds rows; of others the last one counts. */
	if (values.count)
		value = !strcmp(parameter, "quirks") ? join(&values, ",") :
			must(strdup(values.items[values.count - 1]));
	drop(&values);
	return value;
}

/* parameter - of a module that is loaded; NULL: it has none of that name */
char *parameter(const struct host *host, const char *module, const char *name)
{
	char *dir = with(module, '-', '_'), *value;

	value = get_from(host->sys, "module/%s/parameters/%s", dir, name);
	free(dir);
	return value;
}

/* in_force - the same, or what it would be once it is loaded */
char *in_force(struct host *host, const char *module, const char *name)
{
	return is_loaded(host, module) ? parameter(host, module, name) :
					 configured(host, module, name);
}

/* adoptable - of those that match the one that vfio-pci would take: first of what is loaded */
static char *adoptable(struct host *host, const struct list *match)
{
	for (size_t i = 0; i < match->count; i++)
		if (is_loaded(host, match->items[i]))
			return driver_of(host, match->items[i]);
	for (size_t i = 0; i < match->count; i++)
		if (!is_kept_out(host, match->items[i]))
			return driver_of(host, match->items[i]);
	return NULL;
}

/*
 * adoption - the specialised variant that the function has through vfio-pci, or, as it is not
 * bound, would have, unless that one declines; NULL: none
 */
char *adoption(const struct function *f)
{
	struct host *host = f->host;
	char *name = get(f, "vfio_pci_variant/adopts"), *what, *off;
	struct list match;

	if (is_vfio(f)) {
		if (name && *name)
			return name;
		free(name);
		return NULL;
	}
	free(name);
	what = print("vfio_pci_variant:v%04Xd%04Xsv%04Xsd%04Xbc%02Xsc%02Xi%02X", f->vendor,
		     f->device, f->subvendor, f->subdevice, f->class >> 16 & 0xff,
		     f->class >> 8 & 0xff, f->class & 0xff);
	match = matching(host, what, first_by_name);
	free(what);
	name = NULL;
	if (match.count && is_ours(host, "vfio-pci")) {
		off = in_force(host, "vfio-pci", "disable_adoption");
		if (!is_on(off))
			name = adoptable(host, &match);
		free(off);
	}
	drop(&match);
	return name;
}
