#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: mem=3G timeout=400 usual=7.3
# qemu: -device pcie-root-port,id=rp19,bus=pcie.0,addr=0x19,chassis=25,x-speed=5
# qemu: -device e1000e,bus=rp19,addr=0.0,multifunction=on,romfile=
# qemu: -device e1000e,bus=rp19,addr=0.1,romfile=
# QEMU's own way to an mdev, sysfsdev=, with each QEMU that there is; and functions
# that are reset together: what the kernel allows with mdevs is what it allows with
# vfio-pci, and what QEMU makes of it.
# Functions are called through others, which shellcheck does not see.
# shellcheck disable=SC2317
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh
# shellcheck source=tools/testing/selftests/nested.inc
. ./nested.inc

nvme=$(dev_bdf nvme0) || bail "no nvme0"
f0=$(basename /sys/bus/pci/devices/0000:00:19.0/0000:*.0)
f1=${f0%.0}.1
case $VPV_K in
6.1) versions="7.2" ;;
*) versions="10.0 11.1" ;;
esac
mdevs=/sys/bus/mdev/devices
a=$(new_uuid) b=$(new_uuid) disk=$(new_uuid)

# hot_resets: what QEMU says of them, with the functions' names in this test.
hot_resets()
{
	sed -n "s/$a/f0/g; s/$b/f1/g; s/$f0/f0/g; s/$f1/f1/g
		/^vfio_pci_hot_reset/p; /^plugging/p" /tmp/qemu.log
}

# results FILE: of each that it tried, "FUNCTION one|multi RESULT".
results()
{
	sed -n 's/^vfio_pci_hot_reset *(\(f.\)) *\(one\|multi\)/, \1 \2/p
		s/^vfio_pci_hot_reset_result f. hot reset:/ /p' "$1" |
		tr -d '\n' | sed 's/  */ /g; s/^, //'
}

# plug QEMU DEVICE OTHER: a guest has one device and gets the other one later. It never
# runs: what counts is QEMU.
plug()
{
	local data

	read -ra data < <(data_of "$1")
	rm -f /tmp/monitor
	# What it writes is what is waited for.
	# shellcheck disable=SC2094
	{
		# It answers when the machine is made and was reset.
		echo "info status"
		wait_for 30 grep -q "VM status" /tmp/monitor
		echo "plugging" >&2
		echo "device_add driver=$3,id=other,bus=port1"
		echo "info qtree"
		echo quit
	} 2>>/tmp/qemu.log | timeout -k 5 90 "$1" "${data[@]}" -S -nodefaults \
		-no-user-config -display none -M q35 -accel tcg -m 64 -vga none \
		-monitor stdio -trace 'vfio_pci_hot_reset*' \
		-device pcie-root-port,id=port0,chassis=1 \
		-device pcie-root-port,id=port1,chassis=2 \
		-device "$2,bus=port0" >/tmp/monitor 2>>/tmp/qemu.log
}

plugged()
{
	cat /tmp/monitor /tmp/qemu.log
	grep -q 'dev: vfio-pci, id "other"' /tmp/monitor
}

check "there are two functions" test -e "/sys/bus/pci/devices/$f1"
is "in one group" "$(group_of "$f0")" "$(group_of "$f1")"

area "hot reset"
# scenario NAME DRIVER0 DRIVER1 ARGS: what vfio-hot says, with names that are the same
# for all drivers. f0, f1 in ARGS stand for what opens the functions.
scenario()
{
	local name0=$f0 name1=$f1 word args=()

	bind_override "$f0" "$2"
	bind_override "$f1" "$3"
	if [ "$2" = vfio-pci-mdev ]; then
		mdev_create "$f0" "$a"
		name0=$a
	fi
	if [ "$3" = vfio-pci-mdev ] && [[ $4 = *f1* ]]; then
		mdev_create "$f1" "$b"
		name1=$b
	fi
	for word in $4; do
		# A UUID may have an f0 or f1 in it, too.
		case $word in
		*f0)	args+=("${word/f0/$name0}") ;;
		*)	args+=("${word/f1/$name1}") ;;
		esac
	done
	vfio-hot "${args[@]}" 2>&1 | sed "s/^$name0:/f0:/; s/^$name1:/f1:/" >"/tmp/$1"
	diag "$1: $(paste -sd ' ' "/tmp/$1")"
	bind_override "$f0" ""
	bind_override "$f1" ""
}

check "our vfio-pci loads" load_ours
check "vfio-pci-mdev loads" load_mdev

scenario both.pci vfio-pci vfio-pci "f0 f1"
is "vfio-pci, both open: both are reset" "$(tail -n 3 /tmp/both.pci | paste -sd ' ')" \
	"hot reset: errno 0 f0: reset f1: reset"
check "vfio-pci: it takes the group" \
	grep -qx "hot reset by nobody: errno 22" /tmp/both.pci
scenario both.mdev vfio-pci-mdev vfio-pci-mdev "f0 f1"
check "two mdevs, both open: the same" diff /tmp/both.pci /tmp/both.mdev
scenario both.mixed vfio-pci-mdev vfio-pci "f0 f1"
check "an mdev and vfio-pci, both open: the same" diff /tmp/both.pci /tmp/both.mixed

scenario one.pci vfio-pci vfio-pci "f0"
is "vfio-pci, one open: it is reset" "$(tail -n 2 /tmp/one.pci | paste -sd ' ')" \
	"hot reset: errno 0 f0: reset"
scenario one.mdev vfio-pci-mdev vfio-pci-mdev "f0"
check "one mdev, its sibling has none: the same" diff /tmp/one.pci /tmp/one.mdev
scenario idle.mdev vfio-pci-mdev vfio-pci-mdev "f0 -f1"
check "two mdevs, one open: the same" diff /tmp/one.pci /tmp/idle.mdev

scenario none.pci vfio-pci "" "f0"
check "vfio-pci, the sibling has no driver: no reset" \
	grep -q "hot reset: errno [1-9]" /tmp/none.pci
scenario none.mdev vfio-pci-mdev "" "f0"
check "an mdev, the sibling has no driver: the same" diff /tmp/none.pci /tmp/none.mdev

area QEMU
bind_override "$nvme" vfio-pci-mdev
mdev_create "$nvme" "$disk"
disk_device="vfio-pci,sysfsdev=$mdevs/$disk,bootindex=1"
for version in $versions; do
	qemu=/usr/bin/qemu-system-x86_64
	[ "$version" != 11.1 ] || qemu=/opt/backports$qemu
	check "QEMU $version is there" eval "$qemu --version | grep -q 'version $version\.'"
	check "QEMU $version: the image is filled" fill_image
	check "QEMU $version: boots from an mdev" boots "$qemu" -device "$disk_device"
	check "QEMU $version: what it wrote is in the image" is_inverted

	# --- and functions that are reset together ------------------------------------
	for by in vfio-pci vfio-pci-mdev; do
		bind_override "$f0" $by
		bind_override "$f1" $by
		if [ $by = vfio-pci-mdev ]; then
			mdev_create "$f0" "$a" && mdev_create "$f1" "$b"
			devices=("vfio-pci,sysfsdev=$mdevs/$a" "vfio-pci,sysfsdev=$mdevs/$b")
		else
			devices=("vfio-pci,host=$f0" "vfio-pci,host=$f1")
		fi
		check "QEMU $version: the image is filled" fill_image
		check "QEMU $version, $by: boots with both functions" \
			boots "$qemu" -device "$disk_device" -trace 'vfio_pci_hot_reset*' \
			-device "${devices[0]},addr=8.0,multifunction=on" \
			-device "${devices[1]},addr=8.1"
		check "QEMU $version, $by: what it wrote is in the image" is_inverted
		hot_resets >"/tmp/both.$by"
		check "QEMU $version, $by: boots with one of them" \
			boots "$qemu" -device "$disk_device" -trace 'vfio_pci_hot_reset*' \
			-device "${devices[0]}"
		hot_resets >"/tmp/one.$by"
		: >/tmp/qemu.log
		plug "$qemu" "${devices[0]}" "${devices[1]}"
		check "QEMU $version, $by: the second one is plugged in later" plugged
		hot_resets | sed '0,/plugging/d' >"/tmp/plugged.$by"
	done
	# It knows functions by address, to find all that are reset together: then it
	# makes them ready, resets them once, and resets none while it has another one.
	is "QEMU $version, vfio-pci: both are reset together, once" \
		"$(results /tmp/both.vfio-pci)" "f1 multi Success, f1 one, f0 one"
	# Mdevs have no address: it takes each for a function of its own.
	is "QEMU $version, vfio-pci-mdev: each is reset, which resets the other" \
		"$(results /tmp/both.vfio-pci-mdev)" \
		"f1 multi, f0 multi, f1 one Success, f0 one Success"
	is "QEMU $version, vfio-pci: plugged in later, it is not reset" \
		"$(results /tmp/plugged.vfio-pci)" "f1 one"
	is "QEMU $version, vfio-pci-mdev: it is, and the other one under its feet" \
		"$(results /tmp/plugged.vfio-pci-mdev)" "f1 one Success"
	for by in vfio-pci vfio-pci-mdev; do
		is "QEMU $version, $by: one alone is reset" \
			"$(results /tmp/one.$by)" "f0 multi, f0 one Success"
	done
	bind_override "$f0" ""
	bind_override "$f1" ""
done
mdev_remove "$disk"
bind_override "$nvme" ""
check "the modules unload" unload_vfio_pci
done_testing
