/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Firmware nodes as a test spells them out, for code that reads them. References are
 * counted: what was taken has to be given back.
 */
#ifndef UNIT_LINUX_PROPERTY_H
#define UNIT_LINUX_PROPERTY_H

#include <errno.h>
#include <linux/types.h>

struct fwnode_handle {
	struct fwnode_handle *secondary;
	struct fwnode_handle *parent;
	int references;
};

bool fwnode_property_present(const struct fwnode_handle *node, const char *name);
int fwnode_property_count_u64(const struct fwnode_handle *node, const char *name);
int fwnode_property_read_u64_array(const struct fwnode_handle *node, const char *name,
				   u64 *numbers, size_t count);
int fwnode_property_match_string(const struct fwnode_handle *node, const char *name,
				 const char *text);
struct fwnode_handle *fwnode_find_reference(const struct fwnode_handle *node,
					    const char *name, unsigned int i);
struct fwnode_handle *fwnode_handle_get(struct fwnode_handle *node);
void fwnode_handle_put(struct fwnode_handle *node);
struct fwnode_handle *fwnode_get_next_parent(struct fwnode_handle *node);

static inline int fwnode_property_read_u64(const struct fwnode_handle *node, const char *name,
					   u64 *number)
{
	return fwnode_property_read_u64_array(node, name, number, 1);
}

static inline int fwnode_property_read_u32(const struct fwnode_handle *node, const char *name,
					   u32 *number)
{
	u64 wide;
	int ret = fwnode_property_read_u64_array(node, name, &wide, 1);

	if (!ret)
		*number = wide;
	return ret;
}

#endif
