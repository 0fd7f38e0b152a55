// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which variants say of themselves that they are for a function: by an alias "vfio_pci:" in
 * modules.alias, as MODULE_DEVICE_TABLE() with PCI_DRIVER_OVERRIDE_DEVICE_VFIO() makes it. libvirt
 * 10 and later takes the one with the fewest wildcards among the fields, and of several the
 * first in the file.
 */
#define _GNU_SOURCE
#include "lsvfio.h"
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct match {
	char *module;
	unsigned int wildcards;
	size_t line;
};

static int closest_first(const void *a, const void *b)
{
	const struct match *m = a, *n = b;

	if (m->wildcards != n->wildcards)
		return m->wildcards < n->wildcards ? -1 : 1;
	return m->line < n->line ? -1 : 1;
}

static char *with_dashes(const char *name)
{
	char *text = must(strdup(name));

	for (char *c = text; *c; c++)
		if (*c == '_')
			*c = '-';
	return text;
}

/* aliases - those of VFIO, "ALIAS MODULE" each, in the order of the file */
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
		    !strncmp(alias, "vfio_pci:", 9))
			add(host->aliases, print("%s %s", alias, module));
	if (in)
		fclose(in);
	return host->aliases;
}

/* variants - names of modules, the closest first; "vfio-pci" itself is not among them */
struct list variants(const struct function *f)
{
	const struct list *all = aliases(f->host);
	struct match *matches = must(calloc(all->count + 1, sizeof(*matches)));
	struct list list = { 0 };
	size_t count = 0;
	char *what;

	what = print("vfio_pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X", f->vendor, f->device,
		     f->subvendor, f->subdevice, f->class >> 16 & 0xff, f->class >> 8 & 0xff,
		     f->class & 0xff);
	for (size_t i = 0; i < all->count; i++) {
		char *alias = must(strdup(all->items[i])), *module = strchr(alias, ' ');
		unsigned int wildcards = 0;

		*module++ = 0;
		for (char *c = alias; *c; c++)
			wildcards += *c == '*';
		if (!fnmatch(alias, what, 0))
			matches[count++] = (struct match){ with_dashes(module), wildcards, i };
		free(alias);
	}
	free(what);
	qsort(matches, count, sizeof(*matches), closest_first);
	for (size_t i = 0; i < count; i++) {
		if (has(&list, matches[i].module) || !strcmp(matches[i].module, "vfio-pci"))
			free(matches[i].module);
		else
			add(&list, matches[i].module);
	}
	free(matches);
	return list;
}

/* in_file - does a line of it name such a module? */
static bool in_file(const char *dir, const char *file, const char *name)
{
	char line[4096], *path = print("%s/%s", dir, file), *last, *dashed;
	bool found = false;
	FILE *in = fopen(path, "re");

	free(path);
	if (!in)
		return false;
	while (!found && fgets(line, sizeof(line), in)) {
		line[strcspn(line, ":\n")] = 0;
		last = strrchr(line, '/');
		dashed = with_dashes(last ? last + 1 : line);
		dashed[strcspn(dashed, ".")] = 0;
		found = !strcmp(dashed, name);
		free(dashed);
	}
	fclose(in);
	return found;
}

/* has_module - for this kernel, or built into it? */
bool has_module(const struct host *host, const char *name)
{
	return exists("%s/bus/pci/drivers/%s", host->sys, name) ||
	       (host->modules && (in_file(host->modules, "modules.dep", name) ||
				  in_file(host->modules, "modules.builtin", name)));
}
