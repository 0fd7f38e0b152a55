// SPDX-License-Identifier: GPL-2.0-only
/*
 * Can a function be passed to a guest now? Each condition is a verdict; those that what was
 * said before makes meaningless are left out. A driver of the host's is none by itself: libvirt
 * takes a function from it; what uses the function through that driver is.
 */
#define _GNU_SOURCE
#include "lsvfio.h"
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static void say(struct verdicts *v, const char *condition, enum answer answer,
		const char *remedy, const char *format, ...) __printf(5, 6);

/* say - what was seen, and what to do about it, if anything */
static void say(struct verdicts *v, const char *condition, enum answer answer,
		const char *remedy, const char *format, ...)
{
	struct verdict *one;
	va_list args;

	v->of = must(realloc(v->of, (v->count + 1) * sizeof(*v->of)));
	one = &v->of[v->count++];
	va_start(args, format);
	if (vasprintf(&one->reason, format, args) < 0)
		one->reason = NULL;
	va_end(args);
	must(one->reason);
	one->condition = condition;
	one->answer = answer;
	one->remedy = remedy ? must(strdup(remedy)) : NULL;
}

/* has_word - among words, which blanks or newlines part */
static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = text; at && (at = strstr(at, word)); at += len)
		if ((at == text || strchr(" \t\n", at[-1])) && strchr(" \t\n", at[len]))
			return true;
	return false;
}

static void judge_kind(const struct function *f, struct verdicts *v)
{
	if (is_bridge(f))
		say(v, "kind", NO,
		    "pass the functions behind it",
		    "it is a bridge or belongs to the chipset, which no guest can be given");
	else if (f->class == 0xffffff)
		say(v, "kind", UNKNOWN, NULL, "its class can't be read");
	else
		say(v, "kind", YES, NULL, "a function of class %06x", f->class);
}

/* iommu_option - what switches it on, by the processor that the machine has */
static const char *iommu_option(const struct host *host)
{
	char *cpu = host->proc ? get_from(host->proc, "cpuinfo") : NULL;
	bool intel = cpu && strstr(cpu, "GenuineIntel"), amd = cpu && strstr(cpu, "AuthenticAMD");

	free(cpu);
	if (intel)
		return "switch VT-d on in the firmware and start the kernel with intel_iommu=on";
	if (amd)
		return "switch AMD-Vi (IOMMU) on in the firmware";
	return "switch the IOMMU (VT-d, AMD-Vi, SMMU) on in the firmware; on Intel, intel_iommu=on";
}

static bool any_group(const struct host *host)
{
	struct list groups = entries("%s/kernel/iommu_groups", host->sys);
	bool any = groups.count;

	drop(&groups);
	return any;
}

static void judge_iommu(const struct function *f, struct verdicts *v)
{
	char *name;

	if (f->group < 0 && !any_group(f->host)) {
		say(v, "IOMMU", NO, iommu_option(f->host),
		    "there is none, or it is off: nothing would confine its DMA");
		return;
	}
	if (f->group < 0) {
		say(v, "IOMMU", NO,
		    "put the card into another slot, or look for its slot in the firmware's IOMMU settings",
		    "it is in no IOMMU group, though others are");
		return;
	}
	name = get_from(f->host->sys, "kernel/iommu_groups/%d/name", f->group);
	if (name && !strcmp(name, "vfio-noiommu"))
		say(v, "IOMMU", NO, iommu_option(f->host),
		    "group %d is without an IOMMU (no-IOMMU mode): nothing confines its DMA, and no guest can have it",
		    f->group);
	else
		say(v, "IOMMU", YES, NULL, "it is in group %d", f->group);
	free(name);
}

/* mentions - has a line of a file the text? */
static bool mentions(const char *dir, const char *file, const char *text)
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

static void judge_interrupts(const struct function *f, struct verdicts *v)
{
	const char *proc = f->host->proc;
	char *unsafe = get_from(f->host->sys, "module/vfio_iommu_type1/parameters/%s",
				"allow_unsafe_interrupts");

	/* x86 has an IO-APIC; what others without an ITS do is not seen there. */
	if (proc && (mentions(proc, "interrupts", " IR-") || mentions(proc, "interrupts", " ITS-")))
		say(v, "interrupts", YES, NULL, "they are remapped");
	else if (!proc || !mentions(proc, "interrupts", "IO-APIC"))
		say(v, "interrupts", UNKNOWN, NULL, "whether they are remapped can't be seen here");
	else if (unsafe && *unsafe == 'Y')
		say(v, "interrupts", NOTE, NULL,
		    "they are not remapped, and allow_unsafe_interrupts says that this may be: a guest could send any interrupt to the host");
	else
		say(v, "interrupts", NO,
		    "switch interrupt remapping (x2APIC) on in the firmware; vfio_iommu_type1.allow_unsafe_interrupts=1 does without, at that risk",
		    "they are not remapped, so a guest could send any interrupt to the host");
	free(unsafe);
}

static void judge_group(const struct function *f, struct verdicts *v)
{
	struct list others = siblings(f), busy = { 0 };
	char *text;

	for (size_t i = 0; i < others.count; i++) {
		struct function *other = at(f->host, others.items[i]);

		/* These two say that they do no DMA (driver_managed_dma). */
		if (!other || !other->driver || is_vfio(other) ||
		    !strcmp(other->driver, "pcieport") || !strcmp(other->driver, "pci-stub"))
			continue;
		add(&busy, print("%s (%s)", other->address, other->driver));
	}
	text = join(&busy, ", ");
	if (busy.count)
		say(v, "group", NO,
		    "bind those to vfio-pci, too, or to no driver; pass them along, or leave them unused",
		    "drivers of the host have others of group %d: %s",
		    f->group, text);
	else if (others.count)
		say(v, "group", YES, NULL,
		    "the %zu others of group %d are in nobody's way",
		    others.count, f->group);
	else
		say(v, "group", YES, NULL, "it is alone in group %d", f->group);
	free(text);
	drop(&others);
	drop(&busy);
}

static void judge_regions(const struct function *f, struct verdicts *v)
{
	char *regions = get_from(f->host->sys, "kernel/iommu_groups/%d/reserved_regions", f->group);
	char *line, *rest = regions;
	bool direct = false;

	while (rest && (line = strsep(&rest, "\n")))
		direct |= has_word(line, "direct");
	if (direct)
		say(v, "reserved memory", NO,
		    "look for a setting of that card's or of shared memory in the firmware, or for newer firmware",
		    "the firmware uses memory with it (RMRR, IVMD): the kernel refuses to hand it out");
	else if (regions)
		say(v, "reserved memory", YES, NULL, "the firmware has none for it");
	else
		say(v, "reserved memory", UNKNOWN, NULL, "it can't be seen here");
	free(regions);
}

/* belongs - is what the kernel lists there the function's, or behind it? */
static bool belongs(const struct function *f, const char *class, const char *name)
{
	char *path = print("%s/class/%s/%s", f->host->sys, class, name), target[4096];
	char *within = print("/%s/", f->address);
	ssize_t len = readlink(path, target, sizeof(target) - 1);
	bool found;

	target[len > 0 ? len : 0] = 0;
	found = strstr(target, within);
	free(path);
	free(within);
	return found;
}

/* those_of - what belongs to it, of a class */
static struct list those_of(const struct function *f, const char *class)
{
	struct list all = entries("%s/class/%s", f->host->sys, class), own = { 0 };

	for (size_t i = 0; i < all.count; i++)
		if (belongs(f, class, all.items[i]))
			add(&own, must(strdup(all.items[i])));
	drop(&all);
	return own;
}

/* use_of - where it is mounted, or that it is swap, or part of what; NULL: of nothing */
static char *use_of(const struct host *host, const char *disk)
{
	struct list holders = entries("%s/class/block/%s/holders", host->sys, disk);
	const char *const tables[] = { "mounts", "swaps" };
	char *device = print("/dev/%s", disk), *use = NULL;
	char line[4096], what[256], where[1024];

	if (holders.count)
		use = print("%s is part of %s", disk, holders.items[0]);
	for (size_t i = 0; i < ARRAY_SIZE(tables) && host->proc && !use; i++) {
		char *path = print("%s/%s", host->proc, tables[i]);
		FILE *in = fopen(path, "re");

		while (in && !use && fgets(line, sizeof(line), in)) {
			if (sscanf(line, "%255s %1023s", what, where) != 2 || strcmp(what, device))
				continue;
			use = i ? print("%s is swap", disk) :
				  print("%s is mounted on %s", disk, where);
		}
		if (in)
			fclose(in);
		free(path);
	}
	free(device);
	drop(&holders);
	return use;
}

static void judge_disks(const struct function *f, struct verdicts *v)
{
	struct list disks = those_of(f, "block"), uses = { 0 };
	char *text;

	for (size_t i = 0; i < disks.count; i++) {
		char *use = use_of(f->host, disks.items[i]);

		if (use)
			add(&uses, use);
	}
	text = join(&uses, ", ");
	if (uses.count)
		say(v, "host's use", NO, "unmount it, and take it out of what stands on it",
		    "%s", text);
	else if (disks.count && !f->host->proc)
		say(v, "host's use", UNKNOWN, NULL,
		    "whether its disks are mounted can't be seen here");
	else if (disks.count)
		say(v, "host's use", YES, NULL, "nothing uses %s", disks.items[0]);
	free(text);
	drop(&disks);
	drop(&uses);
}

static void judge_network(const struct function *f, struct verdicts *v)
{
	struct list links = entries("%s/bus/pci/devices/%s/net", f->host->sys, f->address);

	for (size_t i = 0; i < links.count; i++) {
		const char *link = links.items[i];
		char *flags = get(f, "net/%s/flags", link);
		char *remedy = print("ip link set %s down, and in the host's network setup", link);

		if (flags && strtoul(flags, NULL, 16) & 1)
			say(v, "host's use", NO, remedy, "the network interface %s is up", link);
		else
			say(v, "host's use", YES, NULL, "the network interface %s is down", link);
		free(remedy);
		free(flags);
	}
	drop(&links);
}

static void judge_display(const struct function *f, struct verdicts *v)
{
	struct list buffers = those_of(f, "graphics");
	char *boot = get(f, "boot_vga");

	for (size_t i = 0; i < buffers.count; i++)
		if (strcmp(buffers.items[i], "fbcon"))
			say(v, "display", NO,
			    "have the host start on another card, or bind this one at boot: vfio-pci-devices(8)",
			    "the host's console is on it (%s)", buffers.items[i]);
	if (boot && *boot == '1' && f->class >> 16 == 0x03)
		say(v, "display", NOTE,
		    "start the host on another card, or with video=efifb:off; give the guest a ROM file",
		    "the firmware shows itself on it: its framebuffer may claim a BAR");
	free(boot);
	drop(&buffers);
}

static void judge_reset(const struct function *f, struct verdicts *v)
{
	char *methods = get(f, "reset_method");

	if (methods && *methods)
		say(v, "reset", YES, NULL, "it is reset by %s", methods);
	else
		say(v, "reset", NOTE,
		    "start the host anew between guests that don't trust each other; see reset= in quirks",
		    "it can't be reset by itself: a guest gets it as the last user left it");
	free(methods);
}

/* is_there - is that its address? "04:00.*" are all functions of a slot */
static bool is_there(const struct function *f, const char *address)
{
	char *whole = print("%s%s", strchr(strchr(address, ':') + 1, ':') ? "" : "0000:", address);
	bool there = !fnmatch(whole, f->address, FNM_CASEFOLD);

	free(whole);
	return there;
}

/* is_meant - is a row's "ID", "ADDRESS" or "ID@ADDRESS" for the function? */
static bool is_meant(const struct function *f, char *selector)
{
	const unsigned int id[] = { f->vendor, f->device, f->subvendor, f->subdevice };
	char *address = strchr(selector, '@'), *field;

	if (address)
		*address++ = 0;
	else if (strchr(selector, '.'))
		address = selector;
	if (address && (!strchr(address, ':') || !is_there(f, address)))
		return false;
	if (address == selector)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(id) && (field = strsep(&selector, ":")); i++)
		if (strcmp(field, "*") && strcasecmp(field, "ffffffff") &&
		    strtoul(field, NULL, 16) != id[i])
			return false;
	return true;
}

/* denies - the row of a module's quirks= that denies it; NULL: none does. The last one counts */
static char *denies(const struct function *f, const char *module)
{
	char *rows = get_from(f->host->sys, "module/%s/parameters/quirks", module), *rest = rows;
	char *row, *flag, *found = NULL;

	while ((row = strsep(&rest, ","))) {
		char *whole = must(strdup(row)), *flags = strrchr(row, ':');

		if (flags)
			*flags++ = 0;
		if (flags && is_meant(f, row)) {
			while ((flag = strsep(&flags, "+"))) {
				if (strncmp(flag, "deny", 4) || (flag[4] && flag[4] != '='))
					continue;
				free(found);
				found = strcmp(flag, "deny=0") ? must(strdup(whole)) : NULL;
			}
		}
		free(whole);
	}
	free(rows);
	return found;
}

static void judge_driver(const struct function *f, struct verdicts *v)
{
	char *row = denies(f, "vfio_pci");
	struct list open = users(f);
	char *who = join(&open, "; ");

	if (row)
		say(v, "denied", NO,
		    "take that row out of /sys/module/vfio_pci/parameters/quirks and of /etc/modprobe.d",
		    "a row of vfio-pci's quirks= denies it: %s",
		    row);
	free(row);
	if (open.count)
		say(v, "in use", NO,
		    "stop that one, or take the device from it",
		    "%s has it open",
		    who);
	else if (is_vfio(f) && f->host->proc && geteuid())
		say(v, "in use", UNKNOWN, NULL, "who has it open is for root to see");
	if (is_vfio(f))
		say(v, "driver", YES, NULL, "%s has it", f->driver);
	else if (f->driver)
		say(v, "driver", NOTE,
		    "libvirt takes it from there with managed='yes'; else see: lsvfio plan",
		    "the host's %s has it",
		    f->driver);
	else
		say(v, "driver", NOTE,
		    "libvirt binds it with managed='yes'; else see: lsvfio plan",
		    "no driver has it");
	free(who);
	drop(&open);
}

static void judge_module(const struct function *f, struct verdicts *v)
{
	char *lockdown = get_from(f->host->sys, "kernel/security/lockdown");
	char *enforced = get_from(f->host->sys, "module/module/parameters/sig_enforce");

	if (is_vfio(f))
		;
	else if (!f->host->modules && !has_module(f->host, "vfio-pci"))
		say(v, "module", UNKNOWN, NULL, "the kernel's modules can't be seen here");
	else if (!has_module(f->host, "vfio-pci"))
		say(v, "module", NO,
		    "install a kernel that has: Debian's linux-image-amd64, not a cloud kernel without VFIO",
		    "this kernel has no vfio-pci");
	else if ((enforced && *enforced == 'Y') || (lockdown && !strstr(lockdown, "[none]")))
		say(v, "module", NOTE,
		    "/usr/lib/vfio-pci-variants/kernel-report says whether it is",
		    "signed modules only are loaded (Secure Boot): one that DKMS built needs its key enrolled");
	else
		say(v, "module", YES, NULL, "this kernel has vfio-pci");
	free(lockdown);
	free(enforced);
}

static void judge_pf(const struct function *f, struct verdicts *v)
{
	const struct function *pf = f->physfn ? at(f->host, f->physfn) : NULL;
	char *remedy;

	if (pf && is_vfio(pf))
		say(v, "VF token", NOTE, "QEMU: -device vfio-pci,vf-token=UUID",
		    "its PF %s is a user's: who opens it shows the token that the PF's user set",
		    pf->address);
	if (!f->numvfs || is_vfio(f))
		return;
	remedy = print("pass VFs in place of it, or: echo 0 > /sys/bus/pci/devices/%s/sriov_numvfs",
		       f->address);
	say(v, "VFs", NO, remedy, "it has %u VFs, which would go with its driver", f->numvfs);
	free(remedy);
}

/* What 40 bits of physical address leave to a guest beside its memory; QEMU's default. */
#define LARGE_BAR 0x800000000ULL

static void judge_bars(const struct function *f, struct verdicts *v)
{
	char *text = get(f, "resource"), *line, *rest = text;
	unsigned long long start, end, flags, largest = 0;

	for (int i = 0; rest && i < 6 && (line = strsep(&rest, "\n")); i++)
		if (sscanf(line, "%llx %llx %llx", &start, &end, &flags) == 3 && end > start &&
		    end - start + 1 > largest)
			largest = end - start + 1;
	if (largest >= LARGE_BAR)
		say(v, "BARs", NOTE,
		    "give the guest host-phys-bits=on and, with OVMF, opt/ovmf/X-PciMmio64Mb; or shrink it: resourceN_resize",
		    "one of its BARs has %llu GiB, which is more than a guest's firmware makes room for by default",
		    largest >> 30);
	free(text);
}

/* judge - all conditions, in the order in which one would see to them */
void judge(const struct function *f, struct verdicts *v)
{
	judge_kind(f, v);
	if (is_bridge(f))
		return;
	judge_iommu(f, v);
	if (f->group >= 0) {
		judge_interrupts(f, v);
		judge_group(f, v);
		judge_regions(f, v);
	}
	if (f->driver && !is_vfio(f)) {
		judge_disks(f, v);
		judge_network(f, v);
	}
	judge_display(f, v);
	judge_pf(f, v);
	judge_driver(f, v);
	judge_module(f, v);
	judge_reset(f, v);
	judge_bars(f, v);
}

void free_verdicts(struct verdicts *v)
{
	for (size_t i = 0; i < v->count; i++) {
		free(v->of[i].reason);
		free(v->of[i].remedy);
	}
	free(v->of);
}

/* answer - of all together: what is only worth a note, or not seen, is no obstacle */
enum answer answer(const struct verdicts *v)
{
	for (size_t i = 0; i < v->count; i++)
		if (v->of[i].answer == NO)
			return NO;
	return YES;
}
