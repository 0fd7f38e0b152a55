// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: vfio-map NAME
 * Map BAR 0 of a function, have the mapping copied or moved in all ways that there
 * are, and clear Memory Enable: is any of it still mapped? And is it back when Memory
 * Enable is? A line for each way, "WAY: revoked, then VALUE", where VALUE is the
 * BAR's first word in hex; or "still mapped" for "revoked".
 */
#include <setjmp.h>
#include <signal.h>
#include <sys/wait.h>

#include "vfio_lib.h"

#define PAGES	4
#define PAGE	4096

static sigjmp_buf no_access;

static void on_sigbus(int sig)
{
	siglongjmp(no_access, sig);
}

/* Is there anything at @at? */
static bool reaches(const void *at, uint32_t *value)
{
	if (sigsetjmp(no_access, 1))
		return false;
	/* A load that the compiler can neither leave out nor do twice. */
	*value = __atomic_load_n((const uint32_t *)at, __ATOMIC_RELAXED);
	return true;
}

/* All pages of BAR 0 that are looked at, each touched. */
static char *map(struct vfio *vfio)
{
	uint32_t value;
	char *bar;
	int i;

	bar = mmap(NULL, PAGES * PAGE, PROT_READ, MAP_SHARED, vfio->device,
		   vfio_region(vfio, VFIO_PCI_BAR0_REGION_INDEX).offset);
	if (bar == MAP_FAILED)
		err(1, "mmap");
	for (i = 0; i < PAGES; i++)
		if (!reaches(bar + i * PAGE, &value))
			errx(1, "page %d can't be read", i);
	return bar;
}

/* Move @size bytes of a mapping to where nothing is. */
static char *move(char *from, size_t size)
{
	char *to = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (to == MAP_FAILED ||
	    mremap(from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to) != to)
		err(1, "mremap");
	return to;
}

static void report(struct vfio *vfio, const char *way, char *const pages[PAGES])
{
	bool mapped = false;
	uint32_t value;
	int i;

	vfio_set_command(vfio, PCI_COMMAND_MEMORY, false);
	for (i = 0; i < PAGES; i++)
		if (reaches(pages[i], &value))
			mapped = true;
	vfio_set_command(vfio, PCI_COMMAND_MEMORY, true);
	printf("%s: %s, then ", way, mapped ? "still mapped" : "revoked");
	for (i = PAGES - 1; i >= 0; i--)
		if (!reaches(pages[i], &value)) {
			printf("nothing\n");
			return;
		}
	printf("%08x\n", value);
}

/* @moved pages from page @first on are somewhere else. */
static void try_move(struct vfio *vfio, const char *way, int first, int moved)
{
	char *bar = map(vfio), *to = bar, *pages[PAGES];
	int i;

	if (moved)
		to = move(bar + first * PAGE, moved * PAGE);
	for (i = 0; i < PAGES; i++)
		pages[i] = i >= first && i < first + moved ?
			   to + (i - first) * PAGE : bar + i * PAGE;
	report(vfio, way, pages);
	for (i = 0; i < PAGES; i++)
		munmap(pages[i], PAGE);
}

/* In a child, which has what its parent had mapped. */
static void try_fork(struct vfio *vfio, const char *way, bool grandchild)
{
	char *bar = map(vfio), *pages[PAGES];
	pid_t parent = getpid(), pid;
	int i, status;

	for (i = 0; i < PAGES; i++)
		pages[i] = bar + i * PAGE;
	fflush(stdout);
	pid = fork();
	if (!pid && grandchild) {
		uint32_t value;

		for (i = 0; i < PAGES; i++)
			if (!reaches(pages[i], &value))
				errx(1, "page %d can't be read in a child", i);
		/* What it is, if anything, is no business of its owner. */
		madvise(bar, PAGES * PAGE, MADV_KEEPONFORK);
		pid = fork();
	}
	if (!pid) {
		report(vfio, way, pages);
		exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		err(1, "a child");
	if (getpid() != parent)
		exit(0);
	munmap(bar, PAGES * PAGE);
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_sigbus };
	struct vfio vfio;

	if (argc != 2)
		errx(2, "usage: vfio-map NAME");
	vfio_must_open(&vfio, argv[1]);
	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
	vfio_set_command(&vfio, PCI_COMMAND_MEMORY, true);

	try_move(&vfio, "as it is", 0, 0);
	try_move(&vfio, "moved", 0, PAGES);
	try_move(&vfio, "its first page moved", 0, 1);
	try_move(&vfio, "its second page moved", 1, 1);
	try_move(&vfio, "its last page moved", PAGES - 1, 1);
	try_fork(&vfio, "of a child", false);
	try_fork(&vfio, "of a grandchild", true);
	vfio_close(&vfio);
	return 0;
}
