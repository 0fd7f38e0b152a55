#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: timeout=400 usual=6.12
# qemu: -device pcie-root-port,id=rp19,bus=pcie.0,addr=0x19,chassis=25,x-speed=5
# qemu: -device e1000e,bus=rp19,addr=0.0,multifunction=on,romfile=
# qemu: -device e1000e,bus=rp19,addr=0.1,romfile=
# Configuration that a function loses to what is not VFIO's: errors and their
# recovery, a Secondary Bus Reset that nobody tells the kernel of, a function that is
# gone. In use, idle in D3hot and in D0, before bind.
# Functions are called through others, which shellcheck does not see.
# shellcheck disable=SC2317
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh

nic0=$(dev_bdf e1000e0) && nic1=$(dev_bdf e1000e1) && pf=$(dev_bdf igb0) ||
	bail "no e1000e or igb"
f0=$(basename /sys/bus/pci/devices/0000:00:19.0/0000:*.0)

# config BDF: COMMAND and the six BARs, as the hardware has them.
config()
{
	setpci -s "$1" COMMAND BASE_ADDRESS_{0,1,2,3,4,5} | paste -sd ' '
}

# header BDF: all of it, with what firmware and kernel put there besides BARs.
header()
{
	od -An -v -tx1 -N 64 "/sys/bus/pci/devices/$1/config"
}

bars()
{
	config "$1" | cut -d ' ' -f 2-
}

command_of()
{
	setpci -s "$1" COMMAND
}

# msi BDF: its control, address and data registers.
msi()
{
	setpci -s "$1" CAP_MSI+2.w CAP_MSI+4.l CAP_MSI+8.l CAP_MSI+c.w | paste -sd ' '
}

# port BDF: the root port that it is behind.
port()
{
	basename "$(dirname "$(realpath "/sys/bus/pci/devices/$1")")"
}

# bus_reset BDF: behind the kernel's back.
bus_reset()
{
	setpci -s "$(port "$1")" BRIDGE_CONTROL=40:40 &&
		sleep 0.2 && setpci -s "$(port "$1")" BRIDGE_CONTROL=0:40 &&
		sleep 0.2
}

# fault N: what of the config space of nic1 fails, see cfgfault.
fault()
{
	echo "$1" >/sys/module/cfgfault/parameters/fault
}

power_state()
{
	cat "/sys/bus/pci/devices/$1/power_state"
}

# said BDF TEXT: how often the variant said so since the mark.
said()
{
	log_since | grep -c "$1: vfio-pci: $2"
}

# works BDF DESC: the user who has it open reaches its registers, and sees of config
# space what is there.
works()
{
	is "$2: registers are reached" "$(user mac "$1")" "$mac"
	is "$2: the user's view is the hardware's" "$(user view "$1")" "$(config "$1")"
}

# opens BDF DESC
opens()
{
	is "$2: it opens" "$(user open "$1")" ok
	is "$2: its BARs are there" "$(bars "$1")" "$good_bars"
	works "$1" "$2"
}

# Below aer_inject, which has accessors of its own.
check "cfgfault loads" modprobe cfgfault bdf="$nic1"
modprobe aer_inject aer_mask_override=1 || bail "no aer_inject"
check "ours loads" load_ours
check "the NIC is bound" bind_override "$nic0" vfio-pci
start_user

# --- a fatal error, in use ----------------------------------------------------
is "state: fatal, in use: it opens" "$(user open "$nic0")" ok
good_bars=$(bars "$nic0")
mac=$(user mac "$nic0")
is "state: registers hold its MAC" "$mac" "00005452 80001200"
is "state: fatal, in use: DMA is on" "$(user master "$nic0")" ok
before=$(config "$nic0") all_before=$(header "$nic0")
check "state: fatal, in use: memory, I/O and DMA are on" \
	test $((0x$(command_of "$nic0") & 7)) = 7
is "state: fatal, in use: ERR can be asked for" "$(user err "$nic0")" ok
log_mark
check "state: fatal, in use: recovered" inject "$nic0" 10 successful
is "state: fatal, in use: the user is told" "$(user erred "$nic0")" yes
is "state: fatal, in use: configuration is what it was" "$(config "$nic0")" "$before"
is "state: fatal, in use: so is all of the header" "$(header "$nic0")" "$all_before"
works "$nic0" "state: fatal, in use"
is "state: fatal, in use: the log says so" \
	"$(said "$nic0" "was reset after a PCIe error: configuration restored")" 1

# --- an error that resets nothing ----------------------------------------------
log_mark
check "state: non-fatal: recovered" inject "$nic0" 4000 successful
is "state: non-fatal: the user is told" "$(user erred "$nic0")" yes
is "state: non-fatal: configuration is what it was" "$(config "$nic0")" "$before"
is "state: non-fatal: there is nothing to restore" "$(said "$nic0" "")" 0

# --- a fatal error of a function that its user put into D3hot -------------------------
is "state: fatal, in D3hot: its user puts it there" "$(user d3hot "$nic0")" ok
is "state: fatal, in D3hot: it is" "$(power_state "$nic0")" D3hot
log_mark
check "state: fatal, in D3hot: recovered" inject "$nic0" 10 successful
is "state: fatal, in D3hot: the reset brought it to D0" "$(power_state "$nic0")" D0
works "$nic0" "state: fatal, in D3hot"

# --- a reset that nobody reports, in use ------------------------------------------
bus_reset "$nic0"
is "state: reset unseen, in use: BARs are lost" "$(bars "$nic0" | cut -d ' ' -f 1)" 00000000
log_mark
is "state: reset unseen, in use: the user resets it" "$(user reset "$nic0")" "ok, info says yes"
works "$nic0" "state: reset unseen, in use"
is "state: reset unseen, in use: the log says so" \
	"$(said "$nic0" "had lost its configuration .*restored, and now reset")" 1
bus_reset "$nic0"
is "state: reset unseen, then closed: it closes" "$(user close "$nic0")" ok
opens "$nic0" "state: reset unseen, then closed"

# --- interrupts, in use --------------------------------------------------------------
is "state: fatal, with MSI: it is enabled" "$(user msi-on "$nic0")" ok
before=$(msi "$nic0")
check "state: fatal, with MSI: the hardware has it" test $((0x${before:0:4} & 1)) = 1
log_mark
check "state: fatal, with MSI: recovered" inject "$nic0" 10 successful
is "state: fatal, with MSI: it is as before" "$(msi "$nic0")" "$before"
is "state: the user lets go" "$(user close "$nic0")" ok

# --- idle, in D3hot -----------------------------------------------------------------
check "state: idle: it sleeps" wait_for 10 is_suspended "$nic0"
log_mark
check "state: fatal, asleep: recovered" inject "$nic0" 10 successful
is "state: fatal, asleep: the log says so" \
	"$(said "$nic0" "was reset after a PCIe error: configuration restored")" 1
opens "$nic0" "state: fatal, asleep"
is "state: the user lets go again" "$(user close "$nic0")" ok
check "state: idle: it sleeps again" wait_for 10 is_suspended "$nic0"
bus_reset "$nic0"
opens "$nic0" "state: reset unseen, asleep"
is "state: the user lets go once more" "$(user close "$nic0")" ok

# --- idle, in D0 ----------------------------------------------------------------------
echo 1 >/sys/module/vfio_pci/parameters/disable_idle_d3
# Nobody decoded its BARs yet: that it did when it was bound says nothing.
setpci -s "$nic1" COMMAND=0:3
check "state: the other NIC is bound" bind_override "$nic1" vfio-pci
is "state: the other NIC opens" "$(user open "$nic1")" ok
mac=$(user mac "$nic1") good_bars=$(bars "$nic1")
is "state: the other NIC closes" "$(user close "$nic1")" ok
bus_reset "$nic1"
is "state: reset unseen, idle: BARs are lost" "$(bars "$nic1" | cut -d ' ' -f 1)" 00000000
log_mark
opens "$nic1" "state: reset unseen, idle"
is "state: reset unseen, idle: the log says so" \
	"$(said "$nic1" "had lost its configuration .*: restored")" 1
is "state: the other NIC closes again" "$(user close "$nic1")" ok
log_mark
opens "$nic1" "state: nothing lost"
is "state: nothing lost: nothing is said" "$(said "$nic1" "")" 0
is "state: the other NIC closes once more" "$(user close "$nic1")" ok

# --- gone -------------------------------------------------------------------------------
log_mark
fault 1
is "state: gone: an open is refused" "$(user open "$nic1")" "errno 5"
is "state: gone: the log says why" \
	"$(said "$nic1" "not opened: its config space can't be read.*remove and rescan")" 1
fault 0
opens "$nic1" "state: back again"

# --- a fatal error of a function that can't be reached when it happens -----------
is "state: unreachable: ERR can be asked for" "$(user err "$nic1")" ok
is "state: unreachable: INTx is in use" "$(user intx "$nic1")" ok
log_mark
fault 1
echo "revive $nic1" >&"$user_in"
check "state: unreachable: an error is injected" aer "$nic1" 10
read -r -t 70 -u "$user_out" answer
is "state: unreachable: the user is told" "$answer" yes
check "state: unreachable: recovered" wait_for 60 recovered successful
is "state: unreachable: BARs are what they were" "$(bars "$nic1")" "$good_bars"
is "state: unreachable: it decodes, with DMA and INTx off" \
	"$(printf %x $((0x$(command_of "$nic1") & 0x407)))" 403
is "state: unreachable: registers are reached" "$(user mac "$nic1")" "$mac"
is "state: unreachable: the user turns INTx off" "$(user no-intx "$nic1")" ok
is "state: unreachable: the user sets INTx up anew" "$(user intx "$nic1")" ok
is "state: unreachable: INTx is on" "$(printf %x $((0x$(command_of "$nic1") & 0x400)))" 0
is "state: unreachable: it closes" "$(user close "$nic1")" ok
opens "$nic1" "state: unreachable, then closed"

# --- one that does not take its BARs back ------------------------------------------------
log_mark
fault 2
check "state: stuck: a fatal error is not recovered from" inject "$nic1" 10 failed
is "state: stuck: the log says why" \
	"$(said "$nic1" "did not come back from the reset after a PCIe error; remove")" 1
is "state: stuck: it closes" "$(user close "$nic1")" ok
is "state: stuck: an open is refused" "$(user open "$nic1")" "errno 5"
is "state: stuck: the log says why" \
	"$(said "$nic1" "not opened: it lost its configuration and does not take it back")" 1
fault 0
opens "$nic1" "state: stuck no more"
is "state: stuck no more: it closes" "$(user close "$nic1")" ok

# --- before it is bound --------------------------------------------------------------
unbind "$nic1"
bus_reset "$nic1"
log_mark
check "state: reset unseen, unbound: it is bound" bind_override "$nic1" vfio-pci
is "state: reset unseen, unbound: the log says so" \
	"$(said "$nic1" "had lost its BARs before it was bound")" 1
is "state: reset unseen, unbound: and they are set" "$(bars "$nic1")" "$good_bars"
opens "$nic1" "state: reset unseen, unbound"
is "state: it closes for the last time" "$(user close "$nic1")" ok

# --- a recovery that fails: a function beside it has no driver --------------------------
check "state: one of two functions is bound" bind_override "$f0" vfio-pci
is "state: failed recovery: it opens" "$(user open "$f0")" ok
mac=$(user mac "$f0") good_bars=$(bars "$f0")
log_mark
check "state: failed recovery: it fails" inject "$f0" 10 failed
is "state: failed recovery: it closes" "$(user close "$f0")" ok
opens "$f0" "state: failed recovery, opened anew"
is "state: failed recovery: it closes again" "$(user close "$f0")" ok
log_mark
check "state: failed recovery, idle: it fails" inject "$f0" 10 failed
opens "$f0" "state: failed recovery, idle"
is "state: failed recovery, idle: the log says so" \
	"$(said "$f0" "had lost its configuration .*: restored")" 1
end_user

# --- a variant hears of it -----------------------------------------------------------
check "the test variant loads" modprobe vpv-test
check "the test variant has the NIC" bind_override "$nic0" vpv-test
log_mark
check "state: fatal, a variant: recovered" inject "$nic0" 10 successful
is "state: fatal, a variant: reset_done is called" \
	"$(log_since | sed -n "s/.*$nic0: vpv-test: //p" | grep -v "^was reset" | paste -sd ,)" \
	reset_done

for bdf in "$nic0" "$nic1" "$f0"; do
	bind_override "$bdf" ""
done
rmmod vpv_test && rmmod aer_inject && rmmod cfgfault

# --- a VF has no BARs in its config space to tell a loss by --------------------------
modprobe igb
check "state: a PF has a VF" eval "wait_for 20 test -e /sys/bus/pci/drivers/igb/$pf &&
	echo 1 >/sys/bus/pci/devices/$pf/sriov_numvfs"
vf=$(basename "$(readlink "/sys/bus/pci/devices/$pf/virtfn0")")
check "state: the VF is bound" bind_override "$vf" vfio-pci
modprobe cfgfault bdf="$vf"
start_user
log_mark
fault 1
is "state: VF, gone: an open is refused" "$(user open "$vf")" "errno 5"
is "state: VF, gone: the log says why" \
	"$(said "$vf" "not opened: its config space can't be read")" 1
fault 0
is "state: VF, back again: it opens" "$(user open "$vf")" ok
is "state: VF: it closes" "$(user close "$vf")" ok
end_user
bind_override "$vf" ""
rmmod cfgfault
echo 0 >"/sys/bus/pci/devices/$pf/sriov_numvfs"
rmmod igb
check "all unload" unload_vfio_pci
done_testing
