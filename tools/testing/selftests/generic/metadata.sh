#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: devices=none
# What tools read of modules without loading them: ours beside the in-tree vfio-pci.
# Each difference is in the list below, with its reason; any other one fails.
# Functions are called through others, which shellcheck does not see.
# shellcheck disable=SC2317
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh

ours=$(module_file vfio-pci) || bail "no vfio-pci of ours"
intree=$(ls "$modules_dir"/kernel/drivers/vfio/pci/vfio-pci.ko*) || bail "no in-tree one"

# FIELD SIDE REASON: a field of modinfo whose values are not the same, or that only
# one side has.
differences="
author		both	it is somebody else's
description	both	so that people can tell them apart
license		both	GPL and GPL v2 mean the same, the former is what is asked for today
depends		both	on the framework, which depends on what the in-tree one does
parm		both	descriptions have words of our own; names and types are below
parmtype	both	ours has more, see below
filename	both	updates/
import_ns	ours	exports of the framework are in a namespace
srcversion	ours	of the sources: who has a version has this
version		ours	that of the packages
intree		theirs	it is not
sig_id		theirs	Debian signs its own
signer		theirs	likewise
sig_key		theirs	likewise
sig_hashalgo	theirs	likewise
signature	theirs	likewise
"
# Parameters that the in-tree one has not.
more_parameters="disable_adoption quirks standby"

# fields FILE: the names of what modinfo says.
fields()
{
	modinfo "$1" | sed -n 's/^\([a-z_]*\):.*/\1/p' | sort -u
}

# values FIELD FILE
values()
{
	modinfo -F "$1" "$2" | sort
}

# is_listed FIELD SIDE
is_listed()
{
	grep -qE "^$1[[:space:]]+$2[[:space:]]" <<<"$differences"
}

while read -r field; do
	a=$(values "$field" "$ours") b=$(values "$field" "$intree")
	side=both
	[ -n "$a" ] || side=theirs
	[ -n "$b" ] || side=ours
	if [ "$a" = "$b" ]; then
		ok "modinfo: $field: the same"
	else
		check "modinfo: $field: a difference that is listed ($side)" \
			is_listed "$field" $side || diag "ours '$a', in tree '$b'"
	fi
done < <(sort -u <(fields "$ours") <(fields "$intree"))

# --- parameters -------------------------------------------------------------------------
check "parameters: the in-tree ones are there, of the same type" \
	test -z "$(comm -13 <(values parmtype "$ours") <(values parmtype "$intree"))"
# names FILE: of its parameters that have a description.
names()
{
	modinfo -F parm "$1" | cut -d: -f1 | sort
}

# The type of quirks is told by its description: it has functions of its own.
is "parameters: those of ours alone are listed" \
	"$(comm -23 <(names "$ours") <(names "$intree") | xargs)" "$more_parameters"
is "parameters: each that has a type has a description" \
	"$(comm -13 <(names "$ours") <(values parmtype "$ours" | cut -d: -f1))" ""

# permissions: of each parameter in sysfs.
permissions()
{
	stat -c '%n %a' /sys/module/vfio_pci/parameters/* | sed 's,.*/,,' | sort
}

check "the in-tree vfio-pci loads" load_intree
permissions >/tmp/in-tree
check "it unloads" rmmod vfio-pci
check "ours loads" load_ours
permissions >/tmp/ours
check "parameters: there are some" grep -q . /tmp/in-tree
is "parameters: permissions are the same" "$(comm -13 /tmp/ours /tmp/in-tree)" ""
is "parameters: those of ours alone" "$(comm -23 /tmp/ours /tmp/in-tree | xargs)" \
	"disable_adoption 644 quirks 644 standby 644"
check "it unloads" unload_vfio_pci

# --- what depmod makes of it ----------------------------------------------------------
# lines FILE MODULE: of one of depmod's files, those about it.
lines()
{
	grep -E "(^softdep | )$2( |\$)" "$modules_dir/$1"
}

is "modules.alias: one line" "$(lines modules.alias vfio_pci)" \
	"alias vfio_pci:v*d*sv*sd*bc*sc*i* vfio_pci"
for m in vfio_pci vfio_pci_variant vfio_pci_mdev vfio_pci_igd vfio_pci_nvlink2; do
	check "there is a $m" modinfo -n "$m"
	is "modules.softdep: nothing of $m" "$(lines modules.softdep "$m")" ""
	is "modules.weakdep: nothing of $m" "$(lines modules.weakdep "$m" 2>/dev/null)" ""
	is "modules.alias: no pci: alias of $m, by which udev would load it" \
		"$(lines modules.alias "$m" | grep -c '^alias pci:')" 0
done

# loads NAME...: what modprobe would load for these, in its order, each once.
loads()
{
	local m

	for m; do
		modprobe --show-depends "$m"
	done | sed -n 's,^insmod .*/\([^/]*\)\.ko.*,\1,p' | awk '!seen[$0]++'
}

mapfile -t -d, depends < <(modinfo -F depends "$intree" | tr -d '\n')
is "modprobe vfio-pci: loads what the in-tree one needs, the framework, itself" \
	"$(loads vfio-pci | sort | xargs)" \
	"$({ loads "${depends[@]}"; printf '%s\n' vfio-pci vfio-pci-variant; } |
		sort | xargs)"
is "modprobe vfio-pci: itself last" "$(loads vfio-pci | tail -n 1)" vfio-pci

# --- what has specialised variants loaded -------------------------------------------------
# aliases PREFIX MODULE: what follows the prefix, and four digits for eight.
aliases()
{
	modinfo -F alias "$2" | sed -nE "s/^$1://p" |
		sed -E 's/(v|d|sv|sd)0000([0-9A-F]{4})/\1\2/g' | sort
}

for m in vfio-pci vfio-pci-mdev vfio-pci-variant; do
	is "$m has no alias by which it would be adopted" "$(aliases vfio_pci_variant $m)" ""
done
for m in vfio-pci-igd vfio-pci-nvlink2 vfio-pci-edu vfio-pci-smallest vpv-s3; do
	check "$m has aliases" test -n "$(aliases vfio_pci $m)"
	is "$m: libvirt finds it for the functions that adopt it" \
		"$(aliases vfio_pci_variant $m)" "$(aliases vfio_pci $m)"
done
done_testing
