#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: timeout=300
# What a user is told of a function is the same, byte for byte, under the
# in-tree vfio-pci and under ours: info ioctls with all capabilities, features,
# config space. No field is left out: all are the same within one boot.
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh

names="nvme0 e1000e0 igb0 igb0-vf virtio0 vga0 edu0"
dumps=/tmp/dumps
mkdir -p $dumps

modprobe igb || bail "no igb driver"
pf=$(dev_bdf igb0) || bail "no igb0"
check "igb takes its device" wait_for 20 test "$(driver_of "$pf")" = igb
echo 1 >"/sys/bus/pci/devices/$pf/sriov_numvfs"
vf=$(basename "$(readlink "/sys/bus/pci/devices/$pf/virtfn0")") || bail "no VF"

# The PF stays with igb while its VF is looked at, and is unbound last.
bdf_of()
{
	if [ "$1" = igb0-vf ]; then echo "$vf"; else dev_bdf "$1"; fi
}

# dump_all WHICH: under the vfio-pci that is loaded.
dump_all()
{
	local which=$1 name b

	for name in igb0-vf $names; do
		[ ! -e "$dumps/$name.$which" ] || continue
		if [ "$name" = igb0 ]; then
			echo 0 >"/sys/bus/pci/devices/$pf/sriov_numvfs"
		fi
		b=$(bdf_of "$name")
		check "$which: $name binds" bind_override "$b" vfio-pci
		vfio-dump "$b" >"$dumps/$name.$which" 2>&1 ||
			diag "$(tail -n 1 "$dumps/$name.$which")"
		bind_override "$b" "" 2>/dev/null
	done
}

check "the in-tree vfio-pci loads" load_intree
dump_all in-tree
check "it unloads" unload_vfio_pci

# The PF as it was: with igb, and a VF.
echo "$pf" >/sys/bus/pci/drivers_probe
[ "$(driver_of "$pf")" = igb ] ||
	echo "$pf" >/sys/bus/pci/drivers/igb/bind
echo 1 >"/sys/bus/pci/devices/$pf/sriov_numvfs"
check "our vfio-pci loads" load_ours
dump_all ours
check "it unloads too" unload_vfio_pci

for name in $names; do
	# A dump that failed, twice, must not pass for the same answers.
	lines=$(grep -cE '^(device|region|irq|feature|config)' "$dumps/$name.ours")
	check "$name: the dump is whole ($lines lines)" \
		test "$lines" -ge $((2 + 9 + 5 + 32 + 16))
	check "$name: the answers are the same" \
		diff "$dumps/$name.in-tree" "$dumps/$name.ours"
done
for name in nvme0 e1000e0 igb0 igb0-vf virtio0; do
	is "$name: all of its extended config space was compared" \
		"$(grep -c '^config' "$dumps/$name.ours")" 256
done
check "different functions give different answers" \
	fails diff -q $dumps/nvme0.ours $dumps/e1000e0.ours
is "the VGA device has its legacy ranges" \
	"$(grep -c 'region 8: .*size 0xc0000' $dumps/vga0.ours)" 1
cp -r $dumps "$OUT/"
done_testing
