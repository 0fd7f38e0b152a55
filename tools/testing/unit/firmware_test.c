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
#include "nvlink2.h"

#define PAGE	4096ull
/* Right behind the kernel's own. */
#define RAM	0x40000000ull
#define ATSD	0x6030200000000ull

/* One for each node. ACPI's of a device has none of the properties. */
static struct fwnode_handle handles[NR_NODES];
#define ACPI	NOTHING

/* --- the kernel's side ----------------------------------------------------------- */

struct resource iomem_resource;
static u64 kernel_start, kernel_end;

int region_intersects(u64 start, size_t size, unsigned long flags, unsigned long desc)
{
	return start <= kernel_end && start + size - 1 >= kernel_start ?
	       REGION_INTERSECTS : REGION_DISJOINT;
}

/* The first node that has it, of the two that a device may have: its property. */
static const struct prop *find(const struct fwnode_handle *node, const char *name)
{
	const struct prop *props;
	int i;

	for (; node; node = node->secondary) {
		props = nodes[node - handles].props;
		for (i = 0; i < MAX_PROPS; i++)
			if (props[i].name && !strcmp(props[i].name, name))
				return &props[i];
	}
	return NULL;
}

bool fwnode_property_present(const struct fwnode_handle *node, const char *name)
{
	return find(node, name);
}

int fwnode_property_count_u64(const struct fwnode_handle *node, const char *name)
{
	const struct prop *prop = find(node, name);

	return prop ? prop->nr_numbers : -EINVAL;
}

int fwnode_property_read_u64_array(const struct fwnode_handle *node, const char *name,
				   u64 *numbers, size_t count)
{
	const struct prop *prop = find(node, name);

	if (!prop)
		return -EINVAL;
	if (count > (size_t)prop->nr_numbers)
		return -EOVERFLOW;
	memcpy(numbers, prop->numbers, count * sizeof(*numbers));
	return 0;
}

int fwnode_property_match_string(const struct fwnode_handle *node, const char *name,
				 const char *text)
{
	const struct prop *prop = find(node, name);

	if (!prop || !prop->text)
		return -EINVAL;
	return strcmp(prop->text, text) ? -ENODATA : 0;
}

/* As of a device tree: NULL where nothing is. */
struct fwnode_handle *fwnode_find_reference(const struct fwnode_handle *node,
					    const char *name, unsigned int n)
{
	const struct prop *prop = find(node, name);

	if (!prop || n >= (unsigned int)prop->nr_refs)
		return ERR_PTR(-ENOENT);
	return prop->refs[n] == NOTHING ? NULL :
	       fwnode_handle_get(&handles[prop->refs[n]]);
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

FIXTURE(firmware)
{
	struct nvlink2_window window;
	const char *why;
};

static void make_machine(void)
{
	memset(nodes, 0, sizeof(nodes));
	memset(handles, 0, sizeof(handles));
	iomem_resource.end = ~0ull;
	kernel_start = 0;
	kernel_end = RAM - 1;
	machine.ram = RAM;
	machine.registers = ATSD;
	describe(2);
	handles[BRIDGE0].parent = &handles[HOST];
	handles[BRIDGE1].parent = &handles[HOST];
}

FIXTURE_SETUP(firmware)
{
	make_machine();
}

/* Whatever it was, no reference is left. */
FIXTURE_TEARDOWN(firmware)
{
	int i;

	for (i = 0; i < NR_NODES; i++)
		EXPECT_EQ(0, handles[i].references);
}

TEST_F(firmware, a_sound_machine_is_what_it_says)
{
	struct nvlink2_window *window = &self->window;

	ASSERT_EQ(0, nvlink2_read_gpu(&handles[GPU], window, &self->why));
	EXPECT_EQ(RAM, window->addr);
	EXPECT_EQ(RAM_SIZE, window->size);
	EXPECT_EQ(TGT_ADDR, window->tgt);
	ASSERT_EQ(0, nvlink2_read_bridge(&handles[BRIDGE1], window, &self->why));
	EXPECT_EQ(ATSD, window->addr);
	ASSERT_EQ(0, nvlink2_read_bridge(&handles[BRIDGE0], window, &self->why));
	EXPECT_EQ(ATSD + PAGE, window->addr);
	EXPECT_EQ(PAGE, window->size);
	EXPECT_EQ(TGT_ADDR, window->tgt);
	EXPECT_EQ(9, window->speed);
	EXPECT_FALSE(window->has_foreign_register);
}

TEST_F(firmware, other_devices_are_none)
{
	EXPECT_EQ(-ENODEV, nvlink2_read_gpu(NULL, &self->window, &self->why));
	EXPECT_EQ(-ENODEV, nvlink2_read_bridge(NULL, &self->window, &self->why));
	EXPECT_EQ(-ENODEV, nvlink2_read_gpu(&handles[HOST], &self->window, &self->why));
	EXPECT_EQ(-ENODEV, nvlink2_read_bridge(&handles[HOST], &self->window, &self->why));
}

/* Software nodes come second where there is ACPI. */
TEST_F(firmware, a_second_node_is_the_device_too)
{
	handles[ACPI].secondary = &handles[GPU];
	ASSERT_EQ(0, nvlink2_read_gpu(&handles[ACPI], &self->window, &self->why));
	EXPECT_EQ(RAM, self->window.addr);
	handles[ACPI].secondary = &handles[BRIDGE0];
	handles[ACPI].parent = &handles[HOST];
	ASSERT_EQ(0, nvlink2_read_bridge(&handles[ACPI], &self->window, &self->why));
	EXPECT_EQ(ATSD + PAGE, self->window.addr);
}

TEST_F(firmware, the_register_is_that_of_the_link)
{
	struct prop *atsd = prop_named("host", "ibm,mmio-atsd");
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

	for (n = 0; n < MAX_NUMBERS; n++)
		atsd->numbers[n] = ATSD + n * PAGE;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		atsd->nr_numbers = cases[i].registers;
		prop_named("link0", "ibm,npu-link-index")->numbers[0] = cases[i].link;
		ASSERT_EQ(0, nvlink2_read_bridge(&handles[BRIDGE0], window, &self->why));
		EXPECT_EQ(cases[i].addr, window->addr);
		EXPECT_EQ(cases[i].foreign, window->has_foreign_register);
	}
}

TEST_F(firmware, the_registers_are_the_hosts_wherever_it_is)
{
	char what[] = "bridge0.ibm,nvlink;bridge0.ibm,nvlink-speed";

	/* Two levels up. */
	handles[BRIDGE0].parent = &handles[ACPI];
	handles[ACPI].parent = &handles[HOST];
	ASSERT_EQ(0, nvlink2_read_bridge(&handles[BRIDGE0], &self->window, &self->why));
	EXPECT_EQ(ATSD + PAGE, self->window.addr);
	/* Nowhere: a link without a register, which need not have a number. */
	handles[ACPI].parent = NULL;
	ASSERT_EQ(0, spoil(what));
	ASSERT_EQ(0, nvlink2_read_bridge(&handles[BRIDGE0], &self->window, &self->why));
	EXPECT_EQ(0, self->window.size);
	EXPECT_EQ(0, self->window.speed);
	EXPECT_EQ(TGT_ADDR, self->window.tgt);
}

TEST_F(firmware, a_window_is_good_up_to_its_edges)
{
	static const u64 good[][2] = {
		{ RAM, PAGE }, { RAM, (1ull << 40) - PAGE }, { (1ull << 51) - PAGE, PAGE },
	};
	struct prop *reg = prop_named("memory", "reg");
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		memcpy(reg->numbers, good[i], sizeof(good[i]));
		EXPECT_EQ(0, nvlink2_read_gpu(&handles[GPU], &self->window, &self->why)) {
			TH_LOG("%llx of %llx: %s", good[i][0], good[i][1], self->why);
		}
	}

	/* Before what is possible, what is there. */
	iomem_resource.end = (1ull << 51) - 1;
	EXPECT_EQ(0, nvlink2_read_gpu(&handles[GPU], &self->window, &self->why));
	iomem_resource.end--;
	EXPECT_EQ(-EINVAL, nvlink2_read_gpu(&handles[GPU], &self->window, &self->why));
}

/* Each line of nvlink2-bad, which is on stdin. */
TEST_F(firmware, what_is_wrong_is_refused_with_a_reason)
{
	char line[256], who[16], what[128], why[64];
	int n = 0, fields, wanted, ret, of, i;

	while (fgets(line, sizeof(line), stdin)) {
		if (line[0] == '#')
			continue;
		n++;
		fields = sscanf(line, "%15s %d %*s %127s %63[^\n]", who, &wanted, what, why);
		ASSERT_EQ(4, fields);
		make_machine();
		self->why = "no reason";
		ASSERT_EQ(0, spoil(what)) {
			TH_LOG("%s", line);
		}
		of = node_named(who);
		if (of == GPU)
			ret = nvlink2_read_gpu(&handles[of], &self->window, &self->why);
		else
			ret = nvlink2_read_bridge(&handles[of], &self->window, &self->why);
		EXPECT_TRUE(ret == -wanted && strstr(self->why, why)) {
			TH_LOG("%s: %d, %s", line, ret, self->why);
		}
		for (i = 0; i < NR_NODES; i++)
			EXPECT_EQ(0, handles[i].references) {
				TH_LOG("%s", line);
			}
	}
	EXPECT_LT(40, n);
}

TEST_HARNESS_MAIN
