#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: mem=3G timeout=600 usual=6.1,7.3
# VFIO_DEVICE_RESET of a function that nobody has touched since its open reset it is
# spared, and of one that somebody has, in whichever way, is done. An address in an e1000e
# that its user changed is its own again after a reset by its bus.
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh
# shellcheck source=tools/testing/selftests/nested.inc
. ./nested.inc

nic=$(dev_bdf e1000e0) || bail "no e1000e0"
nvme=$(dev_bdf nvme0) || bail "no nvme0"
igb=$(dev_bdf igb0) || bail "no igb0"
case $VPV_K in
6.1) versions="7.2" ;;
*) versions="10.0 11.1" ;;
esac

trace_calls 'p:vpv_reset __pci_reset_function_locked' || bail "no kprobe"

resets()
{
	grep -c vpv_reset: $trace/trace
}

spared()
{
	cat "/sys/bus/pci/devices/$1/vfio_pci_variant/resets_spared"
}

# try BDF COMMAND...: by one user, who then asks for a reset: what came of it, and how
# often the function was reset between open and close.
try()
{
	trace_from_here
	vfio-do "$@" reset >/tmp/said 2>&1 || { cat /tmp/said; return 1; }
	echo "$(tail -n 1 /tmp/said) $(($(resets) - 2))"
}

# what COMMAND... does to nic.
is_spared()
{
	local before

	before=$(spared "$nic")
	is "$1: its reset is spared" "$(try "$nic" "${@:2}")" "ok, info says yes 0"
	is "$1: sysfs counts it" "$(spared "$nic")" $((before + 1))
}

is_done()
{
	is "$1: it is reset" "$(try "$nic" "${@:2}")" "ok, info says yes 1"
}

check "our vfio-pci loads" load_ours
echo bus >"/sys/bus/pci/devices/$nic/reset_method"
check "the e1000e is bound" bind_override "$nic" vfio-pci
is "no reset was spared" "$(spared "$nic")" 0
mac=$(vfio-do "$nic" mac)

area untouched
log_mark
is_spared "nothing"
is "the log says so" "$(log_since | grep -c "$nic: vfio-pci: VFIO_DEVICE_RESET: nothing to do")" 1
is_spared "questions" info
is_spared "config space is read" read 4 0 read 1 40 read 4 100
is_spared "memory and SERR are enabled, INTx disabled" write 2 4 502
is_spared "BARs are sized" write 4 10 ffffffff write 4 24 ffffffff write 4 30 fffff800
is_spared "INTx" intx no-intx
is_spared "INTx stays on" intx
is_spared "errors are asked for" err
is_spared "a BAR is mapped" mmap 0
trace_from_here
vfio-do "$nic" reset reset reset >/dev/null
is "three resets are spared" "$(resets)" 2

area touched
is_done "a BAR is read" region 4 0 0
is_done "a BAR is written" region-write 4 0 5400 abcdef01
is_done "a BAR is written, where BARs are in config space" region-write 4 0 10 0
is_done "by a mapping" write 2 4 2 map-write 0 5400 abcdef01
is_done "its ROM is read" region 4 6 0
is_done "another byte of the header is written" write 1 c 8
is_done "COMMAND and STATUS at once" write 4 4 2
is_done "one byte of COMMAND" write 1 4 2
is_done "bus mastering" master
is_done "MSI" msi
is_done "D3hot" d3hot
is_done "low power" low
is_done "an ioeventfd" ioeventfd 0
case $VPV_K in
7.3) is_done "a BAR is exported" dmabuf 0 ;;
esac
is "none of them counts as spared" "$(spared "$nic")" 12
for way in region-write\ 4 map-write; do
	# shellcheck disable=SC2086
	out=$(vfio-do "$nic" write 2 4 2 $way 0 5400 abcdef01 mac reset mac | tail -n 3)
	is "$way: its address was changed, and is its own again" "$out" \
		"abcdef01 ${mac#* }"$'\n'"ok, info says yes"$'\n'"$mac"
done

area "from outside"
start_user
user open "$nic" >/dev/null
echo 1 >"/sys/bus/pci/devices/$nic/reset"
trace_from_here
is "root has reset it: it is reset" "$(user reset "$nic") $(resets)" "ok, info says yes 1"
user close "$nic" >/dev/null
user open "$nic" >/dev/null
port=$(port_of "$nic")
setpci -s "$port" BRIDGE_CONTROL=40:40
sleep 0.2
setpci -s "$port" BRIDGE_CONTROL=0:40
sleep 1
trace_from_here
is "its bus was reset: it is reset" "$(user reset "$nic") $(resets)" "ok, info says yes 1"
is "its bus was reset: and reached" "$(user mac "$nic")" "$mac"
user close "$nic" >/dev/null
echo 1 >/sys/module/vfio_pci/parameters/enable_sriov
bind_override "$igb" vfio-pci
user open "$igb" >/dev/null
echo 1 >"/sys/bus/pci/devices/$igb/sriov_numvfs"
echo 0 >"/sys/bus/pci/devices/$igb/sriov_numvfs"
trace_from_here
is "it had VFs: it is reset" "$(user reset "$igb") $(resets)" "ok, info says yes 1"
user close "$igb" >/dev/null
echo 1 >"/sys/bus/pci/devices/$igb/sriov_numvfs"
user open "$igb" >/dev/null
trace_from_here
is "it had VFs before it was opened: it is reset" "$(user reset "$igb") $(resets)" \
	"ok, info says yes 1"
user close "$igb" >/dev/null
echo 0 >"/sys/bus/pci/devices/$igb/sriov_numvfs"
bind_override "$igb" ""
modprobe aer_inject aer_mask_override=1
user open "$nic" >/dev/null
# Not a fatal one: nothing is reset for it.
log_mark
check "it has an error" inject "$nic" 4000 successful
trace_from_here
is "it had an error: it is reset" "$(user reset "$nic") $(resets)" "ok, info says yes 1"
user close "$nic" >/dev/null
end_user
rmmod aer_inject

area "not for all"
echo "$nic:always_reset" >/sys/module/vfio_pci/parameters/quirks
bind_override "$nic" vfio-pci
is_done "always_reset"
is "always_reset: sysfs shows the row" \
	"$(grep -c "always_reset" "/sys/bus/pci/devices/$nic/vfio_pci_variant/quirks")" 1
echo "$nic:config=80/12" >/sys/module/vfio_pci/parameters/quirks
bind_override "$nic" vfio-pci
is_spared "shown bytes" read 1 80
is_done "shown bytes, written" write 1 80 1
echo >/sys/module/vfio_pci/parameters/quirks
modprobe vpv-test
bind_override "$nic" vpv-test
is_done "a variant with an open hook"
bind_override "$nic" ""
rmmod vpv-test
modprobe vpv-quirk
bind_override "$igb" vpv-quirk
is "a quirk with a fixup: it is reset" "$(try "$igb")" "ok, info says yes 1"
bind_override "$igb" ""
rmmod vpv-quirk
bind_override "$nic" vfio-pci
is_spared "a reset that works"
echo >"/sys/bus/pci/devices/$nic/reset_method"
trace_from_here
is "its methods are gone: it is refused" "$(vfio-do "$nic" reset) $(resets)" \
	"errno 22, info says no 0"
echo bus >"/sys/bus/pci/devices/$nic/reset_method"
bind_override "$nic" ""

area QEMU
check "the drive is bound" bind_override "$nvme" vfio-pci
for version in $versions; do
	qemu=/usr/bin/qemu-system-x86_64
	[ "$version" != 11.1 ] || qemu=/opt/backports$qemu
	before=$(spared "$nvme")
	check "$version: the image is filled" fill_image
	trace_from_here
	check "$version: boots from the drive" boots "$qemu" \
		-device "vfio-pci,host=$nvme,bootindex=0"
	check "$version: what it wrote is in the image" is_inverted
	# That one has BARs exported before it resets, where the kernel can do that.
	case $version-$VPV_K in
	11.1-7.3) want="3 $before" ;;
	*) want="2 $((before + 1))" ;;
	esac
	is "$version: how often it was reset, and spared that" "$(resets) $(spared "$nvme")" "$want"
done
bind_override "$nvme" ""

trace_no_more
check "the modules unload" unload_vfio_pci
done_testing
