#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: kernels=6.1-builtin,7.3-builtin timeout=900 usual=6.1-builtin
# append: vfio_pci.nointxmask=0 vfio_pci.disable_vga=1 vfio_pci.disable_idle_d3=0
# append: vpv_a.nointxmask=1 vpv_a.disable_vga=0 vpv_a.disable_idle_d3=1
# append: vpv_a.quirks=bogus vpv_a.quirks=0000:02:00.0:disable_idle_d3=0
# The contrary of builtin.sh. See builtin.inc.
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh
# shellcheck source=tools/testing/selftests/core/builtin.inc
. ./core/builtin.inc
done_testing
