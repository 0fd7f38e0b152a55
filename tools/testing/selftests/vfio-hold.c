// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: vfio-hold [-s UUID] "BDF[ vf_token=UUID]"
 * Open a function and keep it open until SIGTERM. Prints, a line each, as it
 * happens: "open", "asked" when the kernel asks for the function back,
 * "closed". -s: set the VF token of a PF first. The exit status is the errno of
 * the open, or of setting the token.
 */
#include <signal.h>
#include <sys/signalfd.h>

#include "vfio_lib.h"

static int set_token(int fd, const char *uuid)
{
	struct {
		struct vfio_device_feature feature;
		uint8_t token[16];
	} set = {
		.feature.argsz = sizeof(set),
		.feature.flags = VFIO_DEVICE_FEATURE_SET |
				 VFIO_DEVICE_FEATURE_PCI_VF_TOKEN,
	};
	int i;

	for (i = 0; i < 16; i++, uuid += 2) {
		uuid += *uuid == '-';
		if (sscanf(uuid, "%2hhx", &set.token[i]) != 1)
			errx(2, "not a UUID");
	}
	return ioctl(fd, VFIO_DEVICE_FEATURE, &set) ? errno : 0;
}

int main(int argc, char **argv)
{
	const char *token = NULL;
	struct pollfd fds[2];
	struct vfio vfio;
	sigset_t term;
	int opt, ret;

	while ((opt = getopt(argc, argv, "s:")) != -1) {
		if (opt != 's')
			return 2;
		token = optarg;
	}
	if (optind != argc - 1)
		errx(2, "usage: vfio-hold [-s UUID] \"BDF[ vf_token=UUID]\"");

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);

	ret = vfio_open(&vfio, argv[optind]);
	if (!ret && token)
		ret = set_token(vfio.device, token);
	if (ret)
		return ret;

	fds[0] = (struct pollfd) { .fd = eventfd(0, 0), .events = POLLIN };
	fds[1] = (struct pollfd) { .fd = signalfd(-1, &term, 0),
				   .events = POLLIN };
	ret = vfio_set_irq(&vfio, VFIO_PCI_REQ_IRQ_INDEX, VFIO_IRQ_TRIGGER_FD,
			   fds[0].fd);
	if (ret)
		errx(1, "no REQ interrupt: errno %d", ret);

	setlinebuf(stdout);
	puts("open");
	/* The caller's patience ends it if nobody sends SIGTERM. */
	while (poll(fds, 2, 300 * 1000) > 0 && !(fds[1].revents & POLLIN))
		if (vfio_events(fds[0].fd, 0))
			puts("asked");

	vfio_close(&vfio);
	puts("closed");
	return 0;
}
