#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: mem=512M timeout=120 devices=none
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh
ok "all is well"
not_ok "this fails"
done_testing
