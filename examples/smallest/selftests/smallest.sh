#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: usual=7.3
# What vfio-pci-smallest is for: it binds its function, and a user reads it.
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh
# shellcheck source=tools/testing/selftests/variant/variant.inc
. ./variant/variant.inc

check "it loads" load_variant "$module"
check "it takes its function" bind_override "$bdf" "$module"
is "sysfs names it" "$(cat "/sys/bus/pci/devices/$bdf/vfio_pci_variant/variant")" "$module"
is "what a user reads is the function's" "$(vfio-do "$bdf" read 2 0)" "$(vfio-do "$bdf" hw 2 0)"
bind_override "$bdf" ""
check "it unloads" rmmod "$module"
done_testing
