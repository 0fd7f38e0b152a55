#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: timeout=300 usual=6.12
# Binding a function to a generic variant has the specialised one loaded that it is
# for: whenever it is bound, once for each kind of function, and without a bind that
# hangs where modprobe does.
# Functions are called through others, which shellcheck does not see.
# shellcheck disable=SC2317
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh

edu=$(dev_bdf edu0) || bail "no edu0"
nvme=$(dev_bdf nvme0) || bail "no nvme0"
e1000e0=$(dev_bdf e1000e0) || bail "no e1000e0"
e1000e1=$(dev_bdf e1000e1) || bail "no e1000e1"
conf=/etc/modprobe.d/adoption-load.conf
alias=vfio_pci_variant:v1234dAD09sv1AF4sd1100bc00scFFi00

# A device that vpv-s3 is for.
modprobe idshim "bdf=$edu" vendor=0x1234 device=0xad09 || bail "no idshim"

# What the kernel asks modprobe for.
cat >/tmp/modprobe <<'EOF'
#!/bin/sh
echo "$3" >>/tmp/asked
exec /sbin/modprobe "$@"
EOF
chmod 755 /tmp/modprobe
touch /tmp/asked

use_modprobe()
{
	echo "$1" >/proc/sys/kernel/modprobe
}

# asked [BDF]: how often for a specialised variant, for that function's kind.
asked()
{
	local d=/sys/bus/pci/devices/${1:-} kind=

	[ $# = 0 ] || kind=v$(cut -c3- "$d/vendor")d$(cut -c3- "$d/device")sv
	grep -ci "^vfio_pci_variant:$kind" /tmp/asked
}

adopts()
{
	cat "/sys/bus/pci/devices/${1:-$edu}/vfio_pci_variant/adopts"
}

rebind()
{
	bind_override "$edu" vfio-pci
}

is_bound()
{
	[ "$(driver_of "$edu")" = vfio-pci ] && adopts >/dev/null
}

is_loaded()
{
	[ "$(cat "/sys/module/$1/initstate" 2>/dev/null)" = live ]
}

# loaded MODULE...: those of them that are.
loaded()
{
	local m

	for m; do
		[ ! -e "/sys/module/$m" ] || echo "$m"
	done
}

# said TEXT: how many lines of vfio-pci's have it, for that function, since the mark.
said()
{
	log_since | grep -c "$edu: vfio-pci: .*$1"
}

has_said()
{
	[ "$(said "$1")" = 1 ]
}

# Who waits for modprobe in vain says so.
in_vain()
{
	log_since | grep -c "vfio-pci: .*modprobe"
}

remove()
{
	unbind "$edu"
	[ ! -e /sys/module/vpv_s3 ] || rmmod vpv_s3
}

afresh()
{
	bind_override "$edu" ""
	remove
	unload_vfio_pci || bail "the modules do not unload"
	: >$conf
	log_mark
}

use_modprobe /tmp/modprobe

# --- bound later -----------------------------------------------------------------------
check "vfio-pci loads" load_ours
is "load: nothing that it may adopt comes with it" \
	"$(loaded vfio_pci_igd vfio_pci_nvlink2 vpv_s3)" ""
log_mark
check "bind: it binds" rebind
is "bind: the kernel asks by the framework's alias" "$(cat /tmp/asked)" "$alias"
check "bind: what the function is for is loaded" is_loaded vpv_s3
is "bind: and adopted" "$(adopts)" vpv-s3
is "bind: nothing else is loaded" "$(loaded vfio_pci_igd vfio_pci_nvlink2)" ""
rebind
is "bind: where it is loaded nobody asks" "$(asked)" 1
remove
rebind
is "bind: gone, it is loaded again" "$(adopts)" vpv-s3
is "bind: nobody waited in vain" "$(in_vain)" 0

# --- once for a kind -------------------------------------------------------------------
bind_override "$e1000e0" ""
bind_override "$e1000e1" ""
: >/tmp/asked
for f in "$nvme" "$nvme" "$e1000e0" "$e1000e1"; do
	check "nothing for it: ${f%:*} binds" bind_override "$f" vfio-pci
	is "nothing for it: ${f%:*} adopts nothing" "$(adopts "$f")" ""
done
is "nothing for it: asked once for a function bound twice" "$(asked "$nvme")" 1
is "nothing for it: asked once for two of a kind" "$(asked "$e1000e0")" 1
is "nothing for it: nobody waited in vain" "$(in_vain)" 0
modprobe vpv-s1
bind_override "$nvme" vfio-pci
is "nothing for it: asked again when another is loaded" "$(asked "$nvme")" 2
rmmod vpv_s1
bind_override "$nvme" vfio-pci
is "nothing for it: or has gone" "$(asked "$nvme")" 3
for f in "$nvme" "$e1000e0" "$e1000e1"; do
	bind_override "$f" ""
	unbind "$f"
done

# --- bound by the module's own init ------------------------------------------------------
afresh
echo vfio-pci >"/sys/bus/pci/devices/$edu/driver_override"
check "modprobe -i: vfio-pci loads" modprobe -i vfio-pci
is "modprobe -i: the function with its driver_override adopts" "$(adopts)" vpv-s3
is "modprobe -i: nobody waited in vain" "$(in_vain)" 0
afresh
check "ids=: vfio-pci loads" modprobe vfio-pci "ids=1234:ad09,$(id_of "$e1000e0" :)"
is "ids=: a function adopts" "$(adopts)" vpv-s3
is "ids=: one that nothing is for is bound" "$(driver_of "$e1000e0")" vfio-pci
is "ids=: nobody waited in vain" "$(in_vain)" 0
unbind "$e1000e0"
unbind "$e1000e1"

# --- by hand -----------------------------------------------------------------------------
afresh
echo "blacklist vpv-s3" >$conf
load_ours
rebind
is "blacklist: it is not loaded" "$(loaded vpv_s3),$(adopts)" ,
is "blacklist: nobody waited in vain" "$(in_vain)" 0
modprobe vpv-s3
is "loaded after the bind: the log says so" \
	"$(said "bound without vpv-s3, which was loaded too late")" 1
remove
echo 1 >/sys/module/vfio_pci/parameters/disable_adoption
: >$conf
: >/tmp/asked
log_mark
rebind
is "disable_adoption: nobody asks" "$(asked),$(loaded vpv_s3)" 0,
modprobe vpv-s3
is "disable_adoption: nor is it missed" "$(said "bound without")" 0

# --- asynchronous probes -------------------------------------------------------------------
afresh
echo vfio-pci >"/sys/bus/pci/devices/$edu/driver_override"
check "async_probe: vfio-pci loads" timeout 60 modprobe vfio-pci async_probe
check "async_probe: it binds" wait_for 30 is_bound
check "async_probe: what it could adopt is loaded" wait_for 30 is_loaded vpv_s3
is "async_probe: not waited for" "$(adopts)" ""
check "async_probe: the log says that it came too late" \
	wait_for 10 has_said "bound without vpv-s3, which was loaded too late"
rebind
is "async_probe: bound again it adopts" "$(adopts)" vpv-s3

# --- no modprobe ---------------------------------------------------------------------------
afresh
load_ours
for path in /nowhere/modprobe ""; do
	use_modprobe "$path"
	check "modprobe is '$path': it binds" rebind
	is "modprobe is '$path': nothing is adopted" "$(adopts)" ""
done
is "no modprobe: nobody waited in vain" "$(in_vain)" 0
use_modprobe /tmp/modprobe
rebind
is "no modprobe: that is not remembered" "$(adopts)" vpv-s3

# --- a modprobe that hangs -------------------------------------------------------------------
afresh
cat >$conf <<'EOF'
install vpv-s3 while [ ! -e /tmp/go ]; do sleep 0.2; done; modprobe --ignore-install vpv-s3
EOF
load_ours
: >/tmp/asked
unbind "$edu"
echo vfio-pci >"/sys/bus/pci/devices/$edu/driver_override"
bash -c "echo $edu >/sys/bus/pci/drivers_probe" &
binder=$!
wait_for 20 grep -q . /tmp/asked
kill -KILL $binder
wait_exit 20 $binder
is "hangs: who binds can be killed" $? 137
check "hangs: the function is bound" wait_for 10 is_bound
is "hangs: the log says who was killed" \
	"$(said "bound without a specialised variant: who bound it was killed")" 1
check "hangs: the next bind ends" rebind
is "hangs: it adopts nothing" "$(adopts)" ""
is "hangs: the log says why, and what to do" \
	"$(said "modprobe has been running for 10 s; .*unbind .*bind it again")" 1
check "hangs: so does the next" rebind
is "hangs: that one did not wait" "$(said "modprobe is still running")" 1
is "hangs: modprobe ran once" "$(asked)" 1
touch /tmp/go
check "hangs: it comes after all" wait_for 30 is_loaded vpv_s3
is "hangs: the log says so" \
	"$(said "bound without vpv-s3, which was loaded too late")" 1
check "hangs: then it is adopted" rebind
is "hangs: as ever" "$(adopts)" vpv-s3

# --- modules that wait for the function that is being bound -----------------------------------
afresh
echo "options vpv-s3 ids=1234:ad09" >$conf
check "its ids= name the function: vfio-pci loads" \
	timeout 60 modprobe vfio-pci ids=1234:ad09
is "its ids= name the function: it is adopted" "$(adopts)" vpv-s3
afresh
echo "options vpv-s3 how=device" >$conf
check "its table takes the function: vfio-pci loads" \
	timeout 60 modprobe vfio-pci ids=1234:ad09
check "its table takes the function: it is loaded" wait_for 30 is_loaded vpv_s3
is "its table takes the function: who was first has it" "$(driver_of "$edu")" vfio-pci
is "its table takes the function: the log says why it adopts nothing" \
	"$(adopts),$(said "modprobe has been running for 10 s"),$(said "loaded too late")" \
	,1,1

afresh
check "all unload" rmmod idshim
done_testing
