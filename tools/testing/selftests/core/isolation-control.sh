#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: timeout=600 devices=vga usual=6.12
# The negative control of isolation.sh: its matrix, with a framework that keeps
# nothing separate, must fail, for each setting, and for no other reason.
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh

control=/lib/modules/control/vfio-pci-variant.ko
settings=(nointxmask disable_vga disable_idle_d3)
tap=/tmp/control.tap

is "the control is another build" "$(
	[ -n "$(file_id $control)" ] &&
	[ "$(file_id $control)" != "$(file_id "$(module_file vfio-pci-variant)")" ] &&
		echo yes)" yes
VPV_FRAMEWORK=$control bash ./core/isolation.sh matrix >$tap 2>&1
diag "$(grep -A 1 '^not ok' $tap)"

# count STATUS REGEX: lines of that status whose description matches.
count()
{
	grep -E "^$1 [0-9]+ - " $tap | grep -cE -- "$2"
}

ours="vpv-[ab] "
for s in "${settings[@]}"; do
	n=$(count "not ok" "$ours$s=")
	check "$s: $n lines fail" test "$n" -gt 0
	n=$(count ok "$ours$s=")
	check "$s: $n lines pass, where the value happens to be the core's" \
		test "$n" -gt 0
	n=$(count ok "vfio-pci $s=[01]:")
	check "$s: $n lines of the in-tree driver pass" test "$n" -gt 0
	is "$s: none of them fails" \
		"$(count "not ok" "vfio-pci $s=[01]:")" 0
done
is "no line fails but those of settings" \
	"$(grep '^not ok' $tap | grep -cvE " ($(IFS='|'; echo "${settings[*]}"))=")" 0
is "all modules loaded, bound and unloaded, in each of 8 rounds" \
	"$(count ok ': (the in-tree driver loads|the variants load),') $(count ok ': each takes') $(count ok ': all unload')" \
	"8 8 8"
is "the control was the one in use" "$(count ok "the framework is $control")" 1
is "sysfs shows what each variant was told, and is no proof" \
	"$(count ok "vpv-[ab]: sysfs")" 16
check "it came to its end" grep -q '^1\.\.' $tap
done_testing
