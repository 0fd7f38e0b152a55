#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: timeout=240 usual=6.12,7.3
# append: slub_debug=F,kmalloc-* iomem=relaxed
# qemu: -object memory-backend-ram,id=shm,size=64K
# qemu: -device pcie-root-port,id=rp19,bus=pcie.0,addr=0x19,chassis=25,x-speed=5
# qemu: -device ivshmem-plain,memdev=shm,bus=rp19
# Registers of a variant's table: accesses of every length and alignment at their borders,
# what is mapped around them, when their callbacks run; and how hooks reach registers.
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh

bdf=$(dev_bdf added) || bail "no ivshmem"
d=/sys/bus/pci/devices/$bdf
is "there is memory behind BAR 2" "$(id_of "$bdf") $(stat -c %s "$d/resource2")" "1af4 1110 65536"

modprobe vfio_iommu_type1
check "the test variant loads" modprobe vpv-regs
check "it takes the ivshmem" bind_override "$bdf" vpv-regs
for seed in 1 2 3; do
	tap_from vfio-regs "$bdf" fuzz 5000 $seed
done

area mappings
case $VPV_K in
6.*) areas=none ;;
*) areas="1000-3000 4000-f000" ;;
esac
is "what region info says" "$(vfio-regs "$bdf" areas)" "$areas"
is "what can be mapped" "$(vfio-regs "$bdf" maps)" "$areas"
[ "$areas" = none ] || areas=1000-2000
echo 0x2000 >/sys/module/vpv_regs/parameters/told
is "told a smaller size users are told of what is within" \
	"$(vfio-regs "$bdf" size) $(vfio-regs "$bdf" areas)" "2000 $areas"
echo 0x1000 >/sys/module/vpv_regs/parameters/told
is "or of nothing" "$(vfio-regs "$bdf" size) $(vfio-regs "$bdf" areas)" "1000 none"
echo 0 >/sys/module/vpv_regs/parameters/told
is "BAR 0 has none, and is mapped" "$(vfio-do "$bdf" mmap 0)" "mapped, info says yes"
case $VPV_K in
7.*) no_dmabuf="errno 22" ;;
*) no_dmabuf="errno 25" ;;
esac
is "it is not exported as dma-buf" "$(vfio-do "$bdf" dmabuf 2)" "$no_dmabuf"
is "there are no ioeventfds" "$(vfio-do "$bdf" ioeventfd 20000001000)" "errno 25"

area accesses
check "bound anew registers are what they were at first" bind_override "$bdf" vpv-regs
is "of nothing" "$(vfio-do "$bdf" region 0 2 10)" 0
is "beyond the end" "$(vfio-do "$bdf" region 4 2 10000)" "errno 22"
is "of a register, with memory on" "$(vfio-do "$bdf" region 4 2 10)" ffffffff
# Memory Enable of the user's COMMAND.
is "of a register, with memory off" \
	"$(vfio-do "$bdf" write 2 4 0 region 4 2 10 | tail -n 1)" "errno 5"
is "of memory, with memory off" \
	"$(vfio-do "$bdf" write 2 4 0 region 4 2 20 | tail -n 1)" "errno 5"
is "from before a register into it, with memory off" \
	"$(vfio-do "$bdf" write 2 4 0 region 4 2 e | tail -n 1)" "errno 5"
is "from before a register into it, with memory on again" \
	"$(vfio-do "$bdf" write 2 4 0 write 2 4 2 region 4 2 10 | tail -n 1)" ffffffff
echo -5 >/sys/module/vpv_regs/parameters/error
is "that a callback fails" "$(vfio-do "$bdf" region 4 2 10)" "errno 5"
is "that it fails behind other bytes: they are read" \
	"$(vfio-do "$bdf" region 4 2 e | wc -c)" 9
echo 129 >/sys/module/vpv_regs/parameters/error
is "that it fails with an accessor's code" "$(vfio-do "$bdf" region 4 2 10)" "errno 2"
echo -1 >/sys/module/vpv_regs/parameters/error
is "that it fails with EPERM" "$(vfio-do "$bdf" region 4 2 10)" "errno 1"
is "that a counter fails" "$(vfio-do "$bdf" region 4 9 0)" "errno 1"
echo 0 >/sys/module/vpv_regs/parameters/error

area hooks
# counter N: of the region; its low half
counter()
{
	vfio-do "$bdf" region 4 9 "$(printf %x $((8 * $1)))"
}

is "the region's size" "$(vfio-region "$bdf" list)" "80001af4 1 40 9"
is "a register is read" "$(vfio-do "$bdf" region 4 2 2008)" "$(counter 0)"
is "one beyond the BAR" "$(counter 1)" 00000016
is "one that is not aligned" "$(counter 2)" 00000016
is "one of 3 bytes" "$(counter 3)" 00000016
is "a BAR that was not named" "$(counter 4)" 00000016
is "8 bytes are written and read" \
	"$(vfio-do "$bdf" region 4 9 28 region 4 9 2c | xargs)" "55667788 11223344"
is "2 bytes" "$(counter 6)" 00007788
is "1 byte" "$(counter 7)" 00000088
is "which is what memory has" "$(vfio-do "$bdf" region 4 2 2000)" 55667788
is "counters at any offset" "$(vfio-do "$bdf" region 4 9 2a)" 33445566
is "over the end they are short" "$(vfio-do "$bdf" region 4 9 40)" "errno 22"
is "a register is not read while memory is off" \
	"$(vfio-do "$bdf" write 2 4 0 region 4 9 0 | tail -n 1)" "errno 5"
tap_from vfio-regs "$bdf" resets 50

# mappings: of BAR 2, in the kernel.
read -r bar2 _ < <(sed -n 3p "/sys/bus/pci/devices/$bdf/resource")
mappings()
{
	grep -c "phys=$bar2" /proc/vmallocinfo
}

area "100 rounds"
is "closed it is not mapped" "$(mappings)" 0
vfio-do "$bdf" hold >/tmp/hold &
holder=$!
check "a user opens it" wait_for 20 grep -q open /tmp/hold
# By the core as well, on some kernels.
check "then it is" test "$(mappings)" -ge 1
kill -TERM $holder
wait_exit 30 $holder
objects >/tmp/before
is "open and close" "$(vfio-region "$bdf" rounds 100)" "100 opened, 100 regions"
read -r cache grown < <(most_grown /tmp/before)
check "nothing is left ($cache: $grown)" test "$grown" -lt 70
is "no mapping is left" "$(mappings)" 0

area binding
# refuses FAULT MESSAGE
refuses()
{
	bind_override "$bdf" ""
	rmmod vpv_regs
	modprobe vpv-regs fault="$1"
	log_mark
	bind_override "$bdf" vpv-regs
	is "$1: not bound" "$(driver_of "$bdf")" ""
	is "$1: one log line says why" "$(log_since | grep -c "$bdf: vpv-regs: not bound: $2")" 1
}

refuses register "its register at 0x10000 is not in the memory of BAR 2"
refuses memory "BAR 1, which its hooks access, is no memory"
bind_override "$bdf" ""
rmmod vpv_regs
modprobe vpv-regs in_bar0=1
check "with a register in a BAR of one page it binds" bind_override "$bdf" vpv-regs
is "and that page is not mapped" "$(vfio-do "$bdf" mmap 0)" "errno 22, info says no"
is "but the other BAR is" "$(vfio-regs "$bdf" maps)" all
bind_override "$bdf" ""
rmmod vpv_regs
modprobe vpv-regs no_regs=1
check "without registers it binds" bind_override "$bdf" vpv-regs
is "and all of it is mapped" "$(vfio-regs "$bdf" maps)" all
is "hooks still reach memory" "$(counter 7)" 00000088

area "kept counters"
# keeps SHIFT: its counters are in its private data, so far from where they should be.
keeps()
{
	bind_override "$bdf" ""
	rmmod vpv_regs
	modprobe vpv-regs kept="$1"
	bind_override "$bdf" vpv-regs
}

keeps 0
is "the last one counts" "$(vfio-do "$bdf" region 4 9 38 region-write 4 2 10 0 region 4 9 38 |
	xargs)" "00000000 ok 00000001"
is "the next user finds 0" "$(counter 7)" 00000000
for shift in 8 -4; do
	keeps $shift
	log_mark
	check "$shift bytes from there it can't be opened" eval \
		"vfio-regs $bdf size 2>&1 | grep 'Invalid argument'"
	is "$shift bytes from there: one log line says why" \
		"$(log_since | grep -c "$bdf: vpv-regs: not opened: its counters are not in")" 1
done
bind_override "$bdf" ""
check "it unloads" rmmod vpv_regs
done_testing
