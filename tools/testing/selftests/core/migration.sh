#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: timeout=600 kernels=6.1,6.12,7.3,6.1-debug,7.3-debug usual=6.1,7.3
# Devices that are moved: each arc of VFIO's states, the files, what becomes of them when the
# device is reset, closed or unbound, and every hook failing. The state is a fixture's.
# Functions are called through others, which shellcheck does not see; no name has blanks.
# shellcheck disable=SC2317,SC2086,SC2046
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh

from=$(dev_bdf e1000e0) && to=$(dev_bdf e1000e1) && other=$(dev_bdf edu0) || bail "no e1000e"
seed=1f000
level=1f004
saved=/tmp/saved
p=/sys/module/vpv_mig/parameters

# moves BDF STATE...: through these states, by one open file at most.
moves()
{
	local bdf=$1 state answer

	for state in "${@:2}"; do
		answer=$(user mig-set $bdf $state)
		[[ $answer = ok || $answer = file ]] || { echo "$state: $answer"; return 1; }
	done
}

# is_in BDF STATE LEVEL: what VFIO and the device say.
is_in()
{
	is "$4" "$(user mig-state $1),$(user region $1 4 0 $level)" "$2,0000000$3"
}

sum()
{
	user region $1 4 0 $seed
}

# fill BDF SEED: gives it a state.
fill()
{
	[ "$(user region-write $1 4 0 $seed $2)" = ok ]
}

# hooks: those that were called since the mark, each once in a row.
hooks()
{
	log_since | sed -n "s/.*vpv-mig ${1//./\\.}: vpv-mig: //p" | uniq | paste -sd' '
}

load_ours && modprobe vpv-mig || bail "no vpv-mig"
check "it is bound" bind_override $from vpv-mig
check "another is" bind_override $to vpv-mig
check "one that can't be moved is bound" bind_override $other vfio-pci
start_user
is "open" "$(user open $from),$(user open $to),$(user open $other)" ok,ok,ok
is "flags" "$(user mig $from)" 0x3
is "flags: none" "$(user mig $other)" "errno 25"
check "it has a state" fill $from 7
check "the other has another" fill $to 8
is "they differ" "$([ "$(sum $from)" != "$(sum $to)" ] && echo yes)" yes

area arcs
# What becomes of each way from each state; the file of the last one that gives one.
while read -r a b answer result; do
	check "$a: it is there" moves $from running $([ $a = running ] || echo $a)
	is "$a to $b" "$(user mig-set $from $b)" "${answer/_/ }"
	is "$a to $b: then" "$(user mig-state $from)" "$result"
	user reset $from >/dev/null
	is "$a to $b: a reset ends it" "$(user mig-state $from)" running
done <<'END'
running running-p2p ok running-p2p
running stop ok stop
running stop-copy file stop-copy
running resuming file resuming
running running ok running
running error errno_22 running
running pre-copy errno_22 running
running-p2p running ok running
running-p2p stop ok stop
running-p2p stop-copy file stop-copy
running-p2p resuming file resuming
running-p2p pre-copy-p2p errno_22 running-p2p
stop running ok running
stop running-p2p ok running-p2p
stop stop-copy file stop-copy
stop resuming file resuming
stop error errno_22 stop
stop-copy stop ok stop
stop-copy running-p2p ok running-p2p
stop-copy running ok running
stop-copy resuming file resuming
stop-copy pre-copy errno_22 stop-copy
END
log_mark
check "there and back" moves $from stop-copy running
is "hooks, in order" "$(hooks $from)" "suspend-p2p suspend abort resume-p2p resume"
moves $from running-p2p
is_in $from running-p2p 1 "a level for each: P2P"
moves $from stop
is_in $from stop 2 "a level for each: stop"
moves $from running
is_in $from running 0 "a level for each: running"

area move
check "the size is told, where there is that" grep -qx "0x27b8\|errno 25" <(user mig-size $from)
is "a file" "$(user mig-set $from stop-copy)" file
is "it can be read" "$(user mig-poll $from)" 0x1
is "and not written" "$(user mig-write $from /proc/version)" "errno 9"
is "not at an offset" "$(user mig-pread $from)" "errno 29"
is "a part of it" "$(user mig-read $from $saved.start 7b)" ok
is "and the rest" "$(user mig-read $from $saved.rest)" 0x$(printf %x $((72 + 4 * 24 + 10000 - 0x7b)))
is "and no more" "$(user mig-read $from $saved.none)" 0x0
cat $saved.start $saved.rest >$saved
check "the source goes on" moves $from stop running
is "a file to load it" "$(user mig-set $to resuming)" file
is "it can be written" "$(user mig-poll $to)" 0x4
is "and not read" "$(user mig-read $to $saved.none)" "errno 9"
is "it is loaded, 7 bytes at a time" "$(user mig-write $to $saved 7)" ok
check "and runs" moves $to running
is "it is what was saved" "$(sum $to)" "$(sum $from)"
for length in 1 fff 1000 1001 40000; do
	printf %u 0x$length >$p/size
	fill $from $length
	moves $from stop-copy
	user mig-read $from $saved.$length >/dev/null
	moves $from running
	moves $to resuming
	is "0x$length bytes: loaded" "$(user mig-write $to $saved.$length)" ok
	check "0x$length bytes: it runs" moves $to running
	is "0x$length bytes: it is what was saved" "$(sum $to)" "$(sum $from)"
done
echo 10000 >$p/size
fill $from 7

area refused
# refused WHAT FILE ERRNO: it can't be loaded, the log says why, and the device needs a reset.
refused()
{
	moves $to resuming
	log_mark
	is "$1: refused" "$(user mig-write $to $2),$(user mig-set $to stop)" "$3"
	check "$1: the log says why" grep -q "vpv-mig $to: vpv-mig: migration: what was to be loaded is refused: $4" <(log_since)
	is "$1: no way on but a reset" "$(user mig-set $to stop >/dev/null; user mig-state $to),$(user mig-set $to running)" \
		"error,errno 22"
	user reset $to >/dev/null
	is "$1: after that it runs" "$(user mig-state $to)" running
}
head -c -1 $saved >/tmp/bad
refused "cut off" /tmp/bad "ok,errno 22" "it ends too early"
{ cat $saved; echo; } >/tmp/bad
refused "more behind it" /tmp/bad "errno 22,errno 22" "it has data behind its end"
: >/tmp/bad
refused "nothing" /tmp/bad "ok,errno 22" "it ends too early"
python3 - $saved /tmp/bad <<'END'
import sys
b = bytearray(open(sys.argv[1], "rb").read())
b[5000] ^= 1
open(sys.argv[2], "wb").write(b)
END
refused "a bit is another" /tmp/bad "errno 22,errno 22" "a chunk of it is damaged"
head -c 5000 /dev/urandom >/tmp/bad
refused "rubbish" /tmp/bad "errno 22,errno 22" "it is no state of a device"

area resets
moves $from stop-copy
is "a reset while it is read: some" "$(user mig-read $from $saved.part 100)" ok
user reset $from >/dev/null
is "a reset while it is read: no more" "$(user mig-read $from $saved.part 100)" "errno 19"
is "a reset while it is read: poll" "$(user mig-poll $from)" 0x9
is_in $from running 0 "a reset while it is read: it runs"
moves $to resuming
user mig-write $to $saved.start >/dev/null
echo 1 >/sys/bus/pci/devices/$to/reset
is "root's reset while it is written: no more" "$(user mig-write $to $saved.rest)" "errno 19"
is_in $to running 0 "root's reset while it is written: it runs"
check "and can be moved" moves $to stop running

area files
moves $from stop-copy
user mig-read $from $saved.part 100 >/dev/null
check "left: the state" moves $from stop
is "left: its file is dead" "$(user mig-read $from $saved.part)" "errno 19"
moves $from running stop-copy
is "a mapping of its own BAR is read into" "$(user mig-map $from 1 | sed 's/errno 14/ok/')" ok
is "closed: the device" "$(user close $from)" ok
is "closed: its file is dead" "$(user mig-read $from $saved.part)" "errno 19"
is "closed: it runs when it is opened again" "$(user open $from),$(user mig-state $from)" ok,running
moves $to resuming
user close $to >/dev/null
unbind $to
is "unbound: its file is dead" "$(user mig-write $to $saved)" "errno 19"
bind_override $to vpv-mig
is "bound again: it is" "$(user mig-write $to $saved)" "errno 19"
is "bound again: it runs" "$(user open $to),$(user mig-state $to)" ok,running

area hooks
# fails HOOK FROM TO THEN: that arc fails, and the state stays; without the fault it goes on.
while read -r hook a b result; do
	moves $from running $([ $a = running ] || echo $a)
	echo $hook >$p/fail
	log_mark
	is "$hook fails: $a to $b" "$(user mig-set $from $b)" "errno 5"
	check "$hook fails: the log says so" grep -q "vpv-mig: migration: .* failed (error -5)" <(log_since)
	is "$hook fails: it is in" "$(user mig-state $from)" $result
	echo >$p/fail
	check "$hook fails: it goes on without" moves $from $b
done <<'END'
suspend-p2p running stop running
suspend running stop running-p2p
resume-p2p stop running stop
resume stop running running-p2p
END
moves $from running stop-copy
echo save >$p/fail
is "save fails" "$(user mig-read $from $saved.part)" "errno 5"
echo >$p/fail
is "save fails: the file is over" "$(user mig-read $from $saved.part)" "errno 5"
check "save fails: it goes on without" moves $from running
for hook in load load-done; do
	moves $to running resuming
	echo $hook >$p/fail
	is "$hook fails" "$(user mig-write $to $saved),$(user mig-set $to stop)" \
		"$([ $hook = load ] && echo "errno 5,errno 5" || echo "ok,errno 5")"
	echo >$p/fail
	is "$hook fails: it needs a reset" "$(user mig-state $to)" error
	user reset $to >/dev/null
	is "$hook fails: after that it runs" "$(user mig-state $to)" running
done

area "no reset"
# What can't be reset was not, when another user comes.
user close $from >/dev/null
unbind $from
echo "$from:no_reset" >$p/quirks
check "bound" bind_override $from vpv-mig
is "open" "$(user open $from)" ok
moves $from stop
user close $from >/dev/null
log_mark
is "left standing: it runs for the next user" "$(user open $from),$(user mig-state $from)" ok,running
is "left standing: it was told to" "$(hooks $from)" "resume-p2p resume"
moves $from stop-copy
user close $from >/dev/null
is "left while it was saved: it runs" "$(user open $from),$(user mig-state $from)" ok,running
moves $from resuming
user mig-write $from $saved.start >/dev/null
user close $from >/dev/null
log_mark
is "left half loaded: it is not opened" "$(user open $from)" "errno 5"
check "left half loaded: the log says why" grep -q "vpv-mig $from: vpv-mig: not opened: a state was loaded into it in part" <(log_since)
unbind $from
echo >$p/quirks
bind_override $from vpv-mig
is "bound without the row: it runs" "$(user open $from),$(user mig-state $from)" ok,running
moves $from stop-copy
log_mark
is "a hook that saves nothing" "$(user mig-read $from $saved.none)" "errno 5"
check "a hook that saves nothing: the log says so" grep -q "migration: saving failed (error -5)" <(log_since)

area end
user close $from >/dev/null
user close $to >/dev/null
end_user
check "unloaded" rmmod vpv-mig
done_testing
