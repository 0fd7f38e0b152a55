// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: vfio-hold [-c|-o|-r|-t] [-l] [-s UUID] "NAME[ vf_token=UUID]"
 * Open a function, by address or UUID, and keep it open until SIGTERM. Prints, a
 * line each, as it happens: "open", "asked" when the kernel asks for the function
 * back, "closed". -c: open it in /dev/vfio/devices and bind it to an IOMMUFD. -o: open
 * it there, and bind it only when told to by SIGUSR1: "bound: errno N". -r: when asked,
 * close it and open it again at once: "again: errno N". -t: when asked, open it too, a
 * second time: "too: errno N". -l: once it is open, put it in low power. -s: set the VF
 * token of a PF first. The exit status is the errno of the open, or of setting the token.
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

/* Whatever the user does next with the device wakes it up, but for closing it. */
static int enter_low_power(int fd)
{
	struct vfio_device_feature feature = {
		.argsz = sizeof(feature),
		.flags = VFIO_DEVICE_FEATURE_SET |
			 VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY,
	};

	return ioctl(fd, VFIO_DEVICE_FEATURE, &feature);
}

int main(int argc, char **argv)
{
	bool cdev = false, bind = false, reopen = false, too = false, low = false;
	const char *token = NULL;
	struct pollfd fds[2];
	struct vfio vfio;
	struct signalfd_siginfo signal = { };
	sigset_t term;
	int opt, ret;

	while ((opt = getopt(argc, argv, "colrs:t")) != -1) {
		if (opt == 's')
			token = optarg;
		else if (opt == 'c' || opt == 'o')
			cdev = true;
		else if (opt == 'r')
			reopen = true;
		else if (opt == 't')
			too = true;
		else if (opt == 'l')
			low = true;
		else
			return 2;
		bind |= opt == 'c';
	}
	if (optind != argc - 1)
		errx(2, "usage: vfio-hold [-c|-o|-r|-t] [-l] [-s UUID] \"NAME[ vf_token=UUID]\"");

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigaddset(&term, SIGUSR1);
	sigprocmask(SIG_BLOCK, &term, NULL);

	if (cdev) {
		vfio_open_cdev(&vfio, argv[optind]);
		ret = bind ? vfio_bind_cdev(&vfio) : 0;
	} else {
		ret = vfio_open(&vfio, argv[optind]);
	}
	if (!ret && token)
		ret = set_token(vfio.device, token);
	if (ret)
		return ret;

	fds[0] = (struct pollfd) { .fd = eventfd(0, 0), .events = POLLIN };
	fds[1] = (struct pollfd) { .fd = signalfd(-1, &term, 0),
				   .events = POLLIN };
	ret = vfio_set_irq(&vfio, VFIO_PCI_REQ_IRQ_INDEX, VFIO_IRQ_TRIGGER_FD,
			   fds[0].fd);
	if (ret && (bind || !cdev))
		errx(1, "no REQ interrupt: errno %d", ret);

	if (low && enter_low_power(vfio.device))
		err(1, "low power");

	setlinebuf(stdout);
	puts("open");
	/* The caller's patience ends it if nobody sends SIGTERM. */
	while (signal.ssi_signo != SIGTERM && poll(fds, 2, 300 * 1000) > 0) {
		if (fds[1].revents & POLLIN &&
		    read(fds[1].fd, &signal, sizeof(signal)) != sizeof(signal))
			err(1, "signalfd");
		if (signal.ssi_signo == SIGUSR1) {
			printf("bound: errno %d\n", vfio_bind_cdev(&vfio));
			signal.ssi_signo = 0;
		}
		if (!vfio_events(fds[0].fd, 0))
			continue;
		puts("asked");
		if (reopen && vfio.device >= 0) {
			close(vfio.device);
			vfio.device = ioctl(vfio.group, VFIO_GROUP_GET_DEVICE_FD,
					    argv[optind]);
			printf("again: errno %d\n", vfio.device < 0 ? errno : 0);
		}
		if (too) {
			int fd = ioctl(vfio.group, VFIO_GROUP_GET_DEVICE_FD,
				       argv[optind]);

			printf("too: errno %d\n", fd < 0 ? errno : 0);
			if (fd >= 0)
				close(fd);
		}
	}

	vfio_close(&vfio);
	puts("closed");
	return 0;
}
