// SPDX-License-Identifier: GPL-2.0-only
/* Tables and trees by group, conditions, plans: for people. */
#define _GNU_SOURCE
#include "lsvfio.h"
#include <limits.h>
#include <pci/pci.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* fail - what libpci can't go on from, such as a pci.ids that is none */
static __attribute__((__noreturn__)) void fail(char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("lsvfio: ", stderr);
	vfprintf(stderr, format, args);
	fputs("\n", stderr);
	va_end(args);
	exit(2);
}

static void ignore(char *format __attribute__((__unused__)), ...)
{
}

/* database - pci.ids; libpci is asked for nothing else, and not to scan buses */
static struct pci_access *database(void)
{
	static struct pci_access *access;

	if (!access) {
		access = must(pci_alloc());
		access->id_lookup_mode = PCI_LOOKUP_NO_HWDB;
		access->error = fail;
		access->warning = ignore;
		access->debug = ignore;
	}
	return access;
}

/* name_of - vendor and device in words */
char *name_of(const struct function *f)
{
	char buf[256];

	pci_lookup_name(database(), buf, sizeof(buf), PCI_LOOKUP_VENDOR | PCI_LOOKUP_DEVICE,
			f->vendor, f->device);
	return must(strdup(buf));
}

char *class_of(const struct function *f)
{
	char buf[128];

	pci_lookup_name(database(), buf, sizeof(buf), PCI_LOOKUP_CLASS, f->class >> 8);
	return must(strdup(buf));
}

/* power_of - D0, D3hot, ... */
char *power_of(const struct function *f)
{
	char *state = in_one_line(get(f, "power_state"));

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

/* notes - what is particular: who has it open, variants that are for it, mdevs, VFs */
static char *notes(const struct function *f)
{
	struct list list = { 0 }, match = variants(f), made = mdevs(f);
	const struct list *open = users(f);
	char *text, *adopted = is_vfio(f) ? adoption(f) : NULL;

	if (is_vfio(f) && open->count)
		add(&list, print("open: %s", open->items[0]));
	if (adopted)
		add(&list, print("adopted %s", adopted));
	else if (match.count && (!f->driver || strcmp(match.items[0], f->driver)))
		add(&list, print("for %s", match.items[0]));
	if (f->override && (!f->driver || strcmp(f->override, f->driver)))
		add(&list, print("override %s", f->override));
	if (made.count)
		add(&list, print("%zu mdev%s", made.count, made.count > 1 ? "s" : ""));
	if (f->numvfs)
		add(&list, print("%u VFs", f->numvfs));
	if (f->physfn)
		add(&list, print("VF of %s", f->physfn));
	text = join(&list, ", ");
	drop(&list);
	drop(&match);
	drop(&made);
	free(adopted);
	return text;
}

static int at_least(int a, int b)
{
	return a > b ? a : b;
}

/* show_line - address, group, driver, power state and, as far as there is room, the rest */
static void show_line(const struct function *f, const char *indent, int address_width, bool colour)
{
	char *name = name_of(f), *note = notes(f), *power = power_of(f), group[16] = "-";
	const char *on = colour ? colour_of(f) : "", *off = *on ? "\033[0m" : "";
	int room = width() - (int)strlen(indent) - address_width - 31;
	char *rest;

	if (f->group >= 0)
		snprintf(group, sizeof(group), "%d", f->group);
	/* Whoever pipes it gets all of it; else the name is cut, before what is particular is. */
	if (!isatty(STDOUT_FILENO))
		room = INT_MAX;
	rest = print("%.*s%s%s", at_least(room - 2 - (int)strlen(note), 12), name,
		     *note ? "; " : "", note);
	printf("%s%-*s %5s %s%-15s%s %-6s %.*s\n", indent, address_width, f->address, group, on,
	       f->driver ? f->driver : "-", off, power, at_least(room, 20), rest);
	free(rest);
	free(power);
	free(note);
	free(name);
}

/* put - a line of what is known of a function, if it is; frees both */
static void put(const char *what, char *text)
{
	if (text && *text)
		printf("      %-13s %s\n", what, in_one_line(text));
	free(text);
}

static void put_list(const char *what, struct list list)
{
	put(what, join(&list, ", "));
	drop(&list);
}

/* show_more - all that does not fit in the line */
static void show_more(const struct function *f)
{
	struct list files = entries("%s/bus/pci/devices/%s/vfio_pci_variant", f->host->sys,
				    f->address);
	char *class = class_of(f);

	put("class", print("%06x %s", f->class, class));
	put("ID", print("%04x:%04x, subsystem %04x:%04x", f->vendor, f->device, f->subvendor,
			f->subdevice));
	if (is_vfio(f))
		put("open", join(users(f), ", "));
	put("reset", get(f, "reset_method"));
	put_list("variants", variants(f));
	put(is_vfio(f) ? "adopted" : "would adopt", adoption(f));
	put_list("mdevs", mdevs(f));
	for (size_t i = 0; i < files.count; i++)
		if (strcmp(files.items[i], "variant") && strcmp(files.items[i], "adopts"))
			put(files.items[i], get(f, "vfio_pci_variant/%s", files.items[i]));
	free(class);
	drop(&files);
}

static int widest(struct function *const *shown, size_t count)
{
	int most = strlen("ADDRESS");

	for (size_t i = 0; i < count; i++)
		if ((int)strlen(shown[i]->address) > most)
			most = strlen(shown[i]->address);
	return most;
}

void show_table(struct function *const *shown, size_t count, bool verbose, bool colour)
{
	int wide = widest(shown, count);

	if (count)
		printf("%-*s GROUP DRIVER          POWER  NAME\n", wide, "ADDRESS");
	for (size_t i = 0; i < count; i++) {
		show_line(shown[i], "", wide, colour);
		if (verbose)
			show_more(shown[i]);
	}
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
struct function **sorted_by_group(struct function *const *shown, size_t count)
{
	struct function **copy = must(calloc(count + 1, sizeof(*copy)));

	memcpy(copy, shown, count * sizeof(*copy));
	qsort(copy, count, sizeof(*copy), by_group);
	return copy;
}

void show_tree(struct function *const *shown, size_t count, bool verbose, bool colour)
{
	struct function **sorted = sorted_by_group(shown, count);
	int wide = widest(shown, count);

	for (size_t i = 0; i < count; i++) {
		if (!i || sorted[i]->group != sorted[i - 1]->group) {
			if (sorted[i]->group < 0)
				puts("in no IOMMU group");
			else
				printf("IOMMU group %d\n", sorted[i]->group);
		}
		show_line(sorted[i], "  ", wide, colour);
		if (verbose)
			show_more(sorted[i]);
	}
	free(sorted);
}

void show_why(const struct function *f, const struct verdicts *v, bool colour)
{
	static const char *const colours[] = {
		[YES] = "\033[32m", [NOTE] = "\033[33m", [UNKNOWN] = "\033[33m", [NO] = "\033[31m"
	};
	char *name = name_of(f);

	printf("%s %s: %s\n", f->address, name, overall(v) == YES ?
	       "it can be passed to a guest" : "it can't be passed to a guest now");
	free(name);
	for (size_t i = 0; i < v->count; i++) {
		const struct verdict *one = &v->of[i];

		printf("  %s%-7s%s %s: %s\n", colour ? colours[one->answer] : "",
		       answers[one->answer], colour ? "\033[0m" : "", one->condition, one->reason);
		if (one->remedy)
			printf("          %s\n", one->remedy);
	}
}

/* show_libvirt - its command, if it would take that one by itself, and what a guest's XML has */
static void show_libvirt(const struct function *f, const char *model, bool is_libvirts)
{
	char *node = print("pci_%s", f->address);
	const char *bus = strchr(f->address, ':') + 1, *slot = strrchr(f->address, ':') + 1;

	for (char *c = node; *c; c++)
		if (*c == ':' || *c == '.')
			*c = '_';
	if (is_libvirts)
		printf("# With libvirt%s, until: virsh nodedev-reattach %s\n"
		       "virsh nodedev-detach %s\n",
		       strcmp(model, "vfio-pci") ? " (10 and later)" : "", node, node);
	puts("# With libvirt, by itself, while a guest has it:");
	puts("#   <hostdev mode='subsystem' type='pci' managed='yes'>");
	if (strcmp(model, "vfio-pci"))
		printf("#     <driver model='%s'/>\n", model);
	printf("#     <source><address domain='0x%.*s' bus='0x%.2s'",
	       (int)(bus - 1 - f->address), f->address, bus);
	printf(" slot='0x%.2s' function='0x%c'/></source>\n", slot, slot[3]);
	puts("#   </hostdev>");
	free(node);
}

/* show_plan - commands that would bind it; 0, or 1 if there is no such variant */
int show_plan(const struct function *f, const char *variant)
{
	char *module, *driver;
	bool is_libvirts;
	int rc = 0;

	if (is_bridge(f)) {
		fprintf(stderr, "lsvfio: %s is a bridge or belongs to the chipset\n", f->address);
		return 1;
	}
	choice(f, &module, &driver);
	is_libvirts = !variant || !strcmp(variant, driver);
	if (!is_libvirts) {
		free(module);
		free(driver);
		module = must(strdup(variant));
		driver = must(strdup(variant));
	}
	if (!has_module(f->host, module) && (f->host->modules || variant)) {
		fprintf(stderr, "lsvfio: this kernel has no module %s\n", module);
		rc = 1;
	} else if (f->driver && !strcmp(f->driver, driver)) {
		printf("# %s has %s already; to give it back:\n", driver, f->address);
		printf("driverctl unset-override %s\n", f->address);
	} else {
		puts("# With driverctl, which does it again at each start:");
		printf("driverctl set-override %s %s\n", f->address, driver);
		puts("# With sysfs, until the next start:");
		printf("modprobe %s\n", module);
		printf("echo %s > /sys/bus/pci/devices/%s/driver_override\n", driver, f->address);
		if (f->driver)
			printf("echo %s > /sys/bus/pci/devices/%s/driver/unbind\n", f->address,
			       f->address);
		printf("echo %s > /sys/bus/pci/drivers_probe\n", f->address);
		show_libvirt(f, driver, is_libvirts);
	}
	free(module);
	free(driver);
	return rc;
}
