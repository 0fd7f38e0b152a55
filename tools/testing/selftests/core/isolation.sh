#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: timeout=600 devices=vga usual=6.12
# Each module's settings hold for its own functions and for no others: two
# variants that share the framework beside the in-tree vfio-pci, in every
# combination. What counts is what can be seen of a function from outside.
#
# usage: isolation.sh [PART...]    matrix reload others broken later
# VPV_FRAMEWORK: another build of the framework to test, see isolation-control.
# Many functions are called through check only:
# shellcheck disable=SC2317
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh

parts=${*:-matrix reload others broken later}
modules=(vpv-a vpv-b vfio-pci)
settings=(nointxmask disable_vga disable_idle_d3)
framework=${VPV_FRAMEWORK:-$(module_file vfio-pci-variant)} ||
	bail "no framework"
functions=("$(dev_bdf vga1)" "$(dev_bdf vga2)" "$(dev_bdf vga3)") &&
	edu=$(dev_bdf edu0) && nic=$(dev_bdf e1000e0) && vga=$(dev_bdf vga0) || bail "no functions"
files=("$(modinfo -n vpv-a)" "$(modinfo -n vpv-b)"
	"$(ls "$modules_dir"/kernel/drivers/vfio/pci/vfio-pci.ko*)")

# Which of the eight combinations each setting has now (bit 0: the first
# variant, 1: the second, 2: the in-tree driver), and whose bits are flipped.
# What follows from it, by number of the module (and of the setting):
combination=(0 0 0)
flipped=0
declare -A value	# 0 or 1
where=()		# where a mask of INTx shows
region=()		# the VGA region, and what the arbiter knows
rest=()			# the idle state

has()
{
	[[ " $parts " = *" $1 "* ]]
}

# settle_values: after a change of combination or flipped.
settle_values()
{
	local s m

	for m in 0 1 2; do
		for s in 0 1 2; do
			value[$s,$m]=$((((combination[s] ^ flipped) >> m) & 1))
		done
		where[m]=device region[m]="0xc0000 io+mem" rest[m]="D3hot suspended 0"
		[ "${value[0,$m]}" = 0 ] || where[m]=irqchip
		[ "${value[1,$m]}" = 0 ] || region[m]="errno 22 none"
		[ "${value[2,$m]}" = 0 ] || rest[m]="D0 active 1"
	done
}

flip()
{
	flipped=$((flipped ^ $1))
	settle_values
}

# insert M: module M with its values.
insert()
{
	local s args=()

	for s in 0 1 2; do
		args+=("${settings[s]}=${value[$s,$1]}")
	done
	insmod "${files[$1]}" "${args[@]}"
}

# --- modules and functions ---------------------------------------------------

load_variants()
{
	[ -e /sys/module/vfio_pci_variant ] || insmod "$framework" || return 1
	insert 0 && insert 1
}

unload()
{
	local m

	for m in "$@"; do
		[ ! -e "/sys/module/$m" ] || rmmod "$m" || return 1
	done
}

# bind_round M...: to those modules the functions that they have this time.
bind_round()
{
	local m

	for m in "$@"; do
		bind_override "${functions[m]}" "${modules[m]}" || return 1
	done
}

# --- what can be seen ----------------------------------------------------------

settled()
{
	case $(idle_state "$1") in
	*" suspended 0" | *" active "[1-9]*) ;;
	*) return 1 ;;
	esac
}

# idle BDF: its state when it has come to rest.
idle()
{
	wait_for 20 settled "$1"
	idle_state "$1"
}

# picture BDF: all that is to stay as it is, of the function and of its port.
# A sleeping function's config space is left alone: reading it wakes it up.
picture()
{
	local d=/sys/bus/pci/devices/$1 f line

	for f in "$d"{,/..}/{power_state,enable,irq} "$d"/vfio_pci_variant/* \
		"$d"{,/..}/power/{async,control,wakeup} \
		"$d"{,/..}/power/runtime_{active_kids,enabled,status,usage}; do
		line=
		# What is not there is part of the picture, too.
		[ ! -e "$f" ] || read -r line <"$f"
		echo "${f#"$d/"}: $line"
	done
	echo "decodes $(user decodes "$1")"
	[[ "$(idle_state "$1")" != *" active "* ]] ||
		echo "COMMAND $(user command "$1")"
}

# line_of BDF: the interrupt that its INTx is on while it is enabled.
line_of()
{
	local irq rest

	while read -r irq rest; do
		[[ "$rest" != *"vfio-intx($1)"* ]] || echo "${irq%:}"
	done </proc/interrupts
}

# told TITLE M S: start of a line's description.
told()
{
	echo "$1: ${modules[$2]} ${settings[$3]}=${value[$3,$2]}"
}

# look TITLE M...: each of those modules' functions does as its own module was
# told. They are opened together and closed again.
look()
{
	local title=$1 m n b c got wanted lines=

	shift
	for m in "$@"; do
		is "$(told "$title" "$m" 2): idle" \
			"$(idle "${functions[m]}")" "${rest[m]}"
	done
	for m in "$@"; do
		b=${functions[m]}
		is "$title: ${modules[m]} opens" "$(user open "$b")" ok
		is "$(told "$title" "$m" 1): region 8, arbiter" \
			"$(user vga "$b") $(user decodes "$b")" "${region[m]}"
	done
	for m in "$@"; do
		b=${functions[m]}
		is "$title: ${modules[m]}: INTx is enabled" "$(user intx "$b")" ok ||
			continue
		lines+=$(line_of "$b"):
		is "$(told "$title" "$m" 0): INTx is masked and unmasked" \
			"$(user mask "$b") $(user unmask "$b")" "${where[m]} ok"
		for n in "$@"; do
			[ "$m" != "$n" ] || continue
			c=${functions[n]}
			wanted="errno 16"
			[ "${value[0,$m]}${value[0,$n]}" != 00 ] || wanted=ok
			got=$(user intx "$c")
			is "$(told "$title" "$n" 0) beside ${modules[m]}'s ${value[0,$m]}: INTx" \
				"$got" "$wanted"
			[ "$got" != ok ] || user no-intx "$c" >/dev/null
		done
		user no-intx "$b" >/dev/null
	done
	# Without a line in common, none of these could have been refused.
	check "$title: they are on one line ($lines)" \
		grep -qE '^([0-9]+:)\1+$' <<<"$lines"
	for m in "$@"; do
		user close "${functions[m]}" >/dev/null
	done
	for m in "$@"; do
		is "$(told "$title" "$m" 2): idle again" \
			"$(idle "${functions[m]}")" "${rest[m]}"
	done
}

# sysfs M: the settings as our own files show them.
sysfs()
{
	local s line shown=()

	for s in "${settings[@]}"; do
		read -r line <"/sys/bus/pci/devices/${functions[$1]}/vfio_pci_variant/$s"
		shown+=("$line")
	done
	echo "${shown[*]}"
}

# --- the matrix ----------------------------------------------------------------

# start_round I: sets the combinations and loads and binds all. Each setting goes
# through all eight, and no two of them go together.
start_round()
{
	local i=$1 title=$2 s m

	for s in 0 1 2; do
		combination[s]=$(((i + 3 * s) % 8))
	done
	flipped=0
	settle_values
	# Every driver gets every function.
	functions=("${functions[@]:1}" "${functions[0]}")
	if [ $(((i >> 1 ^ i >> 2) & 1)) = 0 ]; then
		check "$title: the in-tree driver loads, then the variants" \
			eval "insert 2 && load_variants"
	else
		check "$title: the variants load, then the in-tree driver" \
			eval "load_variants && insert 2"
	fi
	check "$title: each takes its function" bind_round 0 1 2
	[ "$i" != 0 ] || is "the framework is $framework" \
		"$(loaded_id vfio_pci_variant)" "$(file_id "$framework")"
	for m in 0 1; do
		is "$title: ${modules[m]}: sysfs" "$(sysfs $m)" \
			"${value[0,$m]} ${value[1,$m]} ${value[2,$m]}"
	done
}

# The in-tree driver leaves and comes back with the opposite of what it had.
reload_intree()
{
	unbind "${functions[2]}" && unload vfio_pci && insert 2 &&
		bind_round 2
}

# replug BDF: as if it were pulled out and put back. When a VGA function comes or goes
# the arbiter asks each driver what its own decodes, once someone has used it.
replug()
{
	local fd d=/sys/bus/pci/devices/$1

	exec {fd}<>/dev/vga_arbiter && echo "target PCI:$1" >&"$fd" &&
		echo "lock io" >&"$fd" || return 1
	exec {fd}<&-
	echo 1 >"$d/remove" && wait_for 20 test ! -e "$d" &&
		echo 1 >/sys/bus/pci/rescan && wait_for 20 test -e "$d"
}

# Nothing of ours changes when it does so, be our functions idle or open.
reload_round()
{
	local title=$1 m b before=()

	title="$1, in-tree driver reloaded while idle"
	for m in 0 1; do
		idle "${functions[m]}" >/dev/null
		before[m]=$(picture "${functions[m]}")
	done
	flip 4
	check "$title: with the opposite" reload_intree
	for m in 0 1; do
		is "$title: ${modules[m]}: nothing changes" \
			"$(picture "${functions[m]}")" "${before[m]}"
	done
	check "$title: another VGA function leaves and comes back" replug "$vga"
	for m in 0 1; do
		is "$title: ${modules[m]}: nothing changes when the arbiter asks" \
			"$(picture "${functions[m]}")" "${before[m]}"
	done
	look "$title" 0 1 2

	title="$1, in-tree driver reloaded while open"
	for m in 0 1; do
		b=${functions[m]}
		is "$title: ${modules[m]} opens" "$(user open "$b")" ok
	done
	# Both, if the line can be shared.
	is "$title: INTx is enabled" "$(user intx "${functions[0]}")" ok
	user intx "${functions[1]}" >/dev/null
	for m in 0 1; do
		b=${functions[m]}
		before[m]=$(picture "$b"; user info "$b"; line_of "$b")
	done
	flip 4
	check "$title: with the opposite" reload_intree
	for m in 0 1; do
		b=${functions[m]}
		is "$title: ${modules[m]}: nothing changes" \
			"$(picture "$b"; user info "$b"; line_of "$b")" \
			"${before[m]}"
		if [ -n "$(line_of "$b")" ]; then
			is "$(told "$title" "$m" 0): INTx is masked and unmasked" \
				"$(user mask "$b") $(user unmask "$b")" \
				"${where[m]} ok"
		fi
		is "$(told "$title" "$m" 1): region 8, arbiter" \
			"$(user vga "$b") $(user decodes "$b")" "${region[m]}"
	done
	for m in 0 1; do
		user close "${functions[m]}" >/dev/null
	done
	for m in 0 1; do
		is "$(told "$title" "$m" 2): idle" "$(idle "${functions[m]}")" \
			"${rest[m]}"
	done
}

# The variants leave and come back with the opposite of what they had, and are
# used: nothing of the in-tree driver's function changes.
reload_variants()
{
	local m p

	unload vpv_a vpv_b vfio_pci_variant && load_variants && bind_round 0 1 || return 1
	for m in 0 1; do
		p=/sys/module/${modules[m]/-/_}/parameters
		user open "${functions[m]}" && user intx "${functions[m]}" &&
			user mask "${functions[m]}" || return 1
		for p in "$p"/{nointxmask,disable_idle_d3}; do
			echo $((! $(grep -c Y "$p"))) >"$p" || return 1
		done
		user close "${functions[m]}"
	done
}

others_round()
{
	local title=$1 b=${functions[2]} before

	title="$1, variants reloaded while the in-tree driver's is idle"
	idle "$b" >/dev/null
	before=$(picture "$b")
	flip 3
	check "$title: with the opposite" reload_variants
	is "$title: nothing changes" "$(picture "$b")" "$before"

	title="$1, variants reloaded while the in-tree driver's is open"
	is "$title: it opens" "$(user open "$b")" ok
	is "$title: INTx is enabled" "$(user intx "$b")" ok
	before=$(picture "$b"; user info "$b"; line_of "$b")
	flip 3
	check "$title: with the opposite" reload_variants
	is "$title: nothing changes" \
		"$(picture "$b"; user info "$b"; line_of "$b")" "$before"
	is "$(told "$title" 2 0): INTx is masked and unmasked" \
		"$(user mask "$b") $(user unmask "$b")" "${where[2]} ok"
	is "$(told "$title" 2 1): region 8, arbiter" \
		"$(user vga "$b") $(user decodes "$b")" "${region[2]}"
	user close "$b" >/dev/null
	is "$(told "$title" 2 2): idle" "$(idle "$b")" "${rest[2]}"
}

end_round()
{
	local b

	for b in "${functions[@]}"; do
		bind_override "$b" ""
	done
	check "$1: all unload" unload vfio_pci vpv_a vpv_b vfio_pci_variant
}

matrix()
{
	local i

	for i in 0 1 2 3 4 5 6 7; do
		start_round $i "round $i"
		look "round $i" 0 1 2
		# One of the two, so that each sees every pair of values that
		# the variants have, and both values of the in-tree driver.
		if [ $(((i ^ i >> 1 ^ i >> 2) & 1)) = 0 ]; then
			! has reload || reload_round "round $i"
		else
			! has others || others_round "round $i"
		fi
		end_round "round $i"
	done
}

# --- a device that can't mask INTx ---------------------------------------------

# intx_seen BDF: INTx as the user sees it, then in hardware, after an open; the
# same in hardware after the use of MSI, which decides on INTx anew.
intx_seen()
{
	local answer opened closed

	opened=$(user open "$1")
	answer=$(user intx "$1")
	if [ "$answer" = ok ]; then
		answer+=", masked: $(user mask "$1") $(user unmask "$1")"
		answer+=", off: $(user no-intx "$1")"
	fi
	answer+=", disabled: $((0x$(user command "$1") >> 10 & 1))"
	answer+=", after MSI: $(user msi "$1") $((0x$(user command "$1") >> 10 & 1))"
	closed=$(user close "$1")
	echo "open: $opened, INTx: $answer, closed: $closed"
}

# An X710, as far as the kernel can tell: it has no INTx, unless nointxmask says
# that it can be masked elsewhere.
broken()
{
	local a t title
	local wanted=(
		"none, disabled: 1, after MSI: ok 1"
		"ok, masked: irqchip ok, off: ok, disabled: 0, after MSI: ok 0")

	modprobe idshim "bdf=$edu" vendor=0x8086 device=0x1572
	for a in 0 1; do
		title="X710, vpv-a nointxmask=$a"
		insmod "$framework"
		insmod "${files[0]}" nointxmask=$a
		check "$title: binds" bind_override "$edu" vpv-a
		# From nothing, and what an open left is not for the next.
		for t in 1 0 1 0; do
			check "$title: the in-tree driver loads with $t" \
				insmod "${files[2]}" nointxmask=$t
			is "$title, in-tree driver's $t: INTx" \
				"$(intx_seen "$edu")" \
				"open: ok, INTx: ${wanted[a]}, closed: ok"
			unload vfio_pci
		done
		for t in 0 1; do
			insmod "${files[2]}" nointxmask=$t
			bind_override "$edu" vfio-pci
			is "X710, in-tree driver's nointxmask=$t, vpv-a's $a: INTx" \
				"$(intx_seen "$edu")" \
				"open: ok, INTx: ${wanted[t]}, closed: ok"
			bind_override "$edu" ""
			unload vfio_pci
		done
		check "$title: all unload" unload vpv_a vfio_pci_variant
	done
	rmmod idshim
}

# --- parameters written later ----------------------------------------------------

# as TITLE BDF N: it behaves as with nointxmask=N disable_idle_d3=N.
as()
{
	local rest=("D3hot suspended 0" "D0 active 1") where=(device irqchip)

	is "$1: idle state" "$(idle "$2")" "${rest[$3]}"
	is "$1: INTx is masked" \
		"$(user open "$2") $(user intx "$2") $(user mask "$2") $(user close "$2")" \
		"ok ok ${where[$3]} ok"
}

# write_params MODULE VALUE: those that can be written.
write_params()
{
	echo "$2" >"/sys/module/$1/parameters/nointxmask" &&
		echo "$2" >"/sys/module/$1/parameters/disable_idle_d3"
}

later()
{
	local one=${functions[0]} two=${functions[1]} three=${functions[2]}
	local m b before

	flipped=0 combination=(0 0 0)
	settle_values
	check "written later: all load" eval "load_variants && insert 2"
	check "written later: vpv-a and vpv-b take a function each" \
		eval "bind_override $one vpv-a && bind_override $two vpv-b"
	is "written later: the first is opened" "$(user open "$one")" ok
	before=$(picture "$one"; user info "$one"; idle "$two")
	for m in vpv_a vfio_pci; do
		check "written later: $m's parameters, 1" write_params $m 1
	done
	is "written later: nothing changes" \
		"$(picture "$one"; user info "$one"; idle "$two")" "$before"
	is "written later: INTx of the open one is masked" \
		"$(user intx "$one") $(user mask "$one")" "ok device"
	user close "$one" >/dev/null
	check "written later: both take another" \
		eval "bind_override $three vpv-a && bind_override $nic vpv-b"
	as "written later: vpv-a's, bound before" "$one" 0
	as "written later: vpv-a's, bound after" "$three" 1
	as "written later: vpv-b's, bound before" "$two" 0
	as "written later: vpv-b's, bound after" "$nic" 0
	check "written later: the first is bound again" \
		bind_override "$one" vpv-a
	as "written later: bound again" "$one" 1
	check "written later: vpv-a's parameters, 0" write_params vpv_a 0
	check "written later: vpv-a takes a third" bind_override "$edu" vpv-a
	is "written later: the third: INTx is masked" \
		"$(user open "$edu") $(user intx "$edu") $(user mask "$edu") $(user close "$edu")" \
		"ok ok device ok"
	as "written later: bound before that" "$three" 1
	for b in "$one" "$two" "$three" "$nic" "$edu"; do
		bind_override "$b" ""
	done
	check "written later: all unload" \
		unload vfio_pci vpv_a vpv_b vfio_pci_variant
}

modprobe vfio_iommu_type1 && modprobe vfio-pci-core || bail "no VFIO"
start_user
! has matrix || matrix
! has broken || broken
! has later || later
end_user
is "the user closes all and ends" $? 0
done_testing
