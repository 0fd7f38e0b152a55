#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: usual=6.12
# When a function that nobody has open goes to sleep, and how often it changes its power
# state on its way to its next user. Where that could be a matter of time, the delay is a
# minute.
# Functions are called through others, which shellcheck does not see.
# shellcheck disable=SC2317
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh

nic=$(dev_bdf e1000e0) || bail "no e1000e0"
power=/sys/bus/pci/devices/$nic/power
# The first argument tells the function.
# shellcheck disable=SC2016
trace_calls 'p:vpv_suspend pci_pm_runtime_suspend dev=$arg1' \
	'p:vpv_resume pci_pm_runtime_resume dev=$arg1' || bail "no kprobe"

# changes: of the function; ports go along with theirs, later.
changes()
{
	grep -c "vpv_.*: .*dev=$nic_dev\$" $trace/trace
}

# awake_for_a_second: from the mark in the trace until it went to sleep. If it takes longer
# to be seen, so be it.
awake_for_a_second()
{
	wait_for 30 is_suspended "$nic" && awk -v dev="dev=$nic_dev" '
		match($0, /[0-9]+\.[0-9]+: /) { t = substr($0, RSTART, RLENGTH) + 0 }
		/tracing_mark_write/ { from = t }
		/vpv_suspend:/ && $NF == dev { slept = t }
		END { exit !(from && slept - from >= 1) }' "$trace/trace"
}

delay()
{
	cat "$power/autosuspend_delay_ms" 2>/dev/null || echo none
}

# asleep: and from now on awake for a minute after each use.
asleep()
{
	wait_for 30 is_suspended "$nic" && echo 60000 >"$power/autosuspend_delay_ms" &&
		is_suspended "$nic"
}

is "before it is bound there is no delay" "$(delay)" none
check "our vfio-pci loads" load_ours
check "the function is bound" bind_override "$nic" vfio-pci
is "its delay is a second" "$(delay)" 1000
check "it sleeps" wait_for 30 is_suspended "$nic"
# Before its port, which has to wait for it.
nic_dev=$(sed -n 's/.*vpv_suspend:.* dev=//p' $trace/trace | head -n 1)

area a second
unbind "$nic"
# As long as it takes for what was noted before to be of no use.
sleep 2
trace_from_here
echo bind >$trace/trace_marker
bind_override "$nic" vfio-pci
check "it is awake for one after it was bound" awake_for_a_second
vfio-do "$nic" hold >/tmp/hold &
holder=$!
wait_for 20 grep -q open /tmp/hold
sleep 2
trace_from_here
echo close >$trace/trace_marker
kill -TERM $holder
wait_exit 30 $holder
is "a user closes it" $? 0
check "it is awake for one after that" awake_for_a_second

area a minute
check "it is asleep" asleep
trace_from_here
check "it is opened and closed" vfio-do "$nic" open
check "and once more" vfio-do "$nic" open
is "it woke up once" "$(changes)" 1
is "and is awake, though nobody keeps it so" "$(idle_state "$nic")" "D0 active 0"
trace_from_here
unbind "$nic"
is "unbound, it changed nothing" "$(changes)" 0
is "and there is no delay any more" "$(delay)" none

area unbind
bind_override "$nic" vfio-pci
is "the delay is a second again" "$(delay)" 1000
check "it is asleep" asleep
trace_from_here
unbind "$nic"
is "it woke up, and no more" "$(changes)" 1

modprobe vpv-test gated=1 fail_at=gate-start
check "a bind that fails" fails bind_override "$nic" vpv-test
is "a bind that fails leaves no delay" "$(delay)" none
rmmod vpv-test

area at once
bind_override "$nic" vfio-pci
echo 0 >"$power/autosuspend_delay_ms"
vfio-do "$nic" open >/dev/null
check "with a delay of 0 it sleeps" wait_for 30 is_suspended "$nic"
usage=$(cat "$power/runtime_usage")
echo -1 >"$power/autosuspend_delay_ms"
vfio-do "$nic" open >/dev/null
check "with one of -1 it does not" is_in_d0 "$nic"
unbind "$nic"
bind_override "$nic" vfio-pci
check "bound again it does" wait_for 30 is_suspended "$nic"
is "and nothing else holds it" "$(cat "$power/runtime_usage")" "$usage"

area disable_idle_d3
bind_override "$nic" ""
unload_vfio_pci
load_ours disable_idle_d3=1
bind_override "$nic" vfio-pci
vfio-do "$nic" open >/dev/null
is "it stays in D0" "$(idle_state "$nic")" "D0 active 1"
bind_override "$nic" ""

trace_no_more
check "the modules unload" unload_vfio_pci
done_testing
