#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Passes: shows that the others fail for the reason they name.
# vm: mem=512M timeout=120 devices=none
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh
ok "all is well"
done_testing
