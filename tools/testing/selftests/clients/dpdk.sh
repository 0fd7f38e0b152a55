#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: timeout=180 usual=7.3
# DPDK's testpmd drives two e1000e that hang on one hub: what one sends the
# other receives and sends back. Its packet counters are the judge; its exit
# status says nothing.
# Functions are called through others, which shellcheck does not see.
# shellcheck disable=SC2317
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh

a=$(dev_bdf e1000e0) || bail "no e1000e0"
b=$(dev_bdf e1000e1) || bail "no e1000e1"
seconds=5
enough=1000

check "our vfio-pci loads" load_ours
for bdf in "$a" "$b"; do
	check "$bdf binds" bind_override "$bdf" vfio-pci
done

echo 96 >/proc/sys/vm/nr_hugepages
check "there are hugepages" test "$(cat /proc/sys/vm/nr_hugepages)" -ge 96
mkdir -p /dev/hugepages
mount -t hugetlbfs hugetlbfs /dev/hugepages || bail "no hugetlbfs"

# said WORDS: testpmd printed that by now.
said()
{
	grep -q "$1" "$OUT/testpmd.log"
}

# counter PORT NAME: from the statistics that it printed last.
counter()
{
	awk -v port="$1" -v name="$2" '
	/NIC statistics for port/ {
		for (i = 1; i < NF; i++)
			if ($i == "port")
				now = $(i + 1)
	}
	now == port {
		for (i = 1; i < NF; i++)
			if ($i == name)
				value = $(i + 1)
	}
	END { print value + 0 }' "$OUT/testpmd.log"
}

mkfifo /tmp/testpmd.in
: >"$OUT/testpmd.log"
# Unbuffered: what it says is waited for.
stdbuf -o0 timeout -k 5 120 "$(type -P dpdk-testpmd || echo testpmd)" \
	--lcores '(0,1)@0' -n 1 -m 128 --no-telemetry -a "$a" -a "$b" -- \
	-i --total-num-mbufs=4096 --rxd=256 --txd=256 --nb-cores=1 \
	</tmp/testpmd.in >"$OUT/testpmd.log" 2>&1 &
pmd=$!
exec 3>/tmp/testpmd.in
check "testpmd starts" wait_for 60 said "testpmd> "
check "it has port 0" said "Port 0: 52:54:00:00:00:1[23]"
check "it has port 1" said "Port 1: 52:54:00:00:00:1[23]"
echo "set fwd io" >&3
echo "start tx_first" >&3
sleep $seconds
echo "stop" >&3
echo "show port stats all" >&3
check "it stops forwarding" wait_for 20 said "NIC statistics for port 1"
sleep 1
echo "quit" >&3
exec 3>&-
check "it ends" wait_for 30 test ! -e "/proc/$pmd/exe"
kill -KILL $pmd 2>/dev/null
wait $pmd

for port in 0 1; do
	for name in RX-packets: TX-packets:; do
		value=$(counter $port $name)
		check "port $port: $name $value, at least $enough" \
			test "$value" -ge $enough
	done
	is "port $port: no errors received" "$(counter $port RX-errors:)" 0
	is "port $port: no errors sent" "$(counter $port TX-errors:)" 0
done

bind_override "$a" ""
bind_override "$b" ""
check "the modules unload" unload_vfio_pci
done_testing
