#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: mem=4G timeout=600 usual=6.12
# append: memmap=2M$0x60000000 memmap=1M$0x140000000
# qemu: -device VGA,addr=02.0
# A generic variant that binds a function for which a specialised one is loaded has
# that one's regions, hooks and quirks, and nothing else of it. First with test
# variants for the teaching device, then with vfio-pci-igd, beside the in-tree
# driver's answers.
# Functions are called through others, which shellcheck does not see.
# shellcheck disable=SC2317
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh
# shellcheck source=tools/testing/selftests/igd/igd.inc
. ./igd/igd.inc

edu=$(dev_bdf edu0) || bail "no edu0"
nvme=$(dev_bdf nvme0) || bail "no nvme0"
shown=/sys/bus/pci/devices/$edu/vfio_pci_variant

adopts()
{
	cat "/sys/bus/pci/devices/${1:-$edu}/vfio_pci_variant/adopts"
}

refs()
{
	cat "/sys/module/${1//-/_}/refcnt"
}

# The last reference to a device may go after the unbind.
is_unpinned()
{
	[ "$(refs "$1")" = 0 ]
}

# region_text: of the teaching device's own region.
region_text()
{
	vfio-region "$edu" dump 80001234 1 2>/dev/null | tr -d '\0'
}

# hooks NAME: those of it that ran since the mark, in order.
hooks()
{
	log_since | sed -n "s/.*$edu: $1: //p" | paste -sd,
}

rebind()
{
	bind_override "$edu" vfio-pci
}

# load VARIANT...: our vfio-pci and specialised ones, in this order, "s1 how=vendor"
# being vpv-s1 with a parameter.
load()
{
	local v words

	load_ours || return
	for v; do
		read -ra words <<<"$v"
		modprobe "vpv-${words[0]}" "${words[@]:1}" || return
	done
}

unload()
{
	bind_override "$edu" ""
	for m in vpv_s1 vpv_s2; do
		[ ! -e /sys/module/$m ] || rmmod $m || return
	done
	unload_vfio_pci
}

area "load order"
# Binding loads none of these: they lack the alias. See adoption-load.sh.
load_ours
rebind
is "never loaded: nothing is adopted" "$(adopts)" ""
vfio-dump "$edu" >/tmp/plain
is "never loaded: no region" "$(vfio-region "$edu" list)" ""

log_mark
modprobe vpv-s1
is "loaded afterwards: nothing changes for what is bound" "$(adopts),$(region_text)" ","
check "loaded afterwards: the same answers" diff /tmp/plain <(vfio-dump "$edu")
is "loaded afterwards: none of it ran" "$(hooks vpv-s1)" ""
is "loaded afterwards: it is not pinned" "$(refs vpv-s1)" 0

log_mark
check "loaded before: it binds" rebind
is "loaded before: adopted" "$(adopts)" vpv-s1
is "loaded before: the driver is vfio-pci's" "$(driver_of "$edu")" vfio-pci
is "the variant too" "$(cat "$shown/variant")" vfio-pci
is "bind: match, init" "$(hooks vpv-s1)" "match,init"
is "the log says so once" "$(log_since | grep -c "$edu: vfio-pci: adopts vpv-s1")" 1
is "its region is there, made of its private data" "$(region_text)" vpv-s1
is "its rw hook runs" "$(vfio-do "$edu" read 1 ff)" 31
is "its row matched" "$(cat "$shown/quirks")" \
	"adopted disable_idle_d3+config=0x00c/0x5a/0xff vpv-s1: a row that is adopted, too"
is "the row's byte is shown" "$(vfio-do "$edu" read 1 c)" 5a
is "and its setting holds" "$(cat "$shown/disable_idle_d3")" 1
log_mark
echo 1 >"/sys/bus/pci/devices/$edu/reset"
is "reset: reset_done" "$(hooks vpv-s1)" reset_done
check "another function adopts nothing" bind_override "$nvme" vfio-pci
is "so says sysfs" "$(adopts "$nvme")" ""
check "it is opened and reset without a hook" vfio-do "$nvme" reset
bind_override "$nvme" ""

area settings
echo 1 >/sys/module/vpv_s1/parameters/nointxmask
echo "$edu:hide_cap=5" >/sys/module/vpv_s1/parameters/quirks
echo "$edu:disable_idle_d3=0" >/sys/module/vfio_pci/parameters/quirks
rebind
is "a parameter of the adopted one does not count" "$(cat "$shown/nointxmask")" 0
is "nor do its quirks=" "$(grep -c hide_cap "$shown/quirks")" 0
is "the bound one's stand above adopted rows" "$(cat "$shown/disable_idle_d3")" 0
echo 1 >/sys/module/vfio_pci/parameters/nointxmask
echo 0 >/sys/module/vpv_s1/parameters/nointxmask
rebind
is "a parameter of the bound one counts" "$(cat "$shown/nointxmask")" 1
echo 0 >/sys/module/vfio_pci/parameters/nointxmask
echo >/sys/module/vfio_pci/parameters/quirks
echo >/sys/module/vpv_s1/parameters/quirks

area pinned
rebind
is "adopted: pinned" "$(refs vpv-s1)" 1
check "adopted: rmmod is refused" fails rmmod vpv_s1
is "and nothing happened" "$(region_text)" vpv-s1
vfio-do "$edu" hold >/tmp/held &
held=$!
wait_for 20 grep -q open /tmp/held
check "open: rmmod is refused" fails rmmod vpv_s1
log_mark
unbind "$edu" &
wait_for 20 grep -q asked /tmp/held
check "unbind waits for the user, rmmod is refused" fails rmmod vpv_s1
kill $held
wait_exit 20 $held
check "then unbind ends" wait_exit 20 $!
is "unbind: it is reset, then released" "$(hooks vpv-s1)" reset_done,release
check "and it is not pinned any more" wait_for 10 is_unpinned vpv-s1
check "it unloads" rmmod vpv_s1
rebind
is "unloaded: nothing is adopted any more" "$(adopts)" ""
check "the answers are the old ones" diff /tmp/plain <(vfio-dump "$edu")

area errors
unload
load "s1 fail_at=match"
check "declined: it binds" rebind
is "declined: not adopted" "$(adopts)" ""
is "declined: not pinned" "$(refs vpv-s1)" 0
unload
load "s1 fail_at=init"
log_mark
check "init fails: it does not bind" fails rebind
is "init failed: release is not called" "$(hooks vpv-s1)" "match,init"
is "init failed: not pinned" "$(refs vpv-s1)" 0
echo 1 >/sys/module/vfio_pci/parameters/disable_adoption
check "disable_adoption: it binds" rebind
is "disable_adoption: nothing is adopted" "$(adopts)" ""
check "disable_adoption: the answers are plain" diff /tmp/plain <(vfio-dump "$edu")
is "disable_adoption: no row matched" "$(cat "$shown/quirks")" ""
unload
load "s1 no_rw=1"
rebind
is "without an rw hook: adopted" "$(adopts),$(region_text)" vpv-s1,vpv-s1
is "without an rw hook: the byte is the device's" "$(vfio-do "$edu" read 1 ff)" 00
is "without an rw hook: the row's is shown" "$(vfio-do "$edu" read 1 c)" 5a
unload
load "s1 no_rows=1"
rebind
is "without rows: the rw hook runs" "$(vfio-do "$edu" read 1 ff)" 31
is "without rows: the other byte is the device's" "$(vfio-do "$edu" read 1 c)" 00
unload

area specialised
modprobe vpv-s1
modprobe vpv-s2
check "a specialised one binds by itself" bind_override "$edu" vpv-s1
is "and adopts nothing" "$(adopts),$(region_text)" ,vpv-s1
unload

area "two that match"
# chosen NAME WHAT VARIANT...: of those, loaded in either order.
chosen()
{
	local wanted=$1 desc=$2 other

	shift 2
	load "$1" "$2" && rebind
	is "$desc: $wanted" "$(adopts),$(region_text)" "$wanted,$wanted"
	other=$([ "$wanted" = vpv-s1 ] && echo vpv-s2 || echo vpv-s1)
	is "$desc: the other is not pinned" "$(refs "$other")" 0
	unload
	load "$2" "$1" && rebind
	is "$desc, loaded the other way round: $wanted" "$(adopts)" "$wanted"
	unload
}

chosen vpv-s1 "both by ID, the first by name" s1 s2
chosen vpv-s2 "by ID before by vendor" "s1 how=vendor" s2
chosen vpv-s2 "by class before by vendor" "s1 how=vendor" "s2 how=class"
# Its alias has a wildcard for the device, but none for two parts of the class.
chosen vpv-s2 "by class before by ID" s1 "s2 how=class"
# Four wildcards each.
chosen vpv-s1 "one for the vendor counts as one" "s1 how=class" "s2 how=interface"
chosen vpv-s1 "one for the interface, too" "s1 how=interface" "s2 how=class"
chosen vpv-s1 "one for the subsystem's vendor, too" "s1 how=subsystem" "s2 how=class"
chosen vpv-s2 "one that declines does not count" "s1 fail_at=match" s2
chosen vpv-s2 "nor does one for others" "s1 how=other" s2

area igd
fake 0

# dump_under WHICH LAYOUT: all that VFIO says, and the regions.
dump_under()
{
	local dir="/tmp/dumps/$1/$2" i

	mkdir -p "$dir"
	put "$2"
	check "$1, $2: it binds" bind_override $igd vfio-pci
	vfio-dump $igd >"$dir/dump"
	for i in 1 2 3; do
		vfio-region $igd dump 80008086 $i >"$dir/$i"
	done
	bind_override $igd "" 2>/dev/null
}

# Where its answer is right, but for ASLS when there is a VBT.
layouts=("1.0" "2.0" "2.1" "3.0" "2.0, VBT adjacent" "2.0, VBT distant"
	"2.1, VBT adjacent" "2.1, VBT distant" "3.0, VBT adjacent" "3.0, largest VBT")

unload_vfio_pci
load_intree
for layout in "${layouts[@]}"; do
	dump_under in-tree "$layout"
done
unload_vfio_pci
load_ours
check "vfio-pci is loaded without vfio-pci-igd" test ! -e /sys/module/vfio_pci_igd
for layout in "${layouts[@]}"; do
	dump_under ours "$layout"
done
check "binding Intel graphics has loaded it" test -e /sys/module/vfio_pci_igd

# asls_of WHICH LAYOUT: as its dump of config space has it.
asls_of()
{
	sed -n 's/^config 0f0: .* \(..\) \(..\) \(..\) \(..\)$/\4\3\2\1/p' "/tmp/dumps/$1/$2/dump"
}

for layout in "${layouts[@]}"; do
	for i in 1 2 3; do
		check "$layout: region $i is not empty" test -s "/tmp/dumps/ours/$layout/$i"
		check "$layout: region $i is the in-tree driver's" \
			cmp "/tmp/dumps/in-tree/$layout/$i" "/tmp/dumps/ours/$layout/$i"
	done
	check "$layout: so are all answers, but for ASLS" diff \
		<(sed '/^config 0f0/s/.. .. .. ..$//' "/tmp/dumps/in-tree/$layout/dump") \
		<(sed '/^config 0f0/s/.. .. .. ..$//' "/tmp/dumps/ours/$layout/dump")
	is "$layout: ASLS is right" "$(asls_of ours "$layout")" 60003000
	case $layout in
	*VBT*) ;;
	*) is "$layout: and the in-tree driver's" "$(asls_of in-tree "$layout")" 60003000 ;;
	esac
done

# Where it is wrong, ours is what vfio-pci-igd shows by itself; igd.sh has these.
for layout in "2.0, VBT above 4 GiB" "2.1, VBT above 4 GiB"; do
	put "$layout"
	bind_override $igd vfio-pci
	tap_from vfio-region $igd verify 80008086 1 /tmp/expected
	is "$layout: ASLS" "$(shown_asls)" "$asls"
done
is "it is adopted" "$(adopts $igd)" vfio-pci-igd
check "and pinned" fails rmmod vfio_pci_igd
put "size 16 KiB with a VBT"
bind_override $igd vfio-pci
is "16 KiB: no OpRegion" "$(subtypes)" 2,3
put "RVDA to no VBT"
bind_override $igd vfio-pci
is "bad VBT: the OpRegion without it" "$(subtypes)" 1,2,3
check "bad VBT: byte for byte" cmp /tmp/expected <(vfio-region $igd dump 80008086 1)
put "2.0"
echo 1 >/sys/module/vfio_pci_igd/parameters/disable_bridges
bind_override $igd vfio-pci
is "what it shows is told by its own parameters" "$(subtypes)" 1
echo 0 >/sys/module/vfio_pci_igd/parameters/disable_bridges
echo 1 >/sys/module/vfio_pci/parameters/disable_adoption
bind_override $igd vfio-pci
is "disable_adoption: no regions" "$(subtypes)" ""
is "disable_adoption: ASLS is the register" \
	"$(vfio-do $igd write 4 fc 0 read 4 fc | tail -n 1),$(hw_asls)" 00000000,00000000
echo 0 >/sys/module/vfio_pci/parameters/disable_adoption
bind_override $igd ""
rmmod fakeigd
fake 0 class=0x038000
put "2.0"
bind_override $igd vfio-pci
is "class 0380: adopted as well" "$(adopts $igd),$(subtypes)" vfio-pci-igd,1,2,3
bind_override $igd ""
check "all unload" unload_vfio_pci
done_testing
