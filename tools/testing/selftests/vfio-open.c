// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: vfio-open GROUP NAME
 * Ask VFIO group GROUP for the device NAME, whatever that is: "ok" or "errno N".
 */
#include "vfio_lib.h"

int main(int argc, char **argv)
{
	struct vfio vfio;
	int ret;

	if (argc != 3)
		errx(2, "usage: vfio-open GROUP NAME");
	ret = vfio_open_in(&vfio, atoi(argv[1]), argv[2]);
	if (ret)
		printf("errno %d\n", ret);
	else
		puts("ok");
	return 0;
}
