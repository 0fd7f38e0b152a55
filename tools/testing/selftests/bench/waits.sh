#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# How long people wait for functions under the in-tree vfio-pci and under ours, in one
# boot: one of 16 VFs is opened, reset and closed, then all are closed at the same time.
# vm: timeout=600
# qemu: -icount shift=0,sleep=off
# qemu: -device pcie-root-port,id=rp19,bus=pcie.0,addr=0x19,chassis=25,x-speed=5
# qemu: -device nvme-subsys,id=subsys2
# qemu: -device nvme,serial=NVME2,subsys=subsys2,bus=rp19,sriov_max_vfs=16,sriov_vq_flexible=32,sriov_vi_flexible=16,max_ioqpairs=34,msix_qsize=19
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh

pf=$(dev_bdf added) || bail "no NVMe with VFs"
modprobe nvme
echo 0 >"/sys/bus/pci/devices/$pf/sriov_drivers_autoprobe"
echo 16 >"/sys/bus/pci/devices/$pf/sriov_numvfs" || bail "no VFs"
vfs=()
for i in {0..15}; do
	vfs+=("$(basename "$(readlink "/sys/bus/pci/devices/$pf/virtfn$i")")")
done

# measure WHICH: of each five times, the least, the middle one and the most.
measure()
{
	"load_$1" || bail "no $1"
	for vf in "${vfs[@]}"; do
		bind_override "$vf" vfio-pci || bail "no $vf"
	done
	for _ in {1..5}; do
		vfio-wait "${vfs[@]}" || bail "vfio-wait failed"
	done | sort -k1,1 -k2,2n | awk '{ t[$1] = t[$1] " " $2 } END {
		for (w in t) { split(t[w], v); print w, v[1], v[3], v[5] }
	}' | sort >"/tmp/$1"
	for vf in "${vfs[@]}"; do
		bind_override "$vf" ""
	done
	unload_vfio_pci
}

measure intree
measure ours
join /tmp/intree /tmp/ours | awk '{
	printf "%s: in-tree %.1f (%.1f to %.1f), ours %.1f (%.1f to %.1f) ms; ratio %.3f\n",
		$1, $3, $2, $4, $6, $5, $7, $6 / $3
	if ($1 == "close") one = $3
	if ($1 == "close-all") all = $6
} END {
	printf "all 16 closed by ours, against one closed by the in-tree driver: %.3f\n", all / one
}' | tee "$OUT/bench.txt"
