#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: mem=3G timeout=400 usual=6.12
# qemu: -device pcie-root-port,id=rp19,bus=pcie.0,addr=0x19,chassis=25,x-speed=5
# qemu: -device edu,bus=rp19,addr=0.0,multifunction=on
# qemu: -device e1000e,romfile=,bus=rp19,addr=0.1
# What lsvfio says is so: what it says yes of is bound and opened, what it says no of is not, or
# the host would lose what it named; the variant that it puts first is the one that libvirt 10
# and later takes, with several aliases, ties and rows for subsystems.
# Functions are called through others, which shellcheck does not see; no name has blanks.
# shellcheck disable=SC2317,SC2086
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh

# shellcheck source=tools/testing/selftests/clients/verdicts.inc
. ./clients/verdicts.inc

devices=/sys/bus/pci/devices
modprobe -a vfio_iommu_type1 vfio-pci nvme e1000e igb

# listed DEVICE: the start of its line, and its power state, which did not change meanwhile.
listed()
{
	local before

	for _ in {1..20}; do
		before=$(cat $devices/"$1"/power_state)
		line=$(lsvfio "$1" | awk 'NR == 2 { print $1, $2, $3, $4 }')
		state=$(cat $devices/"$1"/power_state)
		[ "$before" != "$state" ] || break
	done
}

area yes
# Of edu0 it says no: the variants for it are kept out of this machine, see "variants".
for name in nvme0 nvme1 e1000e0 igb0 virtio0 vga0; do
	bdf=$(dev_bdf $name)
	check "$name: it says so" verdict 0 "it can be passed" "$bdf"
	check "$name: it is bound and opened" passes "$bdf"
	check "$name: it says that vfio-pci has it" verdict 0 "yes  *driver: vfio-pci has it" "$bdf"
	listed "$bdf"
	is "$name: and lists it so" "$line" "$bdf $(group_of "$bdf") vfio-pci $state"
done
bdf=$(dev_bdf nvme0)
is "settings are those of sysfs" \
	"$(lsvfio --json "$bdf" | python3 -c 'import json, sys
s = json.load(sys.stdin)["functions"][0]["settings"]
print(*(k + "=" + s[k] for k in sorted(s) if k in ("variant", "disable_idle_d3", "standby")))')" \
	"disable_idle_d3=0 standby=off variant=vfio-pci"

mkdir -p /var/lib/prometheus/node-exporter
as_printed lsvfio.rst 'lsvfio --prometheus >/var/lib/prometheus/node-exporter/vfio.new && mv /var/lib/prometheus/node-exporter/vfio.new /var/lib/prometheus/node-exporter/vfio.prom'
check "Prometheus is told so" grep -qx "vfio_function_bound{address=\"$bdf\"} 1" \
	/var/lib/prometheus/node-exporter/vfio.prom

area no
start_user
is "open: a user has it" "$(user open "$bdf")" ok
check "open: it says by whom" verdict 1 "no  *in use: vfio-do ($user_pid) has it open" "$bdf"
check "open: and it can't be opened again" fails vfio-do "$bdf" read 4 0
end_user
check "closed: it says so" verdict 0 "it can be passed" "$bdf"
bind_override "$bdf" ''
echo "$bdf:deny" >/sys/module/vfio_pci/parameters/quirks
check "denied: it says by which row" verdict 1 "no  *denied: vfio-pci denies it: a row of its quirks=: $bdf:deny" "$bdf"
check "denied: it is not bound" fails passes "$bdf"
echo >/sys/module/vfio_pci/parameters/quirks
bridge=0000:00:10.0
check "a bridge: it says so" verdict 1 "no  *kind: it is a bridge" $bridge
check "a bridge: it is not bound" fails passes $bridge
bind_override $bridge ''
nic=$(dev_bdf e1000e1)
bind_override "$nic" e1000e
link=$(ls $devices/"$nic"/net)
check "a link that is down: it says yes" verdict 0 "the network interface $link is down" "$nic"
ip link set "$link" up
check "a link that is up: it says so" verdict 1 "no  *host's use: the network interface $link is up" "$nic"
bind_override "$nic" vfio-pci
check "a link that is up: and it would be gone" fails ip link show "$link"
bind_override "$nic" ''
first=$(echo $devices/0000:00:19.0/0000:??:00.0) first=${first##*/}
second=${first%.0}.1
bind_override "$second" e1000e
check "a group that the host has a part of: it says which" \
	verdict 1 "no  *group: .*: $second (e1000e)" "$first"
check "a group that the host has a part of: and it can't be opened" fails passes "$first"
unbind "$second"
check "a group that nobody else has: it says yes" verdict 0 "it can be passed" "$first"
check "a group that nobody else has: it is bound and opened" passes "$first"
bind_override "$first" ''
pf=$(dev_bdf igb0)
bind_override "$pf" igb
echo 1 >$devices/"$pf"/sriov_numvfs
vf=$(basename "$(readlink $devices/"$pf"/virtfn0)")
check "a PF with VFs: it says how many" verdict 1 "no  *VFs: it has 1 VFs" "$pf"
bind_override "$pf" vfio-pci
check "a PF with VFs: they go with its driver" test ! -e "$devices/$vf"
bind_override "$pf" ''
bind_override "$bdf" nvme
wait_for 20 test -e "$devices/$bdf/nvme"
find_disk()
{
	disk=$(basename "$devices/$bdf"/nvme/nvme*/nvme*n1)
	[ -b "/dev/$disk" ]
}
wait_for 20 find_disk
check "a disk that is not mounted: it says yes" verdict 0 "no mount, swap, RAID or process is seen" "$bdf"
mkfs.ext4 -q "/dev/$disk" && mkdir -p /tmp/mnt && mount "/dev/$disk" /tmp/mnt
check "a disk that is mounted: it says where" verdict 1 "no  *host's use: $disk is mounted on /tmp/mnt" "$bdf"
umount /tmp/mnt
bind_override "$bdf" ''

# Without a module: as a kernel that has none.
mkdir -p /tmp/{upper,work}
mount -t overlay overlay -o "lowerdir=$modules_dir,upperdir=/tmp/upper,workdir=/tmp/work" "$modules_dir"
rmmod vfio-pci
find "$modules_dir/" -name 'vfio-pci.ko*' -delete
depmod
check "no module: it says so" verdict 1 "no  *module: this kernel has no vfio-pci" "$bdf"
check "no module: there is none" fails modprobe vfio-pci
umount "$modules_dir"
modprobe vfio-pci

area plan
# plan PATTERN DEVICE: the lines of its plan that have that are run.
plan()
{
	local commands

	commands=$(lsvfio plan "$2" | grep -v '^#' | grep "$1") || return
	bash -e <<<"$commands" || { echo "$commands"; return 1; }
}
check "driverctl: its commands succeed" plan driverctl "$nic"
is "driverctl: it is bound" "$(driver_of "$nic")" vfio-pci
check "back: its command succeeds" plan driverctl "$nic"
is "back: it is not" "$(driver_of "$nic")" e1000e
check "sysfs: its commands succeed" plan '/sys/\|modprobe' "$nic"
is "sysfs: it is bound" "$(driver_of "$nic")" vfio-pci
bind_override "$nic" ''

area adoption
# adopted: what vfio-pci would adopt of that function, and what it then does.
adopted()
{
	local ahead

	ahead=$(lsvfio -v "$bdf" | awk '$1 == "would" { print $3 }')
	bind_override "$bdf" vfio-pci || return
	echo "$ahead,$(cat "$devices/$bdf/vfio_pci_variant/adopts")"
	bind_override "$bdf" ''
}
bdf=$(dev_bdf edu0)
echo "blacklist vfio-pci-edu" >/etc/modprobe.d/lsvfio.conf
is "a specialised variant that is on a blacklist" "$(adopted)" ,
rm /etc/modprobe.d/lsvfio.conf
sed -i.bak '/ vfio-pci-edu$/d' /etc/modprobe.d/variants.conf
# That there was none is remembered for a minute.
rmmod vfio-pci vfio-pci-variant
modprobe vfio-pci
is "one that is not loaded yet" "$(adopted)" vfio-pci-edu,vfio-pci-edu
is "one that is loaded" "$(adopted)" vfio-pci-edu,vfio-pci-edu
echo 1 >/sys/module/vfio_pci/parameters/disable_adoption
is "disable_adoption" "$(adopted)" ,
echo 0 >/sys/module/vfio_pci/parameters/disable_adoption
rmmod vfio-pci-edu
mv /etc/modprobe.d/variants.conf{.bak,}

area "mediated devices"
bdf=$(dev_bdf nvme1)
modprobe vfio-pci-mdev
bind_override "$bdf" vfio-pci-mdev
check "none yet: it says so" verdict 0 "note  *mediated device: .* there is none yet" "$bdf"
uuid=f0ff55d6-223f-45c4-a219-49a31cd95669
echo $uuid >$devices/"$bdf"/mdev_supported_types/vfio-pci-mdev-function/create
check "one: it says which" verdict 0 "yes  *mediated device: $uuid" "$bdf"
start_user
is "one: a user has it" "$(user open $uuid)" ok
check "one: it says by whom" verdict 1 "no  *in use: vfio-do ($user_pid) has it open" "$bdf"
end_user
echo 1 >$devices/"$bdf"/$uuid/remove
bind_override "$bdf" ''

area variants
if [ "$(virsh --version | cut -d. -f1)" -ge 10 ]; then
	check "udev starts" start_udev
	check "libvirtd answers" start_libvirt
	bdf=$(dev_bdf edu0)
	node=pci_$(tr ':.' '__' <<<"$bdf")
	check "a variant that is kept out: it says so" verdict 1 "no  *module: modprobe.d keeps vfio_pci_" "$bdf"
	check "a variant that is kept out: and libvirt can't" fails virsh -q nodedev-detach "$node"
	check "libvirt's command of a plan succeeds" plan virsh "$nic"
	is "it is bound" "$(driver_of "$nic")" vfio-pci
	virsh -q nodedev-reattach "pci_$(tr ':.' '__' <<<"$nic")"
	cp "$modules_dir/modules.alias" /tmp/before
	cp /tmp/before /tmp/alias
	mount --bind /tmp/alias "$modules_dir/modules.alias"
	while IFS='|' read -r what a b; do
		{
			grep -v '^alias vfio_pci:.*\(vpv\|edu\|smallest\)' /tmp/before
			printf 'alias vfio_pci:%s vpv_a\nalias vfio_pci:%s vpv_b\n' "$a" "$b"
		} >/tmp/alias
		first=$(lsvfio --json "$bdf" | python3 -c \
			'import json, sys; print(json.load(sys.stdin)["functions"][0]["variants"][0])')
		check "$what: libvirt takes one" virsh -q nodedev-detach "$node"
		is "$what: it is the one that lsvfio puts first" "$(driver_of "$bdf")" "$first"
		virsh -q nodedev-reattach "$node"
	done <<-'END'
		device before vendor|v00001234d000011E8sv*sd*bc*sc*i*|v00001234d*sv*sd*bc*sc*i*
		vendor before any|v*d*sv*sd*bc*sc*i*|v00001234d*sv*sd*bc*sc*i*
		subsystem before device|v00001234d000011E8sv*sd*bc*sc*i*|v00001234d000011E8sv00001AF4sd00001100bc*sc*i*
		of two the first|v00001234d000011E8sv*sd*bc*sc*i*|v00001234d000011E8sv*sd*bc*sc*i*
		class before vendor|v00001234d*sv*sd*bc*sc*i*|v00001234d*sv*sd*bc00sc*i*
		another device's|v00001234d000011E9sv*sd*bc00scFFi00|v00001234d*sv*sd*bc*sc*i*
	END
	umount "$modules_dir/modules.alias"
	check "libvirtd ends" pkill -x libvirtd
	wait_for 20 fails pgrep -x libvirtd
else
	diag "libvirt $(virsh --version) does not look for variants: only from 10 on"
fi
done_testing
