#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: kernels=6.1-builtin,7.3-builtin timeout=900 usual=7.3-builtin
# append: vfio_pci.nointxmask=1 vfio_pci.disable_vga=0 vfio_pci.disable_idle_d3=1
# append: vpv_a.nointxmask=0 vpv_a.disable_vga=1 vpv_a.disable_idle_d3=0
# append: vpv_a.quirks=bogus vpv_a.quirks=0000:02:00.0:disable_idle_d3=1
# Two variants in one kernel, told opposite things. See builtin.inc.
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh
# shellcheck source=tools/testing/selftests/core/builtin.inc
. ./core/builtin.inc

# --- what it leaves behind ----------------------------------------------------------------
# Each driver takes each of two functions in turn. The rows that matched outlive the
# text of the parameter.
rounds()
{
	local i a b

	for i in $(seq 20); do
		a=vfio-pci
		[ $((i % 2)) = 0 ] || a=vpv-a
		b=$(other_of "$a")
		echo "$edu:hide_cap=5+config=c/40" >"$(parameters "$a")/quirks" &&
			echo "$nic:no_flr+hide_ext_cap=3" >"$(parameters "$b")/quirks" &&
			bind_override "$edu" "$a" && bind_override "$nic" "$b" &&
			echo >"$(parameters "$a")/quirks" &&
			echo >"$(parameters "$b")/quirks" &&
			grep -q "hide_cap=0x05" \
				"/sys/bus/pci/devices/$edu/vfio_pci_variant/quirks" &&
			vfio-do "$edu" read 4 40 write 4 c 0 &&
			vfio-do "$nic" read 4 d0 mmap 0 read 1 143 read 4 140 &&
			[ "$(vfio-do "$nic" read 4 100)" = "$first_alone" ] || return
		bind_override "$edu" "" && bind_override "$nic" "" || return
	done
}

# The extended capabilities that are left: AER, and none behind it.
first_alone=00020001
rounds >/dev/null
is "20 rounds of bind, open, close, unbind, with quirks" $? 0
done_testing
