#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: timeout=400
# Quirks as data: the parameter of the user, the rows of a variant and of the
# framework; each kind of action, by what the hardware and the user see.
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh

nvme0=$(dev_bdf nvme0) && nvme1=$(dev_bdf nvme1) || bail "no nvme"
nic0=$(dev_bdf e1000e0) && nic1=$(dev_bdf e1000e1) || bail "no e1000e"
edu=$(dev_bdf edu0) || bail "no edu0"
igb=$(dev_bdf igb0) || bail "no igb0"
vga=$(dev_bdf vga0) || bail "no VGA"
param=/sys/module/vfio_pci/parameters/quirks

# matched BDF: what sysfs says of its quirks.
matched()
{
	cat "/sys/bus/pci/devices/$1/vfio_pci_variant/quirks"
}

# write_param TEXT: the errno's words, or nothing when it was taken.
write_param()
{
	{ printf '%s\n' "$1" >$param; } 2>&1 | sed 's/.*: //'
}

# rebind BDF [DRIVER]
rebind()
{
	bind_override "$1" "" 2>/dev/null
	bind_override "$1" "${2:-vfio-pci}" 2>/dev/null
}

area match
is "the two drives are of one kind" "$(id_of "$nvme0")" "$(id_of "$nvme1")"
check "loads with quirks= by address" load_ours \
	"quirks=$nvme0:disable_idle_d3,$nic1:deny"
check "the first drive binds" rebind "$nvme0"
check "its twin binds" rebind "$nvme1"
check "the twin is suspended, in D3hot" wait_for 20 is_suspended "$nvme1"
check "the first drive stays in D0" is_in_d0 "$nvme0"
check "it opens" vfio-dump "$nvme0"
check "and is in D0 afterwards, too" is_in_d0 "$nvme0"
check "one NIC of two binds" rebind "$nic0"
bind_override "$nic1" ""
echo vfio-pci >"/sys/bus/pci/devices/$nic1/driver_override"
out=$( (echo "$nic1" >/sys/bus/pci/drivers/vfio-pci/bind) 2>&1)
check "the other is denied: EINVAL" grep -q "Invalid argument" <<<"$out"
is "it has no driver" "$(driver_of "$nic1")" ""
is "the log says who denied it" \
	"$(dmesg | grep -c "$nic1: vfio-pci: denied by the parameter quirks")" 1
is "sysfs: the row that matched the first drive" "$(matched "$nvme0")" \
	"parameter disable_idle_d3 $nvme0"
is "sysfs: nothing matched its twin" "$(matched "$nvme1")" ""
is "sysfs: all may read it" \
	"$(stat -c %a "/sys/bus/pci/devices/$nvme0/vfio_pci_variant/quirks")" 444
is "sysfs: the setting that came of it" \
	"$(cat "/sys/bus/pci/devices/$nvme0/vfio_pci_variant/disable_idle_d3")" 1

area parameter
is "it reads as it was given" "$(cat $param)" \
	"$nvme0:disable_idle_d3,$nic1:deny"
is "it may be written by root" "$(stat -c %a $param)" 644
is "a write with one bad piece: EINVAL" \
	"$(write_param "$nvme1:disable_idle_d3,8086:10d3:nosuchflag")" \
	"Invalid argument"
is "the log names the piece" "$(dmesg | grep -c \
	'vfio-pci: quirks: "8086:10d3:nosuchflag" refused: there is no such flag')" 1
is "the parameter is as it was" "$(cat $param)" \
	"$nvme0:disable_idle_d3,$nic1:deny"
rebind "$nvme1"
check "nothing of that write holds" wait_for 20 is_suspended "$nvme1"
is "a write beyond its size: ENOSPC" \
	"$(write_param "$(printf "$nvme1:deny,%.0s" {1..150})")" \
	"No space left on device"
is "a good write is taken" "$(write_param "$nvme1:disable_idle_d3")" ""
is "it reads as it was written" "$(cat $param)" "$nvme1:disable_idle_d3"
check "bound before: still suspended" is_suspended "$nvme1"
is "bound before: sysfs says so" "$(matched "$nvme1")" ""
is "bound before: the first drive has its row" "$(matched "$nvme0")" \
	"parameter disable_idle_d3 $nvme0"
rebind "$nvme1"
check "bound after: in D0" is_in_d0 "$nvme1"
rebind "$nvme0"
check "bound after: the first drive is suspended" wait_for 20 is_suspended "$nvme0"
check "bound after: the NIC is not denied" rebind "$nic1"
is "by ID, and one of them not: the later row holds" \
	"$(write_param "1b36:0010:disable_idle_d3, $nvme0:disable_idle_d3=0")" ""
rebind "$nvme0"
rebind "$nvme1"
check "the drive by its ID is in D0" is_in_d0 "$nvme1"
check "the other by its address is not" wait_for 20 is_suspended "$nvme0"
is "sysfs: both rows, in order" "$(matched "$nvme0")" \
	"parameter disable_idle_d3 1b36:0010
parameter disable_idle_d3=0 $nvme0"
is "the write of nothing takes all away" "$(write_param "")" ""
is "it reads empty" "$(cat $param)" ""
rebind "$nvme1"
check "then the drive is suspended" wait_for 20 is_suspended "$nvme1"
check "unloads while rows are in use" unload_vfio_pci

out=$(modprobe vfio-pci "quirks=$(printf "$nvme1:deny,%.0s" {1..150})" 2>&1)
check "a value beyond its size does not load" grep -q "No space left" <<<"$out"
unload_vfio_pci
check "loads with bad pieces among good ones" load_ours \
	"quirks=junk,$nvme0:disable_idle_d3,$nvme1:hide_cap,8086:10d3,%s:deny,$nic1:deny"
is "the good ones are left" "$(cat $param)" "$nvme0:disable_idle_d3,$nic1:deny"
for piece in junk "$nvme1:hide_cap" 8086:10d3 %s:deny; do
	is "a warning names \"$piece\"" \
		"$(dmesg | grep -cF "vfio-pci: quirks: \"$piece\" refused: ")" 1
done
rebind "$nvme0"
check "a good one holds" is_in_d0 "$nvme0"
unload_vfio_pci

area precedence
modprobe vpv-quirk
rebind "$nvme0" vpv-quirk
check "a variant's row stands above the parameter: in D0" is_in_d0 "$nvme0"
is "sysfs: the row and why" "$(matched "$nvme0")" \
	"variant disable_idle_d3 any NVMe, by its class"
echo "$nvme0:disable_idle_d3=0" >/sys/module/vpv_quirk/parameters/quirks
rebind "$nvme0" vpv-quirk
check "quirks= stands above the row: suspended" wait_for 20 is_suspended "$nvme0"
is "sysfs: both rows" "$(matched "$nvme0")" \
	"variant disable_idle_d3 any NVMe, by its class
parameter disable_idle_d3=0 $nvme0"
bind_override "$nvme0" ""
check "the variant unloads while its rows are in use" rmmod vpv_quirk

modprobe idshim "bdf=$edu" vendor=0x8086 device=0x0435
load_ours "quirks=$edu:deny=0"
check "quirks= lifts what the denylist denies, for one device" rebind "$edu"
is "sysfs: the framework's row and the user's" "$(matched "$edu")" \
	"framework deny QAT DH895xCC: errata let its user hang or compromise the host
parameter deny=0 $edu"
unload_vfio_pci
load_ours disable_denylist=1 "quirks=$edu:deny"
rebind "$edu"
is "quirks= denies in spite of disable_denylist" "$(driver_of "$edu")" ""
bind_override "$edu" ""
unload_vfio_pci
rmmod idshim

area "INTx and VGA"
load_ours "quirks=$edu:nointxmask,$vga:disable_vga"
rebind "$edu"
rebind "$nic0"
rebind "$vga"
is "nointxmask: INTx is masked at the irqchip" "$(vfio-do "$edu" masked)" irqchip
is "not so of another device" "$(vfio-do "$nic0" masked)" device
is "disable_vga: no legacy ranges" \
	"$(vfio-dump "$vga" | grep -c '^region 8: errno 22')" 1
write_param "$edu:no_intx" >/dev/null
rebind "$edu"
rebind "$vga"
is "no_intx: no INTx" "$(vfio-do "$edu" masked)" none
out=$(vfio-do "$edu" hw 1 5 read 1 3d | paste -sd ' ')
check "it is disabled in the function, and its pin is hidden ($out)" \
	grep -qE '^[0-9a-f][4-7c-f] 00$' <<<"$out"
is "without disable_vga: the legacy ranges are there" \
	"$(vfio-dump "$vga" | grep -c '^region 8: .*size 0xc0000 ')" 1
modprobe -r vfio-pci
modprobe idshim "bdf=$edu" vendor=0x8086 device=0x1572
load_ours
rebind "$edu"
is "no_intx: the framework's row says what is wrong with the hardware" \
	"$(matched "$edu")" "framework no_intx X710 SFP+: its INTx status bit is dead"
is "no_intx: the framework's row hides INTx" "$(vfio-do "$edu" masked)" none
write_param "$edu:nointxmask" >/dev/null
rebind "$edu"
is "no_intx: nointxmask stands above it, INTx is masked at the irqchip" \
	"$(vfio-do "$edu" masked)" irqchip
write_param "$edu:no_intx=0" >/dev/null
rebind "$edu"
is "no_intx=0 overrules the framework's row: INTx" \
	"$(vfio-do "$edu" masked)" device
is "no_intx=0: the pin is shown" "$(vfio-do "$edu" read 1 3d)" 01
bind_override "$edu" ""
unload_vfio_pci
rmmod idshim

area "config space"
# compare DESC BDF FLAGS CHANGE...: with these flags the config space is that
# without them and the changes, byte for byte, and lspci can follow its lists.
compare()
{
	local desc=$1 bdf=$2 flags=$3 plain=/tmp/plain.$2

	shift 3
	rebind "$bdf"
	[ -e "$plain" ] || vfio-dump "$bdf" >"$plain"
	is "$desc: the parameter is taken" "$(write_param "$bdf:$flags")" ""
	rebind "$bdf"
	vfio-dump "$bdf" >/tmp/shown
	./core/expect-config.py "$plain" "$@" >/tmp/expected
	check "$desc: config space is as declared, byte for byte" \
		diff /tmp/expected <(grep '^config' /tmp/shown)
	check "$desc: that is not what it was" \
		fails diff -q /tmp/expected <(grep '^config' "$plain")
	check "$desc: regions and interrupts are what they were" \
		diff <(grep -E '^(region|irq|device)' "$plain") \
		<(grep -E '^(region|irq|device)' /tmp/shown)
	check "$desc: a second open shows the same" \
		diff /tmp/shown <(vfio-dump "$bdf")
	lspci_of /tmp/shown >/tmp/lspci
	write_param "" >/dev/null
}

# lspci_of DUMP: what lspci makes of a config space.
lspci_of()
{
	{
		echo "01:00.0 device"
		sed -n 's/^config //p' "$1"
	} >/tmp/hex
	lspci -F /tmp/hex -vvv
}

caps()
{
	grep -oE 'Capabilities: \[[0-9a-f]+( v[0-9])?\] [A-Za-z-]+' "$1" |
		sed 's/.*\] //' | paste -sd ' '
}

load_ours
rebind "$nic0"
vfio-dump "$nic0" >"/tmp/plain.$nic0"
lspci_of "/tmp/plain.$nic0" >/tmp/lspci
is "lspci knows the NIC's capabilities" "$(caps /tmp/lspci)" \
	"Power MSI Express MSI-X Advanced Device"
compare "hide MSI" "$nic0" hide_cap=0x05 hide_cap=5,e
is "lspci: no MSI" "$(caps /tmp/lspci)" "Power Express MSI-X Advanced Device"
compare "hide the first capability" "$nic0" hide_cap=0x01 hide_cap=1,8
is "lspci: no power management" "$(caps /tmp/lspci)" \
	"MSI Express MSI-X Advanced Device"
compare "hide the last capability" "$nic0" hide_cap=0x11 hide_cap=11,c
is "lspci: no MSI-X" "$(caps /tmp/lspci)" "Power MSI Express Advanced Device"
compare "hide an extended capability" "$nic0" hide_ext_cap=0x0003 \
	hide_ext_cap=3,c
is "lspci: no serial number" "$(caps /tmp/lspci)" \
	"Power MSI Express MSI-X Advanced"
compare "hide the first extended capability" "$nic0" hide_ext_cap=0x0001 \
	hide_ext_cap=1,2c
is "lspci: a null capability holds the list" "$(caps /tmp/lspci)" \
	"Power MSI Express MSI-X Null Device"
compare "hide all extended capabilities" "$nic0" \
	hide_ext_cap=0x0001+hide_ext_cap=0x0003 hide_ext_cap=1,2c hide_ext_cap=3,c
is "lspci: none" "$(caps /tmp/lspci)" "Power MSI Express MSI-X"
compare "hide all capabilities" "$nic0" \
	hide_cap=1+hide_cap=5+hide_cap=10+hide_cap=11 \
	hide_cap=1,8 hide_cap=5,e hide_cap=10,14 hide_cap=11,c
is "lspci: no list" "$(grep -c 'Cap-' /tmp/lspci)" 1
compare "show bytes" "$nic0" \
	config=0x008/0x99+config=2e/5/f+config=0d2/0x42+config=0x104/0xa0/0xf0 \
	config=8/99 config=2e/5/f config=d2/42 config=104/a0/f0
is "nothing to compare is left over" "$(cat $param)" ""

# Reads and writes of any size around a shown byte, and what reaches the
# hardware: CACHE_LINE_SIZE (0x0c) is a register of it that any value fits.
rebind "$nic0"
is "without quirks a write reaches the hardware" \
	"$(vfio-do "$nic0" write 1 c 20 hw 1 c read 1 c | tail -n 2 | paste -sd ' ')" "20 20"
write_param "$nic0:config=c/40,$nic0:config=d2/42,$nic0:config=ca/7f" >/dev/null
rebind "$nic0"
is "a shown byte: the write does not, and it stays what it is shown as" \
	"$(vfio-do "$nic0" hw 1 c write 1 c 77 hw 1 c read 1 c | paste -sd ' ')" \
	"00 written 00 40"
is "nor does a longer write over it; what is beside it does" \
	"$(vfio-do "$nic0" write 4 3c 5 write 4 c 77777777 hw 1 c read 1 c read 4 a read 2 b |
		paste -sd ' ')" \
	"written written 00 40 00400200 4002"
# What follows a shown byte in a capability is the register that it was: the
# message address is VFIO's own, PMCSR changes the power state.
is "the capability around it works: MSI address" \
	"$(vfio-do "$nic0" write 4 d4 fee00004 read 4 d4 hw 4 d4 read 1 d2 | paste -sd ' ')" \
	"written fee00004 00000000 42"
is "the capability around it works: PMCSR" \
	"$(vfio-do "$nic0" power write 2 cc 3 power write 2 cc 0 power read 1 ca |
		paste -sd ' ')" \
	"D0 written D3hot written D0 7f"
check "a write beyond the end is refused, as ever" \
	fails vfio-do "$nic0" write 4 ffe 0
write_param "$nic0:config=fff/5a" >/dev/null
rebind "$nic0"
is "a write that ends at the end spares a shown byte there" \
	"$(vfio-do "$nic0" write 4 ffc 77777777 hw 2 ffe read 2 ffe | paste -sd ' ')" \
	"written 0077 5a77"
# The class, 02 in hardware.
is "the hardware's class" "$(vfio-do "$nic0" hw 1 b)" 02
write_param "$nic0:config=b/4a,$nic0:config=b/5/f" >/dev/null
rebind "$nic0"
is "a byte of two rows: the later one holds for what it masks" \
	"$(vfio-do "$nic0" read 1 b)" 45
write_param "$nic0:config=b/40/f0,$nic0:config=b/1/f" >/dev/null
rebind "$nic0"
is "a byte of two rows: each masks its part" "$(vfio-do "$nic0" read 1 b)" 41
write_param "$nic0:config=b/50/f0" >/dev/null
rebind "$nic0"
is "the rest of a byte is the hardware's" "$(vfio-do "$nic0" read 1 b)" 52
write_param "0001${nic0#0000}:config=b/40" >/dev/null
rebind "$nic0"
is "a row is for its domain only" "$(matched "$nic0") $(vfio-do "$nic0" read 1 b)" " 02"
write_param "" >/dev/null

area BARs
rebind "$nic0"
is "a BAR can be mapped" "$(vfio-do "$nic0" mmap 0)" "mapped, info says yes"
status=$(vfio-do "$nic0" write 2 4 2 region 4 0 8 | tail -n 1)
write_param "$nic0:no_mmap=0" >/dev/null
rebind "$nic0"
is "no_mmap: not that one, and info says so; others can" \
	"$(vfio-do "$nic0" mmap 0 mmap 3)" "errno 22, info says no
mapped, info says yes"
write_param "$nic0:no_mmap=0,$nic0:no_mmap=3" >/dev/null
rebind "$nic0"
is "no_mmap of two rows: neither of the two" "$(vfio-do "$nic0" mmap 0 mmap 3)" \
	"errno 22, info says no
errno 22, info says no"
is "no_mmap: it can be read" \
	"$(vfio-do "$nic0" write 2 4 2 region 4 0 8 | tail -n 1)" "$status"

area resets
# resets CMD...: which ways of resetting the PCI core has gone.
is "the tracer knows the ways to reset" \
	"$(printf 'pcie_flr\npci_reset_secondary_bus\n' \
		>$trace/set_ftrace_filter && sort $trace/set_ftrace_filter | paste -sd ' ')" \
	"pci_reset_secondary_bus pcie_flr"
resets()
{
	echo function >$trace/current_tracer
	echo >$trace/trace
	"$@" >/tmp/out 2>&1
	grep -oE 'pcie_flr|pci_reset_secondary_bus' $trace/trace >/tmp/trace
	echo nop >$trace/current_tracer
	sort -u /tmp/trace | paste -sd ' '
}

# Where the kernel has the setting for all devices its decision is put right.
case $VPV_K in
7.*) set=0 ;;
*) set=1 ;;
esac
echo pci_intx >$trace/set_ftrace_filter
echo function >$trace/current_tracer
echo >$trace/trace
vfio-do "$nic0" read 1 3d >/dev/null
is "INTx: what the core decided right is not decided again" \
	"$(grep -c ' pci_intx <-' $trace/trace)" $set
echo nop >$trace/current_tracer
printf 'pcie_flr\npci_reset_secondary_bus\n' >$trace/set_ftrace_filter

# nvme0 has FLR; without it there is the bus.
methods=$(cat "/sys/bus/pci/devices/$nvme0/reset_method")
check "nvme0 has FLR and bus reset ($methods)" \
	grep -qw flr.*bus <<<"$methods"
for q in "" no_flr no_flr+no_bus_reset no_reset; do
	case $q in
	"") wanted=pcie_flr says="ok, info says yes" hot=ok left=$methods ;;
	no_flr)
		wanted=pci_reset_secondary_bus says="ok, info says yes" hot=ok
		left=${methods/flr /} ;;
	no_flr*)
		wanted="" says="errno 22, info says no" hot="errno 19"
		left=$(sed 's/flr //; s/ *bus$//' <<<"$methods") ;;
	*) wanted="" says="errno 22, info says no" hot="errno 19" left="" ;;
	esac
	write_param "${q:+$nvme0:$q}" >/dev/null
	rebind "$nvme0"
	is "${q:-no quirk}: the way of a reset" \
		"$(resets vfio-do "$nvme0" reset hotreset)" "$wanted"
	is "${q:-no quirk}: what the user is told" "$(cat /tmp/out)" \
		"$says
$hot"
	is "${q:-no quirk}: the methods that are left" \
		"$(cat "/sys/bus/pci/devices/$nvme0/reset_method")" "$left"
	case $q in
	no_reset)
		check "$q: nor is it reset by way of D3hot" is_in_d0 "$nvme0" ;;
	*)
		check "${q:-no quirk}: it goes to D3hot" \
			wait_for 20 is_suspended "$nvme0" ;;
	esac
	unbind "$nvme0"
	is "${q:-no quirk}: unbound, the function has its methods again" \
		"$(cat "/sys/bus/pci/devices/$nvme0/reset_method")" "$methods"
	is "${q:-no quirk}: and they work" \
		"$(resets sh -c "echo 1 >/sys/bus/pci/devices/$nvme0/reset")" pcie_flr
done
write_param "$nvme0:no_pm_reset,$nvme1:no_pm_reset+disable_idle_d3=0" >/dev/null
rebind "$nvme0"
rebind "$nvme1"
check "no_pm_reset: it stays in D0" is_in_d0 "$nvme0"
check "no_pm_reset, told otherwise: it goes to D3hot" wait_for 20 is_suspended "$nvme1"

# written QUIRK METHODS: what is in reset_method of nvme0 then, and once it is unbound.
written()
{
	write_param "$nvme0:$1" >/dev/null
	rebind "$nvme0"
	echo "$2" >"/sys/bus/pci/devices/$nvme0/reset_method"
	cat "/sys/bus/pci/devices/$nvme0/reset_method"
	unbind "$nvme0"
	cat "/sys/bus/pci/devices/$nvme0/reset_method"
	echo default >"/sys/bus/pci/devices/$nvme0/reset_method"
}

# What root writes while it is bound stays, but for what our flags leave of the default:
# they are gone then.
is "reset_method: written while bound, it is left alone" \
	"$(written no_pm_reset bus)" "bus
bus"
is "reset_method: default, written while bound, is all methods after unbind" \
	"$(written no_flr default)" "${methods/flr /}
$methods"
is "reset_method: default, with no_reset" "$(written no_reset default)" "$methods"

# A drive for which the PCI core has a method of its own: an FLR and a delay.
modprobe idshim "bdf=$nvme0" vendor=0x8086 device=0x0953
echo default >"/sys/bus/pci/devices/$nvme0/reset_method"
methods=$(cat "/sys/bus/pci/devices/$nvme0/reset_method")
is "a method for this drive alone" "$methods" "device_specific flr bus"
write_param "$nvme0:no_flr" >/dev/null
rebind "$nvme0"
is "no_flr: that is not used either" \
	"$(cat "/sys/bus/pci/devices/$nvme0/reset_method")" bus
is "no_flr: but the bus is reset" "$(resets vfio-do "$nvme0" reset)" \
	pci_reset_secondary_bus
unbind "$nvme0"
is "unbound, it has its own method again" \
	"$(cat "/sys/bus/pci/devices/$nvme0/reset_method")" "$methods"
rmmod idshim

# One that is no FLR, so that no flag rules it out: Ivy Bridge graphics.
modprobe idshim "bdf=$nvme0" vendor=0x8086 device=0x0156
echo default >"/sys/bus/pci/devices/$nvme0/reset_method"
is "reset_method: default, with a method that asks no flag" \
	"$(written no_flr default)" "device_specific bus
device_specific flr bus"
rmmod idshim
echo default >"/sys/bus/pci/devices/$nvme0/reset_method"
echo nop >$trace/current_tracer
write_param "" >/dev/null

area "rows of a variant"
rebind "$nic0"
vfio-dump "$nic0" >/tmp/plain
modprobe vpv-quirk
rebind "$nic0" vpv-quirk
vfio-dump "$nic0" >/tmp/shown
./core/expect-config.py /tmp/plain hide_cap=5,e hide_ext_cap=1,2c config=c/40 \
	config=2e/7/f >/tmp/expected
check "a variant's row: config space is as declared" \
	diff /tmp/expected <(grep '^config' /tmp/shown)
is "a variant's row: the BAR can't be mapped" "$(vfio-do "$nic0" mmap 0)" \
	"errno 22, info says no"
is "sysfs: the row; the one for another subsystem did not match" \
	"$(matched "$nic0")" \
	"variant no_mmap=0+hide_cap=0x05+hide_ext_cap=0x0001+config=0x00c/0x40/0xff+config=0x02e/0x07/0x0f e1000e, by its subsystem"
rebind "$igb" vpv-quirk
is "a fixup runs at each open" \
	"$(vfio-do "$igb" read 1 3c; vfio-do "$igb" read 1 3c)" "5a
5a"
is "sysfs: it is named" "$(matched "$igb")" \
	"variant fixup=vpv_quirk_fixup [vpv_quirk] igb: code where data can't say it"
echo -5 >/sys/module/vpv_quirk/parameters/fixup_error
vfio-do "$igb" read 1 3c
is "a fixup that fails fails the open with its errno" $? 5
is "and the log names it" \
	"$(dmesg | grep -c "$igb: vpv-quirk: quirk vpv_quirk_fixup.* failed with -5")" 1
echo $((0x87)) >/sys/module/vpv_quirk/parameters/fixup_error
vfio-do "$igb" read 1 3c
is "a PCI accessor's own code is an errno to the user: EFAULT" $? 14
echo 0 >/sys/module/vpv_quirk/parameters/fixup_error
check "the next open succeeds" vfio-dump "$igb"
for b in $nic0 $nic1 $igb $vga $nvme1; do
	bind_override "$b" "" 2>/dev/null
done
check "the variant unloads" rmmod vpv_quirk
unload_vfio_pci

area accesses
# ops_of QUIRKS: whose read and write a device has.
ops_of()
{
	modprobe vpv-test fault=no-rw ${1:+"quirks=$1"}
	bind_override "$nic0" vpv-test
	vfio-dump "$nic0" >/dev/null
	dmesg | sed -n "s/.*$nic0: vpv-test ops: read and write are //p" | tail -n 1
	bind_override "$nic0" ""
	rmmod vpv_test
}

is "without quirks read and write are the core's own" "$(ops_of "")" "the core's own"
is "with quirks of another device as well" "$(ops_of "$nic1:config=c/40")" \
	"the core's own"
is "with settings, hidden capabilities and BARs as well" \
	"$(ops_of "$nic0:disable_idle_d3+no_mmap=0+hide_cap=5+hide_ext_cap=1+no_flr")" \
	"the core's own"
is "with shown bytes they are not" "$(ops_of "$nic0:config=c/40")" "not the core's"
done_testing
