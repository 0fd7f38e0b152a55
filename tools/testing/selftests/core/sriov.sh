#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: usual=6.12
# SR-IOV with VF tokens, and the denylist.
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh

pf=$(dev_bdf igb0) || bail "no igb0"
edu=$(dev_bdf edu0) || bail "no edu0"
uuid=$(cat /proc/sys/kernel/random/uuid)
other=$(cat /proc/sys/kernel/random/uuid)
numvfs=/sys/bus/pci/devices/$pf/sriov_numvfs

area SR-IOV
check "our vfio-pci loads" load_ours
check "igb0 binds" bind_override "$pf" vfio-pci
out=$( (echo 2 >"$numvfs") 2>&1)
check "no VFs without enable_sriov: ENOENT" \
	grep -q "No such file" <<<"$out"
is "the log says what allows it" \
	"$(dmesg | grep -c "$pf: vfio-pci: sriov_numvfs.*enable_sriov=1")" 1
is "there is no VF" "$(cat "$numvfs")" 0
echo 1 >/sys/module/vfio_pci/parameters/enable_sriov
check "VFs with enable_sriov" eval "echo 2 >$numvfs"
is "there are two" "$(cat "$numvfs")" 2
vf=$(basename "$(readlink "/sys/bus/pci/devices/$pf/virtfn0")")
for i in 0 1; do
	v=$(basename "$(readlink "/sys/bus/pci/devices/$pf/virtfn$i")")
	is "VF $i has our driver by itself" "$(driver_of "$v")" vfio-pci
	is "VF $i: its driver_override says so" \
		"$(cat "/sys/bus/pci/devices/$v/driver_override")" vfio-pci
	is "VF $i: it is ours" \
		"$(cat "/sys/bus/pci/devices/$v/vfio_pci_variant/variant")" vfio-pci
	is "VF $i: it decodes no legacy VGA ranges" \
		"$(cat "/sys/bus/pci/devices/$v/vfio_pci_variant/disable_vga")" 1
done

vfio-do "$pf" token "$uuid" hold >/tmp/hold &
holder=$!
check "a user opens the PF and sets its VF token" \
	wait_for 20 grep -q open /tmp/hold
out=$(vfio-dump "$vf" 2>&1)
check "the VF without a token: EACCES" grep -q "Permission denied" <<<"$out"
out=$(vfio-dump "$vf vf_token=$other" 2>&1)
check "the VF with another token: EACCES" grep -q "Permission denied" <<<"$out"
check "the VF with the token opens" vfio-dump "$vf vf_token=$uuid"
# Where its class says VGA. Only now: the arbiter does not know of it.
read -r vendor device <<<"$(id_of "$vf")"
modprobe idshim "bdf=$vf" "vendor=0x$vendor" "device=0x$device" class=0x030000
is "a VF of class VGA has no legacy ranges" \
	"$(vfio-dump "$vf vf_token=$uuid" | grep -c '^region 8: errno 22')" 1
rmmod idshim
kill -TERM $holder
wait_exit 30 $holder
is "the user closes the PF" $? 0
check "the VFs go" eval "echo 0 >$numvfs"

# The PF has to be there as long as a VF is.
echo 1 >"$numvfs"
vfio-do "$pf" token "$uuid" hold >/tmp/pf &
pf_user=$!
check "unbind of a PF: it is in use" wait_for 20 grep -q open /tmp/pf
vfio-do "$vf vf_token=$uuid" hold >/tmp/vf &
vf_user=$!
check "unbind of a PF: so is a VF" wait_for 20 grep -q open /tmp/vf
log_mark
unbind "$pf" &
unbinder=$!
check "unbind of a PF: the user of the VF is asked" wait_for 20 grep -q asked /tmp/vf
is "unbind of a PF: and not yet that of the PF" "$(grep -c asked /tmp/pf)" 0
kill -TERM $vf_user
wait_exit 30 $vf_user
check "unbind of a PF: then that of the PF is" wait_for 20 grep -q asked /tmp/pf
is "unbind of a PF: the log names both" "$(log_since | grep -cF \
	-e "$vf: vfio-pci: in use by \"vfio-do\" ($vf_user), asked to let go (1)" \
	-e "$pf: vfio-pci: in use by \"vfio-do\" ($pf_user), asked to let go (1)")" 2
kill -TERM $pf_user
wait_exit 30 $pf_user
wait_exit 30 $unbinder
is "unbind of a PF: it is done" "$? $(driver_of "$pf")" "0 "
bind_override "$pf" ""
check "the module unloads" unload_vfio_pci

area denylist
# A QAT DH895xCC, as far as the kernel can tell.
check "edu0 passes for a denied device" \
	modprobe idshim "bdf=$edu" vendor=0x8086 device=0x0435
load_ours
bind_override "$edu" vfio-pci 2>/dev/null
is "a denied device is not bound" "$(driver_of "$edu")" ""
is "the log says why" \
	"$(dmesg | grep -c "$edu: vfio-pci: 8086:0435 is on the denylist, not bound: QAT")" 1
is "and what allows it" \
	"$(dmesg | grep -c "$edu: vfio-pci: quirks=$edu:deny=0 .*disable_denylist=1")" 1
bind_override "$edu" ""
unload_vfio_pci
check "loads with disable_denylist=1" load_ours disable_denylist=1
check "it is bound then" bind_override "$edu" vfio-pci
is "the log says so" \
	"$(dmesg | grep -c "$edu: .*denylist, bound as disable_denylist")" 1
check "and works" vfio-dump "$edu"
bind_override "$edu" ""
unload_vfio_pci
rmmod idshim

area X710
# An X710, as far as the kernel can tell: INTx is hidden and disabled, unless
# nointxmask says that it can be masked elsewhere.
modprobe idshim "bdf=$edu" vendor=0x8086 device=0x1572
for v in 0 1; do
	load_ours nointxmask=$v
	bind_override "$edu" vfio-pci
	vfio-dump "$edu" >/tmp/dump
	# "config 000:" and 16 bytes: byte 5 is the 8th word.
	high=$(awk '$2 == "000:" { print $8 }' /tmp/dump)
	pin=$(awk '$2 == "030:" { print $16 }' /tmp/dump)
	is "X710, nointxmask=$v: INTx Disable and pin as the user sees them" \
		"$((0x$high & 4)) $((0x$pin))" "$([ $v = 0 ] && echo 4 0 || echo 0 1)"
	bind_override "$edu" ""
	unload_vfio_pci
done
rmmod idshim

load_ours
check "with its own IDs it is bound without a parameter" \
	bind_override "$edu" vfio-pci
unload_vfio_pci
done_testing
