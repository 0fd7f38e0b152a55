#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: timeout=400
# append: slub_debug=FU,kmalloc-*
# What every variant owes, whatever it does; run for each variant, the tree's and those in
# repositories of their own, with what its selftests/variant.conf says. A line that fails
# names the rule.
# Functions are called through others, which shellcheck does not see.
# shellcheck disable=SC2317
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh
# shellcheck source=tools/testing/selftests/variant/variant.inc
. ./variant/variant.inc

params=/sys/module/${module//-/_}/parameters
shown=/sys/bus/pci/devices/$bdf/vfio_pci_variant

binds()
{
	bind_override "$bdf" "$module" && run_declared bound
}

vfio_pci_binds()
{
	bind_override "$bdf" vfio-pci
}

opens()
{
	vfio-do "$name" read 4 0 >/dev/null
}

# is_gone [MODULE], unloads [MODULE]
is_gone()
{
	local m=${1:-$module}

	[ ! -e "/sys/module/${m//-/_}" ] && [ ! -e "/sys/bus/pci/drivers/$m" ]
}

unloads()
{
	rmmod "${1:-$module}" && is_gone "$@"
}

rebinds_and_opens()
{
	bind_override "$bdf" "" && binds && opens
}

# --- what is not as vfio-pci has it ---------------------------------------------------
bars="0 1 2 3 4 5"
for bar in $(declared unread); do
	bars=${bars/$bar/}
done

# dump [NAME]: by which to open it, if not by its users'.
dump()
{
	# shellcheck disable=SC2086
	vfio-dump "${1:-$name}" $bars
}

# facts FILE...: a fact a line, bytes one by one; regions of its own are left out, and
# not counted among the device's, as they are declared by themselves.
facts()
{
	awk -v own="$(declared region | wc -l)" '
	/^device:/ { sub(/regions [0-9]+/, "regions " 9 + ($7 - 9 == own ? 0 : $7 - 9)) }
	/^region/ && $2 + 0 >= 9 && $2 + 0 < 9 + own { next }
	/^(config|bar[0-5]) [0-9a-f]+:( [0-9a-f][0-9a-f])+$/ {
		sub(/:$/, "", $2)
		for (i = 3; i <= NF; i++)
			print $1 " " $2 "+" i - 3 ": " $i
		next
	}
	{ print }' "$1"
}

# bytes FACT FROM TO: the names of these facts, "config" or "barN".
bytes()
{
	local at digits=5

	[ "$1" != config ] || digits=3
	for ((at = $2; at <= $3; at++)); do
		printf '%s %0*x+%d\n' "$1" "$digits" $((at & ~15)) $((at & 15))
	done
}

# register_bytes: those of its registers, which are whatever it makes of them.
register_bytes()
{
	local region at width

	while read -r region at width _; do
		bytes "bar$region" $((16#$at)) $((16#$at + 16#$width - 1))
	done < <(declared register | grep '^[0-5] ')
}

# differences FILE: the names of the facts that are others there than with vfio-pci, of
# those which it has each time.
differences()
{
	awk -F: '
	FILENAME == ARGV[1] { plain[$1] = $0 }
	FILENAME == ARGV[2] && $0 != plain[$1] { moving[$1] = 1 }
	FILENAME == ARGV[3] {
		seen[$1] = 1
		if ($0 != plain[$1] && !($1 in moving))
			print $1
	}
	END { for (f in plain) if (!(f in seen)) print f }' \
		<(facts /tmp/plain) <(facts /tmp/plain-again) <(facts "$1") |
		grep -vxFf <(register_bytes) | sort
}

# declared_differences: those that variant.conf tells of.
declared_differences()
{
	local fact range

	while read -r fact range; do
		case $fact in
		config | bar[0-5])
			bytes "$fact" $((16#${range%-*})) $((16#${range#*-}))
			;;
		*) echo "$fact${range:+ $range}" ;;
		esac
	done < <(declared differs) | sort
}

# as_declared FILE
as_declared()
{
	diff <(declared_differences) <(differences "$1") | sed -n \
		's/^< \(.*\)/declared, but as with vfio-pci: \1/p; s/^> \(.*\)/differs, but not declared: \1/p' |
		head -n 20 >/tmp/differences
	cat /tmp/differences
	[ ! -s /tmp/differences ]
}

# registers: as arguments of vfio-region.
registers()
{
	declared unread | sed 's/^/-/'
	declared register
}

area parity
check "the in-tree vfio-pci takes the function" eval "load_intree && vfio_pci_binds"
dump "$bdf" >/tmp/plain
dump "$bdf" >/tmp/plain-again
bind_override "$bdf" ""
rmmod vfio_pci

area loading
check "it loads" load_variant "$module" || bail "nothing else can be tested"
is "it has one driver of functions, of the module's name, by which libvirt finds it" \
	"$(cd "/sys/module/${module//-/_}/drivers" && echo pci:*)" "pci:$module"
check "it takes the function" binds || bail "nothing else can be tested"
check "it opens" opens || bail "nothing else can be tested"
# libvirt's way: an alias "vfio_pci:...", with what modalias says of the function.
modalias=$(cat "/sys/bus/pci/devices/$bdf/modalias")
by_alias()
{
	local alias

	while read -r alias; do
		# shellcheck disable=SC2053
		[[ vfio_$modalias != $alias ]] || return 0
	done < <(modinfo -F alias "$module" | grep '^vfio_pci:')
	echo "no alias of it is for vfio_$modalias"
	return 1
}
if [ "$(declared alias)" = none ]; then
	is "it has no alias of an ID, as variant.conf says" \
		"$(modinfo -F alias "$module" | grep pci:)" ""
else
	check "its vfio_pci: alias is for the function: MODULE_DEVICE_TABLE()" by_alias
fi

area parity
dump >/tmp/variant
check "what differs from vfio-pci is what variant.conf declares" as_declared /tmp/variant
is "regions of its own are those that variant.conf declares" \
	"$(vfio-region "$name" list)" "$(declared region)"

area borders
# shellcheck disable=SC2046
tap_from vfio-region "$name" borders $(registers)
check "it opens after that" opens
check "and all is as before" as_declared <(dump)

# --- lifetime -------------------------------------------------------------------------
area rounds
round()
{
	rebinds_and_opens && unbind "$bdf"
}

# rounds N: whether all succeed.
rounds()
{
	local i

	for i in $(seq "$1"); do
		round || { echo "round $i"; return 1; }
	done
}

# What comes with the first ones stays.
check "bind, open, close, unbind" rounds 3
kept "$module" >/tmp/kept
check "20 times" rounds 20
check "no memory stays behind of what its hooks allocate" \
	keeps_no_more /tmp/kept "$module"
is "nobody holds its module" "$(cat "/sys/module/${module//-/_}/refcnt")" 0

area "in use"
binds
vfio-do "$name" hold >/tmp/hold &
holder=$!
check "a user opens it" wait_for 20 grep -q open /tmp/hold
out=$(rmmod "$module" 2>&1)
check "rmmod is refused" grep -q "in use" <<<"$out"
unbind "$bdf" &
unbinder=$!
check "unbind asks the user to let go" wait_for 30 grep -q asked /tmp/hold
check "and waits" kill -0 $unbinder
kill -TERM $holder
wait_exit 30 $holder
is "the user lets go" $? 0
wait_exit 30 $unbinder
is "then unbind completes" $? 0
is "it has no driver" "$(driver_of "$bdf")" ""
check "bound again it opens" eval "binds && opens"
check "rmmod takes it from a function that nobody uses" unloads

# --- beside vfio-pci ------------------------------------------------------------------
# But for a module of that name, which stands in for it.
load_both()
{
	load_variant "$1" && load_variant "$2" && rebinds_and_opens
}

adopts()
{
	cat "$shown/adopts"
}

beside_vfio_pci()
{
	local first second wanted how out

	area "load order"
	for first in "$module" vfio-pci; do
		second=vfio-pci
		[ "$first" = "$module" ] || second=$module
		check "$first before $second: both load, it works" load_both "$first" "$second"
		bind_override "$bdf" ""
		check "$first before $second: both unload" eval "unloads $first && unloads $second"
	done

	area adoption
	wanted=
	! modinfo -F alias "$module" | grep -q '^vfio_pci_variant:' || wanted=$module
	how="specialised and a VFIO_PCI_VARIANT_ADOPTABLE() for each ID, in upper case, or neither"
	load_ours
	check "vfio-pci takes the function" vfio_pci_binds
	is "vfio-pci loads and adopts it: $how" "$(adopts)" "$wanted"
	bind_override "$bdf" ""
	modprobe "$module"
	check "loaded before, too: vfio-pci takes the function" vfio_pci_binds
	is "loaded before, too: $how" "$(adopts)" "$wanted"
	if [ -n "$wanted" ]; then
		dump "$bdf" >/tmp/adopted
		check "adopted it is no other" as_declared /tmp/adopted
		is "regions are there" "$(vfio-region "$bdf" list)" "$(declared region)"
		out=$(rmmod "$module" 2>&1)
		check "it can't be unloaded while it is adopted" grep -q "in use" <<<"$out"
	fi
	bind_override "$bdf" ""
	check "it unloads" unloads
	check "vfio-pci unloads" unload_vfio_pci
}
[ "$module" = vfio-pci ] || beside_vfio_pci

# --- bad parameters -------------------------------------------------------------------
area parameters
rubbish="~rubbish~"
# rejects WHAT: it was refused, or one line or more of the log say what it was.
rejects()
{
	[ "$1" = refused ] || log_since | grep -F "$rubbish"
}

while IFS=: read -r param _; do
	log_mark
	how=taken
	modprobe "$module" "$param=$rubbish" 2>/dev/null || how=refused
	check "$param=$rubbish is refused, or named in the log" rejects $how
	[ $how = taken ] || check "$param: refused, nothing of it stays" is_gone
	[ $how = refused ] || check "$param: taken, it works" rebinds_and_opens
	bind_override "$bdf" ""
	is_gone || rmmod "$module"
done < <(modinfo -F parm "$module")

modprobe "$module"
for param in "$params"/*; do
	[[ $(stat -c %A "$param") = ?rw* ]] || continue
	was=$(cat "$param")
	log_mark
	how=taken
	{ echo "$rubbish" >"$param"; } 2>/dev/null || how=refused
	check "a write of $rubbish to ${param##*/} is refused, or named in the log" rejects $how
	is "${param##*/}: it is what it was" "$(cat "$param")" "$was"
done
check "it works after that" rebinds_and_opens

# --- no memory ------------------------------------------------------------------------
# Debian's kernels inject no faults: failalloc lets the allocations fail, one by one, that
# the variant and the framework make when they bind and open the function.
nth=/sys/module/failalloc/parameters/nth
# each_fails CMD UNDO: CMD with its first allocation failing, its second, and so on,
# until none did; after each UNDO and CMD once more.
each_fails()
{
	local n left

	for ((n = 1; n < 100; n++)); do
		echo "$n" >"$nth"
		$1 >/dev/null 2>&1
		read -r left <"$nth"
		echo 0 >"$nth"
		$2
		[ "$left" = 0 ] || break
		$1 || {
			echo "after $(cat /sys/module/failalloc/parameters/failed) had no memory"
			return 1
		}
		$2
	done
	echo $((n - 1)) >/tmp/failures
}

area "no memory"
modprobe failalloc "module=${module//-/_}"
unbind "$bdf"
kept "$module" >/tmp/kept
check "whatever allocation fails when it is bound, the next bind works" \
	each_fails binds "unbind $bdf"
check "there were any" test "$(cat /tmp/failures)" -gt 0
binds
check "whatever allocation fails when it is opened, the next open works" each_fails opens :
diag "$(cat /tmp/failures) of an open"
check "all is as before" as_declared <(dump)
unbind "$bdf"
check "no memory stays behind of what its hooks allocate" \
	keeps_no_more /tmp/kept "$module"
rmmod failalloc
check "it unloads" unloads
done_testing
