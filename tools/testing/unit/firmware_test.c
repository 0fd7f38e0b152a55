// SPDX-License-Identifier: GPL-2.0-only
/*
 * What vfio-pci-nvlink2 reads of firmware: a sound machine of one GPU and two bridges,
 * and each way in which it may be wrong. Whatever comes of it, no reference is kept.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/err.h>
#include <linux/ioport.h>
#include <linux/kernel.h>
#include <linux/property.h>

#include "firmware.h"
#include "kselftest_harness.h"

#define PAGE	4096ull
#define RAM	0x40000000000ull
#define SIZE	0x400000000ull
#define TGT	0x4000000000ull
#define ATSD	0x6030200000000ull

/* --- the kernel's side ----------------------------------------------------------- */

struct resource iomem_resource;
static u64 kernel_start, kernel_end;

int region_intersects(u64 start, size_t size, unsigned long flags, unsigned long desc)
{
	return start <= kernel_end && start + size - 1 >= kernel_start ?
	       REGION_INTERSECTS : REGION_DISJOINT;
}

static int find_own(const struct fwnode_handle *node, const char *name)
{
	int i;

	for (i = 0; i < PROPERTIES; i++)
		if (node->properties[i].name && !strcmp(node->properties[i].name, name))
			return i;
	return -1;
}

/* The first node that has it, of the two that a device may have. */
static const struct fwnode_handle *find(const struct fwnode_handle *node, const char *name,
					int *i)
{
	for (; node; node = node->secondary) {
		*i = find_own(node, name);
		if (*i >= 0)
			return node;
	}
	return NULL;
}

bool fwnode_property_present(const struct fwnode_handle *node, const char *name)
{
	int i;

	return find(node, name, &i);
}

int fwnode_property_count_u64(const struct fwnode_handle *node, const char *name)
{
	int i;

	node = find(node, name, &i);
	return node ? node->properties[i].count : -EINVAL;
}

int fwnode_property_read_u64_array(const struct fwnode_handle *node, const char *name,
				   u64 *numbers, size_t count)
{
	int i;

	node = find(node, name, &i);
	if (!node)
		return -EINVAL;
	if (count > (size_t)node->properties[i].count)
		return -EOVERFLOW;
	memcpy(numbers, node->properties[i].numbers, count * sizeof(*numbers));
	return 0;
}

int fwnode_property_match_string(const struct fwnode_handle *node, const char *name,
				 const char *text)
{
	int i;

	node = find(node, name, &i);
	if (!node || !node->properties[i].text)
		return -EINVAL;
	return strcmp(node->properties[i].text, text) ? -ENODATA : 0;
}

struct fwnode_handle *fwnode_find_reference(const struct fwnode_handle *node,
					    const char *name, unsigned int n)
{
	int i;

	node = find(node, name, &i);
	if (!node || n >= (unsigned int)node->properties[i].count)
		return ERR_PTR(-ENOENT);
	return fwnode_handle_get(node->properties[i].nodes[n]);
}

struct fwnode_handle *fwnode_handle_get(struct fwnode_handle *node)
{
	if (node)
		node->references++;
	return node;
}

void fwnode_handle_put(struct fwnode_handle *node)
{
	if (node)
		node->references--;
}

struct fwnode_handle *fwnode_get_next_parent(struct fwnode_handle *node)
{
	struct fwnode_handle *parent = fwnode_handle_get(node->parent);

	fwnode_handle_put(node);
	return parent;
}

/* --- a machine -------------------------------------------------------------------- */

enum { GPU, BRIDGE0, BRIDGE1, MEMORY, OTHER_MEMORY, LINK0, LINK1, HOST, ACPI, NODES };

FIXTURE(firmware)
{
	struct fwnode_handle nodes[NODES];
	struct nvlink2_window window;
	const char *why;
};

/* put NODE NAME: the property of that name, made if need be. */
static int put(struct fwnode_handle *node, const char *name)
{
	int i = find_own(node, name);

	for (i = i < 0 ? 0 : i; node->properties[i].name &&
	     strcmp(node->properties[i].name, name); i++)
		;
	if (i == PROPERTIES)
		abort();
	node->properties[i].name = name;
	return i;
}

static void put_numbers(struct fwnode_handle *node, const char *name, int count, u64 a, u64 b)
{
	int i = put(node, name);

	node->properties[i].numbers[0] = a;
	node->properties[i].numbers[1] = b;
	node->properties[i].count = count;
}

static void put_nodes(struct fwnode_handle *node, const char *name, int count,
		      struct fwnode_handle *a, struct fwnode_handle *b)
{
	int i = put(node, name);

	node->properties[i].nodes[0] = a;
	node->properties[i].nodes[1] = b;
	node->properties[i].count = count;
}

static void put_text(struct fwnode_handle *node, const char *name, const char *text)
{
	node->properties[put(node, name)].text = text;
}

static void drop(struct fwnode_handle *node, const char *name)
{
	int i = find_own(node, name);

	if (i >= 0)
		node->properties[i].name = "dropped";
}

static void make_machine(struct fwnode_handle *nodes)
{
	int i;

	memset(nodes, 0, NODES * sizeof(*nodes));
	iomem_resource.end = ~0ull;
	kernel_start = 0;
	kernel_end = 0x3fffffff;
	put_nodes(&nodes[GPU], "ibm,npu", 2, &nodes[BRIDGE0], &nodes[BRIDGE1]);
	for (i = 0; i < 2; i++) {
		struct fwnode_handle *bridge = &nodes[BRIDGE0 + i];

		bridge->parent = &nodes[HOST];
		put_nodes(bridge, "ibm,gpu", 1, &nodes[GPU], NULL);
		put_nodes(bridge, "memory-region", 1, &nodes[MEMORY], NULL);
		put_nodes(bridge, "ibm,nvlink", 1, &nodes[LINK0 + i], NULL);
		put_numbers(bridge, "ibm,device-tgt-addr", 1, TGT, 0);
		put_numbers(bridge, "ibm,nvlink-speed", 1, 9, 0);
		put_numbers(&nodes[LINK0 + i], "ibm,npu-link-index", 1, i, 0);
	}
	for (i = MEMORY; i <= OTHER_MEMORY; i++) {
		put_text(&nodes[i], "compatible", "ibm,coherent-device-memory");
		put_numbers(&nodes[i], "reg", 2, i == MEMORY ? RAM : 2 * RAM, SIZE);
	}
	put_numbers(&nodes[HOST], "ibm,mmio-atsd", 2, ATSD, ATSD + PAGE);
}

FIXTURE_SETUP(firmware)
{
	make_machine(self->nodes);
}

FIXTURE_TEARDOWN(firmware)
{
}

/* After each call: whatever it was, no reference is left. */
static int references(const struct fwnode_handle *nodes)
{
	int i, n = 0;

	for (i = 0; i < NODES; i++)
		n += abs(nodes[i].references);
	return n;
}

TEST_F(firmware, a_sound_machine_is_what_it_says)
{
	struct fwnode_handle *nodes = self->nodes;
	struct nvlink2_window *window = &self->window;

	ASSERT_EQ(0, nvlink2_read_gpu(&nodes[GPU], window, &self->why));
	EXPECT_EQ(RAM, window->addr);
	EXPECT_EQ(SIZE, window->size);
	EXPECT_EQ(TGT, window->tgt);
	ASSERT_EQ(0, nvlink2_read_bridge(&nodes[BRIDGE0], window, &self->why));
	EXPECT_EQ(ATSD, window->addr);
	ASSERT_EQ(0, nvlink2_read_bridge(&nodes[BRIDGE1], window, &self->why));
	EXPECT_EQ(ATSD + PAGE, window->addr);
	EXPECT_EQ(PAGE, window->size);
	EXPECT_EQ(TGT, window->tgt);
	EXPECT_EQ(9, window->speed);
	EXPECT_FALSE(window->has_foreign_register);
	EXPECT_EQ(0, references(nodes));
}

TEST_F(firmware, other_devices_are_none)
{
	struct fwnode_handle *nodes = self->nodes;

	EXPECT_EQ(-ENODEV, nvlink2_read_gpu(NULL, &self->window, &self->why));
	EXPECT_EQ(-ENODEV, nvlink2_read_bridge(NULL, &self->window, &self->why));
	EXPECT_EQ(-ENODEV, nvlink2_read_gpu(&nodes[HOST], &self->window, &self->why));
	EXPECT_EQ(-ENODEV, nvlink2_read_bridge(&nodes[HOST], &self->window, &self->why));
	EXPECT_EQ(0, references(nodes));
}

/* Software nodes come second where there is ACPI. */
TEST_F(firmware, a_second_node_is_the_device_too)
{
	struct fwnode_handle *nodes = self->nodes;

	nodes[ACPI].secondary = &nodes[GPU];
	ASSERT_EQ(0, nvlink2_read_gpu(&nodes[ACPI], &self->window, &self->why));
	EXPECT_EQ(RAM, self->window.addr);
	nodes[ACPI].secondary = &nodes[BRIDGE1];
	nodes[ACPI].parent = &nodes[HOST];
	ASSERT_EQ(0, nvlink2_read_bridge(&nodes[ACPI], &self->window, &self->why));
	EXPECT_EQ(ATSD + PAGE, self->window.addr);
	EXPECT_EQ(0, references(nodes));
}

TEST_F(firmware, the_register_is_that_of_the_link)
{
	struct fwnode_handle *nodes = self->nodes, *host = &nodes[HOST];
	struct nvlink2_window *window = &self->window;
	static const struct {
		int registers;
		u32 link;
		u64 addr;
		bool foreign;
	} cases[] = {
		{ 1, 0, ATSD, false }, { 1, 1, ATSD, true },
		{ 8, 7, ATSD + 7 * PAGE, false }, { 8, 8, ATSD, true },
		{ 9, 7, ATSD + 7 * PAGE, false }, { 9, 8, ATSD, true },
		{ 2, 0xffffffff, ATSD, true },
	};
	size_t i;
	int n;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		put_numbers(host, "ibm,mmio-atsd", cases[i].registers, 0, 0);
		for (n = 0; n < ENTRIES; n++)
			host->properties[0].numbers[n] = ATSD + n * PAGE;
		put_numbers(&nodes[LINK0], "ibm,npu-link-index", 1, cases[i].link, 0);
		ASSERT_EQ(0, nvlink2_read_bridge(&nodes[BRIDGE0], window, &self->why));
		EXPECT_EQ(cases[i].addr, window->addr);
		EXPECT_EQ(cases[i].foreign, window->has_foreign_register);
	}
	EXPECT_EQ(0, references(nodes));
}

TEST_F(firmware, the_registers_are_the_hosts_wherever_it_is)
{
	struct fwnode_handle *nodes = self->nodes;

	/* Two levels up. */
	nodes[BRIDGE0].parent = &nodes[ACPI];
	nodes[ACPI].parent = &nodes[HOST];
	ASSERT_EQ(0, nvlink2_read_bridge(&nodes[BRIDGE0], &self->window, &self->why));
	EXPECT_EQ(ATSD, self->window.addr);
	/* Nowhere: a link without a register, which need not have a number. */
	nodes[ACPI].parent = NULL;
	drop(&nodes[BRIDGE0], "ibm,nvlink");
	drop(&nodes[BRIDGE0], "ibm,nvlink-speed");
	ASSERT_EQ(0, nvlink2_read_bridge(&nodes[BRIDGE0], &self->window, &self->why));
	EXPECT_EQ(0, self->window.size);
	EXPECT_EQ(0, self->window.speed);
	EXPECT_EQ(TGT, self->window.tgt);
	EXPECT_EQ(0, references(nodes));
}

TEST_F(firmware, a_window_is_good_up_to_its_edges)
{
	static const struct {
		u64 addr, size;
		const char *why;
	} cases[] = {
		{ RAM, PAGE, NULL },
		{ RAM, 0, "whole pages" },
		{ RAM, PAGE / 2, "whole pages" },
		{ RAM + PAGE / 2, PAGE, "whole pages" },
		{ RAM, (1ull << 40) - PAGE, NULL },
		{ RAM, 1ull << 40, "larger than a region" },
		{ (1ull << 51) - PAGE, PAGE, NULL },
		{ (1ull << 51) - PAGE, 2 * PAGE, "beyond all addresses" },
		{ 1ull << 51, PAGE, "beyond all addresses" },
		{ -PAGE, PAGE, "beyond all addresses" },
		{ -PAGE, 2 * PAGE, "beyond all addresses" },
		{ 0x40000000, PAGE, NULL },
		{ 0x40000000 - PAGE, PAGE, "memory of the kernel's" },
		{ 0x40000000 - PAGE, 2 * PAGE, "memory of the kernel's" },
	};
	struct fwnode_handle *nodes = self->nodes;
	size_t i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		put_numbers(&nodes[MEMORY], "reg", 2, cases[i].addr, cases[i].size);
		ret = nvlink2_read_gpu(&nodes[GPU], &self->window, &self->why);
		EXPECT_EQ(!cases[i].why, !ret) {
			TH_LOG("%llx of %llx", cases[i].addr, cases[i].size);
		}
		if (cases[i].why)
			EXPECT_EQ(-EINVAL, ret);
		if (cases[i].why && ret)
			EXPECT_NE(NULL, strstr(self->why, cases[i].why)) {
				TH_LOG("%llx of %llx: %s", cases[i].addr, cases[i].size,
				       self->why);
			}
	}

	/* Before what is possible, what is there. */
	put_numbers(&nodes[MEMORY], "reg", 2, RAM, 2 * PAGE);
	iomem_resource.end = RAM + 2 * PAGE - 1;
	EXPECT_EQ(0, nvlink2_read_gpu(&nodes[GPU], &self->window, &self->why));
	iomem_resource.end--;
	EXPECT_EQ(-EINVAL, nvlink2_read_gpu(&nodes[GPU], &self->window, &self->why));
	EXPECT_EQ(0, references(nodes));
}

enum what { DROP, NOTHING, NODE, NUMBER, FOUR_NUMBERS, NO_NUMBERS, TEXT };

TEST_F(firmware, what_is_wrong_is_refused_with_a_reason)
{
	static const struct {
		int of;
		int ret;
		const char *why;
		int at;
		const char *name;
		enum what what;
		u64 to;
	} cases[] = {
		{ GPU, -EINVAL, "refers to nothing", GPU, "ibm,npu", NOTHING },
		{ GPU, -EINVAL, "refers to itself", GPU, "ibm,npu", NODE, GPU },
		{ GPU, -EINVAL, "is not its", GPU, "ibm,npu", NODE, MEMORY },
		{ GPU, -EINVAL, "is not its", BRIDGE1, "ibm,gpu", NODE, HOST },
		{ GPU, -EINVAL, "is not its", BRIDGE0, "ibm,gpu", NOTHING },
		{ GPU, -EFAULT, "no ibm,device-tgt-addr", BRIDGE0, "ibm,device-tgt-addr", DROP },
		{ GPU, -EFAULT, "no ibm,device-tgt-addr", BRIDGE1, "ibm,device-tgt-addr", DROP },
		{ GPU, -EINVAL, "tgt-addr is 0", BRIDGE0, "ibm,device-tgt-addr", NUMBER, 0 },
		{ GPU, -EINVAL, "no memory-region", BRIDGE0, "memory-region", DROP },
		{ GPU, -EINVAL, "no memory-region", BRIDGE1, "memory-region", NOTHING },
		{ GPU, -EINVAL, "not memory of a GPU's", MEMORY, "compatible", DROP },
		{ GPU, -EINVAL, "not memory of a GPU's", MEMORY, "compatible", TEXT },
		{ GPU, -EINVAL, "reg is not one", MEMORY, "reg", DROP },
		{ GPU, -EINVAL, "reg is not one", MEMORY, "reg", NUMBER, RAM },
		{ GPU, -EINVAL, "reg is not one", MEMORY, "reg", FOUR_NUMBERS, RAM },
		{ GPU, -EINVAL, "the same memory", BRIDGE1, "memory-region", NODE, OTHER_MEMORY },
		{ GPU, -EINVAL, "the same memory", BRIDGE1, "ibm,device-tgt-addr", NUMBER, 1 },
		{ BRIDGE0, -EINVAL, "does not know of it", BRIDGE0, "ibm,gpu", NODE, MEMORY },
		{ BRIDGE1, -EINVAL, "does not know of it", GPU, "ibm,npu", NODE, BRIDGE0 },
		{ BRIDGE0, -EINVAL, "does not know of it", GPU, "ibm,npu", NOTHING },
		{ BRIDGE0, -EFAULT, "no ibm,device-tgt", BRIDGE0, "ibm,device-tgt-addr", DROP },
		{ BRIDGE0, -EINVAL, "tgt-addr is 0", BRIDGE0, "ibm,device-tgt-addr", NUMBER, 0 },
		{ BRIDGE0, -EINVAL, "no ibm,nvlink", BRIDGE0, "ibm,nvlink", DROP },
		{ BRIDGE0, -EINVAL, "no ibm,nvlink", BRIDGE0, "ibm,nvlink", NOTHING },
		{ BRIDGE0, -EINVAL, "no ibm,nvlink", LINK0, "ibm,npu-link-index", DROP },
		{ BRIDGE0, -EINVAL, "not a list of addresses", HOST, "ibm,mmio-atsd", NO_NUMBERS },
		{ BRIDGE0, -EINVAL, "whole pages", HOST, "ibm,mmio-atsd", NUMBER, ATSD + 8 },
		{ BRIDGE0, -EINVAL, "memory of the kernel's", HOST, "ibm,mmio-atsd", NUMBER, PAGE },
	};
	struct fwnode_handle *nodes = self->nodes, *at;
	size_t i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		make_machine(nodes);
		self->why = "no reason";
		at = &nodes[cases[i].at];
		switch (cases[i].what) {
		case DROP:
			drop(at, cases[i].name);
			break;
		case NOTHING:
			put_nodes(at, cases[i].name, 1, NULL, NULL);
			break;
		case NODE:
			put_nodes(at, cases[i].name, 1, &nodes[cases[i].to], NULL);
			break;
		case NUMBER:
			put_numbers(at, cases[i].name, 1, cases[i].to, 0);
			break;
		case FOUR_NUMBERS:
			put_numbers(at, cases[i].name, 4, cases[i].to, SIZE);
			break;
		case NO_NUMBERS:
			put_numbers(at, cases[i].name, 0, 0, 0);
			break;
		case TEXT:
			put_text(at, cases[i].name, "memory");
			break;
		}
		if (cases[i].of == GPU)
			ret = nvlink2_read_gpu(&nodes[GPU], &self->window, &self->why);
		else
			ret = nvlink2_read_bridge(&nodes[cases[i].of], &self->window,
						  &self->why);
		EXPECT_EQ(cases[i].ret, ret) {
			TH_LOG("%zu: %s", i, cases[i].why);
		}
		EXPECT_NE(NULL, strstr(self->why, cases[i].why)) {
			TH_LOG("%zu: %s: %s", i, cases[i].why, self->why);
		}
		EXPECT_EQ(0, references(nodes)) {
			TH_LOG("%zu: %s", i, cases[i].why);
		}
	}
}

/* An entry that refers to nothing behind good ones is no end of the list. */
TEST_F(firmware, a_hole_in_the_list_of_bridges_is_found)
{
	struct fwnode_handle *nodes = self->nodes;

	put_nodes(&nodes[GPU], "ibm,npu", 2, &nodes[BRIDGE0], NULL);
	EXPECT_EQ(-EINVAL, nvlink2_read_gpu(&nodes[GPU], &self->window, &self->why));
	EXPECT_EQ(0, references(nodes));
}

TEST_HARNESS_MAIN
