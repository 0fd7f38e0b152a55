#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: timeout=240 usual=6.1,7.3
# append: iomem=relaxed
# qemu: -object memory-backend-ram,id=shm,size=64K
# qemu: -device pcie-root-port,id=rp19,bus=pcie.0,addr=0x19,chassis=25,x-speed=5
# qemu: -device ivshmem-plain,memdev=shm,bus=rp19
# Settings of a variant's own: as parameters, in quirks= and in sysfs, bound by itself and
# adopted; and the hooks for region info and mappings, with which it hides a part of a BAR.
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh

bdf=$(dev_bdf added) || bail "no ivshmem"
d=/sys/bus/pci/devices/$bdf
is "there is memory behind BAR 2" "$(id_of "$bdf") $(stat -c %s "$d/resource2")" "1af4 1110 65536"
params=/sys/module/vpv_hooks/parameters

# settings: what holds for the function.
settings()
{
	(cd "$d/vfio_pci_variant" && cat pages mappable beyond | xargs)
}

# param NAME VALUE: as root writes it.
param()
{
	echo "$2" >"$params/$1"
}

# refused NAME VALUE: EINVAL, one line, and what was there is there.
refused()
{
	local had

	had=$(cat "$params/$1")
	log_mark
	is "$1=$2: EINVAL" "$(LC_ALL=C param "$1" "$2" 2>&1 | grep -o "Invalid argument")" \
		"Invalid argument"
	is "$1=$2: one line says why" "$(log_since | grep -c "vpv_hooks.$1: .* refused: its value")" 1
	is "$1=$2: nothing was changed" "$(cat "$params/$1")" "$had"
}

# rebind [DRIVER]
rebind()
{
	bind_override "$bdf" "" && bind_override "$bdf" "${1:-vpv-hooks}"
}

quirks()
{
	echo "$1" >"/sys/module/${2:-vpv_hooks}/parameters/quirks"
}

area parameters
modprobe vfio_iommu_type1
is "modinfo knows them" "$(modinfo -p vpv-hooks | grep "^pages\|^mappable\|^beyond" | sort)" \
	"beyond:What a read of the others gives: \"zeros\", \"error\" (string)
mappable:They can be mapped (bool)
pages:Pages of the BAR that are shown, 1 to 16 (uint)"
log_mark
check "a bad value: the module is refused" fails modprobe vpv-hooks pages=17
is "one line says why" "$(log_since | grep -c 'vpv_hooks.pages: "17" refused: its value is out of')" 1
check "and it is not there" test ! -e /sys/module/vpv_hooks
check "it loads with some" modprobe vpv-hooks pages=0x3 mappable beyond=zeros
is "they are what was said" "$(cat $params/{pages,mappable,beyond} | xargs)" "3 Y zeros"
refused pages 0
refused pages 17
refused pages 4294967297
refused pages -1
refused pages ""
refused pages "3 4"
refused mappable maybe
refused mappable ""
refused beyond ones
refused beyond zero
refused beyond "zeros error"
check "a bool takes n" param mappable n
is "which is N" "$(cat $params/mappable)" N

area "one device"
check "it binds" bind_override "$bdf" vpv-hooks
is "sysfs shows them" "$(settings)" "3 0 zeros"
param pages 5
is "they are latched" "$(settings)" "3 0 zeros"
rebind
is "until it is bound again" "$(settings)" "5 0 zeros"
log_mark
quirks "1af4:1110:pages=7+mappable=on,$bdf:beyond=error"
is "a row that comes too late is told" \
	"$(log_since | grep -c "$bdf: vpv-hooks: bound before quirks= was written")" 1
is "it does not hold yet" "$(settings)" "5 0 zeros"
rebind
is "it holds when bound anew" "$(settings)" "7 1 error"
is "sysfs says where from" "$(cat "$d/vfio_pci_variant/quirks")" \
	"parameter pages=7+mappable=1 1af4:1110
parameter beyond=error $bdf"
log_mark
check "a write in other words" quirks "1af4:1110:mappable=True+pages=0x7,$bdf:beyond=error"
is "the same in other words is no change" "$(log_since | grep -c "bound before")" 0
quirks "$bdf:pages=7+no_mmap=0,8086:*:pages=1"
rebind
is "another's row does not hold, and a flag beside it does" \
	"$(settings) $(grep -c no_mmap=0 "$d/vfio_pci_variant/quirks")" "7 0 zeros 1"
for bad in pages pages= pages=0 pages=17 pages=a mappable=2 beyond beyond=ones strict=1 \
		adopts=1 "pages=1+page=1"; do
	check "quirks: $bad is refused" fails quirks "$bdf:$bad" 2>/dev/null
done
is "the row that was there still is" "$(cat $params/quirks)" "$bdf:pages=7+no_mmap=0,8086:*:pages=1"
quirks ""

area hooks
# size: of the BAR, as the user is told.
size()
{
	vfio-regs "$bdf" size
}

# in_memory AT: the four bytes there, in hex, beside VFIO.
in_memory()
{
	python3 -c 'if True:
		import mmap, sys
		with open(sys.argv[1], "r+b") as f:
			at = int(sys.argv[2], 16)
			print(mmap.mmap(f.fileno(), 65536)[at:at + 4][::-1].hex())' "$d/resource2" "$1"
}

param pages 16
param mappable 1
param beyond error
rebind
is "all of it" "$(size) $(vfio-regs "$bdf" maps)" "10000 all"
param pages 2
rebind
is "two pages: what the user is told" "$(size) $(vfio-regs "$bdf" areas)" "2000 all"
is "what can be mapped" "$(vfio-regs "$bdf" maps)" "0-2000"
is "what is read is the memory" "$(vfio-do "$bdf" region-write 4 2 1ffc 12345678 region 4 2 1ffc |
	tail -n 1) $(in_memory 1ffc)" "12345678 12345678"
is "nothing behind it is" "$(vfio-do "$bdf" region 4 2 2000)" "errno 22"
is "nor written" "$(vfio-do "$bdf" region-write 4 2 2000 0)" "errno 22"
is "the other BAR is as it was" "$(vfio-do "$bdf" mmap 0)" "mapped, info says yes"
case $VPV_K in
7.*) no_dmabuf="errno 22" ;;
*) no_dmabuf="errno 25" ;;
esac
is "it is not exported as dma-buf" "$(vfio-do "$bdf" dmabuf 2)" "$no_dmabuf"
quirks "$bdf:beyond=zeros"
rebind
is "zeros behind it for this device" "$(vfio-do "$bdf" region 4 2 2000)" 00000000
quirks "$bdf:mappable=0"
rebind
is "not mapped for this device" "$(vfio-do "$bdf" mmap 2)" "errno 22, info says no"
quirks "$bdf:no_mmap=2"
rebind
is "a quirk is above the hook" "$(vfio-do "$bdf" mmap 2)" "errno 22, info says no"
param own_maps 1
is "also where the hook maps by itself" "$(vfio-do "$bdf" mmap 2)" "errno 22, info says no"
quirks ""
rebind
is "which it does without the quirk" "$(vfio-do "$bdf" mmap 2)" "mapped, info says yes"
param own_maps 0
param error -71
is "an error of a hook is the user's" \
	"$(LC_ALL=C vfio-do "$bdf" mmap 2 2>&1 | grep -o "Protocol error")" "Protocol error"
param error 0
bind_override "$bdf" ""
check "it unloads" rmmod vpv_hooks
log_mark
modprobe vpv-hooks no_rw=1 pages=2
bind_override "$bdf" vpv-hooks
is "without rw the hooks still hold" "$(size) $(vfio-regs "$bdf" maps)" "2000 0-2000"
is "an access costs nothing then" "$(log_since | grep -c "vpv-hooks: read and write are the core's own")" 2

area adopted
bind_override "$bdf" ""
check "vfio-pci loads" load_ours
check "it takes the function" bind_override "$bdf" vfio-pci
is "it adopts the variant" "$(cat "$d/vfio_pci_variant/adopts")" vpv-hooks
is "whose settings are those of its module" "$(settings)" "2 1 error"
is "and hold" "$(size)" 2000
log_mark
quirks "$bdf:pages=4+no_mmap=0"
is "a row that comes too late is told" \
	"$(log_since | grep -c "$bdf: vpv-hooks: bound before quirks= was written")" 1
log_mark
rebind vfio-pci
is "of what does not hold one line says so" "$(log_since |
	grep -c "$bdf: vpv-hooks: quirks: flags for \"$bdf\" do not hold, as vfio-pci is bound")" 1
is "for one device they are set by the quirks of the same module" "$(settings)" "4 1 error"
log_mark
check "it is written again" quirks "$bdf:pages=0x4+no_mmap=0"
is "which is no change" "$(log_since | grep -c "bound before")" 0
is "nothing else of that holds" "$(vfio-do "$bdf" mmap 0)" "mapped, info says yes"
is "sysfs says so" "$(cat "$d/vfio_pci_variant/quirks")" "adopted-parameter pages=4 $bdf"
check "vfio-pci does not know such a setting" fails quirks "$bdf:pages=4" vfio_pci 2>/dev/null
echo 1 >/sys/module/vfio_pci/parameters/disable_adoption
rebind vfio-pci
check "not adopted: there is no such setting" test ! -e "$d/vfio_pci_variant/pages"
is "and all of the BAR" "$(size)" 10000
bind_override "$bdf" ""
check "the files are gone" test ! -e "$d/vfio_pci_variant"
check "all unload" rmmod vpv_hooks
is "the hook was asked about its own BAR only" "$(dmesg | grep -c "vpv-hooks: mmap of BAR")" 0
done_testing
