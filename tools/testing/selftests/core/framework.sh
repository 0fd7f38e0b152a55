#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What the framework promises to variants, through a test variant with every
# hook: bad tables are refused, hooks come in order, errors unwind, and what a
# variant does not ask for is not there.
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh

bdf=$(dev_bdf nvme0) || bail "no nvme0"

# The hooks called since the mark, in order, on one line.
hooks()
{
	log_since | sed -n "s/.*$bdf: vpv-test: //p" | paste -sd, -
}

refused()
{
	local fault=$1 errno=$2 message=$3 out

	log_mark
	out=$(modprobe vpv-test gated=1 "fault=$fault" 2>&1)
	check "$fault: modprobe says $errno" grep -q "$errno" <<<"$out"
	is "$fault: one log line says what is wrong" \
		"$(log_since | grep -c "vfio_pci_variant: .*$message")" 1
	check "$fault: no module stays" test ! -e /sys/module/vpv_test
	check "$fault: no driver stays" test ! -e /sys/bus/pci/drivers/vpv-test
}

modprobe vfio_iommu_type1
refused no-name "Invalid argument" "(vpv_test): refused: it has no name"
refused empty-name "Invalid argument" "(vpv_test): refused: it has no name"
refused other-name "Invalid argument" "vpv-test.* another name"
refused own-probe "Invalid argument" "vpv-test.* a field that is the framework's"
refused priv-size "Invalid argument" "vpv-test.* priv_size"
refused release "Invalid argument" "vpv-test.* release hook but no init"
refused close "Invalid argument" "vpv-test.* close hook but neither"
refused rw-hook "Invalid argument" "vpv-test.* rw_regions but no rw hook"
refused rw-regions "Invalid argument" "vpv-test.* rw hook but no rw_regions"
refused rw-beyond "Invalid argument" "vpv-test.* rw_regions names one above VFIO_PCI_VGA_REGION_INDEX"
refused mmio-bars "Invalid argument" "vpv-test.* mmio_bars names one above BAR 5"
refused reg-bar "Invalid argument" "vpv-test.* none of BAR 0 to 5"
refused reg-width "Invalid argument" "vpv-test.* 1, 2, 4 or 8 bytes wide"
refused reg-no-width "Invalid argument" "vpv-test.* 1, 2, 4 or 8 bytes wide"
refused reg-align "Invalid argument" "vpv-test.* 1, 2, 4 or 8 bytes wide"
refused reg-far "Invalid argument" "vpv-test.* 1, 2, 4 or 8 bytes wide"
refused reg-nothing "Invalid argument" "vpv-test.* neither a read nor a write callback"
refused reg-rw "Invalid argument" "vpv-test.* in a BAR that its rw hook is for"
refused reg-overlap "Invalid argument" "vpv-test.* overlap, or are not in the order"
refused reg-order "Invalid argument" "vpv-test.* overlap, or are not in the order"
refused reg-count "Invalid argument" "vpv-test.* counts none, or counts some"
refused reg-no-count "Invalid argument" "vpv-test.* counts none, or counts some"
refused mmap-bars "Invalid argument" "vpv-test.* mmap hook but no mmap_bars"
refused mmap-hook "Invalid argument" "vpv-test.* mmap hook but no mmap_bars"
refused mmap-beyond "Invalid argument" "vpv-test.* mmap_bars names one above BAR 5"
refused mmap-reg "Invalid argument" "vpv-test.* in a BAR that its mmap hook is for"
refused migration-suspend "Invalid argument" "vpv-test.* its migration lacks a hook"
refused migration-resume "Invalid argument" "vpv-test.* its migration lacks a hook"
refused migration-length "Invalid argument" "vpv-test.* its migration lacks a hook"
refused migration-save "Invalid argument" "vpv-test.* its migration lacks a hook"
refused migration-load "Invalid argument" "vpv-test.* its migration lacks a hook"
refused migration-done "Invalid argument" "vpv-test.* its migration lacks a hook"
refused migration-chunk "Invalid argument" "vpv-test.* chunk_max of its migration"
refused migration-chunks "Invalid argument" "vpv-test.* chunk_max of its migration"
refused migration-size "Invalid argument" "vpv-test.* size_max of its migration is 0"
refused setting "Invalid argument" "vpv-test.* a setting has a name that means something else already"
refused generic-settings "Invalid argument" "vpv-test.* generic but has settings"
refused generic "Invalid argument" "vpv-test.* generic but has hooks"
refused specialised "Invalid argument" "vpv-test.* specialised but has no id_table"
refused generic-specialised "Invalid argument" "vpv-test.* generic and specialised"
refused gate-hook "Invalid argument" "vpv-test.* gate lacks a hook"
refused gate-priv-size "Invalid argument" "vpv-test.* priv_size of its gate"
refused quirk-reason "Invalid argument" "vpv-test: refused: quirk 0 .*has no reason"
refused quirk-match "Invalid argument" "vpv-test: refused: quirk 0 .*matches nothing"
refused quirk-count "Invalid argument" "vpv-test.* counts quirks that it does not have"
refused quirk-flag "Invalid argument" "vpv-test: refused: quirk 0 .*flag that does not exist"
refused quirk-both "Invalid argument" "vpv-test: refused: quirk 0 .*sets a flag and clears it"
refused quirk-bar "Invalid argument" "vpv-test: refused: quirk 0 .*BARs 0 to 5"
refused quirk-offset "Invalid argument" "vpv-test: refused: quirk 0 .*ends at 0xfff"
refused quirk-command "Invalid argument" "vpv-test: refused: quirk 0 .*COMMAND and BARs"
refused quirk-value "Invalid argument" "vpv-test: refused: quirk 0 .*bits outside its mask"
refused quirk-mask "Invalid argument" "vpv-test: refused: quirk 0 .*config byte has no mask"
refused quirk-hole "Invalid argument" "vpv-test: refused: quirk 0 .*config byte follows"
refused quirk-cap "Invalid argument" "vpv-test: refused: quirk 0 .*above 0xff"
refused quirk-cap-hole "Invalid argument" "vpv-test: refused: quirk 0 .*capability follows"
refused quirk-ext-cap-hole "Invalid argument" "vpv-test: refused: quirk 0 .*capability follows"
refused quirk-vendor "Invalid argument" "vpv-test: refused: quirk 0 .*vendor 0000 or ffff"
refused quirk-id "Invalid argument" "vpv-test: refused: quirk 0 .*more than 16 bits"
refused quirk-class "Invalid argument" "vpv-test: refused: quirk 0 .*more than 24 bits"
refused quirk-no-count "Invalid argument" "vpv-test.* has quirks but counts none"
refused quirk-nothing "Invalid argument" "vpv-test: refused: quirk 0 .*does nothing"

area in-tree
check "the in-tree vfio-pci loads" load_intree
check "and takes nvme0" bind_override "$bdf" vfio-pci
refused taken "Device or resource busy" 'another driver "vfio-pci" .*unload'
rmmod vfio_pci_variant
log_mark
check "our framework loads beside it" modprobe vfio-pci-variant
is "and says once how to switch" \
	"$(log_since | grep -c "vfio_pci_variant: .*modprobe -r vfio-pci")" 1
out=$(insmod "$(module_file vfio-pci)" 2>&1)
check "our vfio-pci is refused: it exists" grep -q "File exists" <<<"$out"
check "nvme0 still has the in-tree driver" \
	test "$(driver_of "$bdf")" = vfio-pci -a \
	! -e "/sys/bus/pci/devices/$bdf/vfio_pci_variant"
check "and it works" vfio-dump "$bdf"
bind_override "$bdf" ""
check "the in-tree driver and our framework unload" unload_vfio_pci
log_mark
check "our vfio-pci loads then" load_ours
is "and has nothing to say of the in-tree one" \
	"$(log_since | grep -c "modprobe -r vfio-pci")" 0
check "it unloads" unload_vfio_pci

area hooks
log_mark
check "the test variant loads" modprobe vpv-test
check "it takes nvme0" bind_override "$bdf" vpv-test
is "sysfs names it" \
	"$(cat "/sys/bus/pci/devices/$bdf/vfio_pci_variant/variant")" vpv-test
is "bind: match, init" "$(hooks)" "match,init"
log_mark
dump=$(vfio-dump "$bdf")
# The core resets the function when it enables it.
is "open and close" "$(hooks)" "reset_done,open,add_regions,close,region release"
check "with an rw hook it has ops of its own" \
	grep -q "read and write are not the core's" <(log_since)
with_rw=$(grep -c ' 5a$' <<<"$dump")
is "the rw hook's byte is at the end of config space" "$with_rw" 1
is "its region is there" "$(grep -c 'region 9.*size 0x40' <<<"$dump")" 1
log_mark
echo 1 >"/sys/bus/pci/devices/$bdf/reset"
is "reset: reset_done" "$(hooks)" "reset_done"
# A function without a reset of its own is reset with its bus, after the last close.
methods=$(cat "/sys/bus/pci/devices/$bdf/reset_method")
echo "" >"/sys/bus/pci/devices/$bdf/reset_method"
log_mark
vfio-dump "$bdf" >/dev/null
is "reset_done: the reset of the bus at close is reported, after close" "$(hooks)" \
	"open,add_regions,close,region release,reset_done"
check "reset_done: that is the closing thread, which holds the dev_set lock" \
	grep -q "reset_done: vfio-dump, dev_set locked" <(log_since)
echo "$methods" >"/sys/bus/pci/devices/$bdf/reset_method"

area rw
is "rw: of a region it is for, it changes what is read" \
	"$(vfio-do "$bdf" write 2 4 2 region 4 0 8 | tail -n 1)" fffefbff
is "rw: a read of nothing does not reach it" "$(vfio-do "$bdf" region 0 7 fff)" 0
is "rw: a BAR that it is for can't be mapped" "$(vfio-do "$bdf" mmap 0)" \
	"errno 22, info says no"
is "rw: nor written by an ioeventfd" "$(vfio-do "$bdf" ioeventfd 8)" "errno 25"
# Without the feature it is ENOTTY.
case $VPV_K in
7.*) no_dmabuf="errno 22" ;;
*) no_dmabuf="errno 25" ;;
esac
is "rw: nor exported as dma-buf" "$(vfio-do "$bdf" dmabuf 0)" "$no_dmabuf"
is "rw: other regions don't come to it" \
	"$(vfio-do "$bdf" region 4 6 8; dmesg | grep -c 'vpv-test: rw for')" "errno 22
0"
is "mmio_begin: EIO while Memory Enable is clear" \
	"$(vfio-do "$bdf" write 2 4 0 region 4 0 8 | tail -n 1)" "errno 5"
pm=$(lspci -v -s "$bdf" | sed -n 's/.*Capabilities: \[\(..\)\] Power.*/\1/p')
pmcsr=$(printf '%x' $((0x$pm + 4)))
is "mmio_begin: EIO in the user's D3hot, 0 in D0" \
	"$(vfio-do "$bdf" write 2 4 2 write 2 "$pmcsr" 3 region 4 0 8 \
		write 2 "$pmcsr" 0 write 2 4 2 region 4 0 8 | grep -v written | paste -sd ' ')" \
	"errno 5 fffefbff"
is "rw: the user's D3hot is what the hook finds the function in" \
	"$(vfio-do "$bdf" write 2 "$pmcsr" 3 region 4 0 c | tail -n 1)" 00000003

area "low power"
vfio-do "$bdf" low hold >/tmp/hold &
holder=$!
check "low power: a user opens the function and suspends it" wait_for 20 is_suspended "$bdf"
log_mark
kill -TERM $holder
wait_exit 30 $holder
is "low power: the user closes it, while it sleeps" "$? $(tail -n 1 /tmp/hold)" "0 closed"
is "low power: the close hook runs in D0" \
	"$(log_since | sed -n 's/.*vpv-test power: //p')" "close in D0"
check "low power: then it sleeps again" wait_for 20 is_suspended "$bdf"
vfio-do "$bdf" low-region 4 0 c hold >/tmp/hold &
holder=$!
check "low power: a user suspends it and reads" wait_for 30 grep -qx open /tmp/hold
is "low power: the rw hook finds it in D0" "$(head -n 1 /tmp/hold)" 00000000
check "low power: after the hook it sleeps again" wait_for 20 is_suspended "$bdf"
kill -TERM $holder
wait_exit 30 $holder

area errors
fail_at()
{
	echo "$1" >/sys/module/vpv_test/parameters/fail_at
	log_mark
}

fail_at open
check "an open that fails in open fails" fails vfio-dump "$bdf"
is "open failed: nothing came after it" "$(hooks)" "reset_done,open"
fail_at add_regions
check "an open that fails in add_regions fails" fails vfio-dump "$bdf"
is "add_regions failed: close, and the region is freed" "$(hooks)" \
	"reset_done,open,add_regions,close,region release"
fail_at none
is "the next open gives the same answers" "$(vfio-dump "$bdf")" "$dump"
log_mark
check "unbind" unbind "$bdf"
is "unbind: release" "$(hooks)" "release"
fail_at match
bind_override "$bdf" vpv-test
is "match declines: no driver" "$(driver_of "$bdf")" ""
is "match declines: nothing else was called" "$(hooks)" "match"
fail_at init
bind_override "$bdf" vpv-test
is "init fails: no driver" "$(driver_of "$bdf")" ""
is "init failed: release is not called" "$(hooks)" "match,init"
fail_at none
check "then it binds" bind_override "$bdf" vpv-test
check "rmmod while bound and idle" rmmod vpv_test
check "its attributes are gone" \
	test ! -e "/sys/bus/pci/devices/$bdf/vfio_pci_variant"

area gate
bind_override "$bdf" ""
log_mark
modprobe vpv-test gated=1
check "with a gate it takes nvme0" bind_override "$bdf" vpv-test
is "gate: bind" "$(hooks)" "match,init,gate-init,gate-start"
log_mark
is "gate: the answers are the same" "$(vfio-dump "$bdf")" "$dump"
is "gate: open and close" "$(hooks)" \
	"gate-match,gate-open,reset_done,open,add_regions,close,region release,gate-close"
fail_at gate-match
check "gate: a name that it refuses" grep -q "cross-device" <(vfio-dump "$bdf" 2>&1)
is "gate: nothing came after it" "$(hooks)" "gate-match"
fail_at gate-open
check "gate: a user that it refuses" grep -q "busy" <(vfio-dump "$bdf" 2>&1)
is "gate: nothing came after that" "$(hooks)" "gate-match,gate-open"
for hook in open add_regions; do
	fail_at $hook
	check "gate: an open that fails in $hook fails" fails vfio-dump "$bdf"
	is "gate: is told of its end after all others" "$(hooks | sed 's/.*,//')" gate-close
done
fail_at none
check "gate: unbind" unbind "$bdf"
is "gate: unbind: stop, release" "$(hooks)" "gate-stop,release"
bind_override "$bdf" vpv-test
vfio-do "$bdf" hold >/tmp/hold &
holder=$!
check "gate: a user opens the device" wait_for 20 grep -q open /tmp/hold
fail_at none
unbind "$bdf" &
unbinder=$!
check "gate: unbind asks the user" wait_for 20 grep -q asked /tmp/hold
is "gate: and no hook is called" "$(hooks)" \
	"in use by \"vfio-do\" ($holder), asked to let go (1)"
kill -TERM $holder
wait_exit 30 $holder
wait_exit 30 $unbinder
is "gate: it is stopped when the user is gone" "$(hooks | sed 's/.*gate-close/gate-close/')" \
	"gate-close,reset_done,gate-stop,release"
fail_at gate-start
bind_override "$bdf" vpv-test
is "gate: start fails: no driver" "$(driver_of "$bdf")" ""
is "gate: start failed: all is undone" "$(hooks)" \
	"match,init,gate-init,gate-start,release"
check "and the group is gone" test ! -e "/dev/vfio/$(group_of "$bdf")"
fail_at none
check "then it binds" bind_override "$bdf" vpv-test
check "rmmod stops it" rmmod vpv_test
is "gate: all of it in order" "$(hooks)" \
	"match,init,gate-init,gate-start,gate-stop,release"

bind_override "$bdf" ""
modprobe vpv-test gated=1 fault=no-gate-close
bind_override "$bdf" vpv-test
log_mark
check "gate: it need not have a close hook" vfio-dump "$bdf"
is "gate: which is not called then" "$(hooks | sed 's/.*gate-open/gate-open/')" \
	"gate-open,reset_done,open,add_regions,close,region release"
bind_override "$bdf" ""
rmmod vpv_test

area accesses
log_mark
modprobe vpv-test fault=no-rw
bind_override "$bdf" vpv-test
is "without an rw hook the byte is the device's" \
	"$(vfio-dump "$bdf" | grep -c ' 5a$')" 0
check "and the ops are the core's own" \
	grep -q "read and write are the core's own" <(log_since)
is "and the BAR can be mapped" "$(vfio-do "$bdf" mmap 0)" "mapped, info says yes"
bind_override "$bdf" ""
rmmod vpv_test
is "the log has no complaint of the test variant" \
	"$(dmesg | grep -c 'vpv-test: \(priv is not\|rw for\)')" 0
done_testing
