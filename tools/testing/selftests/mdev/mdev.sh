#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# klog-allow: DMAR: .*fault addr -- devices are made to write where nothing is mapped
# vm: mem=4G timeout=400 usual=6.12
# append: memmap=2M$0x60000000 memmap=1M$0x140000000
# append: slub_debug=F,kmalloc-*
# qemu: -device VGA,addr=02.0
# vfio-pci-mdev: a function is one mdev, whose UUID is the way to it. Its user is
# told what a user of vfio-pci is told, byte for byte, and its DMA stays in what he
# mapped. SR-IOV, adoption, settings, what fails and how.
# Functions are called through others, which shellcheck does not see.
# shellcheck disable=SC2317
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh
# shellcheck source=tools/testing/selftests/igd/igd.inc
. ./igd/igd.inc

edu0=$(dev_bdf edu0) && edu1=$(dev_bdf edu1) || bail "no edu"
pf=$(dev_bdf igb0) || bail "no igb0"
nic=$(dev_bdf e1000e0) || bail "no e1000e0"
mdevs=/sys/bus/mdev/devices
a=$(new_uuid) b=$(new_uuid)
dumps=/tmp/dumps
mkdir -p $dumps

# why CMD...: what it fails with, the last part of a shell's line.
why()
{
	local out

	out=$("$@" 2>&1) && echo "no error" || echo "${out##*: }"
}

available()
{
	cat "$(mdev_type "$1")/available_instances"
}

# get GROUP NAME: what VFIO answers to who asks for a device of that name.
get()
{
	vfio-do "$2" open-in "$1"
}

# has_no_mdev BDF: and none of it is left.
has_no_mdev()
{
	[ -z "$(ls "$(mdev_type "$1")/devices")" ] && [ "$(available "$1")" = 1 ]
}

# faults BDF IOVA: how often the IOMMU stopped its writes there since the mark.
faults()
{
	log_since | grep -cE "DMAR: .*DMA Write.*\[(0000:)?${1#0000:}\].*fault addr $2"
}

area vfio-pci
names="nvme0 e1000e0 igb0 virtio0 vga0 edu0"
check "our vfio-pci loads" load_ours
for name in $names; do
	d=$(dev_bdf "$name")
	bind_override "$d" vfio-pci
	vfio-dump "$d" >"$dumps/$name.pci" || diag "$name: no dump"
	bind_override "$d" ""
done
check "it unloads" unload_vfio_pci

area type
check "vfio-pci-mdev loads" load_mdev
is "it has no alias" "$(modinfo -F alias vfio-pci-mdev)" ""
check "and mdev with it" test -e /sys/module/mdev
check "edu0 binds" bind_override "$edu0" vfio-pci-mdev
is "it has one type" "$(ls "/sys/bus/pci/devices/$edu0/mdev_supported_types")" \
	vfio-pci-mdev-function
type=$(mdev_type "$edu0")
is "its name" "$(cat "$type/name")" "PCI function 1234:11e8"
is "its description" "$(cat "$type/description")" \
	"vendor 0x1234, device 0x11e8, class 0x00ff00, address $edu0"
is "its API" "$(cat "$type/device_api")" vfio-pci
is "one can be had" "$(available "$edu0")" 1
check "the parent is on mdev's list" test -e "/sys/class/mdev_bus/$edu0"
group=$(group_of "$edu0")
check "the group is there without an mdev" test -e "/dev/vfio/$group"
is "but no device in it: by address ENODEV" "$(get "$group" "$edu0")" "errno 19"
is "by a UUID ENODEV" "$(get "$group" "$a")" "errno 19"
bind_override "$nic" vfio-pci-mdev
check "without an mdev a function sleeps" wait_for 20 is_suspended "$nic"
mdev_create "$nic" "$a"
check "with one that nobody uses, too" wait_for 20 is_suspended "$nic"
bind_override "$nic" ""

area mdev
check "create" mdev_create "$edu0" "$a"
is "none can be had then" "$(available "$edu0")" 0
is "a second one: EUSERS" "$(why mdev_create "$edu0" "$b")" "Too many users"
is "the log says which one there is" "$(dmesg | grep -c \
	"$edu0: vfio-pci-mdev: mdev $b refused: the function has $a, and can have one; remove that first")" 1
is "and the one is still taken" "$(available "$edu0")" 0
is "the same again: EEXIST" "$(why mdev_create "$edu0" "$a")" "File exists"
check "a second function binds" bind_override "$edu1" vfio-pci-mdev
is "the same UUID there: EEXIST" "$(why mdev_create "$edu1" "$a")" "File exists"
is "no UUID: EINVAL" "$(why mdev_create "$edu1" "bogus")" "Invalid argument"
check "nothing of all that is left" has_no_mdev "$edu1"
is "and the first is as it was" "$(ls "$type/devices")" "$a"
is "iommu_group is the function's" \
	"$(readlink -f "$mdevs/$a/iommu_group")" "/sys/kernel/iommu_groups/$group"
is "the link leads straight there" \
	"$(basename "$(readlink "$mdevs/$a/iommu_group")")" "$group"
is "vfio-dev is the function's" "$(readlink -f "$mdevs/$a/vfio-dev")" \
	"$(readlink -f "/sys/bus/pci/devices/$edu0/vfio-dev")"
check "with the device in it" test -e "$mdevs/$a/vfio-dev/"vfio*/uevent
is "its driver" "$(basename "$(readlink "$mdevs/$a/driver")")" vfio-pci-mdev
check "nobody binds another one by hand" \
	test ! -e /sys/bus/mdev/drivers/vfio-pci-mdev/bind
is "GET_DEVICE_FD by UUID" "$(get "$group" "$a")" ok
for name in "$edu0" "$b" "${a^^}" "${a}x" "${a%?}" "$a-1" ""; do
	is "by \"$name\": ENODEV" "$(get "$group" "$name")" "errno 19"
done
is "with an option that it does not know: EINVAL" \
	"$(get "$group" "$a fast=1")" "errno 22"
is "with a token that it does not need: EINVAL" \
	"$(get "$group" "$a vf_token=$b")" "errno 22"
is "with a space: like vfio-pci" "$(get "$group" "$a ")" ok
check "remove" mdev_remove "$a"
check "it is gone, another can be had" has_no_mdev "$edu0"
is "its UUID leads nowhere: ENODEV" "$(get "$group" "$a")" "errno 19"
check "no memory for an mdev" modprobe failmdev
is "create: ENOMEM" "$(why mdev_create "$edu0" "$a")" "Cannot allocate memory"
rmmod failmdev
is "no memory: one can be had as before" "$(available "$edu0")" 1
check "no memory: and is made when there is some" eval \
	"mdev_create $edu0 $a && mdev_remove $a"

area answers
# Under its UUID, and with the mdev for the second time.
for name in $names; do
	d=$(dev_bdf "$name")
	bind_override "$d" vfio-pci-mdev && mdev_create "$d" "$b" &&
		mdev_remove "$b" && mdev_create "$d" "$b"
	vfio-dump "$b" >"$dumps/$name.mdev" || diag "$name: no dump"
	mdev_remove "$b"
	lines=$(grep -cE '^(device|region|irq|feature|config)' "$dumps/$name.mdev")
	check "$name: the dump is whole ($lines lines)" \
		test "$lines" -ge $((2 + 9 + 5 + 32 + 16))
	check "$name: the answers are vfio-pci's" \
		diff "$dumps/$name.pci" "$dumps/$name.mdev"
	bind_override "$d" ""
done

area DMA
# Each run leaves a mapping behind, at 0x400000; the first transfer of the next one
# goes there.
bind_override "$edu0" vfio-pci-mdev && bind_override "$edu1" vfio-pci-mdev
is "no faults so far" "$(dmesg | grep -c 'DMAR:.*fault addr')" 0
mdev_create "$edu1" "$b"
for round in "first mdev" "made again" "another user"; do
	[ "$round" = "another user" ] || mdev_create "$edu0" "$a"
	diag "$round"
	log_mark
	tap_from vfio-edu "$a"
	is "$round: faults at 0x200000, 0x300000, 0x400000" \
		"$(faults "$edu0" 0x200000) $(faults "$edu0" 0x300000) $(faults "$edu0" 0x400000)" \
		"1 1 1"
	[ "$round" != "first mdev" ] || mdev_remove "$a"
	# The log of faults is rate limited: two of ten in 5 s for each.
	sleep 6
done
diag "two mdevs, each with a user"
log_mark
tap_from vfio-edu "$a" "$b"
is "each was stopped where the other had memory" \
	"$(faults "$edu0" 0x500000) $(faults "$edu1" 0x500000)" "1 1"
is "and nowhere else" \
	"$(dmesg | grep 'DMAR:.*fault addr' | grep -cvE 'fault addr 0x[2345]00000')" 0
mdev_remove "$a"

area interrupts
is "INTx is masked in the device" "$(vfio-edu "$b" | sed -n 's/.*masked in the device: //p')" yes
mdev_remove "$b"
shown=/sys/bus/pci/devices/$edu0/vfio_pci_variant
echo "$edu0:nointxmask+config=c/5a" >/sys/module/vfio_pci_mdev/parameters/quirks
bind_override "$edu0" vfio-pci-mdev && mdev_create "$edu0" "$a"
is "a quirk of its own module holds" "$(cat "$shown/nointxmask")" 1
is "for the mdev's user" "$(vfio-edu "$a" | sed -n 's/.*masked in the device: //p')" no
is "and the byte it shows" "$(vfio-do "$a" read 1 c)" 5a
is "parameters are those of vfio-pci" \
	"$(cd /sys/module/vfio_pci_mdev/parameters && stat -c '%n %a' -- * | paste -sd ' ')" \
	"disable_adoption 644 disable_denylist 444 disable_idle_d3 644 disable_vga 444 enable_sriov 644 nointxmask 644 quirks 644 standby 644"
echo >/sys/module/vfio_pci_mdev/parameters/quirks

area unload
vfio-do "$a" hold >/tmp/hold &
holder=$!
check "a user opens it" wait_for 20 grep -q open /tmp/hold
check "rmmod while open is refused" fails rmmod vfio_pci_mdev
is "and nothing happened" "$(driver_of "$edu0") $(ls "$type/devices")" "vfio-pci-mdev $a"
kill -TERM $holder
wait_exit 30 $holder
is "the user lets go, unasked" "$(paste -sd, /tmp/hold)" "open,closed"
bind_override "$edu1" vfio-pci-mdev && mdev_create "$edu1" "$b"
# Who frees an mdev may still be in the module when its function is unbound already.
trace_calls "p:vpv_rcu synchronize_rcu_tasks"
check "it unloads with two idle mdevs" unload_vfio_pci
is "unloading waits for those who are on their way out of it" \
	"$(grep -c 'rmmod.*vpv_rcu' $trace/trace)" 1
trace_no_more
is "no mdev is left" "$(ls $mdevs)" ""
check "nor any of their types" test ! -e "/sys/bus/pci/devices/$edu0/mdev_supported_types"
is "functions have no driver" "$(driver_of "$edu0")$(driver_of "$edu1")" ""
check "mdev unloads" rmmod mdev
check "it loads with ids=" load_mdev ids=1234:11e8
is "both functions are bound" "$(driver_of "$edu0") $(driver_of "$edu1")" \
	"vfio-pci-mdev vfio-pci-mdev"
mdev_create "$edu0" "$a"
check "vfio-pci loads beside it" load_ours
check "and takes a function" bind_override "$nic" vfio-pci
check "which is opened by address" vfio-do "$nic" read 4 0
check "while the mdev is opened by its UUID" vfio-do "$a" read 4 0
is "with another setting each" "$(echo 1 >/sys/module/vfio_pci/parameters/nointxmask
	bind_override "$edu1" vfio-pci
	bind_override "$edu0" vfio-pci-mdev
	cat "/sys/bus/pci/devices/$edu1/vfio_pci_variant/nointxmask" "$shown/nointxmask" | paste -sd ' ')" "1 0"
is "a function that is bound anew has no mdev" "$(ls "$type/devices")" ""
bind_override "$nic" ""
bind_override "$edu1" ""

area adoption
modprobe vpv-s1
bind_override "$edu0" vfio-pci && vfio-dump "$edu0" >/tmp/adopted.pci
bind_override "$edu0" vfio-pci-mdev && mdev_create "$edu0" "$a"
is "edu0: a specialised variant is adopted" "$(cat "$shown/adopts")" vpv-s1
is "its region is there" "$(vfio-region "$a" dump 80001234 1 2>/dev/null | tr -d '\0')" vpv-s1
check "the answers are vfio-pci's" diff /tmp/adopted.pci <(vfio-dump "$a")
check "and not those without it" fails diff -q /tmp/adopted.pci $dumps/edu0.pci
check "it is pinned" fails rmmod vpv_s1
unbind "$edu0"
check "until unbind" rmmod vpv_s1

fake 0
put "2.0, VBT distant"
bind_override $igd vfio-pci
vfio-dump $igd >/tmp/igd.pci
is "Intel graphics with vfio-pci: three regions" "$(subtypes)" 1,2,3
bind_override $igd vfio-pci-mdev && mdev_create $igd "$a"
is "Intel graphics: adopted" \
	"$(cat /sys/bus/pci/devices/$igd/vfio_pci_variant/adopts)" vfio-pci-igd
is "the log says what QEMU makes of that" "$(dmesg | grep -c \
	"$igd: vfio-pci-mdev: QEMU takes an mdev of Intel VGA for GVT-g: .*bind it to vfio-pci")" 1
is "and of no other function" "$(dmesg | grep -c 'QEMU takes an mdev')" 1
is "three regions" "$(subtypes "$a")" 1,2,3
check "the answers are vfio-pci's" diff /tmp/igd.pci <(vfio-dump "$a")
tap_from vfio-region "$a" verify 80008086 1 /tmp/expected
mdev_remove "$a"
bind_override $igd ""
check "all unload" unload_vfio_pci
rmmod fakeigd

area SR-IOV
load_mdev enable_sriov=1
bind_override "$pf" vfio-pci-mdev && mdev_create "$pf" "$a"
check "two VFs" eval "echo 2 >/sys/bus/pci/devices/$pf/sriov_numvfs"
vf0=$(basename "$(readlink "/sys/bus/pci/devices/$pf/virtfn0")")
vf1=$(basename "$(readlink "/sys/bus/pci/devices/$pf/virtfn1")")
is "they have this driver" "$(driver_of "$vf0") $(driver_of "$vf1")" \
	"vfio-pci-mdev vfio-pci-mdev"
check "a VF is an mdev" mdev_create "$vf0" "$b"
token=$(new_uuid)
vfio-do "$a" token "$token" hold >/tmp/hold &
holder=$!
check "a user opens the PF by UUID and sets its VF token" \
	wait_for 20 grep -q open /tmp/hold
group=$(group_of "$vf0")
is "the VF without a token: EACCES" "$(get "$group" "$b")" "errno 13"
is "with another one: EACCES" "$(get "$group" "$b vf_token=$a")" "errno 13"
is "with the token" "$(get "$group" "$b vf_token=$token")" ok
is "by its address with the token: ENODEV" "$(get "$group" "$vf0 vf_token=$token")" "errno 19"
kill -TERM $holder
wait_exit 30 $holder
check "the VFs go, with an mdev" eval "echo 0 >/sys/bus/pci/devices/$pf/sriov_numvfs"
is "one mdev is left" "$(ls $mdevs)" "$a"
echo 1 >"/sys/bus/pci/devices/$pf/sriov_numvfs"
vf0=$(basename "$(readlink "/sys/bus/pci/devices/$pf/virtfn0")")
mdev_create "$vf0" "$b"
check "unbind of a PF takes VFs and mdevs along" unbind "$pf"
is "no mdev is left" "$(ls $mdevs)" ""
bind_override "$pf" ""
check "it unloads" unload_vfio_pci

area rounds
rounds()
{
	local i

	for ((i = 0; i < $1; i++)); do
		bind_override "$edu0" vfio-pci-mdev && mdev_create "$edu0" "$a" &&
			vfio-do "$a" read 4 0 && mdev_remove "$a" &&
			mdev_create "$edu0" "$b" && unbind "$edu0" ||
			{ echo "round $i failed"; return 1; }
	done
}

load_mdev
rounds 10 >/dev/null
objects >/tmp/before
check "80 rounds of bind, create, open, remove, create, unbind" rounds 80
most=$(most_grown /tmp/before)
check "lose nothing: $most objects" test "${most##* }" -lt 70
bind_override "$edu0" ""
check "all unload" unload_vfio_pci
done_testing
