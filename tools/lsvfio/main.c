// SPDX-License-Identifier: GPL-2.0-only
/* What it is asked for, and which functions that is about; see Documentation/lsvfio.rst. */
#define _GNU_SOURCE
#include "lsvfio.h"
#include <fnmatch.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static const char usage[] =
	"usage: lsvfio [-a] [-t | --json | --dot] [SELECTOR...]   functions for guests, or those\n"
	"       lsvfio [--json] why ADDRESS                       can it be passed to a guest now?\n"
	"       lsvfio plan ADDRESS [VARIANT]                     commands that would bind it\n"
	"SELECTOR: an address, an ID (10de:1eb8), or display, network, nvme, storage, usb, audio\n"
	"  -a, --all         bridges and what else is no function for guests, too\n"
	"  -t, --tree        by IOMMU group\n"
	"      --json        for programs; --dot for graphviz\n"
	"      --sysfs DIR   a recorded sysfs; --proc DIR and --modules DIR what belongs to it\n"
	"  -h, --help, --version\n";

static const struct {
	const char *word;
	unsigned int class, mask;
} classes[] = {
	{ "display", 0x030000, 0xff0000 },
	{ "vga", 0x030000, 0xff0000 },
	{ "network", 0x020000, 0xff0000 },
	{ "nvme", 0x010802, 0xffffff },
	{ "storage", 0x010000, 0xff0000 },
	{ "usb", 0x0c0300, 0xffff00 },
	{ "audio", 0x040000, 0xff0000 },
};

/* is_id - vendor:device, of which either may be "*" */
static bool is_id(const struct function *f, const char *text, bool *match)
{
	char own[16];

	if (strlen(text) < 3 || !strchr(text, ':') || strchr(text, '.') ||
	    strspn(text, "0123456789abcdefABCDEF:*") != strlen(text))
		return false;
	snprintf(own, sizeof(own), "%04x:%04x", f->vendor, f->device);
	*match = !fnmatch(text, own, FNM_CASEFOLD);
	return true;
}

/* selects - 1: it is for the function, 0: it is not, -1: it is no selector */
static int selects(const char *text, const struct function *f)
{
	bool match;

	for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
		if (!strcmp(text, classes[i].word))
			return (f->class & classes[i].mask) == classes[i].class;
	if (is_id(f, text, &match))
		return match;
	if (!strchr(text, '.') || !strchr(text, ':'))
		return -1;
	return at(f->host, text) == f;
}

/* is_for_guests - what one would pass: no part of the chipset */
static bool is_for_guests(const struct function *f)
{
	return !is_bridge(f) && f->class >> 8 != 0x0c05 && f->class >> 16 != 0x08;
}

static struct function **choose(const struct host *host, char *const *selectors, bool all,
				size_t *count)
{
	struct function **shown = must(calloc(host->count + 1, sizeof(*shown)));

	*count = 0;
	for (size_t i = 0; i < host->count; i++) {
		struct function *f = &host->functions[i];
		bool wanted = !*selectors && (all || is_for_guests(f));

		for (char *const *s = selectors; *s; s++)
			wanted |= selects(*s, f) == 1;
		if (wanted)
			shown[(*count)++] = f;
	}
	return shown;
}

/* only - the function of "why" and "plan" */
static const struct function *only(const struct host *host, const char *address)
{
	const struct function *f = address ? at(host, address) : NULL;

	if (!address)
		fputs(usage, stderr);
	else if (!f)
		fprintf(stderr, "lsvfio: there is no function %s; lspci -D shows what is there\n",
			address);
	return f;
}

/* are_selectors - says which is none */
static bool are_selectors(const struct host *host, char *const *selectors)
{
	const struct function none = { .host = (struct host *)host };

	for (char *const *s = selectors; *s; s++) {
		if (selects(*s, &none) >= 0)
			continue;
		fprintf(stderr, "lsvfio: \"%s\" is no address, ID or class; see: lsvfio --help\n",
			*s);
		return false;
	}
	return true;
}

static int list(const struct host *host, char *const *selectors, bool all, char format, bool colour)
{
	struct function **shown;
	size_t count;

	if (!are_selectors(host, selectors))
		return 2;
	shown = choose(host, selectors, all, &count);
	switch (format) {
	case 't':
		show_tree(shown, count, colour);
		break;
	case 'j':
		show_json(shown, count);
		break;
	case 'd':
		show_dot(shown, count);
		break;
	default:
		show_table(shown, count, colour);
	}
	free(shown);
	return count || !*selectors ? 0 : 1;
}

static int why(const struct host *host, char *const *args, bool json, bool colour)
{
	const struct function *f = only(host, args[0]);
	struct verdicts verdicts = { 0 };
	int rc;

	if (!f)
		return 2;
	judge(f, &verdicts);
	if (json)
		show_why_json(f, &verdicts);
	else
		show_why(f, &verdicts, colour);
	rc = answer(&verdicts) != YES;
	free_verdicts(&verdicts);
	return rc;
}

static int plan(const struct host *host, char *const *args)
{
	const struct function *f = only(host, args[0]);

	return f ? show_plan(f, args[1]) : 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "all", no_argument, NULL, 'a' },	 { "tree", no_argument, NULL, 't' },
		{ "json", no_argument, NULL, 'j' },	 { "dot", no_argument, NULL, 'd' },
		{ "sysfs", required_argument, NULL, 's' }, { "proc", required_argument, NULL, 'p' },
		{ "modules", required_argument, NULL, 'm' }, { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },	 { }
	};
	struct host host = { .sys = "/sys", .proc = "/proc" };
	const char *no_colour = getenv("NO_COLOR");
	bool colour = isatty(STDOUT_FILENO) && !(no_colour && *no_colour);
	bool all = false;
	char format = 0, *own = NULL, **args;
	struct utsname kernel;
	int option, rc;

	if (!uname(&kernel))
		own = print("/lib/modules/%s", kernel.release);
	host.modules = own;
	while ((option = getopt_long(argc, argv, "ath", options, NULL)) >= 0) {
		switch (option) {
		case 'a':
			all = true;
			break;
		case 's':
			/* Nothing of this machine is mixed with it. */
			host = (struct host){ .sys = optarg };
			break;
		case 'p':
			host.proc = optarg;
			break;
		case 'm':
			host.modules = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			free(own);
			return 0;
		case 'V':
			puts("lsvfio " VPV_VERSION);
			free(own);
			return 0;
		case 't':
		case 'j':
		case 'd':
			format = option;
			break;
		default:
			fputs(usage, stderr);
			free(own);
			return 2;
		}
	}
	args = argv + optind;
	if (read_host(&host)) {
		fprintf(stderr, "lsvfio: %s has no PCI\n", host.sys);
		rc = 2;
	} else if (*args && !strcmp(*args, "why")) {
		rc = why(&host, args + 1, format == 'j', colour);
	} else if (*args && !strcmp(*args, "plan")) {
		rc = plan(&host, args + 1);
	} else {
		rc = list(&host, args, all, format, colour);
	}
	free_host(&host);
	free(own);
	return rc;
}
