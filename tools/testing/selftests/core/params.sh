#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: timeout=500 usual=6.12
# ids= and quirks=: every way in which they can be given, alone and together. What
# was written holds, or the log says that it does not; and what came of it.
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh

nvme0=$(dev_bdf nvme0) && nvme1=$(dev_bdf nvme1) || bail "no nvme"
nic0=$(dev_bdf e1000e0) && nic1=$(dev_bdf e1000e1) || bail "no e1000e"
edu0=$(dev_bdf edu0) && edu1=$(dev_bdf edu1) || bail "no edu"
param=/sys/module/vfio_pci/parameters/quirks
nowhere=0000:7f:1f.7
mkdir -p /etc/modprobe.d

# load [PARAM=VALUE...]: ours, anew; the log is marked before it.
load()
{
	unload_vfio_pci || return
	log_mark
	modprobe vfio-pci "$@"
}

# said TEXT: how many lines of the log since the mark have it.
said()
{
	log_since | grep -cF -- "$1"
}

# driver_after_bind BDF: what it has when it was told to bind.
driver_after_bind()
{
	bind_override "$1" vfio-pci 2>/dev/null
	driver_of "$1"
}

# bindable BDF...: those that can be bound.
bindable()
{
	local b

	for b in "$@"; do
		[ -z "$(driver_after_bind "$b")" ] || echo "$b"
		bind_override "$b" ""
	done
}

# write_param TEXT: the errno's words, or nothing when it was taken.
write_param()
{
	# A write of nothing is none.
	local text=${1:-$'\n'}

	{ printf '%s' "$text" >$param; } 2>&1 | sed 's/.*: //'
}

check "the framework is ours" load_ours

# --- a space in the list ------------------------------------------------------------
unknown="unknown parameter"
comma="starts or ends with a comma"
load "quirks=$nic0:deny," "$nic1:deny"
is "quirks: a space after the comma: one line says what happened" \
	"$(said "vfio-pci: quirks: it $comma: what stood beyond a space was not read")" 1
is "quirks: and the kernel's names the row, as far as the point" \
	"$(log_since | grep -c "$unknown '${nic1%.0}' ignored")" 1
is "quirks: the row before it holds" "$(cat $param)" "$nic0:deny"
load "quirks=$nic0:deny, $nic1:deny"
is "quirks: the same in one word of the shell is quoted by modprobe: both rows" \
	"$(cat $param)" "$nic0:deny,$nic1:deny"
is "quirks: and nothing is said" "$(said "$comma")$(said "$unknown")" 00
is "quirks: both are denied" "$(bindable "$nic0" "$nic1")" ""
load "quirks=$nic0:deny" ",$nic1:deny"
is "quirks: a space before the comma: the kernel's line names the row" \
	"$(log_since | grep -c "$unknown ',${nic1%.0}' ignored")" 1
load "quirks=,$nic0:deny"
is "quirks: a comma at the start is said, too" "$(said "vfio-pci: quirks: it $comma")" 1
is "quirks: what follows it holds" "$(cat $param)" "$nic0:deny"
load ids=1234:11e8, 8086:10d3
is "ids: a space after the comma: one line says what happened" \
	"$(said "vfio-pci: ids: it $comma: what stood beyond a space was not read")" 1
is "ids: and the kernel's names the ID" \
	"$(log_since | grep -c "$unknown '8086:10d3' ignored")" 1

# --- several values --------------------------------------------------------------------
load "quirks=$nic0:deny" "quirks=$nic1:deny"
is "quirks: twice: they add up" "$(cat $param)" "$nic0:deny,$nic1:deny"
is "quirks: twice: both are denied" "$(bindable "$nic0" "$nic1")" ""
load "quirks=$nic0:deny" quirks= "quirks= "
is "quirks: an empty one adds nothing and takes nothing away" "$(cat $param)" \
	"$nic0:deny"

cat >/etc/modprobe.d/test.conf <<-EOS
options vfio-pci quirks=$nic0:deny ids=1234:11e8
options vfio_pci quirks="$nvme0:deny, $nvme1:deny" nointxmask=1
EOS
{ tr -d '\n' </proc/cmdline; echo " vfio_pci.quirks=$nic1:deny vfio-pci.ids=8086:10d3"; } >/tmp/cmdline
mount --bind /tmp/cmdline /proc/cmdline
load "quirks=$edu1:deny"
umount /proc/cmdline
rm /etc/modprobe.d/test.conf
is "quirks: two lines of modprobe.d, the kernel's command line, modprobe's: all hold" \
	"$(tr , '\n' <$param | sort)" \
	"$(printf '%s:deny\n' "$nic0" "$nic1" "$nvme0" "$nvme1" "$edu1" | sort)"
is "quirks: and deny" "$(bindable "$nic0" "$nic1" "$nvme0" "$nvme1" "$edu1")" ""
is "quirks: the value of modprobe's command line is the last" \
	"$(sed 's/.*,//' $param)" "$edu1:deny"
is "ids: that of modprobe.d or of the command line is dropped, and it is named" \
	"$(log_since | grep -cE 'vfio_pci\.ids: "(1234:11e8|8086:10d3)" is dropped')" 1

load ids=1234:11e8 ids=10ee:9999
is "ids: twice: one line names the one that is dropped" \
	"$(said 'vfio_pci.ids: "1234:11e8" is dropped')" 1
is "ids: the last one holds" "$(driver_of "$edu0")$(said '"10ee:9999" matches no')" 1
load ids=1234:11e8 ids=1234:11e8
is "ids: the same twice: nothing is dropped" "$(said "is dropped")" 0
is "ids: and it holds" "$(driver_of "$edu0")" vfio-pci
load "quirks=$nic0:deny" "quirks=$nic0:deny=0"
is "quirks: the later row lifts the earlier deny, which is said" \
	"$(driver_after_bind "$nic0") $(said "$nic0: vfio-pci: quirks: \"$nic0:deny\" does not hold, \"$nic0:deny=0\" comes after it")" \
	"vfio-pci 1"
bind_override "$nic0" ""

# --- how long they may be ------------------------------------------------------------------
# rows N: as many rows, which take 32 characters each with the comma.
rows()
{
	local row=8086:10d3:no_flr+no_bus_reset=0

	echo "$row$(for _ in $(seq 2 "$1"); do printf ',%s' $row; done)"
}

load
full=$(rows 64)
is "quirks: 2047 characters are 2047" "${#full}" 2047
is "quirks: so many may be written" "$(write_param "$full")" ""
is "quirks: and a newline" "$(write_param "$full
")" ""
is "quirks: and space around it" "$(write_param "  $full	
")" ""
is "quirks: it reads as it was written" "$(cat $param)" "$full"
is "quirks: one more is ENOSPC" "$(write_param "${full}0")" \
	"No space left on device"
is "quirks: and the log says why" \
	"$(said "vfio_pci.quirks: longer than 2047 characters, refused")" 1
is "quirks: and what was there stays" "$(cat $param)" "$full"
is "quirks: before the module is loaded, too: 2047 do" \
	"$(load "quirks=$(rows 32)" "quirks=$(rows 32)" 2>&1; wc -c <$param)" 2048
out=$(load "quirks=$(rows 32)" "quirks=$(rows 32)0" 2>&1)
check "quirks: one more does not load" grep -q "No space left" <<<"$out"
is "quirks: and the log says why" \
	"$(dmesg | grep -c "vfio_pci.quirks: longer than 2047 characters with what was given before, refused")" 1
ids=1234:11e8$(printf ',1234:11e8%.0s' {1..101})
load "ids=$ids,a:1"
is "ids: 1023 characters are taken" "$(driver_of "$edu0")" vfio-pci
out=$(load "ids=$ids,aa:1" 2>&1)
check "ids: one more does not load" grep -q "No space left" <<<"$out"
is "ids: and the log says why" \
	"$(said "vfio_pci.ids: longer than 1023 characters, refused")" 1
is "ids: modinfo has it as the in-tree driver's" \
	"$(modinfo -F parmtype vfio-pci | grep -c '^ids:string$')" 1

# --- whom a row is for ---------------------------------------------------------------------
load "quirks=${nic0%.0}:deny,${nic0#0000:}:nointxmask,0000:0000:deny,0:0:0:0:deny"
is "quirks: an address without a function is refused, with what to write" \
	"$(said "quirks: \"${nic0%.0}:deny\" refused: an address has a function: 04:00.0, or 04:00.* for all")" 1
is "quirks: no vendor 0000: refused" \
	"$(said "quirks: \"0000:0000:deny\" refused: no function has the vendor")" 1
is "quirks: an ID of zeros: refused" "$(said 'quirks: "0:0:0:0:deny" refused: ')" 1
is "quirks: the rest holds" "$(cat $param)" "${nic0#0000:}:nointxmask"
is "quirks: a whole slot is taken" "$(write_param "${nic0%.0}.*:deny")" ""
is "quirks: and denied" "$(bindable "$nic0")" ""
is "quirks: the slot beside it is not" "$(driver_after_bind "$nic1")" vfio-pci
bind_override "$nic1" ""
is "quirks: ID and address are taken" "$(write_param \
	"8086:10d3@$nic0:deny,8086:10d3@$nic1:nointxmask,1234:11e8@$nvme0:deny")" ""
is "quirks: the function with that ID there is denied" "$(bindable "$nic0")" ""
is "quirks: its twin is not" "$(driver_after_bind "$nic1")" vfio-pci
is "quirks: nor a stranger at the address" "$(driver_after_bind "$nvme0")" vfio-pci
is "quirks: sysfs has the selector as it is written" \
	"$(cat "/sys/bus/pci/devices/$nic1/vfio_pci_variant/quirks")" \
	"parameter nointxmask 8086:10d3@$nic1"
bind_override "$nic1" ""
bind_override "$nvme0" ""
write_param "*:*:nointxmask,8086:*@${nic0%.0}.*:disable_idle_d3"
driver_after_bind "$nic0" >/dev/null
is "quirks: stars" "$(cat "/sys/bus/pci/devices/$nic0/vfio_pci_variant/quirks")" \
	"parameter nointxmask *:*
parameter disable_idle_d3 8086:*@${nic0%.0}.*"
bind_override "$nic0" ""

# --- what came of ids= --------------------------------------------------------------------------
unload_vfio_pci
modprobe nvme
check "nvme holds the drives" wait_for 30 eval \
	"[ \"\$(driver_of $nvme0)\" = nvme ] && [ \"\$(driver_of $nvme1)\" = nvme ]"
load ids=1b36:0010,1234:11e8,10ee:9999 quirks="$edu1:deny"
left="ids: \"1b36:0010\": bound 0 of 2; left: $nvme0 with driver nvme, $nvme1 with driver nvme; to take one: driverctl set-override $nvme0 vfio-pci"
is "ids: what another driver has is named, and what to do" "$(said "vfio-pci: $left")" 1
is "ids: what was denied is named" \
	"$(said "vfio-pci: ids: \"1234:11e8\": bound 1 of 2; left: $edu1 without a driver (see above")" 1
is "ids: above it the log says who denied it" \
	"$(log_since | sed -n "/$edu1: vfio-pci: denied/,\$p" | grep -c 'bound 1 of 2')" 1
is "ids: an ID that nothing has is named" \
	"$(said 'vfio-pci: ids: "10ee:9999" matches no function here')" 1
load ids=1234:11e8,8086:10d3:ffffffff:ffffffff:020000:ffff00
is "ids: what was bound is counted" \
	"$(said 'ids: "1234:11e8": bound 2')$(said 'ids: "8086:10d3:ffffffff:ffffffff:020000:ffff00": bound 2')" 11
load "ids=ffffffff:ffffffff:ffffffff:ffffffff:060400:ffffff"
is "ids: of many a few are named" "$(log_since |
	grep -cE 'bound 0 of [0-9]+; left: 0000:00:10\.0 with driver pcieport,( [^,]*,){3} and [0-9]+ more; to take one')" 1
unload_vfio_pci
for b in "$nvme0" "$nvme1"; do
	unbind "$b"
done
rmmod nvme

# --- what came of quirks= ---------------------------------------------------------------------------
none="matches no function here"
load "quirks=$nowhere:deny,10ee:9999:deny,1234:11e8@$nvme0:deny,1234:11e8@$nowhere:deny,$nic0:nointxmask,1234:*:nointxmask"
is "quirks: an address where nothing is" \
	"$(said "vfio-pci: quirks: \"$nowhere\" $none, nothing is at that address")" 1
is "quirks: an ID that nothing has" "$(said "vfio-pci: quirks: \"10ee:9999\" $none;")" 1
is "quirks: another ID at the address: which" \
	"$(said "quirks: \"1234:11e8@$nvme0\" $none, $nvme0 is $(id_of "$nvme0" :):")" 1
is "quirks: ID and address, where nothing is" \
	"$(said "quirks: \"1234:11e8@$nowhere\" $none, nothing is at that address")" 1
is "quirks: of what matches nothing is said" "$(said "$none")" 4
log_mark
is "quirks: a write" "$(write_param "$nowhere:deny")" ""
is "quirks: the same of a write" "$(said "vfio-pci: quirks: \"$nowhere\" $none")" 1
log_mark
printf '%s:nointxmask\n' "$nic0" "$nic1" >$param
is "quirks: two lines are two writes: the log names the row that is lost" \
	"$(cat $param) $(said "quirks: a write replaces all rows, \"$nic0:nointxmask\" does not hold any more")" \
	"$nic1:nointxmask 1"
log_mark
is "quirks: a write that is refused" "$(write_param "10ee:9999:deny,junk")" "Invalid argument"
is "quirks: says nothing of its good rows" "$(said "$none")" 0

# late BDF...: for which functions the log says that the write came too late.
late()
{
	log_since | sed -n 's/.*vfio-pci \(0000:[^ ]*\): vfio-pci: bound before quirks= was written: what that says of it holds when it is bound again$/\1/p' |
		sort | paste -sd ' '
}

load "quirks=$nic0:nointxmask"
for b in "$nic0" "$nic1" "$edu0"; do
	driver_after_bind "$b" >/dev/null
done
log_mark
write_param "$nic1:deny,$nic0:nointxmask"
is "quirks: written while bound: the one that it changes is named" "$(late)" "$nic1"
log_mark
write_param "8086:10d3@$nic0:nointxmask"
is "quirks: the same in other words is no change" "$(late)" ""
log_mark
write_param ""
is "quirks: taken away: named" "$(late)" "$nic0"
log_mark
write_param "*:*:disable_idle_d3"
is "quirks: for all: all that are bound" "$(late)" \
	"$(printf '%s\n' "$nic0" "$nic1" "$edu0" | sort | paste -sd ' ')"
unbind "$edu0"
log_mark
write_param ""
is "quirks: not of one that was unbound" "$(late)" "$nic0"
modprobe vfio-pci-mdev
log_mark
echo "$nic1:deny" >/sys/module/vfio_pci_mdev/parameters/quirks
is "quirks: of another variant: not its own" "$(late)" ""
rmmod vfio_pci_mdev
for b in "$nic0" "$nic1" "$edu0"; do
	bind_override "$b" ""
done

# --- a byte that the function does not have -------------------------------------------
is "edu0 has 256 bytes of config space" "$(stat -c %s "/sys/bus/pci/devices/$edu0/config")" 256
write_param "*:*:config=ff/1+config=100/1+config=fff/1"
log_mark
driver_after_bind "$edu0" >/dev/null
driver_after_bind "$nic0" >/dev/null
is "quirks: a byte beyond config space is named, once" \
	"$(said "$edu0: vfio-pci: quirks: \"*:*\" shows byte 0x100, but config space of this function ends at 0x0ff") $(said "shows byte")" \
	"1 1"
bind_override "$edu0" ""
bind_override "$nic0" ""
unload_vfio_pci
done_testing
