// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: vfio-wait WHAT BDF...
 * How long a user waits for functions: "WHAT MILLISECONDS" a line. What was used before
 * has the time to go to sleep, or to be made ready.
 *   one      the first one: "open", opened; "start", and reset by VFIO_DEVICE_RESET, as
 *            QEMU does before its guest runs; "close", and closed
 *   in-turn  all of them, opened one after the other
 *   at-once  all of them, closed at the same time, each by a process of its own
 *   power    the first one: "unbind-asleep", "unbind-closed" and "reopen", unbound from
 *            its driver asleep and just closed, and opened just closed; "bind-..." after
 *            each of the first two
 * With -icount the guest's clock goes by instructions and sleeps alone, whatever else the
 * machine does that runs it.
 */
#include <sys/wait.h>
#include <time.h>

#include "vfio_lib.h"

/* How many functions one process opens. */
#define MAX	64

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void wait_for_one(const char *bdf)
{
	struct vfio vfio;
	double start, end;

	start = now();
	vfio_must_open(&vfio, bdf);
	printf("open %.3f\n", now() - start);
	if (ioctl(vfio.device, VFIO_DEVICE_RESET))
		err(1, "VFIO_DEVICE_RESET");
	printf("start %.3f\n", now() - start);
	/* Touched, as after any use. */
	vfio_read(&vfio, VFIO_PCI_BAR0_REGION_INDEX, 0, 4);
	start = now();
	vfio_close(&vfio);
	end = now();
	printf("close %.3f\n", end - start);
}

static void wait_in_turn(char **bdfs, int n)
{
	struct vfio vfio[MAX];
	double start;
	int i;

	if (n > MAX)
		errx(2, "too many functions");
	start = now();
	for (i = 0; i < n; i++)
		vfio_must_open(&vfio[i], bdfs[i]);
	printf("in-turn %.3f\n", now() - start);
	while (n--)
		vfio_close(&vfio[n]);
}

/* Has it open until nobody has @go open for writing any more. */
static void hold(const char *bdf, int opened, int go)
{
	struct vfio vfio;
	char c = 0;

	vfio_must_open(&vfio, bdf);
	vfio_read(&vfio, VFIO_PCI_BAR0_REGION_INDEX, 0, 4);
	if (write(opened, &c, 1) != 1 || read(go, &c, 1))
		err(1, "pipe");
	vfio_close(&vfio);
	exit(0);
}

static void write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err(1, "%s", path);
	close(fd);
}

static void use(const char *bdf)
{
	struct vfio vfio;

	vfio_must_open(&vfio, bdf);
	vfio_close(&vfio);
}

/* And bind it again, to the driver that its driver_override names, which is timed, too. */
static void time_unbind(const char *bdf, const char *what)
{
	char path[128];
	double start;

	vfio_sysfs(bdf, "driver/unbind", path, sizeof(path));
	start = now();
	write_to(path, bdf);
	printf("%s %.3f\n", what, now() - start);
	start = now();
	write_to("/sys/bus/pci/drivers_probe", bdf);
	printf("bind-%s %.3f\n", what, now() - start);
}

static void wait_for_power(const char *bdf)
{
	struct vfio vfio;
	double start;

	time_unbind(bdf, "unbind-asleep");
	use(bdf);
	time_unbind(bdf, "unbind-closed");
	use(bdf);
	/* That of the in-tree driver is falling asleep now. */
	usleep(2000);
	start = now();
	vfio_must_open(&vfio, bdf);
	printf("reopen %.3f\n", now() - start);
	vfio_close(&vfio);
}

static void wait_at_once(char **bdfs, int n)
{
	int opened[2], go[2], i, status;
	double start;
	char c;

	if (pipe(opened) || pipe(go))
		err(1, "pipe");
	for (i = 0; i < n; i++) {
		if (!fork()) {
			close(go[1]);
			hold(bdfs[i], opened[1], go[0]);
		}
		if (read(opened[0], &c, 1) != 1)
			err(1, "pipe");
	}
	start = now();
	close(go[1]);
	for (i = 0; i < n; i++)
		if (wait(&status) < 0 || status)
			errx(1, "one of them failed");
	printf("at-once %.3f\n", now() - start);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		errx(2, "usage: vfio-wait WHAT BDF...");
	sleep(5);
	if (!strcmp(argv[1], "one"))
		wait_for_one(argv[2]);
	else if (!strcmp(argv[1], "in-turn"))
		wait_in_turn(argv + 2, argc - 2);
	else if (!strcmp(argv[1], "at-once"))
		wait_at_once(argv + 2, argc - 2);
	else if (!strcmp(argv[1], "power"))
		wait_for_power(argv[2]);
	else
		errx(2, "no such thing: %s", argv[1]);
	return 0;
}
