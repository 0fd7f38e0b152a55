#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: kernels=6.1-builtin,7.3-builtin timeout=600
# append: vfio_pci.nointxmask=1 vfio_pci.disable_vga=1 vfio_pci.disable_idle_d3=1
# append: vpv_a.nointxmask=0 vpv_a.disable_vga=0 vpv_a.disable_idle_d3=0
# append: vpv_a.quirks=bogus,0000:02:00.0:disable_idle_d3=1
# Two variants in one kernel, told opposite things. See builtin.inc.
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh
# shellcheck source=tools/testing/selftests/builtin.inc
. ./builtin.inc

# --- what it leaves behind ----------------------------------------------------------------
# The rows that matched outlive the text of the parameter.
rounds()
{
	local i d

	for i in $(seq 10); do
		d=vfio-pci
		[ $((i % 2)) = 0 ] || d=vpv-a
		echo "$edu:hide_cap=5+config=c/40,$nic:no_flr" \
			>"$(parameters "$d")/quirks" &&
			bind_override "$edu" "$d" && bind_override "$nic" "$d" &&
			echo >"$(parameters "$d")/quirks" &&
			grep -q "hide_cap=0x05" \
				"/sys/bus/pci/devices/$edu/vfio_pci_variant/quirks" &&
			vfio-try "$edu" read 4 40 write 4 c 0 &&
			vfio-try "$nic" read 4 d0 mmap 0 || return
		bind_override "$edu" "" && bind_override "$nic" "" || return
	done
}

rounds >/dev/null
is "10 rounds of bind, open, close, unbind, with quirks" $? 0
# An object counts as lost when it was not reachable for 5 s, in two scans.
echo scan >/sys/kernel/debug/kmemleak
sleep 6
echo scan >/sys/kernel/debug/kmemleak
cp /sys/kernel/debug/kmemleak /tmp/leaks
is "kmemleak found nothing" "$(cat /tmp/leaks)" ""
check "lockdep has watched to the end" lockdep_is_on
done_testing
