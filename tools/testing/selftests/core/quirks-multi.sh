#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: devices=none timeout=240 usual=6.12
# qemu: -global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off
# qemu: -device pcie-root-port,id=rp19,bus=pcie.0,addr=0x19,chassis=25,x-speed=5
# qemu: -device e1000e,bus=rp19,addr=0.0,multifunction=on,romfile=
# qemu: -device e1000e,bus=rp19,addr=0.1,romfile=
# Two functions of one slot, which the kernel's own hotplug driver can reset: what
# no_bus_reset of the one is to the other, and what reset_done is told.
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh

f0=$(basename /sys/bus/pci/devices/0000:00:19.0/0000:*.0)
f1=${f0%.0}.1
param=/sys/module/vfio_pci/parameters/quirks

# rebind BDF [FLAGS]: with these quirks and no others.
rebind()
{
	echo "${2:+$1:$2}" >$param
	bind_override "$1" vfio-pci
}

# hot ARGS: what vfio-hot says, but for the devices that it lists.
hot()
{
	vfio-hot "$@" 2>&1 |
		sed -n "s/^$f0:/f0:/; s/^$f1:/f1:/; /^device/d; /nobody/d; p" |
		paste -sd ' '
}

both="hot reset: errno 0 f0: reset f1: reset"
none="info: errno 19 hot reset: errno 19 f0: kept f1: kept"

check "the functions are there" test -e "/sys/bus/pci/devices/$f1"
check "their slot is one that can be reset" \
	grep -qx "${f0%.0}" /sys/bus/pci/slots/*/address
methods=$(cat "/sys/bus/pci/devices/$f0/reset_method" "/sys/bus/pci/devices/$f1/reset_method")

check "our vfio-pci loads" load_ours
rebind "$f0" && rebind "$f1"
is "multi: hot reset takes both" "$(hot "$f0" "$f1")" "$both"
unbind "$f0"

# --- no_bus_reset, and who is reset together with whom -----------------------------------
rebind "$f1" no_bus_reset
rebind "$f0"
is "multi: no_bus_reset of a sibling: no hot reset" "$(hot "$f0" "$f1")" "$none"
rebind "$f1"
is "multi: the sibling is bound without it: hot reset takes both" \
	"$(hot "$f0" "$f1")" "$both"
rebind "$f1" no_bus_reset
is "multi: no_bus_reset of the one that is bound last" "$(hot "$f0" "$f1")" "$none"
rebind "$f0"
is "multi: it holds when its sibling is bound once more" "$(hot "$f0" "$f1")" "$none"
rebind "$f0" no_bus_reset
is "multi: no_bus_reset of both" "$(hot "$f0" "$f1")" "$none"
rebind "$f1"
is "multi: no_bus_reset of one is left" "$(hot "$f0" "$f1")" "$none"
rebind "$f0"
is "multi: and then of none: hot reset takes both" "$(hot "$f0" "$f1")" "$both"
rebind "$f0" no_reset
rebind "$f1"
is "multi: no_reset: no hot reset" "$(hot "$f0" "$f1")" "$none"
unbind "$f0"
rebind "$f0"
is "multi: unbound and bound without it: hot reset takes both" \
	"$(hot "$f0" "$f1")" "$both"
is "multi: the functions have their reset methods again" \
	"$(cat "/sys/bus/pci/devices/$f0/reset_method" "/sys/bus/pci/devices/$f1/reset_method")" \
	"$methods"

bind_override "$f0" ""
bind_override "$f1" ""
check "unloads" unload_vfio_pci

# --- reset_done ------------------------------------------------------------------------
# told BDF: who reset it, in which thread and under which lock, since the mark.
told()
{
	log_since | sed -n "s/.*$1: vpv-test reset_done: //p" | paste -sd, -
}

modprobe vpv-test
check "the test variant takes the one" bind_override "$f0" vpv-test
check "and the other" bind_override "$f1" vpv-test
log_mark
is "reset_done: hot reset takes both" "$(hot "$f0" "$f1")" "$both"
diag "f0: $(told "$f0"); f1: $(told "$f1")"
for f in $f0 $f1; do
	check "reset_done: a hot reset is reported, by its thread, which has the dev_set lock (${f: -2})" \
		grep -q "vfio-hot, dev_set locked" <<<"$(told "$f")"
done
for f in $f0 $f1; do
	echo "" >"/sys/bus/pci/devices/$f/reset_method"
done
log_mark
vfio-dump "$f0" >/dev/null
is "reset_done: the reset of the slot at close is reported, by the closing thread, which has the dev_set lock" \
	"$(told "$f0")" "vfio-dump, dev_set locked"
is "reset_done: to the sibling, too, which nobody has open" \
	"$(told "$f1")" "vfio-dump, dev_set locked"
bind_override "$f0" ""
bind_override "$f1" ""
check "the test variant unloads" rmmod vpv_test
done_testing
