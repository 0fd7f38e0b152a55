#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: mem=512M timeout=120 devices=none
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh
ok "all is well"
echo "<4>WARNING: CPU: 0 PID: 1 at bed" >/dev/kmsg
done_testing
