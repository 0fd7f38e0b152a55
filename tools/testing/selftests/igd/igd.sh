#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: mem=4G timeout=1800 devices=none kernels=6.1,6.12,7.3,6.1-debug,7.3-debug usual=6.12
# append: memmap=2M$0x60000000 memmap=1M$0x140000000
# append: slub_debug=F,kmalloc-*
# qemu: -vga none -device VGA,addr=02.0
# qemu: -device pcie-root-port,id=rp9,bus=pcie.0,addr=9,chassis=9,x-speed=5
# qemu: -device secondary-vga,bus=rp9
# qemu: -device igb,addr=0c.0,romfile=/usr/share/seabios/vgabios-stdvga.bin
# vfio-pci-igd on a function that passes for Intel graphics: layouts of the
# OpRegion byte for byte, what it says of bad ones, the bridges, the parameters; and on
# what only looks like Intel graphics. The network function stands for a card on bus
# 0, and its VFs, which are on bus 0 as well, for those of Intel graphics.
# Functions are called through others, which shellcheck does not see.
# shellcheck disable=SC2317
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh
# shellcheck source=tools/testing/selftests/igd/igd.inc
. ./igd/igd.inc

modprobe vfio_iommu_type1

area alias
for class in 00 80; do
	is "there is an alias for class 03$class" "$(grep -cixF \
		"alias vfio_pci:v00008086d*sv*sd*bc03sc${class}i* vfio_pci_igd" \
		"$modules_dir/modules.alias")" 1
done
is "and no other" "$(grep -c '^alias vfio_pci:.* vfio_pci_igd$' "$modules_dir/modules.alias")" 2

area layout
fake 0
at /
as_printed vfio-pci-igd.rst 'modprobe vfio-pci-igd'
is "it binds nothing by itself" "$(driver_of $igd)" ""
as_printed vfio-pci-igd.rst 'echo vfio-pci-igd > /sys/bus/pci/devices/0000:00:02.0/driver_override'
as_printed vfio-pci-igd.rst 'echo 0000:00:02.0 > /sys/bus/pci/drivers_probe'
is "it binds what it is told" "$(driver_of 0000:00:02.0)" vfio-pci-igd
bind_override 0000:00:02.0 ""
while IFS= read -r name; do
	put "$name"
	check "$name: it binds" bind_override $igd vfio-pci-igd
	is "$name: three regions" "$(vfio-region $igd list | cut -d' ' -f1,2 | paste -sd,)" \
		"80008086 1,80008086 2,80008086 3"
	tap_from vfio-region $igd verify 80008086 1 /tmp/expected
	is "$name: ASLS shows its address" "$(shown_asls)" "$asls"
done < <(./igd/igd-layout.py list good)
is "nothing was complained of" \
	"$(dmesg | grep 'vfio-pci-igd:' | grep -vc "vfio-pci-igd: it can't be reset: ")" 0

area ASLS
is "the user reads what he writes to ASLS" \
	"$(vfio-do $igd write 4 fc deadbeef read 4 fc read 1 fe write 2 fc 1234 read 4 fc |
		paste -sd,)" "written,deadbeef,ad,written,dead1234"
is "none of it gets to the function" "$(hw_asls)" "$asls"
is "the next user finds the OpRegion's address" "$(shown_asls)" "$asls"

area bridges
for bridge in 00.0=2 1f.0=3; do
	cp "/sys/bus/pci/devices/0000:00:${bridge%=*}/config" /tmp/bridge
	tap_from vfio-region $igd verify 80008086 "${bridge#*=}" /tmp/bridge
done
check "the bridges are not the same" fails cmp -s /tmp/bridge \
	/sys/bus/pci/devices/0000:00:00.0/config

# without DESC SUBTYPES LOG: what regions are left and what is said of the others.
without()
{
	log_mark
	is "$1: regions" "$(subtypes)" "$2"
	is "$1: one line says why" "$(log_since | grep -c "vfio-pci-igd.*$3")" 1
}

# foreign SLOT: the bridge there is somebody else's.
foreign()
{
	modprobe idshim "bdf=0000:00:$1" vendor=0x1022 device=0x1234
}

strict()
{
	echo "$1" >/sys/module/vfio_pci_igd/parameters/strict
	bind_override $igd vfio-pci-igd
}

# refuses DESC ERRNO LOG
refuses()
{
	local rc

	log_mark
	vfio-region $igd list >/dev/null
	rc=$?
	is "$1: strict refuses to open" $rc "$2"
	is "$1: and says why" "$(log_since | grep -c "vfio-pci-igd.*$3.*strict")" 1
}

foreign 00.0
without "foreign host bridge" 1,3 "host bridge left out: .*not Intel's"
strict 1
refuses "foreign host bridge" 22 "host bridge: .*not Intel's"
rmmod idshim
foreign 1f.0
refuses "foreign LPC bridge" 22 "LPC bridge: .*not Intel's"
strict 0
without "foreign LPC bridge" 1,2 "LPC bridge left out: .*not Intel's"
rmmod idshim
is "the next open has all" "$(subtypes)" 1,2,3

echo 1 >/sys/bus/pci/devices/0000:00:00.0/remove
without "no host bridge" 1,3 "host bridge left out: there is none"
strict 1
refuses "no host bridge" 19 "host bridge: there is none"
strict 0
echo 1 >/sys/bus/pci/rescan
is "it is found again" "$(subtypes)" 1,2,3

area "bad layout"
while IFS= read -r name; do
	put "$name"
	why=$(cat /tmp/expected.why)
	bind_override $igd vfio-pci-igd
	without "$name" 2,3 "OpRegion left out: .*$why.*; QEMU 11.1 applies no .*(BDSM)"
	is "$name: ASLS shows none" "$(shown_asls)" 00000000
	strict 1
	refuses "$name" 22 "OpRegion: .*$why"
	strict 0
done < <(./igd/igd-layout.py list bad)

# A bad VBT leaves the OpRegion, which says that there is none.
while IFS= read -r name; do
	put "$name"
	why=$(cat /tmp/expected.why)
	bind_override $igd vfio-pci-igd
	without "$name" 1,2,3 \
		"VBT outside of the OpRegion left out: .*$why.*; RVDA and RVDS read as 0"
	vfio-region $igd dump 80008086 1 >/tmp/got
	check "$name: all else is the firmware's" cmp /tmp/expected /tmp/got
	is "$name: ASLS shows its address" "$(shown_asls)" "$asls"
	strict 1
	refuses "$name" 22 "VBT outside of the OpRegion: .*$why"
	strict 0
done < <(./igd/igd-layout.py list bad-vbt)
tap_from vfio-region $igd verify 80008086 1 /tmp/expected

# A BAR is memory too, and its user's: what is there is not looked at.
read -r asls _ <"/sys/bus/pci/devices/$igd/resource"
fake_asls "$((asls))"
bind_override $igd vfio-pci-igd
without "ASLS in a BAR" 2,3 "OpRegion left out: .*does not point to memory of the firmware"

for asls in 0 0xffffffff; do
	fake_asls "$asls"
	strict 1
	without "ASLS $asls" 2,3 "no OpRegion: the firmware left no address.*(BDSM)"
	is "ASLS $asls: it shows none" "$(shown_asls)" 00000000
done
strict 0

area parameters
put "2.0, VBT distant"
bind_override $igd vfio-pci-igd
parameters=/sys/module/vfio_pci_igd/parameters
echo 1 >$parameters/disable_opregion
is "disable_opregion: not for what is bound" "$(subtypes)" 1,2,3
bind_override $igd vfio-pci-igd
without "disable_opregion" 2,3 "no OpRegion: disable_opregion.*(BDSM)"
is "disable_opregion: ASLS shows none" "$(shown_asls)" 00000000
is "disable_opregion: the register is what it was" "$(hw_asls)" "$asls"
echo 0 >$parameters/disable_opregion
echo 1 >$parameters/disable_bridges
bind_override $igd vfio-pci-igd
log_mark
is "disable_bridges: regions" "$(subtypes)" 1
is "disable_bridges: nothing is said" "$(log_since | grep -c vfio-pci-igd:)" 0
echo 0 >$parameters/disable_bridges
echo "$igd:no_mmap=0,$igd:disable_bridges" >$parameters/quirks
bind_override $igd vfio-pci-igd
is "quirks=: this device has no bridges" "$(subtypes)" 1
load_ours
bind_override $igd vfio-pci
is "quirks=: adopted by vfio-pci it has none" "$(subtypes)" 1
is "quirks=: sysfs says what holds of them" \
	"$(cat "/sys/bus/pci/devices/$igd/vfio_pci_variant/quirks")" \
	"adopted-parameter disable_bridges=1 $igd"
bind_override $igd ""
rmmod vfio_pci
echo >$parameters/quirks
check "the standard ones are its own" test -w $parameters/nointxmask -a \
	-w $parameters/quirks -a -e $parameters/disable_vga

bind_override $igd vfio-pci-igd
fake_asls 0x1000000
is "ASLS counts as it was at bind" "$(subtypes)" 1,2,3
is "and shows so" "$(shown_asls)" "$asls"

area class
bind_override $igd ""
rmmod fakeigd
fake "0x$asls" class=0x038000
check "class 0380: it binds" bind_override $igd vfio-pci-igd
is "class 0380: three regions" "$(subtypes)" 1,2,3
tap_from vfio-region $igd verify 80008086 1 /tmp/expected

area "no graphics"
card=$(basename "$(ls -d /sys/bus/pci/devices/0000:00:09.0/0000:??:00.0)")
check "a card: it binds" bind_override "$card" vfio-pci-igd
log_mark
is "a card of somebody else's: no regions" "$(subtypes "$card")" ""
is "and one line says so" \
	"$(log_since | grep -c "$card: vfio-pci-igd: no OpRegion, no bridges: it is no display controller of Intel's$")" 1
bind_override "$card" ""
modprobe idshim "bdf=$card" vendor=0x8086 device=0x56a0
check "a card of Intel's: it binds" bind_override "$card" vfio-pci-igd
log_mark
is "a card of Intel's: no regions" "$(subtypes "$card")" ""
is "and one line says so, too" \
	"$(log_since | grep -c "$card: vfio-pci-igd: no OpRegion: the firmware left no address in ASLS$")" 1
is "no other line" "$(log_since | grep -c vfio-pci-igd:)" 1
bind_override "$card" ""
rmmod idshim

area VF
pf=0000:00:0c.0
numvfs=/sys/bus/pci/devices/$pf/sriov_numvfs
modprobe igb
bind_override $pf igb
echo 0 >/sys/bus/pci/devices/$pf/sriov_drivers_autoprobe
echo 1 >"$numvfs"
vf=$(basename "$(readlink /sys/bus/pci/devices/$pf/virtfn0)")
is "a VF: it is on bus 0" "${vf%:*}" 0000:00
# Not of class 0300: the VGA arbiter would not know it.
modprobe idshim "bdf=$vf" vendor=0x8086 device=0x4680 class=0x038000
load_ours
for driver in vfio-pci-igd vfio-pci; do
	value=$([ $driver = vfio-pci ] && echo cafebabe || echo deadbeef)
	check "a VF of Intel graphics: $driver binds" bind_override "$vf" $driver
	log_mark
	is "a VF of Intel graphics, $driver: no regions" "$(subtypes "$vf")" ""
	is "a VF of Intel graphics, $driver: one line says so" \
		"$(log_since | grep "vfio-pci-igd:" | sed "s/.*$vf: //")" \
		"vfio-pci-igd: no OpRegion, no bridges: it is a VF, which is a plain function"
	is "a VF of Intel graphics, $driver: 0xfc is the function's" \
		"$(vfio-do "$vf" write 4 fc "$value" read 4 fc hw 4 fc | paste -sd,)" \
		"written,$value,$value"
done
is "a VF of Intel graphics: adopted" \
	"$(cat "/sys/bus/pci/devices/$vf/vfio_pci_variant/adopts")" vfio-pci-igd
bind_override "$vf" ""
rmmod idshim vfio_pci
echo 0 >"$numvfs"
rmmod igb

area elsewhere
bind_override $igd ""
rmmod fakeigd
home=$igd igd=$pf
fake 0 slot=12 class=0x038000
put "2.1, VBT distant"
check "on bus 0, with an OpRegion: it binds" bind_override $igd vfio-pci-igd
is "on bus 0, with an OpRegion: three regions" "$(subtypes)" 1,2,3
fake_asls 0
bind_override $igd vfio-pci-igd
without "on bus 0, a card of Intel's" "" \
	"no OpRegion: the firmware left no address in ASLS$"
bind_override $igd ""
rmmod fakeigd
igd=$home

area ROM
rom=/sys/bus/pci/devices/$pf/rom
echo 1 >"$rom"
cat "$rom" >/tmp/rom
check "without a driver the ROM can be read" test -s /tmp/rom
bind_override $pf vfio-pci-igd
check "nobody uses it: it goes to D3hot" wait_for 10 is_suspended $pf
check "asleep: its ROM can't be read" fails cat "$rom"
echo on >/sys/bus/pci/devices/$pf/power/control
check "power/control=on: it can" cmp /tmp/rom "$rom"
echo auto >/sys/bus/pci/devices/$pf/power/control
check "power/control=auto: it sleeps again" wait_for 10 is_suspended $pf
check "and its ROM can't be read" fails cat "$rom"
echo 1 >/sys/module/vfio_pci_igd/parameters/disable_idle_d3
bind_override $pf vfio-pci-igd
check "disable_idle_d3=1: it can" cmp /tmp/rom "$rom"
echo 0 >/sys/module/vfio_pci_igd/parameters/disable_idle_d3
bind_override $pf ""
fake 0

area rounds
lpc_refs()
{
	cat /sys/module/fakeigd/parameters/lpc_refs
}

# Mappings of the firmware's memory.
mapped()
{
	grep -c "phys=0x[0]*60" /proc/vmallocinfo
}

# leaves_nothing DESC OPENED REGIONS: in 400 rounds of open and close, with so many.
# Enough to tell one object a round from a page of the smallest, of which there are
# 128: whole pages are what is counted.
leaves_nothing()
{
	local refs

	refs=$(lpc_refs)
	vfio-region $igd rounds 20 >/dev/null
	objects >/tmp/before
	is "$1: 400 rounds of open and close" "$(vfio-region $igd rounds 400)" \
		"$2 opened, $3 regions"
	# What is freed KASAN keeps for a while, and kmemleak looks at the end.
	if ! is_watched; then
		most=$(most_grown /tmp/before)
		check "$1: no memory is left behind: $most objects" test "${most##* }" -lt 300
	fi
	is "$1: no mapping" "$(mapped)" 0
	is "$1: no reference" "$(lpc_refs)" "$refs"
}

put "2.0, VBT distant"
bind_override $igd vfio-pci-igd
leaves_nothing "good" 400 1200
refs=$(lpc_refs)
vfio-do $igd hold >/tmp/held &
wait_for 20 grep -q open /tmp/held
is "while it is open, the OpRegion and its VBT are mapped" "$(mapped)" 2
is "and the bridge is held" "$(lpc_refs)" $((refs + 1))
kill $!
wait $!
put "RVDS too small"
bind_override $igd vfio-pci-igd
vfio-do $igd hold >/tmp/held &
wait_for 20 grep -q open /tmp/held
is "while it is open, a bad VBT is not" "$(mapped)" 1
kill $!
wait $!
is "and then nothing" "$(mapped)" 0

put "size 16 KiB with a VBT"
bind_override $igd vfio-pci-igd
leaves_nothing "bad OpRegion" 400 800
# The open fails after the OpRegion and the host bridge got their regions.
put "2.0, VBT distant"
foreign 1f.0
strict 1
leaves_nothing "strict, foreign LPC bridge" 0 0
rmmod idshim

bind_override $igd ""
check "it unloads" rmmod vfio_pci_igd
done_testing
