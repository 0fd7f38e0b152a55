// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: vfio-bench BDF
 * What an access through VFIO costs: "WHAT NANOSECONDS" a line, for a read of a
 * dword of config space and of BAR 0. Under -icount the guest's clock counts
 * instructions, so the figures repeat.
 */
#include <time.h>

#include "vfio_lib.h"

#define ROUNDS 50000

static double cost(struct vfio *vfio, int index)
{
	off_t at = vfio_region(vfio, index).offset;
	struct timespec start, end;
	uint32_t value;
	int i;

	clock_gettime(CLOCK_MONOTONIC, &start);
	for (i = 0; i < ROUNDS; i++)
		if (pread(vfio->device, &value, 4, at) != 4)
			err(1, "read of region %d", index);
	clock_gettime(CLOCK_MONOTONIC, &end);
	return ((end.tv_sec - start.tv_sec) * 1e9 +
		(end.tv_nsec - start.tv_nsec)) / ROUNDS;
}

int main(int argc, char **argv)
{
	struct vfio vfio;

	if (argc != 2)
		errx(2, "usage: vfio-bench BDF");
	vfio_must_open(&vfio, argv[1]);
	vfio_write(&vfio, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, 2,
		   PCI_COMMAND_MEMORY);
	printf("config-read %.1f\n", cost(&vfio, VFIO_PCI_CONFIG_REGION_INDEX));
	printf("bar-read %.1f\n", cost(&vfio, VFIO_PCI_BAR0_REGION_INDEX));
	vfio_close(&vfio);
	return 0;
}
