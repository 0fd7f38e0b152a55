#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: timeout=400 usual=6.12
# append: slub_debug=F,kmalloc-*
# How functions come to our vfio-pci and leave it: ids, new_id, driver_override,
# unbind and rmmod while open, settings latched at bind, 200 rounds without a
# leak.
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh

edu0=$(dev_bdf edu0) && edu1=$(dev_bdf edu1) || bail "no edu"
nic0=$(dev_bdf e1000e0) && nic1=$(dev_bdf e1000e1) || bail "no e1000e"
vga=$(dev_bdf vga0) || bail "no VGA"
driver=/sys/bus/pci/drivers/vfio-pci
params=/sys/module/vfio_pci/parameters

drivers()
{
	local b

	for b in "$@"; do
		echo "$(driver_of "$b"):"
	done | paste -sd ' '
}

setting()
{
	cat "/sys/bus/pci/devices/$1/vfio_pci_variant/$2"
}

area ids
check "loads with ids=" load_ours \
	ids=1234:11e8,bogus,8086:10d3zz,,8086:10d3:ffffffff:ffffffff:020000:ffff00
is "ids=: edu and e1000e are bound" \
	"$(drivers "$edu0" "$edu1" "$nic0" "$nic1")" \
	"vfio-pci: vfio-pci: vfio-pci: vfio-pci:"
for piece in bogus 8086:10d3zz; do
	is "ids=: a warning names \"$piece\"" \
		"$(dmesg | grep -c "vfio-pci: ids: \"$piece\" is not an ID")" 1
done
check "ids=: the parameter can't be read later" test ! -e $params/ids
check "unloads while functions are bound and idle" unload_vfio_pci
is "they have no driver then" "$(drivers "$edu0" "$nic0")" ": :"

check "loads without parameters" load_ours
is "nothing is bound by itself" \
	"$(find $driver/ -name '0000:*' | wc -l)" 0
echo "1234 11e8" >$driver/new_id
is "new_id: both edu are bound" "$(drivers "$edu0" "$edu1")" \
	"vfio-pci: vfio-pci:"
echo "1234 11e8" >$driver/remove_id
unbind "$edu0"
echo "$edu0" >/sys/bus/pci/drivers_probe
is "remove_id: it is not bound again" "$(drivers "$edu0")" ":"
check "driver_override binds it" bind_override "$edu0" vfio-pci

area unbind
# Users choose their names: this one has two lines.
named=$'/tmp/vfio\nhold'
cp "$(command -v vfio-do)" "$named"
"$named" "$edu0" hold too >/tmp/hold &
holder=$!
check "a user opens it" wait_for 20 grep -q open /tmp/hold
out=$(rmmod vfio_pci 2>&1)
check "rmmod while open is refused" grep -q "in use" <<<"$out"
is "and nothing happened" "$(drivers "$edu0")" "vfio-pci:"
log_mark
unbind "$edu0" &
unbinder=$!
check "unbind while open asks the user" wait_for 30 grep -q asked /tmp/hold
check "and waits" kill -0 $unbinder
asked="$edu0: vfio-pci: in use by \"vfio\\nhold\" ($holder), asked to let go"
is "unbind: the log names the user, on one line" "$(log_since | grep -cF "$asked (1)")" 1
check "unbind: no one can open it any more, not even the user: ENODEV" \
	wait_for 20 grep -qx "too: errno 19" /tmp/hold
kill -TERM $unbinder
check "unbind: after a signal the user is asked again" wait_for 8 eval \
	"log_since | grep -qF '$asked (2)'"
is "unbind: and the log says who waits" "$(log_since |
	grep -c "$edu0: vfio-pci: in use: .* ($unbinder) can't be interrupted")" 1
check "unbind: it waits on, not in D state" never_in_d 3 $unbinder
kill -TERM $holder
wait_exit 30 $holder
is "the user lets go" $? 0
wait_exit 30 $unbinder
is "then it completes, and the signal ends who unbound" $? 143
is "it has no driver" "$(drivers "$edu0")" ":"
check "unbind: bound again it can be opened again" eval \
	"bind_override $edu0 vfio-pci && vfio-do $edu0 read 4 0"

bind_override "$edu1" vfio-pci
vfio-do "$edu1" hold again >/tmp/hold &
holder=$!
check "removal: a user opens it" wait_for 20 grep -q open /tmp/hold
check "removal: they are asked, and close it" timeout 30 \
	bash -c "echo 1 >/sys/bus/pci/devices/$edu1/remove"
check "removal: the user does not get it again: ENODEV" \
	wait_for 20 grep -qx "again: errno 19" /tmp/hold
kill -TERM $holder
wait_exit 30 $holder
echo 1 >/sys/bus/pci/rescan
check "removal: it comes back" wait_for 20 test -e "/sys/bus/pci/devices/$edu1"
check "rmmod works then" unload_vfio_pci

area settings
check "loads with settings" load_ours nointxmask=1 disable_idle_d3=1
bind_override "$nic0" vfio-pci
is "sysfs: nointxmask" "$(setting "$nic0" nointxmask)" 1
is "sysfs: disable_vga" "$(setting "$nic0" disable_vga)" 0
is "sysfs: disable_idle_d3" "$(setting "$nic0" disable_idle_d3)" 1
is "sysfs: all may read it, nobody may write" \
	"$(stat -c %a "/sys/bus/pci/devices/$nic0/vfio_pci_variant/disable_idle_d3")" 444
echo 0 >$params/disable_idle_d3
echo 0 >$params/nointxmask
bind_override "$nic1" vfio-pci
is "bound later: disable_idle_d3 as it was then" \
	"$(setting "$nic1" disable_idle_d3)" 0
is "bound later: nointxmask as it was then" "$(setting "$nic1" nointxmask)" 0
check "bound later: it goes to D3hot" wait_for 20 \
	grep -q D3hot "/sys/bus/pci/devices/$nic1/power_state"
is "and is suspended" \
	"$(cat "/sys/bus/pci/devices/$nic1/power/runtime_status")" suspended
is "bound before: disable_idle_d3 unchanged" \
	"$(setting "$nic0" disable_idle_d3)" 1
is "bound before: nointxmask unchanged" "$(setting "$nic0" nointxmask)" 1
is "bound before: it stays in D0" \
	"$(cat "/sys/bus/pci/devices/$nic0/power_state")" D0
vfio-dump "$nic0" >/dev/null
is "bound before: in D0 after an open, too" \
	"$(cat "/sys/bus/pci/devices/$nic0/power_state")" D0
is "permissions of the parameters are those of the in-tree driver" \
	"$(cd $params && stat -c '%n %a' -- * | paste -sd ' ')" \
	"disable_adoption 644 disable_denylist 444 disable_idle_d3 644 disable_vga 444 enable_sriov 644 nointxmask 644 quirks 644 standby 644"
check "unloads" unload_vfio_pci

for v in 0 1; do
	load_ours disable_vga=$v
	bind_override "$vga" vfio-pci
	is "disable_vga=$v: sysfs" "$(setting "$vga" disable_vga)" $v
	got=$(vfio-dump "$vga" | sed -n 's/^region 8: //p')
	if [ $v = 0 ]; then wanted="size 0xc0000 "; else wanted="errno 22"; fi
	check "disable_vga=$v: the VGA region says $wanted" \
		grep -q "$wanted" <<<"$got"
	bind_override "$vga" ""
	unload_vfio_pci
done

area rounds
# growth DRIVER ROUNDS: of the cache that grew most, after 20 rounds to warm up.
growth()
{
	local i

	for i in $(seq $(($2 + 20))); do
		[ "$i" != 21 ] || objects >/tmp/before
		bind_override "$edu0" "$1" && vfio-dump "$edu0" >/dev/null &&
			unbind "$edu0" || { echo "round $i failed"; return; }
	done
	most_grown /tmp/before
}

load_ours
most=$(growth vfio-pci 200)
check "200 rounds of bind, open, close, unbind: $most objects" test "${most##* }" -lt 150
unload_vfio_pci
modprobe vpv-test leak=1
most=$(growth vpv-test 100)
check "the measure sees a leak: 100 rounds that lose one each: $most objects" \
	test "${most##* }" -ge 75
rmmod vpv_test
done_testing
