#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: smp=2 accel=tcg,thread=single timeout=900 usual=6.12,7.3
# append: iomem=relaxed
# qemu: -device pcie-root-port,id=rp19,bus=pcie.0,addr=0x19,chassis=25,x-speed=5
# qemu: -device nvme-subsys,id=subsys2
# qemu: -device nvme,serial=NVME2,subsys=subsys2,bus=rp19,sriov_max_vfs=32,sriov_vq_flexible=64,sriov_vi_flexible=32,max_ioqpairs=66,msix_qsize=35
# qemu: -device pcie-root-port,id=rp1a,bus=pcie.0,addr=0x1a,chassis=26,x-speed=5
# qemu: -device virtio-rng-pci,bus=rp1a,addr=0.0,multifunction=on,disable-legacy=on
# qemu: -device virtio-rng-pci,bus=rp1a,addr=0.1,disable-legacy=on
# Every function is reset when it is closed, whoever has locks, and it is told where
# that can't be. A queue of a VF of igb0, an address in an e1000e and the status of a
# virtio device are gone with a reset; but for one of the e1000e by D3hot, which does nothing.
# Functions are called through others, which shellcheck does not see.
# shellcheck disable=SC2317
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh

igb=$(dev_bdf igb0) || bail "no igb0"
many=$(dev_bdf added) || bail "no NVMe with VFs"
nic=$(dev_bdf e1000e0) || bail "no e1000e0"
pair=(/sys/bus/pci/devices/0000:00:1a.0/0000:??:00.[01])
pair=("${pair[@]##*/}")
[ ${#pair[@]} = 2 ] || bail "no two functions in a slot"

# The first argument tells the function.
# shellcheck disable=SC2016
trace_calls 'p:vpv_flr pcie_flr pdev=$arg1' || bail "no kprobe"

# flrs: how many functions were reset by FLR since trace_from_here.
flrs()
{
	sed -n 's/.*vpv_flr.* pdev=//p' $trace/trace | sort -u | wc -l
}

# register BDF BAR OFFSET: in hex, as the hardware has it now, without VFIO. It
# stays awake for that.
register()
{
	local d=/sys/bus/pci/devices/$1

	echo on >"$d/power/control"
	setpci -s "$1" COMMAND=2:2
	python3 - "$d/resource$2" "$3" <<-'EOF'
		import mmap, sys
		with open(sys.argv[1], "r+b") as f:
		    bar = memoryview(mmap.mmap(f.fileno(), 0)).cast("I")
		    print("%x" % bar[int(sys.argv[2], 16) // 4])
	EOF
	echo auto >"$d/power/control"
}

# RXDCTL of a VF's first queue, with its enable bit.
queue_of()
{
	case $(register "$1" 0 2828) in
	2??????) echo on ;;
	0) echo off ;;
	*) echo "neither on nor off" ;;
	esac
}

queues_of()
{
	local vf

	for vf; do
		queue_of "$vf"
	done | sort | uniq -c | sed 's/^ *//' | paste -sd ' '
}

# RAL of the first receive address.
address_of()
{
	case $(register "$1" 0 5400) in
	abcdef01) echo "the user's" ;;
	5452) echo "its own" ;;
	*) echo "neither" ;;
	esac
}

# device_status, in the common configuration.
status_of()
{
	register "$1" 4 14
}

needs_reset()
{
	local f

	for f; do
		cat "/sys/bus/pci/devices/$f/vfio_pci_variant/needs_reset"
	done | sort | uniq -c | sed 's/^ *//' | paste -sd ' '
}

# hold_vf VF..., hold_nic NIC, hold_virtio BDF: who has it open and changed it; "holders"
# are their PIDs. Not for "check", whose subshell would have them.
holders=()
hold()
{
	local f=$1

	"${@:2}" hold >"/tmp/hold.$f" &
	holders+=($!)
	wait_for 30 grep -qx open "/tmp/hold.$f"
}

hold_vf()
{
	local vf

	for vf; do
		hold "$vf" vfio-do "$vf" region-write 4 0 2828 2000000 || return
	done
}

hold_nic()
{
	hold "$1" vfio-do "$1" region-write 4 0 5400 abcdef01
}

hold_virtio()
{
	hold "$1" vfio-do "$1" region-write 1 4 14 1
}

close_all()
{
	kill -TERM "${holders[@]}"
}

closed()
{
	local pid rc=0

	for pid in "${holders[@]}"; do
		wait_exit 60 "$pid" || rc=$?
	done
	holders=()
	return $rc
}

# Whoever closes does wait for a lock; then it is in our close.
is_waiting()
{
	grep -qE 'vpv_reset|reset_left' "/proc/$1/stack"
}

area set-up
check "our vfio-pci loads" load_ours
check "igb has its PF" eval "modprobe igb && wait_for 20 test -e /sys/bus/pci/devices/$igb/net"
vfs=$(vfs_of "$igb" 7) || bail "no VFs of igb0"
# shellcheck disable=SC2206
vfs=($vfs)
vf=${vfs[0]}
echo bus >"/sys/bus/pci/devices/$nic/reset_method"
check "an e1000e that is reset by its bus" bind_override "$nic" vfio-pci
check "two in one slot" eval "bind_override ${pair[0]} vfio-pci && bind_override ${pair[1]} vfio-pci"
is "none needs a reset" "$(needs_reset "${vfs[@]}" "$nic" "${pair[@]}")" "10 0"

area at once
hold_vf "${vfs[@]}"
is "each VF of igb0 has a user" $? 0
is "who enabled its queue" "$(queues_of "${vfs[@]}")" "7 on"
trace_from_here
close_all
closed
is "all of them close it" $? 0
is "each was reset" "$(flrs)" 7
is "each queue is off" "$(queues_of "${vfs[@]}")" "7 off"
is "none needs a reset any more" "$(needs_reset "${vfs[@]}")" "7 0"
# One user has both, as they are in one group.
a=${pair[0]} b=${pair[1]}
hold "$a" vfio-do "$a" region-write 1 4 14 1 on "$b" region-write 1 4 14 1
is "two of a slot: changed by their user" "$(status_of "$a") $(status_of "$b")" "1 1"
close_all
closed
is "two of a slot are closed" $? 0
is "two of a slot are reset" "$(status_of "$a") $(status_of "$b") $(needs_reset "$a" "$b")" \
	"0 0 2 0"
modprobe nvme
for n in 16 32; do
	nvmes=$(vfs_of "$many" $n) || bail "no $n VFs"
	# shellcheck disable=SC2086
	for f in $nvmes; do
		hold "$f" vfio-do "$f" || bail "$f does not open"
	done
	trace_from_here
	close_all
	closed
	is "$n VFs of an NVMe drive are closed" $? 0
	is "$n of $n were reset" "$(flrs)" $n
	# shellcheck disable=SC2086
	is "none of $n needs a reset" "$(needs_reset $nvmes)" "$n 0"
done

area "the port's lock"
lock "$(port_of "$igb")"
hold_vf "$vf"
trace_from_here
close_all
closed
is "a VF does not wait for it" $? 0
is "it is reset" "$(flrs) $(queue_of "$vf")" "1 off"
unlock
f=${pair[1]}
lock "$(port_of "$f")"
hold_virtio "$f"
is "one of a slot: changed by its user" "$(status_of "$f")" 1
close_all
closed
is "one of a slot does not wait for it" $? 0
unlock
is "one of a slot is reset" "$(status_of "$f") $(needs_reset "$f")" "0 1 0"
hold_nic "$nic"
lock "$(port_of "$nic")"
log_mark
is "one that is reset by its bus: changed by its user" "$(address_of "$nic")" "the user's"
close_all
closer=${holders[0]}
# That core had reset it without asking for the port.
case $(uname -r) in
6.1.*) ;;
*) check "one that is reset by its bus waits for it" wait_for 20 is_waiting "$closer" ;;
esac
unlock
closed
is "and is closed then" $? 0
is "and reset" "$(address_of "$nic") $(needs_reset "$nic")" "its own 1 0"
is "and the log says nothing" "$(log_since | grep -c "$nic")" 0
check "it sleeps afterwards" wait_for 20 is_suspended "$nic"

area "its own lock"
hold_vf "$vf"
lock "$vf"
trace_from_here
close_all
check "who closes it waits" wait_for 20 is_waiting "${holders[0]}"
is "it is not reset yet" "$(flrs)" 0
unlock
closed
is "it is closed" $? 0
is "and reset" "$(flrs) $(queue_of "$vf") $(needs_reset "$vf")" "1 off 1 0"
hold_vf "$vf"
lock "$vf"
log_mark
close_all
closed
is "held on: it is closed all the same" $? 0
unlock
is "held on: it is not reset" "$(queue_of "$vf") $(needs_reset "$vf")" "on 1 1"
is "held on: the log says so once" "$(log_since |
	grep -c "$vf: vfio-pci: not reset when its user closed it: somebody holds its lock")" 1
vfio-do "$vf" region 4 0 2828 hold >/tmp/hold &
holders=($!)
check "held on: the next user" wait_for 20 grep -qx open /tmp/hold
is "held on: finds it reset" "$(head -n 1 /tmp/hold) $(needs_reset "$vf")" "00000000 1 0"
close_all
closed

area "one that does not answer"
modprobe cfgfault "bdf=$nic"
# So that nothing else saves what it reads as.
echo on >"/sys/bus/pci/devices/$nic/power/control"
hold_nic "$nic"
lock "$nic"
log_mark
close_all
check "who closes it waits" wait_for 20 is_waiting "${holders[0]}"
echo 1 >/sys/module/cfgfault/parameters/fault
unlock
closed
is "it is closed" $? 0
echo 0 >/sys/module/cfgfault/parameters/fault
echo auto >"/sys/bus/pci/devices/$nic/power/control"
is "it is let alone" "$(address_of "$nic") $(needs_reset "$nic")" "the user's 1 1"
is "the log says so once" "$(log_since |
	grep -c "$nic: vfio-pci: its reset failed when its user closed it (error -5)")" 1
vfio-do "$nic" open >/dev/null
is "the next open resets it" "$? $(address_of "$nic") $(needs_reset "$nic")" "0 its own 1 0"
rmmod cfgfault

area unbind in use
hold_vf "$vf"
trace_from_here
log_mark
unbind "$vf" &
unbinder=$!
check "the user is asked" wait_for 20 grep -q asked "/tmp/hold.$vf"
close_all
closed
is "and closes it" $? 0
wait_exit 30 $unbinder
is "it has no driver then" "$? $(driver_of "$vf")" "0 "
is "and was reset" "$(flrs) $(queue_of "$vf")" "1 off"
is "and nobody waited in vain" "$(log_since | grep -c "$vf: vfio-pci: not reset")" 0
bind_override "$vf" vfio-pci
hold_nic "$nic"
lock "$(port_of "$nic")"
unbind "$nic" &
unbinder=$!
check "one that is reset by its bus: the user is asked" \
	wait_for 20 grep -q asked "/tmp/hold.$nic"
close_all
closed
is "one that is reset by its bus: and closes it" $? 0
check "one that is reset by its bus: unbind waits for the port" \
	wait_for 20 is_waiting $unbinder
unlock
wait_exit 30 $unbinder
is "one that is reset by its bus was reset" "$? $(address_of "$nic")" "0 its own"
bind_override "$nic" vfio-pci
hold_nic "$nic"
echo 1 >"/sys/bus/pci/devices/$nic/remove" &
remover=$!
check "removal: the user is asked" wait_for 20 grep -q asked "/tmp/hold.$nic"
close_all
closed
is "removal: and closes it" $? 0
wait_exit 30 $remover
is "removal: it goes" $? 0
echo 1 >/sys/bus/pci/rescan
wait_for 20 test -e "/sys/bus/pci/devices/$nic"
is "removal: it was reset" "$(address_of "$nic")" "its own"
echo bus >"/sys/bus/pci/devices/$nic/reset_method"
check "removal: it is bound again" bind_override "$nic" vfio-pci
slot=$(grep -lx "${pair[0]%.*}" /sys/bus/pci/slots/*/address)
slot=${slot%/address}
hold_virtio "${pair[1]}"
trace_from_here
echo 0 >"$slot/power" &
remover=$!
check "hot-unplug: the user is asked" wait_for 20 grep -q asked "/tmp/hold.${pair[1]}"
close_all
closed
is "hot-unplug: and closes it" $? 0
wait_exit 30 $remover
is "hot-unplug: it goes" "$? $(driver_of "${pair[1]}")" "0 "
is "hot-unplug: it was reset" "$(flrs)" 1
hold_vf "${vfs[0]}" "${vfs[1]}"
trace_from_here
echo 0 >"/sys/bus/pci/devices/$igb/sriov_numvfs" &
remover=$!
check "VFs taken away: the user of one is asked" wait_for 20 \
	grep -q asked "/tmp/hold.${vfs[0]}" "/tmp/hold.${vfs[1]}"
close_all
closed
is "VFs taken away: and close them" $? 0
wait_exit 60 $remover
is "VFs taken away: they go" $? 0
is "VFs taken away: both were reset" "$(flrs)" 2

area "a PF whose VFs are taken away"
echo 1 >/sys/module/vfio_pci/parameters/enable_sriov
echo 1 >"/sys/bus/pci/devices/$igb/sriov_drivers_autoprobe"
bind_override "$igb" vfio-pci
uuid=$(new_uuid)
hold "$igb" vfio-do "$igb" token "$uuid"
echo 1 >"/sys/bus/pci/devices/$igb/sriov_numvfs"
vf=$(basename "$(readlink "/sys/bus/pci/devices/$igb/virtfn0")")
pf_holder=("${holders[@]}") holders=()
hold "$vf" vfio-do "$vf vf_token=$uuid"
vf_holder=("${holders[@]}")
echo 0 >"/sys/bus/pci/devices/$igb/sriov_numvfs" &
remover=$!
check "the user of the VF is asked" wait_for 20 grep -q asked "/tmp/hold.$vf"
trace_from_here
holders=("${pf_holder[@]}")
close_all
check "that of the PF waits" wait_for 20 is_waiting "${holders[0]}"
holders=("${vf_holder[@]}" "${pf_holder[@]}")
close_all
closed
is "all is closed" $? 0
wait_exit 30 $remover
is "the VF goes" $? 0
is "both were reset" "$(flrs) $(needs_reset "$igb")" "2 1 0"
bind_override "$igb" ""

area "no reset"
modprobe igb
wait_for 20 test -e "/sys/bus/pci/devices/$igb/net"
vf=$(vfs_of "$igb" 1) || bail "no VF of igb0"
hold_vf "$vf"
echo >"/sys/bus/pci/devices/$vf/reset_method"
log_mark
close_all
closed
is "one whose methods root took away is closed" $? 0
is "root took them away: it keeps its state" "$(queue_of "$vf") $(needs_reset "$vf")" "on 1 1"
is "root took them away: the log says so once" "$(log_since |
	grep -c "$vf: vfio-pci: its reset failed when its user closed it (error -25)")" 1
echo default >"/sys/bus/pci/devices/$vf/reset_method"
check "root gives them back: it is opened" vfio-do "$vf" open
is "and needs none any more" "$(queue_of "$vf") $(needs_reset "$vf")" "off 1 0"
echo "$vf:no_reset" >/sys/module/vfio_pci/parameters/quirks
bind_override "$vf" vfio-pci
hold_vf "$vf"
log_mark
close_all
closed
is "no_reset: sysfs says so" "$(queue_of "$vf") $(needs_reset "$vf")" "on 1 1"
is "no_reset: the log had said it at bind" "$(log_since | grep -c "$vf")" 0
is "no_reset: once" "$(dmesg | grep -c "$vf: vfio-pci: it can't be reset")" 1
echo >/sys/module/vfio_pci/parameters/quirks

area "an open that fails"
modprobe vpv-test fail_at=open
bind_override "$vf" vpv-test
lock "$(port_of "$igb")"
trace_from_here
check "after the function was enabled" fails vfio-do "$vf" open
unlock
is "resets it, too" "$(grep -c vpv_flr $trace/trace) $(needs_reset "$vf")" "2 1 0"
bind_override "$vf" ""
rmmod vpv-test

area mdev
check "the variant loads" load_mdev
bind_override "$vf" vfio-pci-mdev
uuid=$(new_uuid)
mdev_create "$vf" "$uuid"
hold "$uuid" vfio-do "$uuid" region-write 4 0 2828 2000000
is "its user enabled its queue" $? 0
lock "$vf"
close_all
check "who closes it waits" wait_for 20 is_waiting "${holders[0]}"
mdev_remove "$uuid" &
remover=$!
unlock
closed
is "it is closed" $? 0
wait_exit 30 $remover
is "it is removed meanwhile" $? 0
is "it is reset" "$(queue_of "$vf") $(needs_reset "$vf")" "off 1 0"
bind_override "$vf" ""
rmmod vfio_pci_mdev

area low power
hold_nic "$nic"
close_all
closed
wait_for 20 is_suspended "$nic"
od -A x -t x1 "/sys/bus/pci/devices/$nic/config" >/tmp/before
hold "$nic" vfio-do "$nic" low
check "its user has it asleep" wait_for 20 is_suspended "$nic"
lock "$nic"
close_all
check "who closes it waits" wait_for 20 is_waiting "${holders[0]}"
unlock
closed
is "it is closed" $? 0
is "and reset" "$(needs_reset "$nic")" "1 0"
check "and sleeps" wait_for 20 is_suspended "$nic"
check "configuration is what it was" diff /tmp/before \
	<(od -A x -t x1 "/sys/bus/pci/devices/$nic/config")

area disable_idle_d3
bind_override "$nic" ""
unload_vfio_pci
check "our vfio-pci loads" load_ours disable_idle_d3=1
check "an e1000e" bind_override "$nic" vfio-pci
is "stays in D0" "$(idle_state "$nic")" "D0 active 1"
hold_nic "$nic"
lock "$nic"
close_all
check "who closes it waits" wait_for 20 is_waiting "${holders[0]}"
unlock
closed
is "it is closed" $? 0
is "and stays so" "$(idle_state "$nic")" "D0 active 1"
is "and is reset" "$(address_of "$nic") $(needs_reset "$nic")" "its own 1 0"

trace_no_more
bind_override "$nic" ""
check "the modules unload" unload_vfio_pci
done_testing
