#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: timeout=400 usual=6.12
# qemu: -chardev socket,id=qs,path=/tmp/qmp,server=on,wait=off
# qemu: -chardev socket,id=qm,path=/tmp/qmp,reconnect-ms=500 -mon chardev=qm,mode=control
# qemu: -device virtio-serial-pci,addr=0x9 -device virtserialport,chardev=qs
# Taking an mdev, or its function, away from a user who does not let go: he is asked,
# the one who takes waits as long as it takes, can be told from a hung task, and then
# all is as it would have been. A virtio port is QEMU's monitor, which unplugs.
# Functions are called through others, which shellcheck does not see.
# shellcheck disable=SC2317
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh

edu0=$(dev_bdf edu0) && edu1=$(dev_bdf edu1) || bail "no edu"
nic0=$(dev_bdf e1000e0) && nic1=$(dev_bdf e1000e1) || bail "no e1000e"
nvme=$(dev_bdf nvme0) && pf=$(dev_bdf igb0) || bail "no nvme0 or igb0"
mdevs=/sys/bus/mdev/devices
declare -A uuid holder

# What counts as hung is seen within seconds, so that waiting 26 s is enough.
hung=/proc/sys/kernel/hung_task
check "the detector of hung tasks is there" \
	eval "echo 20 >${hung}_timeout_secs && echo 2 >${hung}_check_interval_secs"

# hold NAME [COMMAND...]: a user opens its mdev.
hold()
{
	local name=$1

	shift
	vfio-do "${uuid[$name]}" "${@:-hold}" >"/tmp/$name" &
	holder[$name]=$!
	wait_for 20 grep -q open "/tmp/$name"
}

# give NAME BDF [AGAIN]: a function is bound and has an mdev, which a user opens.
give()
{
	uuid[$1]=$(new_uuid)
	bind_override "$2" vfio-pci-mdev && mdev_create "$2" "${uuid[$1]}"
	hold "$1"
	is "$1: ${3:-}a user opens its mdev" $? 0
}

# there NAME: 1 if its mdev is.
there()
{
	[ -e "$mdevs/${uuid[$1]}" ] && echo 1 || echo 0
}

# asked NAME: its user.
asked()
{
	wait_for 20 grep -q asked "/tmp/$1"
}

# let_go NAME
let_go()
{
	kill "${holder[$1]}" && wait_exit 30 "${holder[$1]}"
	is "$1: the user lets go" $? 0
}

# never_ends SECONDS PID
never_ends()
{
	sleep "$1"
	kill -0 "$2"
}

# unplugger: the kernel thread that waits for a user (of ACPI here, of pciehp elsewhere).
unplugger()
{
	local d

	for d in /proc/[0-9]*; do
		[ -n "$(readlink "$d/exe")" ] || ! grep -q variant_wait_for_close "$d/stack" ||
			echo "${d#/proc/}"
	done 2>/dev/null
}

# The port is there before it can be opened.
open_monitor()
{
	exec 3<>/dev/vport?p1
}

# monitor NAME [ARGUMENTS]: have QEMU's monitor do it.
monitor()
{
	printf '{"execute":"%s"%s}\n' "$1" "${2:+,\"arguments\":{$2\}}" >&3
}

check "vfio-pci-mdev loads" load_mdev
modprobe virtio_console
wait_for 20 open_monitor
monitor qmp_capabilities
check "QEMU's monitor answers" timeout 20 grep -qm1 '"return"' <&3

# --- all of it at once ----------------------------------------------------------------
# edu0: remove, and then unbind. edu1: unbind. nic0: remove, its user is killed. nic1:
# unplugged. nvme: remove, and nobody was ever there.
for pair in "edu0 $edu0" "edu1 $edu1" "nic0 $nic0" "nic1 $nic1"; do
	read -r name bdf <<<"$pair"
	give "$name" "$bdf"
done
log_mark

mdev_remove "${uuid[edu0]}" &
remove0=$!
check "edu0: remove asks the user" asked edu0
is "edu0: no other mdev meanwhile" \
	"$(mdev_create "$edu0" "$(new_uuid)" 2>&1 | grep -c 'Too many users')" 1
check "edu0: its user still has it" kill -0 "${holder[edu0]}"
unbind "$edu0" &
unbind0=$!

unbind "$edu1" &
unbind1=$!
check "edu1: unbind asks the user" asked edu1

mdev_remove "${uuid[nic0]}" &
remove2=$!
check "nic0: remove asks the user" asked nic0
kill -TERM $remove2
check "nic0: who removes can't be interrupted, and is told" wait_for 20 eval \
	"log_since | grep -q \"$nic0: vfio-pci-mdev: in use: .*($remove2)\""

monitor device_del '"id":"e1000e1"'
check "nic1: unplugging asks the user" asked nic1
worker=$(unplugger)
is "nic1: one thread of the kernel does it" "$(wc -w <<<"$worker")" 1

id=$(new_uuid)
check "nvme: an mdev without a user is removed at once" eval \
	"bind_override $nvme vfio-pci-mdev && mdev_create $nvme $id && mdev_remove $id"
check "rmmod is refused" fails rmmod vfio_pci_mdev

all="$remove0 $unbind0 $unbind1 $remove2 $worker"
# shellcheck disable=SC2086
check "for 26 s nobody who waits is in D state, or gives up" never_in_d 26 $all
is "nothing counts as hung" "$(dmesg | grep -c 'blocked for more than')" 0
for name in edu0 edu1 nic0 nic1; do
	check "$name: the user was asked again" test "$(grep -c asked "/tmp/$name")" -ge 2
	is "$name: and still has it" "$(grep -c closed "/tmp/$name")" 0
done
# Removal of an mdev, unbind, and unplugging.
for pair in "nic0 $nic0" "edu1 $edu1" "nic1 $nic1"; do
	read -r name bdf <<<"$pair"
	for n in 1 2; do
		is "$name: the log names the user, each time ($n)" "$(log_since |
			grep -cF "$bdf: vfio-pci-mdev: in use by \"vfio-do\" (${holder[$name]}), asked to let go ($n)")" 1
	done
done

# udevadm reads that. 6.1 takes the device lock for it, which the unbind holds. That of
# the mdev is gone by now, on all kernels.
check "edu0: the leaving mdev has no uevent to wait for" \
	test ! -e "$mdevs/${uuid[edu0]}/uevent"
cat "/sys/bus/pci/devices/$edu0/uevent" >/dev/null 2>&1 &
reader=$!
case $VPV_K in
6.1) check "edu0: who reads uevent of the function waits" \
	wait_for 10 eval "[ \"\$(state $reader)\" = D ]" ;;
*) check "edu0: who reads uevent of the function does not wait" \
	wait_for 10 fails kill -0 $reader ;;
esac

# --- they let go -----------------------------------------------------------------------
let_go edu0
wait_exit 30 $remove0
is "edu0: the mdev is removed" "$? $(there edu0)" "0 0"
check "edu0: who read it is done" wait_for 30 fails kill -0 $reader
wait_exit 30 $unbind0
is "edu0: and the function unbound" "$? $(driver_of "$edu0")" "0 "
let_go edu1
wait_exit 30 $unbind1
is "edu1: unbound, without an mdev" \
	"$? $(driver_of "$edu1") $(there edu1)" "0  0"
kill -KILL "${holder[nic0]}"
wait_exit 30 $remove2
is "nic0: its user was killed, the mdev is removed" \
	"$(there nic0)" 0
is "nic0: another one can be had" \
	"$(cat "$(mdev_type "$nic0")/available_instances")" 1
let_go nic1
check "nic1: it is unplugged" wait_for 30 test ! -e "/sys/bus/pci/devices/$nic1"
is "no mdev is left" "$(ls $mdevs)" ""
check "the unplugged function's VFIO group is gone" wait_for 10 eval \
	"[ \"\$(ls /dev/vfio | grep -c '^[0-9]')\" = 2 ]" # nic0, nvme

# --- removed by sysfs, and back ----------------------------------------------------------
give nvme "$nvme"
echo 1 >"/sys/bus/pci/devices/$nvme/remove" &
removal=$!
check "nvme: removal of the function asks the user" asked nvme
check "nvme: it waits 3 s, not in D state" never_in_d 3 $removal
let_go nvme
wait_exit 30 $removal
check "nvme: it is gone" test ! -e "/sys/bus/pci/devices/$nvme"
echo 1 >/sys/bus/pci/rescan
check "nvme: and back" wait_for 20 test -e "/sys/bus/pci/devices/$nvme"

# --- who lets go and comes back -----------------------------------------------------------
# He has the group open, so that it is up to us alone.
uuid[edu0]=$(new_uuid) uuid[edu1]=$(new_uuid)
for pair in "edu0 $edu0" "edu1 $edu1"; do
	read -r name bdf <<<"$pair"
	bind_override "$bdf" vfio-pci-mdev && mdev_create "$bdf" "${uuid[$name]}"
	hold "$name" hold again
	is "$name: a user opens its mdev" $? 0
done
check "edu0: it is removed" timeout 30 bash -c "echo 1 >$mdevs/${uuid[edu0]}/remove"
check "edu0: its user did not get it again: ENODEV" \
	wait_for 20 grep -qx "again: errno 19" /tmp/edu0
check "edu1: unbind" timeout 30 bash -c "echo $edu1 >/sys/bus/pci/drivers/vfio-pci-mdev/unbind"
check "edu1: its user did not get it again: ENODEV" \
	wait_for 20 grep -qx "again: errno 19" /tmp/edu1
let_go edu0
let_go edu1

# --- a PF and its VF -----------------------------------------------------------------------
unload_vfio_pci
load_mdev enable_sriov=1
uuid[pf]=$(new_uuid) uuid[vf]=$(new_uuid) token=$(new_uuid)
bind_override "$pf" vfio-pci-mdev && mdev_create "$pf" "${uuid[pf]}"
echo 1 >"/sys/bus/pci/devices/$pf/sriov_numvfs"
vf=$(basename "$(readlink "/sys/bus/pci/devices/$pf/virtfn0")")
mdev_create "$vf" "${uuid[vf]}"
hold pf token "$token" hold
is "pf: a user opens it" $? 0
vfio-do "${uuid[vf]} vf_token=$token" hold >/tmp/vf &
holder[vf]=$!
check "vf: another one opens it" wait_for 20 grep -q open /tmp/vf
unbind "$pf" &
unbinder=$!
check "pf: unbind asks the VF's user" asked vf
is "and not yet the PF's, whom the VF needs" "$(grep -c asked /tmp/pf)" 0
let_go vf
check "pf: then it asks the PF's" asked pf
let_go pf
wait_exit 30 $unbinder
is "pf: it is unbound" "$? $(driver_of "$pf")" "0 "
bind_override "$pf" ""

# --- an mdev that the kernel does not let go of -------------------------------------------
id=$(new_uuid)
bind_override "$edu1" vfio-pci-mdev && mdev_create "$edu1" "$id"
check "edu1: somebody in the kernel holds on to its mdev" \
	modprobe holdmdev "bdf=$edu1" "uuid=$id"
check "edu1: it is removed all the same" mdev_remove "$id"
check "edu1: and not to be seen any more" test ! -e "$mdevs/$id"
is "edu1: but as long as it is not freed there can be no other" \
	"$(mdev_create "$edu1" "$(new_uuid)" 2>&1 | grep -c 'Too many users')" 1
is "edu1: the log says which one is not gone" "$(dmesg |
	grep -c "$edu1: vfio-pci-mdev: mdev .* refused: the function has $id, which is not yet made or not yet gone")" 1
unbind "$edu1" &
unbind1=$!
check "edu1: unbind waits, too: what frees the mdev looks at the function" \
	never_ends 26 $unbind1
is "edu1: nothing counts as hung" "$(dmesg | grep -c 'blocked for more than')" 0
check "edu1: and the log says why it waits" eval \
	"dmesg | grep -q \"$edu1: vfio-pci-mdev: somebody in the kernel\""
check "edu1: it is let go" rmmod holdmdev
wait_exit 30 $unbind1
is "edu1: then unbind is done" "$? $(driver_of "$edu1")" "0 "

# --- again, as if nothing had been ---------------------------------------------------------
for pair in "edu0 $edu0" "edu1 $edu1" "nvme $nvme"; do
	read -r name bdf <<<"$pair"
	give "$name" "$bdf" "again "
	let_go "$name"
	is "$name: unasked" "$(grep -c asked "/tmp/$name")" 0
done
check "it unloads" unload_vfio_pci
is "no mdev is left" "$(ls $mdevs)" ""
done_testing
