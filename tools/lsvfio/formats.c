// SPDX-License-Identifier: GPL-2.0-only
/*
 * For programs: JSON, a graph, Prometheus. The version of JSON is the first field: fields are
 * added without a new one, and none is taken away or changes its meaning without.
 */
#define _GNU_SOURCE
#include "lsvfio.h"
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define JSON_VERSION 1

const char *const answers[] = {
	[YES] = "yes", [NOTE] = "note", [UNKNOWN] = "unknown", [NO] = "no"
};

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
	struct list match = variants(f), made = mdevs(f), ways = { 0 };
	const struct list *open = users(f);
	char *name = name_of(f), *class = class_of(f), *power = power_of(f), *adopted = adoption(f);
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
	json_object_object_add(object, "users", can_see_users(f->host) ? strings(open) : NULL);
	put_text(object, "power", power);
	json_object_object_add(object, "reset_methods", strings(&ways));
	json_object_object_add(object, "variants", strings(&match));
	json_object_object_add(object, "settings", settings(f));
	put_text(object, "adopts", adopted);
	json_object_object_add(object, "mdevs", strings(&made));
	put_text(object, "physfn", f->physfn);
	json_object_object_add(object, "vfs", json_object_new_int64(f->numvfs));
	free(name);
	free(class);
	free(power);
	free(methods);
	free(adopted);
	drop(&made);
	drop(&match);
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

void show_why_json(const struct function *f, const struct verdicts *v)
{
	struct json_object *all = json_object_new_object(), *array = json_object_new_array();

	for (size_t i = 0; i < v->count; i++) {
		struct json_object *one = json_object_new_object();

		put_text(one, "condition", v->of[i].condition);
		put_text(one, "answer", answers[v->of[i].answer]);
		put_text(one, "reason", v->of[i].reason);
		put_text(one, "remedy", v->of[i].remedy);
		json_object_array_add(array, one);
	}
	json_object_object_add(all, "version", json_object_new_int(JSON_VERSION));
	put_text(all, "address", f->address);
	json_object_object_add(all, "can_be_passed", json_object_new_boolean(overall(v) == YES));
	json_object_object_add(all, "conditions", array);
	print_json(all);
}

/* put_quoted - for a string of graphviz's or Prometheus' */
static void put_quoted(const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		fputs(*text == '\n' ? "\\n" : (char[]){ *text, 0 }, stdout);
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

/* is_among - they are in the order of their addresses in one array */
static bool is_among(struct function *const *shown, size_t count, const struct function *f)
{
	size_t from = 0, to = count;

	while (from < to) {
		size_t middle = (from + to) / 2;

		if (shown[middle] == f)
			return true;
		if (shown[middle] < f)
			from = middle + 1;
		else
			to = middle;
	}
	return false;
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

		if (parent && is_among(shown, count, at(sorted[i]->host, parent)))
			printf("\t\"%s\" -- \"%s\"\n", parent, sorted[i]->address);
		free(parent);
	}
	puts("}");
	free(sorted);
}

/* put_label - a name and its value, as Prometheus' text format has them */
static void put_label(const char *between, const char *name, const char *value)
{
	printf("%s%s=\"", between, name);
	put_quoted(value);
	putchar('"');
}

/* metric - what follows are lines of one metric */
static void metric(const char *name, const char *type, const char *help)
{
	printf("# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_number(const char *name, const struct function *f, unsigned long long number)
{
	printf("%s{", name);
	put_label("", "address", f->address);
	printf("} %llu\n", number);
}

static void put_state(const char *name, const struct function *f, const char *state)
{
	printf("%s{", name);
	put_label("", "address", f->address);
	put_label(",", "state", state);
	puts("} 1");
}

static unsigned long long count_mdevs(const struct function *f)
{
	struct list made = mdevs(f);
	size_t count = made.count;

	drop(&made);
	return count;
}

static void put_info(const struct function *f)
{
	char id[16], class[16], group[16] = "", *adopted = adoption(f);

	snprintf(id, sizeof(id), "%04x:%04x", f->vendor, f->device);
	snprintf(class, sizeof(class), "%06x", f->class);
	if (f->group >= 0)
		snprintf(group, sizeof(group), "%d", f->group);
	printf("vfio_function_info{");
	put_label("", "address", f->address);
	put_label(",", "id", id);
	put_label(",", "class", class);
	put_label(",", "group", group);
	put_label(",", "driver", f->driver ? f->driver : "");
	put_label(",", "adopts", is_vfio(f) && adopted ? adopted : "");
	put_label(",", "physfn", f->physfn ? f->physfn : "");
	puts("} 1");
	free(adopted);
}

/* put_setting - a number of ours, for those that have it */
static void put_setting(const char *name, const struct function *f, const char *file)
{
	char *text = get(f, "vfio_pci_variant/%s", file), *end;
	unsigned long long number = text ? strtoull(text, &end, 10) : 0;

	if (text && *text && !*end)
		put_number(name, f, number);
	free(text);
}

/* show_prometheus - for node_exporter's textfile collector */
void show_prometheus(struct function *const *shown, size_t count)
{
	metric("vfio_function_info", "gauge", "A PCI function, what it is and has.");
	for (size_t i = 0; i < count; i++)
		put_info(shown[i]);
	metric("vfio_function_bound", "gauge", "Does a driver of VFIO's have it?");
	for (size_t i = 0; i < count; i++)
		put_number("vfio_function_bound", shown[i], is_vfio(shown[i]));
	metric("vfio_function_users", "gauge", "Processes that have it or its group open.");
	for (size_t i = 0; i < count && can_see_users(shown[i]->host); i++)
		put_number("vfio_function_users", shown[i], users(shown[i])->count);
	metric("vfio_function_power_state", "gauge", "1 for the state that it is in.");
	for (size_t i = 0; i < count; i++) {
		char *power = power_of(shown[i]);

		put_state("vfio_function_power_state", shown[i], power);
		free(power);
	}
	metric("vfio_function_vfs", "gauge", "VFs that it has.");
	for (size_t i = 0; i < count; i++)
		put_number("vfio_function_vfs", shown[i], shown[i]->numvfs);
	metric("vfio_function_mdevs", "gauge", "Mediated devices that were made of it.");
	for (size_t i = 0; i < count; i++)
		put_number("vfio_function_mdevs", shown[i], count_mdevs(shown[i]));
	metric("vfio_function_needs_reset", "gauge", "Has it what its last user left in it?");
	for (size_t i = 0; i < count; i++)
		put_setting("vfio_function_needs_reset", shown[i], "needs_reset");
	metric("vfio_function_resets_spared_total", "counter",
	       "Resets that had nothing to do, since it was bound.");
	for (size_t i = 0; i < count; i++)
		put_setting("vfio_function_resets_spared_total", shown[i], "resets_spared");
	metric("vfio_function_standby", "gauge", "1 for the state of its standby.");
	for (size_t i = 0; i < count; i++) {
		char *standby = get(shown[i], "vfio_pci_variant/standby");

		if (standby)
			put_state("vfio_function_standby", shown[i], standby);
		free(standby);
	}
}
