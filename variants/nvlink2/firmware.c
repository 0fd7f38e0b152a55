// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names and contents of the properties are those of skiboot's, hw/npu2.c and
 * doc/device-tree: GPU -> ibm,npu -> bridges -> memory-region -> memory node;
 * bridge -> ibm,gpu -> GPU; bridge -> ibm,nvlink -> link. All of it is read as firmware
 * nodes, which a device tree and software nodes are alike.
 */
#include <linux/err.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/property.h>
#include <linux/vfio_pci_core.h>

#include "firmware.h"

/* Of one NPU. */
#define NVLINK2_MAX_ATSD	8

/* Of a POWER9: all in skiboot's hw/phys-map.c is below. */
#define NVLINK2_ADDR_BITS	51

/*
 * Whole pages that exist, that a region of VFIO can show, and that are not RAM of the
 * kernel's?
 */
static int check_window(const struct nvlink2_window *window, const char **why)
{
	u64 end;

	*why = "its address or size is not one of whole pages";
	if (!window->size || !IS_ALIGNED(window->addr | window->size, PAGE_SIZE))
		return -EINVAL;
	*why = "it is larger than a region can be";
	if (window->size > VFIO_PCI_OFFSET_MASK)
		return -EINVAL;
	*why = "it ends beyond all addresses";
	if (check_add_overflow(window->addr, window->size - 1, &end) ||
	    end > iomem_resource.end || end >> NVLINK2_ADDR_BITS)
		return -EINVAL;
	*why = "it is memory of the kernel's";
	if (region_intersects(window->addr, window->size, IORESOURCE_SYSTEM_RAM,
			      IORES_DESC_NONE) != REGION_DISJOINT)
		return -EINVAL;
	return 0;
}

/*
 * The node that @name's entry @i refers to; an error if there is none. A device tree
 * gives NULL where nothing has that phandle.
 */
static struct fwnode_handle *follow(const struct fwnode_handle *node,
				    const char *name, unsigned int i)
{
	struct fwnode_handle *to = fwnode_find_reference(node, name, i);

	return to ?: ERR_PTR(-EINVAL);
}

/* Is @node that of the device whose first node is @device? */
static bool is_same(const struct fwnode_handle *node,
		    const struct fwnode_handle *device)
{
	/* Where there is ACPI, too, a software node comes second. */
	return node == device || node == device->secondary;
}

static int read_tgt(const struct fwnode_handle *bridge,
		    struct nvlink2_window *window, const char **why)
{
	*why = "the bridge has no ibm,device-tgt-addr";
	if (fwnode_property_read_u64(bridge, "ibm,device-tgt-addr", &window->tgt))
		return -EFAULT;
	/* User space joins a GPU and its bridges by it, and takes 0 for none. */
	*why = "ibm,device-tgt-addr is 0";
	return window->tgt ? 0 : -EINVAL;
}

/* --- the RAM of a GPU ------------------------------------------------------------ */

static int read_memory(const struct fwnode_handle *memory,
		       struct nvlink2_window *window, const char **why)
{
	u64 reg[2];

	*why = "memory-region is not memory of a GPU's";
	if (fwnode_property_match_string(memory, "compatible",
					 "ibm,coherent-device-memory") < 0)
		return -EINVAL;
	*why = "the memory's reg is not one address and one size";
	if (fwnode_property_count_u64(memory, "reg") != ARRAY_SIZE(reg) ||
	    fwnode_property_read_u64_array(memory, "reg", reg, ARRAY_SIZE(reg)))
		return -EINVAL;
	window->addr = reg[0];
	window->size = reg[1];
	return check_window(window, why);
}

/* What one of the bridges of @gpu says. */
static int read_link(const struct fwnode_handle *gpu,
		     const struct fwnode_handle *bridge,
		     struct nvlink2_window *window, const char **why)
{
	struct fwnode_handle *back, *memory;
	int ret;

	*why = "its ibm,npu refers to itself";
	if (is_same(bridge, gpu))
		return -EINVAL;
	*why = "a bridge in its ibm,npu is not its";
	back = follow(bridge, "ibm,gpu", 0);
	if (IS_ERR(back))
		return -EINVAL;
	/* It is only compared. */
	fwnode_handle_put(back);
	if (!is_same(back, gpu))
		return -EINVAL;

	ret = read_tgt(bridge, window, why);
	if (ret)
		return ret;

	*why = "the bridge has no memory-region";
	memory = follow(bridge, "memory-region", 0);
	if (IS_ERR(memory))
		return -EINVAL;
	ret = read_memory(memory, window, why);
	fwnode_handle_put(memory);
	return ret;
}

int nvlink2_read_gpu(struct fwnode_handle *gpu, struct nvlink2_window *window,
		     const char **why)
{
	struct nvlink2_window link = { };
	struct fwnode_handle *bridge;
	unsigned int i;
	int ret;

	if (!fwnode_property_present(gpu, "ibm,npu"))
		return -ENODEV;

	for (i = 0; ; i++) {
		bridge = follow(gpu, "ibm,npu", i);
		if (i && bridge == ERR_PTR(-ENOENT))
			return 0;
		*why = "its ibm,npu refers to nothing";
		if (IS_ERR(bridge))
			return -EINVAL;
		ret = read_link(gpu, bridge, &link, why);
		fwnode_handle_put(bridge);
		if (ret)
			return ret;

		if (!i)
			*window = link;
		*why = "its bridges do not lead to the same memory";
		if (link.addr != window->addr || link.size != window->size ||
		    link.tgt != window->tgt)
			return -EINVAL;
	}
}

/* --- the register of a bridge ------------------------------------------------------ */

/* Is @bridge one of those that @gpu refers to? */
static bool is_bridge_of(const struct fwnode_handle *gpu,
			 const struct fwnode_handle *bridge)
{
	struct fwnode_handle *node;
	unsigned int i;

	for (i = 0; ; i++) {
		node = follow(gpu, "ibm,npu", i);
		if (IS_ERR(node))
			return false;
		fwnode_handle_put(node);
		if (is_same(node, bridge))
			return true;
	}
}

/* The number of the bridge's link, which is that of its register. */
static int read_link_index(const struct fwnode_handle *bridge, u32 *index,
			   const char **why)
{
	struct fwnode_handle *link;
	int ret;

	*why = "it has no ibm,nvlink with an ibm,npu-link-index";
	link = follow(bridge, "ibm,nvlink", 0);
	if (IS_ERR(link))
		return -EINVAL;
	ret = fwnode_property_read_u32(link, "ibm,npu-link-index", index);
	fwnode_handle_put(link);
	return ret ? -EINVAL : 0;
}

static int read_atsd(const struct fwnode_handle *bridge,
		     const struct fwnode_handle *host,
		     struct nvlink2_window *window, const char **why)
{
	u64 atsd[NVLINK2_MAX_ATSD];
	int count, ret;
	u32 index;

	ret = read_link_index(bridge, &index, why);
	if (ret)
		return ret;

	*why = "its ibm,mmio-atsd is not a list of addresses";
	count = fwnode_property_count_u64(host, "ibm,mmio-atsd");
	if (count <= 0)
		return -EINVAL;
	/* The first register is any link's where firmware has fewer than links. */
	if (index >= min_t(u32, count, NVLINK2_MAX_ATSD)) {
		window->has_foreign_register = true;
		index = 0;
	}
	/* One of them can't be read without those before. */
	if (fwnode_property_read_u64_array(host, "ibm,mmio-atsd", atsd, index + 1))
		return -EINVAL;

	window->addr = atsd[index];
	window->size = PAGE_SIZE;
	return check_window(window, why);
}

/* The registers are told of by the bridge's host, wherever above it that is. */
static struct fwnode_handle *find_host(struct fwnode_handle *bridge)
{
	struct fwnode_handle *node = fwnode_handle_get(bridge);

	while (node && !fwnode_property_present(node, "ibm,mmio-atsd"))
		node = fwnode_get_next_parent(node);
	return node;
}

int nvlink2_read_bridge(struct fwnode_handle *bridge,
			struct nvlink2_window *window, const char **why)
{
	struct fwnode_handle *gpu, *host;
	bool theirs;
	int ret;

	gpu = follow(bridge, "ibm,gpu", 0);
	if (IS_ERR(gpu))
		return -ENODEV;
	theirs = is_bridge_of(gpu, bridge);
	fwnode_handle_put(gpu);
	*why = "the GPU in its ibm,gpu does not know of it";
	if (!theirs)
		return -EINVAL;

	*window = (struct nvlink2_window) { };
	ret = read_tgt(bridge, window, why);
	if (ret)
		return ret;
	/* The firmware leaves it out when it does not know. */
	if (fwnode_property_read_u32(bridge, "ibm,nvlink-speed", &window->speed))
		window->speed = 0;

	host = find_host(bridge);
	if (!host)
		return 0;
	ret = read_atsd(bridge, host, window, why);
	fwnode_handle_put(host);
	return ret;
}
