/* SPDX-License-Identifier: GPL-2.0-only */
/* What the firmware of a POWER9 says of GPUs and of the bridges of their links. */
#ifndef NVLINK2_FIRMWARE_H
#define NVLINK2_FIRMWARE_H

#include <linux/types.h>

struct fwnode_handle;

/**
 * struct nvlink2_window - a piece of the processor's address space
 * @addr: where it is, a physical address
 * @size: in bytes, whole pages; 0: there is none
 * @tgt: what the GPU's RAM begins at on the links, the same for a GPU and its bridges
 * @speed: of a bridge's link, in the firmware's code; 0: unknown, and for GPUs
 * @has_foreign_register: a bridge's link has no register of its own, it is the first
 */
struct nvlink2_window {
	u64 addr;
	u64 size;
	u64 tgt;
	u32 speed;
	bool has_foreign_register;
};

/**
 * nvlink2_read_gpu - find the window on the RAM of a GPU
 * @gpu: the GPU's firmware node; NULL: it has none
 * @window: is filled
 * @why: on any error but -ENODEV, what is wrong, for the log
 *
 * Return: 0; -ENODEV if the node refers to no bridge, as that of any other device;
 * -EFAULT if its bridge has no target address; -EINVAL for all else that can't be.
 */
int nvlink2_read_gpu(struct fwnode_handle *gpu, struct nvlink2_window *window,
		     const char **why);

/**
 * nvlink2_read_bridge - find the ATSD register of a bridge
 * @bridge: the bridge's firmware node; NULL: it has none
 * @window: is filled; its size is 0 where the processor has no such registers to give
 * @why: as above
 *
 * The register makes a GPU forget translations of addresses: address translation
 * shootdown.
 *
 * Return: as above, -ENODEV if the node refers to no GPU.
 */
int nvlink2_read_bridge(struct fwnode_handle *bridge,
			struct nvlink2_window *window, const char **why);

#endif /* NVLINK2_FIRMWARE_H */
