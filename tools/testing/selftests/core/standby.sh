#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: smp=2 accel=tcg,thread=single mem=3G timeout=900 usual=6.1,7.3
# qemu: -device pcie-root-port,id=rp19,bus=pcie.0,addr=0x19,chassis=25,x-speed=5
# qemu: -device nvme-subsys,id=subsys2
# qemu: -device nvme,serial=NVME2,subsys=subsys2,bus=rp19,sriov_max_vfs=32,sriov_vq_flexible=64,sriov_vi_flexible=32,max_ioqpairs=66,msix_qsize=35
# qemu: -device pcie-root-port,id=rp1a,bus=pcie.0,addr=0x1a,chassis=26,x-speed=5
# qemu: -device e1000e,bus=rp1a,addr=0.0,multifunction=on
# qemu: -device e1000e,bus=rp1a,addr=0.1
# qemu: -device pcie-root-port,id=rp1b,bus=pcie.0,addr=0x1b,chassis=27,x-speed=5
# qemu: -device virtio-rng-pci,bus=rp1b,disable-legacy=on,iommu_platform=on,ats=on
# Functions that stand ready: their users find them reset, and none of them waits for it.
# Where that can't be, the open resets them. An address in an e1000e that its user changed
# is its own again after a reset by its bus.
# Functions are called through others, which shellcheck does not see.
# shellcheck disable=SC2317
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh
# shellcheck source=tools/testing/selftests/nested.inc
. ./nested.inc

nic=$(dev_bdf e1000e0) || bail "no e1000e0"
nvme=$(dev_bdf nvme0) || bail "no nvme0"
igb=$(dev_bdf igb0) || bail "no igb0"
many=$(dev_bdf added) || bail "no NVMe with VFs"
pair=(/sys/bus/pci/devices/0000:00:1a.0/0000:??:00.[01])
pair=("${pair[@]##*/}")
[ ${#pair[@]} = 2 ] || bail "no two functions in a slot"
ats=$(basename /sys/bus/pci/devices/0000:00:1b.0/0000:??:00.0)
quirks=/sys/module/vfio_pci/parameters/quirks

# One is reset by its bus, the others by FLR; each way begins here.
# The first argument tells the function.
# shellcheck disable=SC2016
trace_calls 'p:vpv_reset __pci_reset_function_locked pdev=$arg1' || bail "no kprobe"

# resets: of all functions, since trace_from_here.
resets()
{
	grep -c vpv_reset: $trace/trace
}

standby()
{
	cat "/sys/bus/pci/devices/$1/vfio_pci_variant/standby"
}

stands()
{
	[ "$(standby "$1")" = "$2" ]
}

# ready BDF...
ready()
{
	local f

	for f; do
		wait_for 60 stands "$f" warm || return
	done
}

# bind_ready BDF [DRIVER]
bind_ready()
{
	bind_override "$1" "${2:-vfio-pci}" && ready "$1"
}

power_state()
{
	cat "/sys/bus/pci/devices/$1/power_state"
}

# maps BDF: may root map its BAR 0?
maps()
{
	python3 - "/sys/bus/pci/devices/$1/resource0" <<-'EOF2'
		import mmap, sys
		with open(sys.argv[1], "r+b") as f:
		    mmap.mmap(f.fileno(), 4096)
	EOF2
}

# opened BDF COMMAND...: what a user is told, and how often it was reset by then.
opened()
{
	trace_from_here
	user open "$1" >/tmp/said
	user "${@:2}" >>/tmp/said
	echo "$(paste -sd ' ' /tmp/said) $(resets)"
}

# as_it_should TITLE: nic, just disturbed, is its own for its user, who changes it.
as_it_should()
{
	user open "$nic" >/dev/null
	is "$1: its user finds it reset" "$(user mac "$nic")" "$mac"
	user region-write "$nic" 4 0 5400 abcdef01 >/dev/null
	user close "$nic" >/dev/null
	check "$1: it is ready again" ready "$nic"
}

# As long as it takes for what was to be done to have been done.
a_while()
{
	sleep 1
}

area off
check "our vfio-pci loads" load_ours
echo bus >"/sys/bus/pci/devices/$nic/reset_method"
bind_override "$nic" vfio-pci
is "by default it does not stand ready" "$(standby "$nic")" off
is "and there is a parameter" "$(cat /sys/module/vfio_pci/parameters/standby)" N
mac=$(vfio-do "$nic" mac)
check "and it sleeps" wait_for 30 is_suspended "$nic"

area ready
echo "$nic:standby,${igb%.0}.*:standby,$many:standby" >$quirks
log_mark
trace_from_here
check "it is made ready" bind_ready "$nic"
is "by one reset" "$(resets)" 1
is "it is in D0" "$(power_state "$nic")" D0
check "not even root maps its BAR" fails maps "$nic"
start_user
before=$(cat "/sys/bus/pci/devices/$nic/vfio_pci_variant/resets_spared")
is "it is opened without a reset" "$(opened "$nic" mac "$nic")" "ok $mac 0"
is "it is open" "$(standby "$nic")" open
trace_from_here
user close "$nic" >/dev/null
check "it is made ready again" ready "$nic"
is "it was reset when it was closed, and for the next one" "$(resets)" 2
is "VFIO_DEVICE_RESET has nothing to do either" "$(opened "$nic" reset "$nic")" \
	"ok ok, info says yes 0"
is "that was spared" \
	"$(cat "/sys/bus/pci/devices/$nic/vfio_pci_variant/resets_spared")" $((before + 1))
user region-write "$nic" 4 0 5400 abcdef01 >/dev/null
check "its address was changed" [ "$(user mac "$nic")" != "$mac" ]
trace_from_here
is "touched, it is reset" "$(user reset "$nic") $(resets)" "ok, info says yes 1"
user region-write "$nic" 4 0 5400 abcdef01 >/dev/null
user close "$nic" >/dev/null
is "opened again at once it is its own" "$(user open "$nic") $(user mac "$nic")" "ok $mac"
user close "$nic" >/dev/null
is "the log says nothing" "$(log_since | grep -c "$nic: vfio-pci: standby")" 0
check "with its bus mastering off" ready "$nic"
is "COMMAND as after an open" "$(setpci -s "$nic" COMMAND.w)" 0103

area "not ready any more"
trace_from_here
echo 1 >"/sys/bus/pci/devices/$nic/reset"
as_it_should "root has reset it"
trace_from_here
echo 1 >"/sys/bus/pci/devices/$nic/reset"
is_reset_again()
{
	[ "$(resets)" = "$1" ]
}
check "root has reset it: it is made ready anew" wait_for 30 is_reset_again 2
check "root has reset it: it is ready" ready "$nic"
for what in COMMAND=6:6 CACHE_LINE_SIZE=10 ECAP_AER+0xc.l=0 40.l=0; do
	[ $what != 40.l=0 ] || what=CAP_MSI+4.l=fee00000
	log_mark
	setpci -s "$nic" "$what"
	is "$what: it is reset when it is opened" "$(opened "$nic" mac "$nic")" "ok $mac 1"
	is "$what: the log says so" "$(log_since | grep -c "$nic: vfio-pci: standby: its config space has changed at 0x")" 1
	user close "$nic" >/dev/null
	check "$what: it is ready again" ready "$nic"
done
port=$(port_of "$nic")
setpci -s "$port" BRIDGE_CONTROL=40:40
wait_for 5 eval "[ \$(setpci -s $port BRIDGE_CONTROL.w) = 0040 ]"
setpci -s "$port" BRIDGE_CONTROL=0:40
wait_for 20 eval "[ \$(setpci -s $nic VENDOR_ID.w) = 8086 ]"
as_it_should "its bus was reset"
modprobe aer_inject aer_mask_override=1
trace_from_here
log_mark
check "it has an error" inject "$nic" 4000 successful
check "it had an error: it is made ready anew" wait_for 30 is_reset_again 1
as_it_should "it had an error"
log_mark
check "its link is reset" inject "$nic" 10 successful
as_it_should "its link was reset"
rmmod aer_inject
echo freezer >/sys/power/pm_test
trace_from_here
log_mark
check "the system goes to sleep and wakes up" eval 'echo freeze >/sys/power/state'
check "it has slept: it is made ready anew" wait_for 30 is_reset_again 1
as_it_should "it has slept"
echo none >/sys/power/pm_test
lock "$nic"
log_mark
user open "$nic" >/tmp/said
is "somebody has its lock: it is opened nevertheless" "$(cat /tmp/said)" ok
unlock
user close "$nic" >/dev/null
check "somebody had its lock: it is ready again" ready "$nic"
lock "$nic"
setpci -s "$nic" CACHE_LINE_SIZE=20
log_mark
is "changed, and somebody has its lock: it is not opened" "$(user open "$nic")" "errno 11"
is "the log says so" "$(log_since | grep -c "$nic: vfio-pci: not opened: it can't be reset now")" 1
unlock
as_it_should "that was let go"

area "can't be ready"
echo "$nic:standby+no_reset" >$quirks
log_mark
bind_override "$nic" vfio-pci
is "no reset: it does not stand ready" "$(standby "$nic")" off
is "no reset: the log says so" "$(log_since |
	grep -c "$nic: vfio-pci: standby does not hold: it can't be reset by itself")" 1
bind_override "$nic" ""
for f in "${pair[@]}"; do
	echo "$f:standby" >$quirks
	log_mark
	bind_override "$f" vfio-pci
	is "$f: one of a slot does not stand ready" "$(standby "$f")" off
	is "$f: the log says so" "$(log_since |
		grep -c "$f: vfio-pci: standby does not hold: there are other functions in its slot or on its bus")" 1
done
for f in "${pair[@]}"; do
	bind_override "$f" ""
done
check "a function with ATS" eval "[ \$(setpci -s $ats ECAP_ATS.w) = 000f ]"
echo "$ats:standby" >$quirks
log_mark
bind_override "$ats" vfio-pci
case $VPV_K in
7.3)
	is "ATS: it does not stand ready" "$(standby "$ats")" off
	is "ATS: the log says so" "$(log_since | grep -c "$ats: vfio-pci: standby does not hold: it has ATS")" 1
	;;
*)
	check "ATS: it is ready" ready "$ats"
	setpci -s "$ats" ECAP_ATS+6.w=8000
	is "ATS: it may be switched" "$(opened "$ats" read "$ats" 4 0)" "ok 10441af4 0"
	user close "$ats" >/dev/null
	;;
esac
bind_override "$ats" ""
echo "$nic:standby" >$quirks
bind_override "$nic" ""
modprobe fakefault "bdf=$nic" what=claim
log_mark
bind_override "$nic" vfio-pci
check "somebody has its BAR: the log says so" wait_for 20 eval \
	"log_since | grep -q '$nic: vfio-pci: standby: it could not be made ready (error -16)'"
is "somebody has its BAR: it is cold" "$(standby "$nic")" cold
check "somebody has its BAR: it sleeps" wait_for 30 is_suspended "$nic"
is "somebody has its BAR: it is reset when it is opened" "$(opened "$nic" read "$nic" 4 0)" \
	"ok 10d38086 1"
user close "$nic" >/dev/null
a_while
is "and after its use nothing is said again" "$(log_since | grep -c "standby: it could not")" 1
rmmod fakefault
user open "$nic" >/dev/null
user close "$nic" >/dev/null
check "the BAR is free: it is ready" ready "$nic"
bind_override "$nic" ""
echo >"/sys/bus/pci/devices/$nic/reset_method"
log_mark
bind_override "$nic" vfio-pci
is "its methods are gone: it does not stand ready" "$(standby "$nic")" off
echo bus >"/sys/bus/pci/devices/$nic/reset_method"
bind_ready "$nic"
echo >"/sys/bus/pci/devices/$nic/reset_method"
user open "$nic" >/dev/null
user close "$nic" >/dev/null
check "its methods went: the log says that it is not ready" wait_for 20 eval \
	"log_since | grep -q '$nic: vfio-pci: standby: it could not be made ready (error -25)'"
is "its methods went: it is cold" "$(standby "$nic")" cold
echo bus >"/sys/bus/pci/devices/$nic/reset_method"

area unbind
# state_of BDF: what must be as it was before it was bound.
state_of()
{
	local d=/sys/bus/pci/devices/$1

	setpci -s "$1" COMMAND.w INTERRUPT_LINE.b
	cat "$d"/{enable,reset_method,d3cold_allowed,power/control}
	cat "$d/power/autosuspend_delay_ms" 2>/dev/null
	grep -c "vfio-pci" /proc/iomem
}
bind_override "$nic" ""
before=$(state_of "$nic")
for how in override rmmod remove; do
	[ "$(driver_of "$nic")" ] || load_ours "quirks=$nic:standby"
	check "$how: it is ready" bind_ready "$nic"
	trace_from_here
	case $how in
	override) bind_override "$nic" "" ;;
	rmmod) end_user && unload_vfio_pci ;;
	remove) echo 1 >"/sys/bus/pci/devices/$nic/remove" ;;
	esac
	is "$how: it goes" "$?" 0
	is "$how: without a reset" "$(resets)" 0
	[ $how != remove ] || { echo 1 >/sys/bus/pci/rescan && wait_for 20 test -e "/sys/bus/pci/devices/$nic"; }
	[ $how = remove ] || is "$how: it is as before" "$(state_of "$nic")" "$before"
done
start_user
load_ours "quirks=$nic:standby" 2>/dev/null
echo bus >"/sys/bus/pci/devices/$nic/reset_method"
for _ in {1..10}; do
	bind_override "$nic" vfio-pci && bind_override "$nic" ""
done
is "it goes while it is made ready" $? 0
check "it is ready" bind_ready "$nic"
check "hot-unplug: it goes" eval "echo 1 >/sys/bus/pci/devices/$nic/remove"
echo 1 >/sys/bus/pci/rescan
check "hot-unplug: it comes back" wait_for 20 test -e "/sys/bus/pci/devices/$nic"
echo bus >"/sys/bus/pci/devices/$nic/reset_method"

area VFs
echo 1 >/sys/module/vfio_pci/parameters/enable_sriov
echo "$igb:standby,8086:10ca:standby,1b36:0010:standby" >$quirks
check "a PF is ready" bind_ready "$igb"
echo 1 >"/sys/bus/pci/devices/$igb/sriov_numvfs"
is "with a VF it is cold" "$(standby "$igb")" cold
check "and there is a VF" test -e "/sys/bus/pci/devices/$igb/virtfn0"
a_while
is "and stays cold" "$(standby "$igb")" cold
is "it is reset when it is opened" "$(opened "$igb" reset "$igb" | grep -o '[0-9]*$')" 2
user close "$igb" >/dev/null
echo 0 >"/sys/bus/pci/devices/$igb/sriov_numvfs"
check "without it is ready again" ready "$igb"
bind_override "$igb" ""
modprobe nvme
nvmes=$(vfs_of "$many" 32) || bail "no 32 VFs"
# shellcheck disable=SC2206
nvmes=($nvmes)
check "32 VFs are ready" ready "${nvmes[@]}"
trace_from_here
for f in "${nvmes[@]}"; do
	vfio-do "$f" open >/dev/null || diag "$f is not opened"
done
check "they are opened and closed, and ready again" ready "${nvmes[@]}"
is "each was reset at its close and for the next one" "$(resets)" 64
for f in "${nvmes[@]}"; do
	bind_override "$f" ""
done
echo 0 >"/sys/bus/pci/devices/$many/sriov_numvfs"

area hooks
modprobe vpv-test standby=1
log_mark
bind_ready "$nvme" vpv-test
hooks()
{
	log_since | grep -o "vpv-test: [a-z_-]*$" | cut -d ' ' -f 2 | paste -sd ' '
}
is "a variant's hooks for users are not called ahead" "$(hooks)" "match init reset_done"
log_mark
user open "$nvme" >/dev/null
is "but when there is one" "$(hooks)" "open add_regions"
user close "$nvme" >/dev/null
check "it is ready again" ready "$nvme"
log_mark
echo open >/sys/module/vpv_test/parameters/fail_at
check "its open hook fails" [ "$(user open "$nvme")" != ok ]
echo >/sys/module/vpv_test/parameters/fail_at
check "an open that failed: it is ready again" ready "$nvme"
is "an open that failed: it was reset" "$(hooks)" "open reset_done"
bind_override "$nvme" ""
rmmod vpv-test

area mdev
check "the mdev variant loads" load_mdev
echo 1 >/sys/module/vfio_pci_mdev/parameters/standby
bind_override "$nvme" vfio-pci-mdev
check "without an mdev it sleeps" wait_for 30 is_suspended "$nvme"
is "and is cold" "$(standby "$nvme")" cold
uuid=$(new_uuid)
check "an mdev is made" mdev_create "$nvme" "$uuid"
check "with one it is ready" ready "$nvme"
is "it is opened without a reset" "$(opened "$uuid" read "$uuid" 4 0)" "ok 00101b36 0"
user close "$uuid" >/dev/null
check "it is ready again" ready "$nvme"
mdev_remove "$uuid"
is "the mdev is gone: it is cold" "$? $(standby "$nvme")" "0 cold"
check "and sleeps" wait_for 30 is_suspended "$nvme"
mdev_create "$nvme" "$uuid"
ready "$nvme"
check "with an mdev it is unbound" bind_override "$nvme" ""
check "the mdev variant unloads" rmmod vfio_pci_mdev

area QEMU
echo 1 >/sys/module/vfio_pci/parameters/standby
check "the drive is ready" bind_ready "$nvme"
check "the image is filled" fill_image
trace_from_here
check "a guest boots from the drive" boots /usr/bin/qemu-system-x86_64 \
	-device "vfio-pci,host=$nvme,bootindex=0"
check "what it wrote is in the image" is_inverted
check "the drive is ready again" ready "$nvme"
is "it was reset when it was closed, and for the next one" "$(resets)" 2
bind_override "$nvme" ""

end_user
trace_no_more
check "the modules unload" unload_vfio_pci
done_testing
