// SPDX-License-Identifier: GPL-2.0-only
/*
 * Can a function be passed to a guest now? Each condition is a verdict; those that what was
 * said before makes meaningless are left out.
 */
#define _GNU_SOURCE
#include "lsvfio.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* say - what was seen, and what to do about it, if anything */
void say(struct verdicts *v, const char *condition, enum answer answer, const char *remedy,
	 const char *format, ...)
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
	if (is_noiommu(f))
		say(v, "IOMMU", NO, iommu_option(f->host),
		    "group %d is without an IOMMU (no-IOMMU mode): nothing confines its DMA, and no guest can have it",
		    f->group);
	else
		say(v, "IOMMU", YES, NULL, "it is in group %d", f->group);
}

static void judge_interrupts(const struct function *f, struct verdicts *v)
{
	const char *proc = f->host->proc;
	char *unsafe = in_force(f->host, "vfio_iommu_type1", "allow_unsafe_interrupts");

	/* x86 has an IO-APIC; what others without an ITS do is not seen there. */
	if (proc && (mentions(proc, "interrupts", " IR-") || mentions(proc, "interrupts", " ITS-")))
		say(v, "interrupts", YES, NULL, "they are remapped");
	else if (!proc || !mentions(proc, "interrupts", "IO-APIC"))
		say(v, "interrupts", UNKNOWN, NULL, "whether they are remapped can't be seen here");
	else if (is_on(unsafe))
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
		const char *name = others.items[i];
		struct function *other = at(f->host, name);

		/* What is not on the PCI bus is not told by its driver here. */
		if (!other && exists("%s/kernel/iommu_groups/%d/devices/%s/driver",
				     f->host->sys, f->group, name))
			add(&busy, must(strdup(name)));
		/* These two say that they do no DMA (driver_managed_dma). */
		if (!other || !other->driver || is_vfio(other) ||
		    !strcmp(other->driver, "pcieport") || !strcmp(other->driver, "pci-stub"))
			continue;
		add(&busy, print("%s (%s)", name, other->driver));
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

static void judge_reset(const struct function *f, struct verdicts *v)
{
	char *methods = get(f, "reset_method"), *needed = get(f, "vfio_pci_variant/needs_reset");

	if (methods && *methods)
		say(v, "reset", YES, NULL, "it is reset by %s", methods);
	else
		say(v, "reset", NOTE,
		    "start the host anew between guests that don't trust each other; see reset= in quirks",
		    "it can't be reset by itself: a guest gets it as the last user left it");
	if (needed && *needed == '1')
		say(v, "reset", NOTE, "the kernel log says why",
		    "its last close did not reset it, so that it has what its user left in it");
	free(methods);
	free(needed);
}

/* judge_denied - by the driver that has it, or the one that libvirt would take; 10 knows others */
static void judge_denied(const struct function *f, struct verdicts *v)
{
	char *module, *driver, *why, *remedy;
	bool other;

	choice(f, &module, &driver);
	if (is_vfio(f)) {
		free(module);
		module = must(strdup(f->driver));
	}
	other = !is_vfio(f) && strcmp(module, "vfio-pci");
	why = denies(f, module);
	remedy = print("%s has deny=0 in quirks=, and disable_denylist; see /etc/modprobe.d",
		       module);
	if (why)
		say(v, "denied", is_vfio(f) ? NOTE : NO, remedy, "%s denies it%s: %s", module,
		    is_vfio(f) ? " from its next bind on" : "", why);
	else if (!is_vfio(f) && f->override && !strcmp(f->override, "vfio-pci-denied"))
		say(v, "denied", NO, "see vfio-pci-devices(8), Kernels without vfio-pci-variants",
		    "a row that the kernel's own vfio-pci does not know denies it (driver_override)");
	free(why);
	why = other ? denies(f, "vfio-pci") : NULL;
	if (why)
		say(v, "denied", NOTE, NULL,
		    "vfio-pci, which libvirt before 10 takes, denies it: %s", why);
	free(why);
	free(remedy);
	free(module);
	free(driver);
}

/* is_groups - has VFIO it, or another function of its group? */
static bool is_groups(const struct function *f)
{
	struct list others = siblings(f);
	bool is = is_vfio(f);

	for (size_t i = 0; i < others.count && !is; i++) {
		const struct function *other = at(f->host, others.items[i]);

		is = other && is_vfio(other);
	}
	drop(&others);
	return is;
}

static void judge_users(const struct function *f, struct verdicts *v)
{
	char *who = join(users(f), "; ");

	if (*who)
		say(v, "in use", NO, "stop that one, or take the device from it",
		    "%s has it open, or another function of its group", who);
	else if (!f->host->is_recorded && !can_see_users(f->host) && is_groups(f))
		say(v, "in use", UNKNOWN, NULL, "who has it open is for root to see");
	free(who);
}

static void judge_driver(const struct function *f, struct verdicts *v)
{
	char *name = adoption(f);

	if (is_vfio(f) && name)
		say(v, "driver", YES, NULL, "%s has it, which adopted %s", f->driver, name);
	else if (is_vfio(f))
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
	free(name);
}

static bool has_type(const struct function *f)
{
	return exists("%s/bus/pci/devices/%s/mdev_supported_types", f->host->sys, f->address);
}

/* judge_mdev - what a driver has that makes mediated devices is passed as one of those */
static void judge_mdev(const struct function *f, struct verdicts *v)
{
	struct list made = mdevs(f);
	char *all = join(&made, ", ");

	if (made.count)
		say(v, "mediated device", YES, NULL, "%s", all);
	else
		say(v, "mediated device", NOTE,
		    "mdevctl start -u UUID -p ADDRESS --type vfio-pci-mdev-function",
		    "%s has it: it is passed as a mediated device, and there is none yet",
		    f->driver);
	free(all);
	drop(&made);
}

/* judge_node - what is opened, by whoever asks */
static void judge_node(const struct function *f, struct verdicts *v)
{
	struct list all = { 0 };
	char *node, *there = NULL, *remedy;
	bool open = false;

	if (f->group >= 0)
		add(&all, group_node(f));
	add_nodes(&all, f);
	for (size_t i = 0; i < all.count && !open; i++) {
		node = print("%s/%s", f->host->dev, all.items[i]);
		if (exists("%s", node)) {
			free(there);
			there = must(strdup(all.items[i]));
			open = !access(node, R_OK | W_OK);
		}
		free(node);
	}
	remedy = print("libvirt lets its guests have it; for others: chown USER /dev/%s",
		       there ? there : "");
	if (open)
		say(v, "node", YES, NULL, "/dev/%s is open to who asks", there);
	else if (there)
		say(v, "node", NOTE, remedy, "/dev/%s is not open to who asks", there);
	else
		say(v, "node", NO, "is udev running? A container has to be given /dev/vfio",
		    "it has none in /dev/vfio");
	free(remedy);
	free(there);
	drop(&all);
}

/* judge_memory - a guest's memory is locked, all of it, and counts for the user */
static void judge_memory(const struct function *f, struct verdicts *v)
{
	char *limits = f->host->proc ? get_from(f->host->proc, "self/limits") : NULL;
	const char *line = limits ? strstr(limits, "Max locked memory") : NULL;
	unsigned long long bytes;

	if (line && geteuid() && sscanf(line, "Max locked memory %llu", &bytes) == 1)
		say(v, "locked memory", NOTE,
		    "libvirt raises it for its guests; for others: LimitMEMLOCK=, or limits.conf(5)",
		    "who asks may lock %llu MiB, and a guest's whole memory is", bytes >> 20);
	free(limits);
}

/* judge_module - that it can be loaded */
static void judge_module(const struct function *f, struct verdicts *v)
{
	char *lockdown = get_from(f->host->sys, "kernel/security/lockdown");
	char *enforced = get_from(f->host->sys, "module/module/parameters/sig_enforce");
	char *module, *driver, *remedy;

	choice(f, &module, &driver);
	remedy = print("modprobe %s, or take the line out of modprobe.d", module);
	if (!f->host->modules && !has_module(f->host, module))
		say(v, "module", UNKNOWN, NULL, "the kernel's modules can't be seen here");
	else if (!has_module(f->host, module))
		say(v, "module", NO,
		    "install a kernel that has: Debian's linux-image-amd64, not a cloud kernel without VFIO",
		    "this kernel has no %s", module);
	else if (is_kept_out(f->host, module))
		say(v, "module", NO, remedy,
		    "modprobe.d keeps %s out, which libvirt would take: then it is not loaded",
		    module);
	else if ((enforced && *enforced == 'Y') || (lockdown && !strstr(lockdown, "[none]")))
		say(v, "module", NOTE,
		    "/usr/lib/vfio-pci-variants/kernel-report says whether it is",
		    "signed modules only are loaded (Secure Boot): one that DKMS built needs its key enrolled");
	else
		say(v, "module", YES, NULL, "this kernel has %s", module);
	free(lockdown);
	free(enforced);
	free(remedy);
	free(module);
	free(driver);
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
	judge_host_use(f, v);
	judge_denied(f, v);
	judge_users(f, v);
	judge_driver(f, v);
	if (!is_vfio(f))
		judge_module(f, v);
	else if (has_type(f))
		judge_mdev(f, v);
	else if (f->host->dev)
		judge_node(f, v);
	judge_memory(f, v);
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

/* overall - of all together: what is only worth a note, or not seen, is no obstacle */
enum answer overall(const struct verdicts *v)
{
	for (size_t i = 0; i < v->count; i++)
		if (v->of[i].answer == NO)
			return NO;
	return YES;
}
