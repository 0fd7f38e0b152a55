#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: timeout=300 usual=6.12
# qemu: -device pcie-root-port,id=rp19,bus=pcie.0,addr=0x19,chassis=25,x-speed=5
# qemu: -device edu,bus=rp19,addr=0.0,multifunction=on
# qemu: -device e1000e,romfile=,bus=rp19,addr=0.1
# qemu: -device edu,bus=pcie.0,addr=0x1a
# What VFIO refuses, and the line in the log that says why and what to do.
# Functions are called through others, which shellcheck does not see.
# shellcheck disable=SC2317
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh

edu=$(dev_bdf edu0) && lone_edu=$(dev_bdf edu1) || bail "no edu"
nic=$(dev_bdf e1000e0) && nvme=$(dev_bdf nvme0) && pf=$(dev_bdf nvme1) || bail "no nvme"
first=$(echo /sys/bus/pci/devices/0000:00:19.0/0000:??:00.0) first=${first##*/}
second=${first%.0}.1
bare=0000:00:1a.0
port=0000:00:17.0
param=/sys/module/vfio_pci/parameters/quirks

# said N BDF TEXT: so many lines about it since the mark start so; BDF "": about any.
said()
{
	[ "$(log_since | grep -cF "${2:+vfio-pci $2: }vfio-pci: $3")" = "$1" ] && return
	log_since | grep -F "$2"
	return 1
}

# refuses DESC BDF TEXT: binding it fails, with one line.
refuses()
{
	log_mark
	bind_override "$2" vfio-pci 2>/dev/null
	is "$1: is not bound" "$(driver_of "$2")" ""
	check "$1: one line says why" said 1 "$2" "not bound: $3"
	bind_override "$2" "" 2>/dev/null
}

# opens ERRNO BDF
opens()
{
	vfio-do "$2" power >/dev/null 2>&1
	[ $? = "$1" ]
}

fault()
{
	modprobe fakefault "bdf=$1" "what=$2"
}

modprobe nvme && modprobe e1000e || bail "no drivers of the host"
check "loads" load_ours

# --- bind -------------------------------------------------------------------
refuses "bind: a bridge" $port "it is a bridge, which can't be handed to users; bind the functions behind it"
is "bind: the port has its driver again" "$(driver_of $port)" pcieport

echo 1 >"/sys/bus/pci/devices/$pf/sriov_numvfs"
refuses "bind: a PF with VFs" "$pf" "it has VFs (1), which may be in use; bind its own driver, write 0 to sriov_numvfs, and try again"
echo 0 >"/sys/bus/pci/devices/$pf/sriov_numvfs"
log_mark
check "bind: what the line says helps" bind_override "$pf" vfio-pci
check "bind: nothing is said of what binds" said 0 "$pf" ""

fault "$nic" caches
refuses "bind: DMA that is not coherent" "$nic" "its IOMMU can't keep its DMA coherent with the CPU's caches"
rmmod fakefault

# --- groups -----------------------------------------------------------------
is "groups: the two functions share one" "$(group_of "$first")" "$(group_of "$second")"
is "groups: one is the host's" "$(driver_of "$second")" e1000e
text="no user can have it yet: drivers of the host have others of its IOMMU group $(group_of "$first"): "
log_mark
check "groups: the other binds" bind_override "$first" vfio-pci
check "groups: one line names the host's and its driver" \
	said 1 "$first" "$text$second (e1000e); bind them to vfio-pci too, or unbind them"
check "groups: it is as the line says" \
	grep -q "not viable" <(vfio-do "$first" power 2>&1)
log_mark
unbind "$second"
bind_override "$first" vfio-pci
check "groups: a sibling without a driver is not named" said 0 "$first" "no user"
check "groups: it opens" opens 0 "$first"
bind_override "$second" vfio-pci
bind_override "$first" vfio-pci
check "groups: nor is one that VFIO has" said 0 "" "no user can have it"

# --- resets -----------------------------------------------------------------
is "resets: a function alone on the root bus has no way" \
	"$(cat /sys/bus/pci/devices/$bare/reset_method 2>/dev/null)" ""
log_mark
check "resets: it binds" bind_override $bare vfio-pci
check "resets: one line says what that means" \
	said 1 $bare "it can't be reset: VFIO_DEVICE_RESET gives EINVAL, and its next user gets it as the last one left it; hand it on only"
is "resets: it is as the line says" "$(vfio-do $bare reset hotreset | paste -sd ' ')" \
	"errno 22, info says no errno 19"
check "resets: nothing more is said at open" said 1 $bare ""

log_mark
bind_override "$nvme" vfio-pci
check "resets: nothing is said of a function with FLR" said 0 "$nvme" ""
echo "$nvme:no_reset" >$param
bind_override "$nvme" vfio-pci
check "resets: no_reset is named as any other" said 1 "$nvme" "it can't be reset: "
echo "$nvme:no_flr+no_bus_reset+no_pm_reset" >$param
log_mark
bind_override "$nvme" vfio-pci
check "resets: flags that leave no way are, too" said 1 "$nvme" "it can't be reset: "
check "resets: it opens all the same" opens 0 "$nvme"
check "resets: and nothing more is said then" said 1 "$nvme" ""
echo >$param

# The PCI core finds out that the first function has siblings when it resets it.
log_mark
is "resets: of the first function of two a bus reset is expected" \
	"$(cat "/sys/bus/pci/devices/$first/reset_method")" bus
check "resets: it opens" opens 0 "$first"
check "resets: one line says that the reset failed" \
	said 1 "$first" "its reset failed when it was opened: VFIO_DEVICE_RESET gives EINVAL, and this user gets it as the last one left it; see reset_method in sysfs"

unbind "$first"
log_mark
out=$(vfio-hot "$second" 2>&1)
check "hot reset: not while a sibling is not bound" grep -q "^hot reset: errno 22" <<<"$out"
check "hot reset: a line names the sibling" \
	said 2 "$second" "no hot reset: it would reset others too that are not bound to vfio-pci: $first; bind them, even if nobody uses them"
bind_override "$first" vfio-pci
log_mark
out=$(vfio-hot "$second" 2>&1)
check "hot reset: what the line says helps" grep -q "^hot reset: errno 0" <<<"$out"
check "hot reset: nothing is said" said 0 "$second" "no hot reset"

# --- open -------------------------------------------------------------------
log_mark
bind_override "$lone_edu" vfio-pci
check "open: nothing is said of one that opens" opens 0 "$lone_edu"
check "open: nothing at all" said 0 "$lone_edu" ""
fault "$lone_edu" lock
check "open: EAGAIN while somebody has its lock" opens 11 "$lone_edu"
check "open: one line says so" \
	said 1 "$lone_edu" "not opened: it can't be reset now, as somebody holds its lock or that of the port above (a bind or unbind, a reset, a write to sriov_numvfs); try again"
rmmod fakefault
check "open: what the line says helps" opens 0 "$lone_edu"

log_mark
fault "$lone_edu" unset
check "open: EINVAL when a BAR has no room" opens 22 "$lone_edu"
check "open: one line says so" \
	said 1 "$lone_edu" "not opened: the PCI core can't enable it (error -22) and says above what it lacks; "
check "open: and the PCI core says what" grep -q "$lone_edu.*BAR 0.*not assigned" <(log_since)
rmmod fakefault

bind_override "$nvme" vfio-pci
check "open: an idle drive is suspended" wait_for 20 is_suspended "$nvme"
log_mark
fault "$nvme" sleep
check "open: EACCES when it can't be resumed" opens 13 "$nvme"
check "open: one line says so" \
	said 1 "$nvme" "not opened: it is suspended and can't be resumed (error -13); "
rmmod fakefault
check "open: and then it can" opens 0 "$nvme"

# --- BARs -------------------------------------------------------------------
bind_override "$edu" vfio-pci
for what in claim cover; do
	log_mark
	fault "$edu" $what
	is "BARs: $what: it opens, but can't be mapped: EBUSY" \
		"$(vfio-do "$edu" mmap 0 | grep -o 'errno 16')" "errno 16"
	name='fake "fault"\n'
	[ $what = claim ] || name='fake cover'
	check "BARs: $what: one line says who has it" \
		said 1 "$edu" "BAR 0 is claimed by \"$name\": its user can't read, write or map it (EBUSY); unbind or unload what has it, see /proc/iomem; "
	rmmod fakefault
	log_mark
	is "BARs: $what: and then it can" "$(vfio-do "$edu" mmap 0 | grep -o '^mapped')" mapped
	check "BARs: $what: nothing is said" said 0 "$edu" ""
done

# --- interrupts -------------------------------------------------------------
# Both are on one line: slots 12 and 16.
echo "$edu:nointxmask" >$param
bind_override "$edu" vfio-pci
bind_override "$nic" vfio-pci
log_mark
is "interrupts: nointxmask after another: EBUSY" "$(vfio-do "$nic" masked on "$edu" masked)" \
	"device
errno 16"
irq=$(cat "/sys/bus/pci/devices/$edu/irq")
check "interrupts: one line says why" \
	said 1 "$edu" "INTx not enabled: IRQ $irq has other users (/proc/interrupts), and this function can't share it, as nointxmask says so; unbind the others, or use MSI"
log_mark
is "interrupts: another after nointxmask: EBUSY" "$(vfio-do "$edu" masked on "$nic" masked)" \
	"irqchip
errno 16"
check "interrupts: one line says why" \
	said 1 "$nic" "INTx not enabled: IRQ $irq is taken by one that can't share it (/proc/interrupts); if that has nointxmask, bind it without, or use MSI"
echo >$param

echo 0 >"/sys/bus/pci/devices/$nic/msi_bus"
bind_override "$nic" vfio-pci
start_user
is "interrupts: opens" "$(user open "$nic")" ok
log_mark
is "interrupts: no MSI by sysfs: EINVAL" "$(user msi "$nic")" "errno 22"
check "interrupts: one line says why" \
	said 1 "$nic" "no MSI or MSI-X: it is off for this function or a bus above it (a quirk of the kernel, or 0 in their msi_bus in sysfs)"
end_user
echo 1 >"/sys/bus/pci/devices/$nic/msi_bus"
start_user
user open "$nic" >/dev/null
log_mark
is "interrupts: MSI again" "$(user msi "$nic")" ok
check "interrupts: nothing is said" said 0 "$nic" ""
end_user

# A user can ask without end; the log does not get a line for each.
echo 0 >"/sys/bus/pci/devices/$nic/msi_bus"
start_user
user open "$nic" >/dev/null
log_mark
for _ in {1..40}; do
	user msi "$nic" >/dev/null
done
end_user
n=$(log_since | grep -cF "$nic: vfio-pci: no MSI")
check "interrupts: a user can't flood the log: $n lines of 40" test "$n" -lt 20
echo 1 >"/sys/bus/pci/devices/$nic/msi_bus"

# --- framebuffers -----------------------------------------------------------
vga=$(dev_bdf vga0) || bail "no VGA"
unbind "$edu"
fault "$edu" framebuffer
bind_override "$edu" vfio-pci
is "framebuffers: one is left alone in what is no display" \
	"$(vfio-do "$edu" mmap 0 | grep -o 'errno 16')" "errno 16"
rmmod fakefault

modprobe idshim "bdf=$vga" class=0x038000
fault "$vga" framebuffer
is "framebuffers: the firmware's has BAR 0" "$(grep -c "fake framebuffer" /proc/iomem)" 1
log_mark
check "framebuffers: a display controller that is not VGA binds" \
	bind_override "$vga" vfio-pci
is "framebuffers: it has no framebuffer any more" "$(grep -c "fake framebuffer" /proc/iomem)" 0
is "framebuffers: its BAR 0 can be mapped" \
	"$(vfio-do "$vga" mmap 0 | grep -o '^mapped')" mapped
check "framebuffers: nobody claims it" said 0 "$vga" "BAR"
bind_override "$vga" ""
rmmod fakefault idshim

check "unloads" unload_vfio_pci
done_testing
