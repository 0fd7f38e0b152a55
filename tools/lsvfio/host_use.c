// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the host uses a function for. A driver of the host's is no obstacle by itself: libvirt
 * takes a function from it; what uses the function through that driver is.
 */
#define _GNU_SOURCE
#include "lsvfio.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/*
 * disks_of - its disks and partitions. Of an NVMe drive with several ways to it the function
 * has "nvme0c0n1", which is hidden, and what one mounts, "nvme0n1", belongs to all of them.
 */
static struct list disks_of(const struct function *f)
{
	struct list own = those_of(f, "block"), all = { 0 };
	size_t count = own.count;
	unsigned int drive, namespace;

	for (size_t i = 0; i < count; i++) {
		char *head, *partition;

		if (sscanf(own.items[i], "nvme%uc%*un%u", &drive, &namespace) != 2)
			continue;
		if (!all.count)
			all = entries("%s/class/block", f->host->sys);
		head = print("nvme%un%u", drive, namespace);
		partition = print("%sp", head);
		for (size_t j = 0; j < all.count; j++)
			if (!strcmp(all.items[j], head) ||
			    !strncmp(all.items[j], partition, strlen(partition)))
				add(&own, must(strdup(all.items[j])));
		free(partition);
		free(head);
	}
	drop(&all);
	return own;
}

/* names - is the device in a list, or in an option such as a journal's? */
static bool names(const char *text, const char *device)
{
	size_t len = strlen(device);

	for (const char *at = text; (at = strstr(at, device)); at += len)
		if (strchr(" :=,", at[-1]) && strchr(" :,\n", at[len]))
			return true;
	return false;
}

/* mounted_on - by its number, as what is mounted may have any name; NULL: nowhere */
static char *mounted_on(const struct host *host, const char *disk)
{
	char *path = print("%s/self/mountinfo", host->proc), *number, *device, *where = NULL;
	char line[4096], have[32], at[1024];
	FILE *in = fopen(path, "re");

	free(path);
	number = get_from(host->sys, "class/block/%s/dev", disk);
	device = print("/dev/%s", disk);
	while (in && !where && fgets(line, sizeof(line), in)) {
		const char *tail = strstr(line, " - ");

		if (!tail || sscanf(line, "%*s %*s %31s %*s %1023s", have, at) != 2)
			continue;
		/* The number of what has several disks is none of theirs. */
		if ((number && !strcmp(have, number)) || names(tail, device))
			where = clean(at);
	}
	if (in)
		fclose(in);
	free(device);
	free(number);
	return where;
}

static bool is_swap(const struct host *host, const char *disk)
{
	char *start = print("/dev/%s ", disk);
	bool is = mentions(host->proc, "swaps", start);

	free(start);
	return is;
}

/* file_system_of - btrfs lists all that it stands on */
static char *file_system_of(const struct host *host, const char *disk)
{
	struct list all = entries("%s/fs/btrfs", host->sys);
	char *found = NULL;

	for (size_t i = 0; i < all.count && !found; i++)
		if (exists("%s/fs/btrfs/%s/devices/%s", host->sys, all.items[i], disk))
			found = print("btrfs %s", all.items[i]);
	drop(&all);
	return found;
}

/* use_of - where it is mounted, or that it is swap, or part of what; NULL: nothing is seen */
static char *use_of(struct host *host, const char *disk)
{
	struct list holders = entries("%s/class/block/%s/holders", host->sys, disk), open = { 0 };
	char *what = host->proc ? mounted_on(host, disk) : NULL, *use = NULL;

	if (holders.count)
		use = print("%s is part of %s", disk, holders.items[0]);
	else if (what)
		use = print("%s is mounted on %s", disk, what);
	else if (host->proc && is_swap(host, disk))
		use = print("%s is swap", disk);
	free(what);
	drop(&holders);
	if (use)
		return use;
	what = file_system_of(host, disk);
	if (what) {
		use = print("%s is part of %s", disk, what);
		free(what);
		return use;
	}
	add_openers(&open, host, disk);
	if (open.count)
		use = print("%s has %s open", open.items[0], disk);
	drop(&open);
	return use;
}

static void judge_disks(const struct function *f, struct verdicts *v)
{
	struct list disks = disks_of(f), uses = { 0 };
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
	else if (disks.count && !can_see_users(f->host))
		say(v, "host's use", UNKNOWN, NULL,
		    "no mount, swap or RAID is seen to use its disks; what has them open is for root to see");
	else if (disks.count)
		say(v, "host's use", YES, NULL,
		    "no mount, swap, RAID or process is seen to use its disks");
	free(text);
	drop(&disks);
	drop(&uses);
}

static void judge_network(const struct function *f, struct verdicts *v)
{
	struct list links = those_of(f, "net");

	if (!links.count && f->class >> 16 == 0x02)
		say(v, "host's use", UNKNOWN, NULL,
		    "it has no network interface here: it may be in another network namespace");
	for (size_t i = 0; i < links.count; i++) {
		const char *link = links.items[i];
		char *flags = get_from(f->host->sys, "class/net/%s/flags", link);
		char *remedy = print("ip link set %s down, and in the host's network setup", link);

		if (!flags || strncmp(flags, "0x", 2))
			say(v, "host's use", UNKNOWN, NULL,
			    "whether the network interface %s is up can't be seen", link);
		else if (strtoul(flags, NULL, 16) & 1)
			say(v, "host's use", NO, remedy, "the network interface %s is up", link);
		else
			say(v, "host's use", YES, NULL, "the network interface %s is down", link);
		free(remedy);
		free(flags);
	}
	drop(&links);
}

static void judge_node_of(const struct function *f, struct verdicts *v, const char *node)
{
	struct list open = { 0 };
	char *who;

	add_openers(&open, f->host, node);
	who = join(&open, "; ");
	if (open.count)
		say(v, "host's use", NO, "stop that one", "%s has /dev/%s open", who, node);
	drop(&open);
	free(who);
}

/* judge_nvidia - whose nodes are in no class, but have a number */
static void judge_nvidia(const struct function *f, struct verdicts *v)
{
	char *text = f->host->proc ? get_from(f->host->proc, "driver/nvidia/gpus/%s/information",
					      f->address) : NULL;
	const char *line = text ? strstr(text, "Device Minor:") : NULL;
	unsigned int minor;

	if (line && sscanf(line, "Device Minor: %u", &minor) == 1) {
		char *node = print("nvidia%u", minor);

		judge_node_of(f, v, node);
		free(node);
	}
	free(text);
}

/* judge_opened - nodes of its driver's, which would not let go of it while they are open */
static void judge_opened(const struct function *f, struct verdicts *v)
{
	static const struct {
		const char *class, *dir;
	} of[] = {
		{ "drm", "dri/" }, { "sound", "snd/" }, { "nvme", "" }, { "nvme-generic", "" },
		{ "infiniband_verbs", "infiniband/" }, { "accel", "accel/" },
		{ "scsi_generic", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		struct list all = those_of(f, of[i].class);

		for (size_t j = 0; j < all.count; j++) {
			char *node = print("%s%s", of[i].dir, all.items[j]);

			judge_node_of(f, v, node);
			free(node);
		}
		drop(&all);
	}
	judge_nvidia(f, v);
}

static void judge_display(const struct function *f, struct verdicts *v)
{
	struct list buffers = those_of(f, "graphics");
	char *boot = get(f, "boot_vga");

	/* The console is on the first one, unless somebody had it moved. */
	for (size_t i = 0; i < buffers.count; i++) {
		if (!strcmp(buffers.items[i], "fb0"))
			say(v, "display", NO,
			    "have the host start on another card, or bind this one at boot: vfio-pci-devices(8)",
			    "the host's console is on it (fb0)");
		else if (strcmp(buffers.items[i], "fbcon"))
			say(v, "display", NOTE, NULL, "a framebuffer of the host's is on it (%s)",
			    buffers.items[i]);
	}
	if (boot && *boot == '1' && f->class >> 16 == 0x03)
		say(v, "display", NOTE,
		    "start the host on another card, or with video=efifb:off; give the guest a ROM file",
		    "the firmware shows itself on it: its framebuffer may claim a BAR");
	free(boot);
	drop(&buffers);
}

/* judge_functions - what is made of it, or what it is made of */
static void judge_functions(const struct function *f, struct verdicts *v)
{
	const struct function *pf = f->physfn ? at(f->host, f->physfn) : NULL;
	struct list made;
	char *remedy;

	if (pf && is_vfio(pf))
		say(v, "VF token", NOTE, "QEMU: -device vfio-pci,vf-token=UUID",
		    "its PF %s is a user's: who opens it shows the token that the PF's user set",
		    pf->address);
	made = mdevs(f);
	if (made.count && !is_vfio(f))
		say(v, "mediated device", NO, "remove those that nobody uses: mdevctl list",
		    "it has %zu mediated devices, which would go with its driver", made.count);
	drop(&made);
	if (!f->numvfs || is_vfio(f))
		return;
	remedy = print("pass VFs in place of it, or: echo 0 > /sys/bus/pci/devices/%s/sriov_numvfs",
		       f->address);
	say(v, "VFs", NO, remedy, "it has %u VFs, which would go with its driver", f->numvfs);
	free(remedy);
}

void judge_host_use(const struct function *f, struct verdicts *v)
{
	if (f->driver && !is_vfio(f)) {
		judge_disks(f, v);
		judge_network(f, v);
		judge_opened(f, v);
	}
	judge_display(f, v);
	judge_functions(f, v);
}
