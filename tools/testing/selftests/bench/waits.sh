#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# How long people wait for functions under the in-tree vfio-pci and under ours, as it comes
# and with its functions standing ready, in one boot. 64 VFs are opened in turn, 16 of them
# closed at the same time; all else is done with one.
# vm: accel=tcg timeout=900 mem=3G
# qemu: -icount shift=0,sleep=off
# qemu: -device pcie-root-port,id=rp19,bus=pcie.0,addr=0x19,chassis=25,x-speed=5
# qemu: -device nvme-subsys,id=subsys2
# qemu: -device nvme,serial=NVME2,subsys=subsys2,bus=rp19,sriov_max_vfs=64,sriov_vq_flexible=128,sriov_vi_flexible=64,max_ioqpairs=130,msix_qsize=67
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh

pf=$(dev_bdf added) || bail "no NVMe with VFs"
modprobe nvme
echo 0 >"/sys/bus/pci/devices/$pf/sriov_drivers_autoprobe"
echo 64 >"/sys/bus/pci/devices/$pf/sriov_numvfs" || bail "no VFs"
vfs=()
for i in {0..63}; do
	vfs+=("$(basename "$(readlink "/sys/bus/pci/devices/$pf/virtfn$i")")")
done

# measure NAME LOAD...: of each five times, the least, the middle one and the most.
measure()
{
	"${@:2}" || bail "no $1"
	for vf in "${vfs[@]}"; do
		bind_override "$vf" vfio-pci || bail "no $vf"
	done
	for _ in {1..5}; do
		vfio-wait one "${vfs[0]}" &&
			vfio-wait in-turn "${vfs[@]}" &&
			vfio-wait at-once "${vfs[@]::16}" &&
			vfio-wait power "${vfs[0]}" || bail "vfio-wait failed"
	done | sort -k1,1 -k2,2n | awk '{ t[$1] = t[$1] " " $2 } END {
		for (w in t) { split(t[w], v); print w, v[1], v[3], v[5] }
	}' | sort >"/tmp/$1"
	for vf in "${vfs[@]}"; do
		bind_override "$vf" ""
	done
	unload_vfio_pci
}

measure intree load_intree
measure ours load_ours
measure ready load_ours standby=1
# What, and of each the middle one in milliseconds: in-tree, ours, standing ready.
join /tmp/intree /tmp/ours | join - /tmp/ready |
	awk '{ print $1, $3, $6, $9 }' >"$OUT/bench.dat"
join /tmp/intree /tmp/ours | join - /tmp/ready | awk '
function ms(v) { return sprintf(v < 1 ? "%.3f" : "%.1f", v) }
{
	printf "%-19s in-tree %7s (%s to %s)  ours %7s (%s to %s) %.3f  ready %7s (%s to %s) %.4f\n",
		$1, ms($3), ms($2), ms($4), ms($6), ms($5), ms($7), $6 / $3,
		ms($9), ms($8), ms($10), $9 / $3
	if ($1 == "close") one = $3
	if ($1 == "at-once") all = $6
} END {
	printf "all 16 closed by ours, against one closed by the in-tree driver: %.3f\n", all / one
}' | tee "$OUT/bench.txt"
