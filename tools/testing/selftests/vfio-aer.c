// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: vfio-aer BDF STATUS
 * Have the kernel's aer_inject report an uncorrectable error of a function as if
 * it came from the hardware. STATUS is what its Uncorrectable Error Status says
 * then, in hex: 10, a Data Link Protocol Error, is fatal; 4000, a Completion
 * Timeout, is not.
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* What /dev/aer_inject takes. */
struct injection {
	uint8_t bus;
	uint8_t device;
	uint8_t function;
	uint32_t uncorrectable;
	uint32_t correctable;
	uint32_t header[4];
	uint32_t domain;
};

int main(int argc, char **argv)
{
	unsigned int domain, bus, device, function;
	struct injection injection = { 0 };
	int fd;

	if (argc != 3 || sscanf(argv[1], "%x:%x:%x.%x", &domain, &bus, &device,
				&function) != 4)
		errx(2, "usage: vfio-aer BDF STATUS");
	injection.domain = domain;
	injection.bus = bus;
	injection.device = device;
	injection.function = function;
	injection.uncorrectable = strtoul(argv[2], NULL, 16);

	fd = open("/dev/aer_inject", O_WRONLY);
	if (fd < 0)
		err(1, "/dev/aer_inject");
	if (write(fd, &injection, sizeof(injection)) != sizeof(injection))
		err(1, "the error of %s", argv[1]);
	return 0;
}
