// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tables, trees by group, JSON, a graph. The version of JSON is the first field: fields are
 * added without a new one, and none is taken away or changes its meaning without.
 */
#define _GNU_SOURCE
#include "lsvfio.h"
#include <json-c/json.h>
#include <pci/pci.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define JSON_VERSION 1

/* database - pci.ids; libpci is asked for nothing else */
static struct pci_access *database(void)
{
	static struct pci_access *access;

	if (!access) {
		access = must(pci_alloc());
		access->id_lookup_mode = PCI_LOOKUP_SKIP_LOCAL;
	}
	return access;
}

/* name_of - vendor and device in words */
static char *name_of(const struct function *f)
{
	char buf[256];

	pci_lookup_name(database(), buf, sizeof(buf), PCI_LOOKUP_VENDOR | PCI_LOOKUP_DEVICE,
			f->vendor, f->device);
	return must(strdup(buf));
}

static char *class_of(const struct function *f)
{
	char buf[128];

	pci_lookup_name(database(), buf, sizeof(buf), PCI_LOOKUP_CLASS, f->class >> 8);
	return must(strdup(buf));
}

/* power_of - D0, D3hot, ... */
static char *power_of(const struct function *f)
{
	char *state = get(f, "power_state");

	return state ? state : must(strdup("unknown"));
}

static const char *colour_of(const struct function *f)
{
	return is_vfio(f) ? "\033[32m" : f->driver ? "" : "\033[33m";
}

static int width(void)
{
	struct winsize size;

	if (isatty(STDOUT_FILENO) && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col > 80)
		return size.ws_col;
	return 80;
}

/* notes - what is particular: variants that would match, mdevs, VFs, a driver to come */
static char *notes(const struct function *f)
{
	struct list list = { 0 }, match = variants(f), open = users(f), mdevs;
	char *text, *adopted = get(f, "vfio_pci_variant/variant");

	if (open.count)
		add(&list, print("open: %s", open.items[0]));
	if (adopted && f->driver && strcmp(adopted, f->driver))
		add(&list, print("adopted %s", adopted));
	else if (match.count && (!f->driver || strcmp(match.items[0], f->driver)))
		add(&list, print("for %s", match.items[0]));
	if (f->override && (!f->driver || strcmp(f->override, f->driver)))
		add(&list, print("override %s", f->override));
	mdevs = entries("%s/bus/pci/devices/%s/mdev_supported_types", f->host->sys, f->address);
	for (size_t i = 0; i < mdevs.count; i++) {
		struct list made = entries("%s/bus/pci/devices/%s/mdev_supported_types/%s/devices",
					   f->host->sys, f->address, mdevs.items[i]);

		if (made.count)
			add(&list, print("%zu mdevs", made.count));
		drop(&made);
	}
	if (f->numvfs)
		add(&list, print("%u VFs", f->numvfs));
	if (f->physfn)
		add(&list, print("VF of %s", f->physfn));
	text = join(&list, ", ");
	drop(&list);
	drop(&match);
	drop(&open);
	drop(&mdevs);
	free(adopted);
	return text;
}

/* show_line - address, group, driver, power state and, as far as there is room, the rest */
static void show_line(const struct function *f, const char *indent, int address_width, bool colour)
{
	char *name = name_of(f), *note = notes(f), *power = power_of(f), group[16] = "-";
	const char *on = colour ? colour_of(f) : "", *off = *on ? "\033[0m" : "";
	int room = width() - (int)strlen(indent) - address_width - 31;
	char *rest = print("%s%s%s", name, *note ? "; " : "", note);

	if (f->group >= 0)
		snprintf(group, sizeof(group), "%d", f->group);
	/* Whoever pipes it gets all of it. */
	if (!isatty(STDOUT_FILENO) || room < 20)
		room = (int)strlen(rest);
	printf("%s%-*s %5s %s%-15s%s %-6s %.*s\n", indent, address_width, f->address, group, on,
	       f->driver ? f->driver : "-", off, power, room, rest);
	free(rest);
	free(power);
	free(note);
	free(name);
}

static int widest(struct function *const *shown, size_t count)
{
	int most = strlen("ADDRESS");

	for (size_t i = 0; i < count; i++)
		if ((int)strlen(shown[i]->address) > most)
			most = strlen(shown[i]->address);
	return most;
}

void show_table(struct function *const *shown, size_t count, bool colour)
{
	int most = widest(shown, count);

	if (count)
		printf("%-*s GROUP DRIVER          POWER  NAME\n", most, "ADDRESS");
	for (size_t i = 0; i < count; i++)
		show_line(shown[i], "", most, colour);
}

static int by_group(const void *a, const void *b)
{
	const struct function *const *f = a, *const *g = b;

	/* They lie in one array, by address. */
	if ((*f)->group != (*g)->group)
		return (*f)->group < (*g)->group ? -1 : 1;
	return *f < *g ? -1 : *f > *g;
}

/* sorted_by_group - a copy */
static struct function **sorted_by_group(struct function *const *shown, size_t count)
{
	struct function **copy = must(calloc(count + 1, sizeof(*copy)));

	memcpy(copy, shown, count * sizeof(*copy));
	qsort(copy, count, sizeof(*copy), by_group);
	return copy;
}

void show_tree(struct function *const *shown, size_t count, bool colour)
{
	struct function **sorted = sorted_by_group(shown, count);
	int most = widest(shown, count);

	for (size_t i = 0; i < count; i++) {
		if (!i || sorted[i]->group != sorted[i - 1]->group) {
			if (sorted[i]->group < 0)
				puts("in no IOMMU group");
			else
				printf("IOMMU group %d\n", sorted[i]->group);
		}
		show_line(sorted[i], "  ", most, colour);
	}
	free(sorted);
}

static void put_text(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, text ? json_object_new_string(text) : NULL);
}

static void put_id(struct json_object *object, const char *key, int digits, unsigned int id)
{
	char text[16];

	snprintf(text, sizeof(text), "%0*x", digits, id);
	put_text(object, key, text);
}

static struct json_object *strings(const struct list *list)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < list->count; i++)
		json_object_array_add(array, json_object_new_string(list->items[i]));
	return array;
}

static struct json_object *settings(const struct function *f)
{
	struct list files = entries("%s/bus/pci/devices/%s/vfio_pci_variant", f->host->sys,
				    f->address);
	struct json_object *object = files.count ? json_object_new_object() : NULL;

	for (size_t i = 0; i < files.count; i++) {
		char *text = get(f, "vfio_pci_variant/%s", files.items[i]);

		if (text)
			put_text(object, files.items[i], text);
		free(text);
	}
	drop(&files);
	return object;
}

static struct json_object *as_json(const struct function *f)
{
	struct json_object *object = json_object_new_object();
	struct list match = variants(f), open = users(f), ways = { 0 };
	char *name = name_of(f), *class = class_of(f), *power = power_of(f);
	char *methods = get(f, "reset_method"), *rest = methods, *word;

	while (rest && (word = strsep(&rest, "\n ")))
		if (*word)
			add(&ways, must(strdup(word)));
	put_text(object, "address", f->address);
	put_text(object, "name", name);
	put_text(object, "class_name", class);
	put_id(object, "vendor", 4, f->vendor);
	put_id(object, "device", 4, f->device);
	put_id(object, "subsystem_vendor", 4, f->subvendor);
	put_id(object, "subsystem_device", 4, f->subdevice);
	put_id(object, "class", 6, f->class);
	json_object_object_add(object, "group",
			       f->group < 0 ? NULL : json_object_new_int(f->group));
	put_text(object, "driver", f->driver);
	put_text(object, "driver_override", f->override);
	json_object_object_add(object, "vfio", json_object_new_boolean(is_vfio(f)));
	json_object_object_add(object, "users", strings(&open));
	put_text(object, "power", power);
	json_object_object_add(object, "reset_methods", strings(&ways));
	json_object_object_add(object, "variants", strings(&match));
	json_object_object_add(object, "settings", settings(f));
	put_text(object, "physfn", f->physfn);
	json_object_object_add(object, "vfs", json_object_new_int64(f->numvfs));
	free(name);
	free(class);
	free(power);
	free(methods);
	drop(&match);
	drop(&open);
	drop(&ways);
	return object;
}

static void print_json(struct json_object *object)
{
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}

void show_json(struct function *const *shown, size_t count)
{
	struct json_object *all = json_object_new_object(), *array = json_object_new_array();

	for (size_t i = 0; i < count; i++)
		json_object_array_add(array, as_json(shown[i]));
	json_object_object_add(all, "version", json_object_new_int(JSON_VERSION));
	json_object_object_add(all, "functions", array);
	print_json(all);
}

/* put_quoted - for a string of graphviz's */
static void put_quoted(const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
}

/* parent_of - the address of the bridge that it is behind; NULL: it is on a root bus */
static char *parent_of(const struct function *f)
{
	char target[4096], *path = print("%s/bus/pci/devices/%s", f->host->sys, f->address), *last;
	ssize_t len = readlink(path, target, sizeof(target) - 1);

	free(path);
	if (len <= 0)
		return NULL;
	target[len] = 0;
	last = strrchr(target, '/');
	if (!last)
		return NULL;
	*last = 0;
	last = strrchr(target, '/');
	return last && at(f->host, last + 1) ? must(strdup(last + 1)) : NULL;
}

void show_dot(struct function *const *shown, size_t count)
{
	struct function **sorted = sorted_by_group(shown, count);
	const struct function *f;

	puts("graph lsvfio {\n\trankdir=LR\n\tnode [shape=box fontname=sans]");
	for (size_t i = 0; i < count; i++) {
		char *name = name_of(sorted[i]);

		f = sorted[i];
		if (f->group >= 0 && (!i || f->group != sorted[i - 1]->group))
			printf("\tsubgraph cluster_%d {\n\t\tlabel=\"group %d\"\n",
			       f->group, f->group);
		printf("\t\t\"%s\" [label=\"%s\\n", f->address, f->address);
		put_quoted(name);
		printf("\\n");
		put_quoted(f->driver ? f->driver : "no driver");
		printf("\"%s]\n", is_vfio(f) ? " style=filled fillcolor=palegreen" : "");
		if (f->group >= 0 && (i + 1 == count || f->group != sorted[i + 1]->group))
			puts("\t}");
		free(name);
	}
	for (size_t i = 0; i < count; i++) {
		char *parent = parent_of(sorted[i]);

		if (parent)
			printf("\t\"%s\" -- \"%s\"\n", parent, sorted[i]->address);
		free(parent);
	}
	puts("}");
	free(sorted);
}

static const char *const words[] = {
	[YES] = "yes", [NOTE] = "note", [UNKNOWN] = "unknown", [NO] = "no"
};

void show_why_json(const struct function *f, const struct verdicts *v)
{
	struct json_object *all = json_object_new_object(), *array = json_object_new_array();

	for (size_t i = 0; i < v->count; i++) {
		struct json_object *one = json_object_new_object();

		put_text(one, "condition", v->of[i].condition);
		put_text(one, "answer", words[v->of[i].answer]);
		put_text(one, "reason", v->of[i].reason);
		put_text(one, "remedy", v->of[i].remedy);
		json_object_array_add(array, one);
	}
	json_object_object_add(all, "version", json_object_new_int(JSON_VERSION));
	put_text(all, "address", f->address);
	json_object_object_add(all, "can_be_passed", json_object_new_boolean(answer(v) == YES));
	json_object_object_add(all, "conditions", array);
	print_json(all);
}

void show_why(const struct function *f, const struct verdicts *v, bool colour)
{
	static const char *const colours[] = {
		[YES] = "\033[32m", [NOTE] = "\033[33m", [UNKNOWN] = "\033[33m", [NO] = "\033[31m"
	};
	char *name = name_of(f);

	printf("%s %s: %s\n", f->address, name, answer(v) == YES ?
	       "it can be passed to a guest" : "it can't be passed to a guest now");
	free(name);
	for (size_t i = 0; i < v->count; i++) {
		const struct verdict *one = &v->of[i];

		printf("  %s%-7s%s %s: %s\n", colour ? colours[one->answer] : "",
		       words[one->answer], colour ? "\033[0m" : "", one->condition, one->reason);
		if (one->remedy)
			printf("          %s\n", one->remedy);
	}
}

/* show_hostdev - what a guest's XML has for libvirt */
static void show_hostdev(const struct function *f, const char *choice)
{
	const char *bus = strchr(f->address, ':') + 1, *slot = strrchr(f->address, ':') + 1;

	puts("# With libvirt, by itself, while a guest has it:");
	puts("#   <hostdev mode='subsystem' type='pci' managed='yes'>");
	if (strcmp(choice, "vfio-pci"))
		printf("#     <driver model='%s'/>\n", choice);
	printf("#     <source><address domain='0x%.*s' bus='0x%.2s'",
	       (int)(bus - 1 - f->address), f->address, bus);
	printf(" slot='0x%.2s' function='0x%c'/></source>\n", slot, slot[3]);
	puts("#   </hostdev>");
}

/* show_plan - commands that would bind it; 0, or 1 if there is no such variant */
int show_plan(const struct function *f, const char *variant)
{
	struct list match = variants(f);
	char *choice = must(strdup(variant ? variant : match.count ? match.items[0] : "vfio-pci"));
	int rc = 0;

	drop(&match);
	if (!has_module(f->host, choice) && (f->host->modules || variant)) {
		fprintf(stderr, "lsvfio: this kernel has no module %s\n", choice);
		rc = 1;
	} else if (f->driver && !strcmp(f->driver, choice)) {
		printf("# %s has %s already; to give it back:\n", choice, f->address);
		printf("driverctl unset-override %s\n", f->address);
	} else {
		puts("# With driverctl, which does it again at each start:");
		printf("driverctl set-override %s %s\n", f->address, choice);
		puts("# With sysfs, until the next start:");
		printf("modprobe %s\n", choice);
		printf("echo %s > /sys/bus/pci/devices/%s/driver_override\n", choice, f->address);
		if (f->driver)
			printf("echo %s > /sys/bus/pci/devices/%s/driver/unbind\n", f->address,
			       f->address);
		printf("echo %s > /sys/bus/pci/drivers_probe\n", f->address);
		show_hostdev(f, choice);
	}
	free(choice);
	return rc;
}
