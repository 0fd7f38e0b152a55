#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: mem=3G timeout=600 usual=6.12
# qemu: -device pcie-root-port,id=rp1a,bus=pcie.0,addr=0x1a,chassis=26,x-speed=5
# qemu: -device e1000e,bus=rp1a,addr=0.0,multifunction=on
# qemu: -device e1000e,bus=rp1a,addr=0.1
# How a function is reset: in the ways and the order that quirks= names, and by a hook of
# its variant's, wherever it is reset. An address in an e1000e that its user changed is its
# own again after a reset by its bus or by the hook; that by D3hot does nothing.
# Functions are called through others, which shellcheck does not see.
# shellcheck disable=SC2317
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh
# shellcheck source=tools/testing/selftests/nested.inc
. ./nested.inc

nic=$(dev_bdf e1000e0) || bail "no e1000e0"
nvme=$(dev_bdf nvme0) || bail "no nvme0"
quirks=/sys/module/vfio_pci/parameters/quirks
pair=(/sys/bus/pci/devices/0000:00:1a.0/0000:??:00.[01])
pair=("${pair[@]##*/}")
[ ${#pair[@]} = 2 ] || bail "no two functions in a slot"

trace_calls 'p:vpv_flr pcie_flr' 'p:vpv_bus pcibios_reset_secondary_bus' \
	'p:vpv_no_d3cold pci_d3cold_disable' 'p:vpv_d3cold pci_d3cold_enable' || bail "no kprobe"

# calls WHAT...: how often each was called since trace_from_here.
calls()
{
	local what

	for what; do
		grep -c "vpv_$what:" $trace/trace
	done | paste -sd ' '
}

methods()
{
	cat "/sys/bus/pci/devices/$1/reset_method"
}

# bind_with ROW BDF
bind_with()
{
	echo "$2:$1" >$quirks
	log_mark
	trace_from_here
	bind_override "$2" vfio-pci
}

said()
{
	log_since | grep -c "$1"
}

# reset_of BDF: what its touched user is told, and how it was reset then.
reset_of()
{
	user open "$1" >/dev/null
	user region "$1" 4 0 0 >/dev/null
	trace_from_here
	echo "$(user reset "$1") $(calls flr bus)"
	user close "$1" >/dev/null
}

check "our vfio-pci loads" load_ours
start_user

area order
was=$(methods "$nvme")
check "the drive has several ways" [ "${was%% *}" = flr ] || diag "$was"
check "the last of which is its bus" [ "${was##* }" = bus ]
for ways in bus flr bus+flr flr+bus; do
	bind_with "reset=$ways" "$nvme"
	is "$ways: those are its ways" "$(methods "$nvme")" "${ways//+/ }"
	is "$ways: sysfs shows the row" \
		"$(grep -c "parameter reset=$ways $nvme" "/sys/bus/pci/devices/$nvme/vfio_pci_variant/quirks")" 1
	want="1 0"
	[ "${ways%%+*}" = flr ] || want="0 1"
	is "$ways: its user's reset is by the first" "$(reset_of "$nvme")" "ok, info says yes $want"
	bind_override "$nvme" ""
	is "$ways: afterwards it has those it had" "$(methods "$nvme")" "$was"
done
bind_with "reset=af_flr+flr" "$nvme"
is "a way that it has not: the others" "$(methods "$nvme")" flr
is "a way that it has not: the log says so" "$(said "$nvme: vfio-pci: reset=: it can't be reset by af_flr;")" 1
bind_with "reset=acpi+no_intx" "$nvme"
is "none of them: none" "$(methods "$nvme")" ""
is "none of them: the log says so" "$(said "$nvme: vfio-pci: it can't be reset")" 1
is "none of them: VFIO_DEVICE_RESET: EINVAL" "$(user open "$nvme") $(user reset "$nvme")" \
	"ok errno 22, info says no"
user close "$nvme" >/dev/null
bind_with "reset=flr+bus+no_flr" "$nvme"
is "one that is ruled out" "$(methods "$nvme")" bus
is "one that is ruled out: the log says so" "$(said "$nvme: vfio-pci: reset=: it can't be reset by flr;")" 1
bind_override "$nvme" ""
echo >"/sys/bus/pci/devices/$nvme/reset_method"
bind_with "reset=bus" "$nvme"
is "root had taken all of them: none" "$(methods "$nvme")" ""
bind_override "$nvme" ""
echo default >"/sys/bus/pci/devices/$nvme/reset_method"
bind_with "reset=bus+flr" "$nvme"
echo default >"/sys/bus/pci/devices/$nvme/reset_method"
is "default: those of the kernel" "$(methods "$nvme")" "$was"
bind_override "$nvme" ""
is "default: those it had" "$(methods "$nvme")" "$was"
bind_with "reset=bus" "$nvme"
echo flr >"/sys/bus/pci/devices/$nvme/reset_method"
bind_override "$nvme" ""
is "what root chose meanwhile stays" "$(methods "$nvme")" flr
echo "bus flr" >"/sys/bus/pci/devices/$nvme/reset_method"
bind_with "reset=bus" "$nvme"
echo default >"/sys/bus/pci/devices/$nvme/reset_method"
bind_override "$nvme" ""
is "default is no choice" "$(methods "$nvme")" "bus flr"
echo default >"/sys/bus/pci/devices/$nvme/reset_method"
echo "$nvme:reset=flr,$nvme:reset=bus" >$quirks
bind_override "$nvme" vfio-pci
is "the later row holds" "$(methods "$nvme")" bus
bind_override "$nvme" ""

area no_d3cold
bind_with no_d3cold "$nvme"
is "it is kept from D3cold" "$(calls no_d3cold d3cold)" "1 0"
bind_override "$nvme" ""
is "and no more when it is unbound" "$(calls no_d3cold d3cold)" "1 1"
echo 0 >"/sys/bus/pci/devices/$nvme/d3cold_allowed"
bind_with no_d3cold "$nvme"
bind_override "$nvme" ""
is "root had said so: it stays" "$(cat "/sys/bus/pci/devices/$nvme/d3cold_allowed")" 0
echo 1 >"/sys/bus/pci/devices/$nvme/d3cold_allowed"
echo >$quirks

area hook
hooked()
{
	said "$nic: vpv-reset: reset\$"
}

# hooked_in COMMAND...: what it says, and how often the hook and others reset nic in it.
hooked_in()
{
	log_mark
	trace_from_here
	echo "$("$@") $(hooked) $(calls flr bus)"
}

change()
{
	user region-write "$nic" 4 0 5400 abcdef01 >/dev/null
}

was=$(methods "$nic")
modprobe vpv-reset
bind_override "$nic" vpv-reset
is "its way is that of its variant" "$(methods "$nic")" device_specific
is "an open resets it" "$(hooked_in user open "$nic")" "ok 1 0 0"
mac=$(user mac "$nic")
is "its user resets it" "$(change; hooked_in user reset "$nic")" "ok, info says yes 1 0 0"
is "it is its own again" "$(user mac "$nic")" "$mac"
user write "$nic" 2 4 0 >/dev/null
is "memory is off: its user resets it" "$(hooked_in user reset "$nic")" "ok, info says yes 1 0 0"
is "and is off afterwards" "$(user read "$nic" 2 4)" 0000
user write "$nic" 2 4 2 >/dev/null
change
user d3hot "$nic" >/dev/null
is "in D3hot: its user resets it" "$(hooked_in user reset "$nic")" "ok, info says yes 1 0 0"
is "in D3hot: it is its own again" "$(user mac "$nic")" "$mac"
change
is "a close resets it" "$(hooked_in user close "$nic")" "ok 1 0 0"
is "and needs none any more" "$(cat "/sys/bus/pci/devices/$nic/vfio_pci_variant/needs_reset")" 0
user open "$nic" >/dev/null
is "untouched: VFIO_DEVICE_RESET has nothing to do" "$(hooked_in user reset "$nic")" \
	"ok, info says yes 0 0 0"
change
log_mark
trace_from_here
echo 1 2>/dev/null >"/sys/bus/pci/devices/$nic/reset"
is "root resets it" "$(hooked) $(calls flr bus) $(user mac "$nic")" "1 0 0 $mac"
echo 2 >/sys/module/vpv_reset/parameters/fail
change
is "it fails: its user is told" "$(hooked_in user reset "$nic")" "errno 5, info says yes 1 0 0"
is "it fails: the log says so" "$(said "$nic: vpv-reset: its own reset failed (error -5): it is not opened again")" 1
log_mark
user close "$nic" >/dev/null
is "it fails at close: it needs a reset" \
	"$(cat "/sys/bus/pci/devices/$nic/vfio_pci_variant/needs_reset")" 1
is "it fails at close: the log says so" "$(said "$nic: vpv-reset: its reset failed when its user closed it (error -5)")" 1
echo 1 >/sys/module/vpv_reset/parameters/fail
is "it fails at open: it is not handed out" "$(hooked_in user open "$nic")" "errno 5 1 0 0"
check "it fails at open: it sleeps" wait_for 30 is_suspended "$nic"
is "and when it does not any more, it is" "$(hooked_in user open "$nic")" "ok 1 0 0"
is "as it is by itself" "$(user mac "$nic")" "$mac"
change
unbind "$nic" &
unbinder=$!
check "unbound in use: its user is asked" wait_for 20 eval \
	"log_since | grep -q '$nic: vpv-reset: in use'"
log_mark
user close "$nic" >/dev/null
wait_exit 30 $unbinder
is "unbound in use: it is reset" "$? $(hooked)" "0 1"
is "it has the ways that it had" "$(methods "$nic")" "$was"

echo "$nic:standby" >/sys/module/vpv_reset/parameters/quirks
log_mark
bind_override "$nic" vpv-reset
ready()
{
	[ "$(cat "/sys/bus/pci/devices/$nic/vfio_pci_variant/standby")" = warm ]
}
check "standing ready: by the hook" wait_for 30 ready
is "standing ready: an open needs none" "$(hooked) $(hooked_in user open "$nic")" "1 ok 0 0 0"
user close "$nic" >/dev/null
bind_override "$nic" ""
echo 1 >/sys/module/vpv_reset/parameters/fail
log_mark
bind_override "$nic" vpv-reset
check "standing ready: the hook fails: the log says so" wait_for 30 eval \
	"log_since | grep -q '$nic: vpv-reset: standby: it could not be made ready (error -5)'"
is "standing ready: the hook failed: the open resets it" "$(hooked_in user open "$nic")" "ok 1 0 0"
user close "$nic" >/dev/null
echo "$nic:no_flr" >/sys/module/vpv_reset/parameters/quirks
bind_override "$nic" vpv-reset
is "no_flr: the hook is called" "$(hooked_in user open "$nic")" "ok 1 0 0"
user close "$nic" >/dev/null
bind_override "$nic" ""
is "no_flr: it has the ways that it had" "$(methods "$nic")" "$was"
for row in no_reset reset=bus; do
	echo "$nic:$row" >/sys/module/vpv_reset/parameters/quirks
	bind_override "$nic" vpv-reset
	is "$row: the hook is not called" "$(hooked_in user open "$nic" | cut -d ' ' -f 1,2)" "ok 0"
	user close "$nic" >/dev/null
	bind_override "$nic" ""
done
echo "$nic:reset=bus+device_specific" >/sys/module/vpv_reset/parameters/quirks
bind_override "$nic" vpv-reset
is "device_specific: the hook is called" "$(hooked_in user open "$nic")" "ok 1 0 0"
user close "$nic" >/dev/null
bind_override "$nic" ""
echo >/sys/module/vpv_reset/parameters/quirks

area "hook, beside one that has no reset"
a=${pair[0]} b=${pair[1]}
bind_override "$a" vpv-reset
echo "$b:no_flr+no_pm_reset" >$quirks
echo 1 >/sys/module/vfio_pci/parameters/disable_adoption
bind_override "$b" vfio-pci
echo 0 >/sys/module/vfio_pci/parameters/disable_adoption
is "that has none by itself" "$(methods "$b")" ""
user open "$a" >/dev/null
user open "$b" >/dev/null
mac_b=$(user mac "$b")
user region-write "$b" 4 0 5400 abcdef01 >/dev/null
user close "$b" >/dev/null
is "it needs a reset" "$(cat "/sys/bus/pci/devices/$b/vfio_pci_variant/needs_reset")" 1
trace_from_here
user close "$a" >/dev/null
is "when the last one is closed their bus is reset" "$(calls bus)" 1
is "and neither needs one any more" \
	"$(cat "/sys/bus/pci/devices/$a/vfio_pci_variant/needs_reset" "/sys/bus/pci/devices/$b/vfio_pci_variant/needs_reset" | paste -sd ' ')" "0 0"
user open "$b" >/dev/null
is "it is its own again" "$(user mac "$b")" "$mac_b"
user close "$b" >/dev/null
bind_override "$a" ""
bind_override "$b" ""
echo >$quirks

area "hook, adopted"
bind_override "$nic" vfio-pci
is "vfio-pci has adopted it" "$(cat "/sys/bus/pci/devices/$nic/vfio_pci_variant/adopts")" vpv-reset
is "an open resets it" "$(hooked_in user open "$nic")" "ok 1 0 0"
change
is "its user resets it" "$(hooked_in user reset "$nic")" "ok, info says yes 1 0 0"
is "it is its own again" "$(user mac "$nic")" "$mac"
trace_from_here
log_mark
is "a hot reset of the function alone, too" "$(user hotreset-now "$nic")" ok
is "by the hook, after its bus" "$(hooked) $(calls bus)" "1 1"
echo 1 >/sys/module/vpv_reset/parameters/fail
is "a hot reset whose hook fails: its user is told" "$(user hotreset-now "$nic")" "errno 5"
user close "$nic" >/dev/null
bind_override "$nic" ""

area QEMU
bind_override "$nvme" vfio-pci
check "the image is filled" fill_image
log_mark
trace_from_here
check "a guest boots from the drive" boots /usr/bin/qemu-system-x86_64 \
	-device "vfio-pci,host=$nvme,bootindex=0"
check "what it wrote is in the image" is_inverted
is "it was reset by the hook, at open and close" "$(said "$nvme: vpv-reset: reset\$") $(calls flr bus)" "2 0 0"
bind_override "$nvme" ""
end_user

area libvirt
check "udev starts" start_udev
check "libvirtd answers" start_libvirt
domain_of "$nvme" /tmp/serial >/tmp/domain.xml
check "the image is filled" fill_image
log_mark
trace_from_here
check "libvirt starts a guest with the drive" timeout 60 virsh create /tmp/domain.xml
check "it comes to an end" wait_for 90 no_domain
check "what it wrote is in the image" is_inverted
is "it was reset by the hook, at open and close" "$(said "$nvme: vpv-reset: reset\$") $(calls flr bus)" "2 0 0"
check "libvirtd ends" pkill -x libvirtd
wait_for 20 fails pgrep -x libvirtd

trace_no_more
unbind "$nvme"
check "the variant unloads" rmmod vpv-reset
check "the modules unload" unload_vfio_pci
done_testing
