#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Dies before its plan, and with an exit status that says nothing is wrong.
# vm: mem=512M timeout=120 devices=none
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh
ok "all is well"
exit 0
