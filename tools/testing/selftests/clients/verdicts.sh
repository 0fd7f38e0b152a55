#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: mem=3G timeout=400 usual=6.12
# What lsvfio says is so: what it says yes of is bound and opened, what it says no of is not, or
# the host would lose what it named; the variant that it puts first is the one that libvirt 10
# and later takes, with several aliases, ties and rows for subsystems.
# Functions are called through others, which shellcheck does not see; no name has blanks.
# shellcheck disable=SC2317,SC2086
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh

devices=/sys/bus/pci/devices
mkdir -p /tmp/tree/tools
cp -r lsvfio /tmp/tree/tools/
mv /tmp/tree/tools/lsvfio/VERSION /tmp/tree
check "it is built" make -s -C /tmp/tree/tools/lsvfio
PATH=/tmp/tree/tools/lsvfio:$PATH
modprobe -a vfio_iommu_type1 vfio-pci nvme e1000e

# passes DEVICE: bound to vfio-pci, it can be opened.
passes()
{
	bind_override "$1" vfio-pci && vfio-do "$1" read 4 0
}

# verdict STATUS TEXT DEVICE
verdict()
{
	local said rc=0

	said=$(lsvfio why "$3") || rc=$?
	[ $rc = "$1" ] && grep -q -- "$2" <<<"$said" || { echo "status $rc"; echo "$said"; return 1; }
}

area yes
for name in nvme0 nvme1 e1000e0 igb0 virtio0 edu0 vga0; do
	bdf=$(dev_bdf $name)
	check "$name: it says so" verdict 0 "it can be passed" "$bdf"
	check "$name: it is bound and opened" passes "$bdf"
	check "$name: it says that vfio-pci has it" verdict 0 "yes  *driver: vfio-pci has it" "$bdf"
	is "$name: and lists it so" "$(lsvfio "$bdf" | awk 'NR == 2 { print $1, $2, $3, $4 }')" \
		"$bdf $(group_of "$bdf") vfio-pci $(cat $devices/"$bdf"/power_state)"
done
bdf=$(dev_bdf nvme0)
is "settings are those of sysfs" \
	"$(lsvfio --json "$bdf" | python3 -c 'import json, sys
s = json.load(sys.stdin)["functions"][0]["settings"]
print(*(k + "=" + s[k] for k in sorted(s) if k in ("variant", "disable_idle_d3", "standby")))')" \
	"disable_idle_d3=0 standby=off variant=vfio-pci"

area no
start_user
is "open: a user has it" "$(user open "$bdf")" ok
check "open: it says by whom" verdict 1 "no  *in use: vfio-do ($user_pid) has it open" "$bdf"
check "open: and it can't be opened again" fails vfio-do "$bdf" read 4 0
end_user
check "closed: it says so" verdict 0 "it can be passed" "$bdf"
bind_override "$bdf" ''
echo "$bdf:deny" >/sys/module/vfio_pci/parameters/quirks
check "denied: it says by which row" verdict 1 "no  *denied: a row .*$bdf:deny" "$bdf"
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
ip link set "$link" down
bind_override "$bdf" nvme
wait_for 20 test -e "$devices/$bdf/nvme"
find_disk()
{
	disk=$(basename "$devices/$bdf"/nvme/nvme*/nvme*n1)
	[ -b "/dev/$disk" ]
}
wait_for 20 find_disk
check "a disk that is not mounted: it says yes" verdict 0 "nothing uses $disk" "$bdf"
mkfs.ext4 -q "/dev/$disk" && mkdir -p /tmp/mnt && mount "/dev/$disk" /tmp/mnt
check "a disk that is mounted: it says where" verdict 1 "no  *host's use: $disk is mounted on /tmp/mnt" "$bdf"
umount /tmp/mnt
bind_override "$bdf" ''

area variants
if [ "$(virsh --version | cut -d. -f1)" -ge 10 ]; then
	check "udev starts" start_udev
	check "libvirtd answers" start_libvirt
	bdf=$(dev_bdf edu0)
	node=pci_$(tr ':.' '__' <<<"$bdf")
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
