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
	"usage: lsvfio [OPTION...] [SELECTOR...]      functions for guests, or those\n"
	"       lsvfio [OPTION...] why ADDRESS        can it be passed to a guest now?\n"
	"       lsvfio plan ADDRESS [VARIANT]         commands that would bind it\n"
	"SELECTOR: an address, an ID (10de:1eb8), or display, network, nvme, storage, usb, audio\n"
	"  -a, --all              bridges and what else is no function for guests, too\n"
	"  -t, --tree             by IOMMU group\n"
	"  -v, --verbose          all that is known of each\n"
	"  -w, --watch[=SECONDS]  again when something has changed, looking every 2 seconds\n"
	"      --json, --dot      for programs, for graphviz\n"
	"      --prometheus       for node_exporter's textfile collector\n"
	"      --sysfs DIR        a recorded sysfs; --proc, --dev and --modules DIR: what belongs to it\n"
	"  -h, --help, --version\n";

/* What it is asked for. */
struct request {
	char **args;
	char format;
	bool all, verbose, colour;
	unsigned int seconds;
};

static const struct {
	const char *word;
	unsigned int class, mask;
} classes[] = {
	{ "display", 0x030000, 0xff0000 },
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
	return !is_bridge(f) && f->class >> 8 != 0x0c05 &&
	       (f->class >> 16 != 0x08 || f->class >> 8 == 0x0880);
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

/* say_what_is_hidden - from others than root, or as nothing of it was recorded */
static void say_what_is_hidden(const struct host *host, struct function *const *shown, size_t count)
{
	bool any = false;

	for (size_t i = 0; i < count; i++)
		any |= is_vfio(shown[i]);
	if (any && !can_see_users(host))
		puts(host->is_recorded ? "Who has them open is not recorded." :
		     "Who has them open is for root to see.");
}

static int list(const struct host *host, const struct request *r)
{
	struct function **shown;
	size_t count;

	if (!are_selectors(host, r->args))
		return 2;
	shown = choose(host, r->args, r->all, &count);
	switch (r->format) {
	case 't':
		show_tree(shown, count, r->verbose, r->colour);
		break;
	case 'j':
		show_json(shown, count);
		break;
	case 'd':
		show_dot(shown, count);
		break;
	case 'P':
		show_prometheus(shown, count);
		break;
	default:
		show_table(shown, count, r->verbose, r->colour);
	}
	if (!r->format || r->format == 't')
		say_what_is_hidden(host, shown, count);
	free(shown);
	return count || !*r->args ? 0 : 1;
}

static int why(const struct host *host, const struct request *r)
{
	const struct function *f = only(host, r->args[1]);
	struct verdicts verdicts = { 0 };
	int rc;

	if (!f)
		return 2;
	judge(f, &verdicts);
	if (r->format == 'j')
		show_why_json(f, &verdicts);
	else
		show_why(f, &verdicts, r->colour);
	rc = overall(&verdicts) != YES;
	free_verdicts(&verdicts);
	return rc;
}

static int plan(const struct host *host, char *const *args)
{
	const struct function *f = only(host, args[0]);

	return f ? show_plan(f, args[1]) : 2;
}

/* is_complete - has a verb what it takes, and nothing else? */
static bool is_complete(const struct request *r)
{
	int n = 0;

	while (r->args[n])
		n++;
	if (!n)
		return true;
	if (!strcmp(r->args[0], "why"))
		return n == 2 && (!r->format || r->format == 'j');
	if (!strcmp(r->args[0], "plan"))
		return (n == 2 || (n == 3 && is_name(r->args[2]))) && !r->format && !r->seconds;
	return true;
}

/* once - reads the machine and answers */
static int once(struct host *host, const struct request *r)
{
	const char *verb = r->args[0] ? r->args[0] : "";
	int rc;

	if (!is_complete(r)) {
		fputs(usage, stderr);
		return 2;
	}
	if (read_host(host)) {
		fprintf(stderr, "lsvfio: %s has no PCI\n", host->sys);
		rc = 2;
	} else if (!strcmp(verb, "why")) {
		rc = why(host, r);
	} else if (!strcmp(verb, "plan")) {
		rc = plan(host, r->args + 1);
	} else {
		rc = list(host, r);
	}
	free_host(host);
	return rc;
}

/*
 * watch - for ever, or until nobody reads it, it is used wrongly, or "why" says yes. The
 * kernel tells nobody that a function was opened or has fallen asleep, so it is looked at
 * again and again.
 */
static int watch(struct host *host, const struct request *r)
{
	FILE *out = stdout;
	char *last = NULL, *text;
	size_t size;
	int rc;

	for (;;) {
		stdout = must(open_memstream(&text, &size));
		rc = once(host, r);
		fclose(stdout);
		stdout = out;
		if (rc == 2) {
			free(text);
			break;
		}
		if (!last || strcmp(last, text)) {
			if (isatty(STDOUT_FILENO))
				fputs("\033[H\033[J", out);
			else if (last)
				putc('\n', out);
			fputs(text, out);
			if (fflush(out)) {
				free(text);
				break;
			}
		}
		free(last);
		last = text;
		if (!rc && r->args[0] && !strcmp(r->args[0], "why"))
			break;
		sleep(r->seconds);
	}
	free(last);
	return rc;
}

/* is_period - seconds, more than none */
static bool is_period(const char *text, unsigned int *seconds)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	*seconds = value;
	return *text && !*end && value && value <= 86400;
}

/* add_this_machine - returns a string that it uses */
static char *add_this_machine(struct host *host)
{
	struct utsname kernel;
	char *modules = uname(&kernel) ? NULL : print("/lib/modules/%s", kernel.release);

	*host = (struct host){ .sys = "/sys", .proc = "/proc", .dev = "/dev", .modules = modules };
	return modules;
}

/* finish - the exit status: what was not written was not said */
static int finish(int rc)
{
	if (!fflush(stdout) && !ferror(stdout))
		return rc;
	perror("lsvfio: standard output");
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "all", no_argument, NULL, 'a' },	     { "tree", no_argument, NULL, 't' },
		{ "json", no_argument, NULL, 'j' },	     { "dot", no_argument, NULL, 'd' },
		{ "prometheus", no_argument, NULL, 'P' },    { "verbose", no_argument, NULL, 'v' },
		{ "watch", optional_argument, NULL, 'w' },
		{ "sysfs", required_argument, NULL, 's' },
		{ "proc", required_argument, NULL, 'p' },
		{ "dev", required_argument, NULL, 'D' },
		{ "modules", required_argument, NULL, 'm' }, { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },	     { }
	};
	const char *no_colour = getenv("NO_COLOR");
	struct host host = { 0 };
	struct request request = {
		.colour = isatty(STDOUT_FILENO) && !(no_colour && *no_colour),
	};
	char *own = NULL;
	int option, rc;

	while ((option = getopt_long(argc, argv, "atvwh", options, NULL)) >= 0) {
		switch (option) {
		case 'a':
			request.all = true;
			break;
		case 'v':
			request.verbose = true;
			break;
		case 's':
			host.sys = optarg;
			break;
		case 'p':
			host.proc = optarg;
			break;
		case 'D':
			host.dev = optarg;
			break;
		case 'm':
			host.modules = optarg;
			break;
		case 'w':
			if (!is_period(optarg ? optarg : "2", &request.seconds))
				goto wrong;
			break;
		case 'h':
			fputs(usage, stdout);
			return finish(0);
		case 'V':
			puts("lsvfio " VPV_VERSION);
			return finish(0);
		case 't':
		case 'j':
		case 'd':
		case 'P':
			request.format = option;
			break;
		default:
			goto wrong;
		}
	}
	request.args = argv + optind;
	/* Nothing of this machine is mixed with a recorded one. */
	host.is_recorded = host.sys;
	if (!host.is_recorded && (host.proc || host.dev || host.modules))
		goto wrong;
	if (!host.is_recorded)
		own = add_this_machine(&host);
	rc = request.seconds ? watch(&host, &request) : once(&host, &request);
	free(own);
	return finish(rc);
wrong:
	fputs(usage, stderr);
	return 2;
}
