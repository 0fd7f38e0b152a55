# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Guest side of the tests: TAP and the handling of devices and drivers.
# Sourced by each test: set -u; . ./lib.sh; ...; done_testing

# Of an earlier boot, if there was one.
read -r tap_count tap_failed 2>/dev/null <"$OUT/tap.before" || tap_count=0 tap_failed=0
modules_dir=/lib/modules/$(uname -r)
export PATH=/vpv/selftests/bin:$PATH

# --- TAP ---------------------------------------------------------------

tap_area=

# area NAME: what the results that follow are about, if they don't begin with it anyway.
area()
{
	tap_area="$*: "
}

ok()
{
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $tap_area${*#"$tap_area"}"
}

not_ok()
{
	tap_count=$((tap_count + 1))
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_count - $tap_area${*#"$tap_area"}"
}

# skip DESC WHY
skip()
{
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $tap_area${1#"$tap_area"} # SKIP $2"
}

# check DESC CMD...: ok when CMD succeeds; its output is shown when it does not.
check()
{
	local desc=$1 out

	shift
	if out=$("$@" 2>&1); then
		ok "$desc"
	else
		not_ok "$desc"
		diag "failed: $*"
		[ -z "$out" ] || diag "$out"
		return 1
	fi
}

# is DESC GOT WANTED
is()
{
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1"
		diag "got '$2', wanted '$3'"
		return 1
	fi
}

# fails CMD...: for check, when failure is what is wanted.
fails()
{
	! "$@"
}

# as_printed PAGE COMMAND: what README.md or that page of Documentation tells to do works in
# these words; in the directory where the one before left off, or that "at" said. What it
# says is in /tmp/printed.
as_printed()
{
	check "$1: $2" do_as_printed "$1" "$2"
}

do_as_printed()
{
	rm -f /tmp/printed
	./printed "pages/$1" "$2" || return
	(
		cd "$(cat /tmp/printed.at)" || exit
		exec bash -c "trap 'pwd >/tmp/printed.at' EXIT; $2"
	) &>/tmp/printed || { cat /tmp/printed; return 1; }
}

# at DIR: for as_printed.
at()
{
	echo "$1" >/tmp/printed.at
}

diag()
{
	printf '%s\n' "$*" | sed 's/^/# /'
}

# tap_from CMD...: run a program that prints TAP of its own and take its
# lines over under our numbering.
tap_from()
{
	local line rc=0 n=0 planned=-1 out

	out=$("$@" 2>&1) || rc=$?
	while IFS= read -r line; do
		case $line in
		"ok "* | "not ok "*)
			n=$((n + 1))
			# "ok 3 - x" and "ok 3 x" both
			local text=${line#not } bad=
			[ "$text" = "$line" ] || bad=1
			text=$(sed -E 's/^ok [0-9]* ?(- )?//' <<<"$text")
			if [ -n "$bad" ]; then not_ok "$text"; else ok "$text"; fi
			;;
		1..*)
			planned=${line#1..}
			planned=${planned%% *}
			;;
		*)
			diag "$line"
			;;
		esac
	done <<<"$out"
	if [ "$n" != "$planned" ]; then
		not_ok "$1 printed $n results of $planned planned (exit $rc)"
	elif [ "$rc" != 0 ] && ! grep -q '^not ok' <<<"$out"; then
		not_ok "$1 exited with $rc"
	fi
}

bail()
{
	echo "Bail out! $*"
	exit 1
}

# reboot_vm: ends this boot. The test is run once more, and is_second_boot then.
reboot_vm()
{
	echo "$tap_count $tap_failed" >"$OUT/again"
	sync
	busybox reboot -f
	sleep 60
	bail "no reboot"
}

is_second_boot()
{
	[ -e "$OUT/tap.before" ]
}

# The plan comes last: a test that died before has none, which fails it.
done_testing()
{
	! is_watched || watched_to_the_end
	echo "1..$tap_count"
	[ "$tap_failed" = 0 ]
	exit
}

# --- the kernel log ----------------------------------------------------

log_marked=0

# log_mark, log_since: the kernel log since the mark, without times.
log_mark()
{
	log_marked=$(dmesg | wc -l)
}

log_since()
{
	dmesg | tail -n "+$((log_marked + 1))" | sed 's/^\[[^]]*\] //'
}

# --- memory ------------------------------------------------------------

# objects: those in use in each cache that kmalloc takes from, by its name. Without
# debugging what each CPU has at hand counts as in use. What is given to kfree_rcu()
# would stay for up to 5 s, but for who asks for memory.
objects()
{
	grep -q "slub_debug=F,kmalloc-" /proc/cmdline || {
		echo "to count objects a test needs: # append: slub_debug=F,kmalloc-*" >&2
		exit 1
	}
	sync
	for _ in 1 2; do
		echo 2 >/proc/sys/vm/drop_caches
		sleep 1
	done
	awk '/^kmalloc-/ { print $1, $2 }' /proc/slabinfo | sort
}

# most_grown BEFORE: the cache with the most objects more than in the file BEFORE,
# which objects wrote, and how many. Losing one of whatever size in each of N rounds
# makes one cache grow by N. What else comes and goes was 36 at most, however many
# rounds there were.
most_grown()
{
	objects | awk '
		NR == FNR { before[$1] = $2; next }
		$2 - before[$1] > most || !name { most = $2 - before[$1]; name = $1 }
		END { print name, most }' "$1" -
}

# kept MODULE: what code of this module, or our framework, allocated and nobody freed, by
# where that was, "COUNT WHERE" each.
kept()
{
	grep -q "slub_debug=FU,kmalloc-" /proc/cmdline || {
		echo "to see who allocated a test needs: # append: slub_debug=FU,kmalloc-*" >&2
		exit 1
	}
	awk -v RS= -v "of=\\\\[(${1//-/_}|vfio_pci_variant)\\\\]" '
		$0 ~ of {
			sub(/ (waste=[^ ]* )?age=[^ ]* pid=[^ \n]*( cpus=[^ \n]*)?( nodes=[^ \n]*)?/, "")
			count = $1; $1 = ""
			sum[$0] += count
		}
		END { for (where in sum) print sum[where] where }' \
		/sys/kernel/debug/slab/kmalloc-*/alloc_traces
	# What was mapped, or is of whole pages.
	grep -oE "phys=.*|[^ ]* \[${1//-/_}\]" /proc/vmallocinfo | sort | uniq -c
}

# keeps_no_more BEFORE MODULE: than in the file BEFORE, which kept wrote; fails with what
# that is. What RCU frees takes a moment.
keeps_no_more()
{
	local more

	for _ in {1..10}; do
		more=$(kept "$2" | awk '
			{ count = $1; $1 = "" }
			FILENAME == ARGV[1] { before[$0] = count; next }
			count > before[$0] { print count - before[$0] " more:" $0 }' "$1" -)
		[ -n "$more" ] || return 0
		sleep 1
	done
	head -n 5 <<<"$more"
	return 1
}

# --- waiting -----------------------------------------------------------

# wait_for SECONDS CMD...: until CMD succeeds; fails when it never did.
wait_for()
{
	local until=$((SECONDS + $1))

	shift
	while ! "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $until ] || return 1
		sleep 0.1
	done
}

# wait_exit SECONDS PID: until that child of the shell ends; its exit status.
wait_exit()
{
	local until=$((SECONDS + $1))

	while kill -0 "$2" 2>/dev/null; do
		[ $SECONDS -lt $until ] || return 124
		sleep 0.1
	done
	wait "$2"
}

# state PID: D, S, ...
state()
{
	sed 's/.*) //; s/ .*//' "/proc/$1/stat"
}

# never_in_d SECONDS PID...: looked at ten times a second; and none of them ends.
never_in_d()
{
	local until=$((SECONDS + $1)) pid

	shift
	while [ "$SECONDS" -lt "$until" ]; do
		for pid; do
			case $(state "$pid") in
			"" | Z) echo "$pid has given up"; return 1 ;;
			D) sleep 0.2 ;;
			*) continue ;;
			esac
			[ "$(state "$pid")" != D ] ||
				{ echo "$pid is in D state"; cat "/proc/$pid/stack"; return 1; }
		done
		sleep 0.1
	done
}

# --- devices -----------------------------------------------------------

# dev_bdf NAME: the address of a device of the test machine, found through the
# slot of its root port, so it does not depend on bus numbers; or NAME is an address.
dev_bdf()
{
	local slot d

	case $1 in
	nvme0) slot=10 ;;
	nvme1) slot=11 ;;
	e1000e0) slot=12 ;;
	e1000e1) slot=13 ;;
	igb0) slot=14 ;;
	virtio0) slot=15 ;;
	edu0) slot=16 ;;
	edu1) slot=17 ;;
	vga0) slot=18 ;;
	# What a test's "# qemu:" lines, or a variant's selftests/variant.conf, add:
	added) slot=19 ;;
	# In machines with "devices=vga":
	vga1) slot=02 ;;
	vga2) slot=0a ;;
	vga3) slot=0e ;;
	????:??:??.?)
		[ -e "/sys/bus/pci/devices/$1" ] && echo "$1"
		return
		;;
	*)
		echo "dev_bdf: no device $1" >&2
		return 1
		;;
	esac
	for d in /sys/bus/pci/devices/0000:00:"$slot".0/0000:??:00.0; do
		[ -e "$d" ] && echo "${d##*/}" && return
	done
	return 1
}

# driver_of BDF: the name of its driver, nothing when it has none.
driver_of()
{
	local link

	link=$(readlink "/sys/bus/pci/devices/$1/driver") || return 0
	echo "${link##*/}"
}

# group_of BDF: the number of its IOMMU group.
group_of()
{
	local link

	link=$(readlink "/sys/bus/pci/devices/$1/iommu_group") || return 1
	echo "${link##*/}"
}

# id_of BDF [SEP]: vendor and device ID, as in "8086 10d3".
id_of()
{
	local v d

	v=$(cat "/sys/bus/pci/devices/$1/vendor")
	d=$(cat "/sys/bus/pci/devices/$1/device")
	echo "${v#0x}${2:- }${d#0x}"
}

# unbind BDF: from whatever driver it has; fine when it has none.
unbind()
{
	[ -e "/sys/bus/pci/devices/$1/driver" ] || return 0
	echo "$1" >"/sys/bus/pci/devices/$1/driver/unbind"
}

# bind_override BDF DRIVER: the way driverctl does. Success is what sysfs
# shows afterwards. DRIVER "" undoes it.
bind_override()
{
	unbind "$1" || return 1
	# An empty write of echo is a newline, which clears the override.
	echo "$2" >"/sys/bus/pci/devices/$1/driver_override"
	# The write succeeds or not with the probe on some kernels only.
	echo "$1" >/sys/bus/pci/drivers_probe 2>/dev/null
	[ -z "$2" ] || [ "$(driver_of "$1")" = "$2" ]
}

# is_suspended BDF: nobody uses it and it may go to D3hot. Give it some time.
is_suspended()
{
	[ "$(cat "/sys/bus/pci/devices/$1/power/runtime_status")" = suspended ] &&
		[ "$(cat "/sys/bus/pci/devices/$1/power_state")" = D3hot ]
}

# is_in_d0 BDF: it is in use, or not to go to D3hot: there is a reference that keeps it
# from that, so that nobody has to wait and see.
is_in_d0()
{
	[[ "$(idle_state "$1")" = "D0 active "[1-9]* ]]
}

# idle_state BDF: what disable_idle_d3 decides while nobody uses the function: "D3hot
# suspended 0", or "D0 active 1" with the reference that keeps it there.
idle_state()
{
	local d=/sys/bus/pci/devices/$1 power status usage

	read -r power <"$d/power_state" && read -r status <"$d/power/runtime_status" &&
		read -r usage <"$d/power/runtime_usage" &&
		echo "$power $status $usage"
}

# --- PCIe errors -------------------------------------------------------

# recovered RESULT: the kernel says so of a recovery, since the mark.
recovered()
{
	log_since | grep -q "device recovery $1"
}

# aer BDF STATUS: the kernel's aer_inject reports an uncorrectable error as if it came from
# the hardware. STATUS is what Uncorrectable Error Status says then: 10, a Data Link
# Protocol Error, is fatal; 4000, a Completion Timeout, is not.
aer()
{
	local status

	printf -v status %04x "0x$2"
	# Bus, device, function and a gap; the status; correctable ones, header and domain.
	printf %b "\\x${1:5:2}\\x${1:8:2}\\x${1:11}\\0\\x${status:2}\\x${status::2}" \
		"$(printf '\\0%.0s' {1..26})" >/tmp/aer
	# All in one write; the shell's printf would end one at each 0a.
	cat /tmp/aer >/dev/aer_inject
}

# inject BDF STATUS RESULT: and wait for the end of the recovery.
inject()
{
	aer "$1" "$2" && wait_for 90 recovered "$3"
}

# --- calls in the kernel -----------------------------------------------

trace=/sys/kernel/tracing

# trace_calls PROBE...: note calls in $trace/trace from here on, until trace_no_more. A
# probe is what kprobe_events takes.
trace_calls()
{
	local probe

	for probe; do
		echo "$probe" >>$trace/kprobe_events || return
	done
	echo 1 >$trace/events/kprobes/enable
}

# trace_from_here: forget what was noted before.
trace_from_here()
{
	echo >$trace/trace
}

trace_no_more()
{
	echo 0 >$trace/events/kprobes/enable
	echo >$trace/kprobe_events
}

# --- locks, ports, VFs --------------------------------------------------

# port_of BDF: the port that it is behind.
port_of()
{
	basename "$(dirname "$(readlink -f "/sys/bus/pci/devices/$1")")"
}

# lock BDF, unlock: hold its device lock.
lock()
{
	modprobe fakefault "bdf=$1" what=lock
}

unlock()
{
	rmmod fakefault
}

# vfs_of PF NUMBER: the addresses of so many new ones, bound to our vfio-pci.
vfs_of()
{
	local d=/sys/bus/pci/devices/$1 i vf

	echo 0 >"$d/sriov_numvfs"
	[ ! -e "$d/sriov_drivers_autoprobe" ] || echo 0 >"$d/sriov_drivers_autoprobe"
	echo "$2" >"$d/sriov_numvfs" || return
	for ((i = 0; i < $2; i++)); do
		vf=$(basename "$(readlink "$d/virtfn$i")")
		bind_override "$vf" vfio-pci || return
		echo "$vf"
	done
}

# --- mediated devices --------------------------------------------------

new_uuid()
{
	cat /proc/sys/kernel/random/uuid
}

# mdev_type BDF: the directory of the one type that it has.
mdev_type()
{
	echo "/sys/bus/pci/devices/$1/mdev_supported_types/vfio-pci-mdev-function"
}

# mdev_create BDF UUID, mdev_remove UUID: what it fails with is on stderr.
mdev_create()
{
	echo "$2" >"$(mdev_type "$1")/create"
}

mdev_remove()
{
	echo 1 >"/sys/bus/mdev/devices/$1/remove"
}

# --- a user of functions -----------------------------------------------

# start_user: vfio-do, which does what "user COMMAND BDF" says until end_user.
start_user()
{
	# One that died is noticed by its missing answer.
	trap '' PIPE
	coproc vfio-do
	user_pid=$!
	# A subshell, as $(user ...), can't use those of a coproc.
	exec {user_out}<&"${COPROC[0]}" {user_in}>&"${COPROC[1]}"
	# shellcheck disable=SC1083
	exec {COPROC[0]}<&- {COPROC[1]}>&-
}

# user COMMAND BDF: its answer.
user()
{
	local answer

	echo "$*" >&"$user_in"
	read -r -t 60 -u "$user_out" answer || answer="no answer to $*"
	echo "$answer"
}

# end_user: closes what it has open; its exit status.
end_user()
{
	exec {user_in}>&- {user_out}<&-
	wait_exit 60 "$user_pid"
}

# --- modules -----------------------------------------------------------

# module_file NAME: the file in updates/ that modprobe takes, or fails.
module_file()
{
	local file

	file=$(modinfo -n "$1") || return 1
	case $file in
	"$modules_dir"/updates/* | */vfio/pci/variants/*) echo "$file" ;;
	*) echo "$1 is not ours: $file" >&2; return 1 ;;
	esac
}

# loaded_id NAME: the GNU build id note of the loaded module, in hex.
loaded_id()
{
	od -An -v -tx1 "/sys/module/${1//-/_}/notes/.note.gnu.build-id" |
		tr -d ' \n'
}

# file_id FILE: the same note out of a module's file.
file_id()
{
	local plain=$1

	case $1 in
	*.xz) plain=$(mktemp) && xz -dc "$1" >"$plain" ;;
	*.zst) plain=$(mktemp) && zstd -qdc "$1" >"$plain" ;;
	esac
	objcopy -O binary --only-section=.note.gnu.build-id \
		--set-section-flags .note.gnu.build-id=alloc "$plain" /tmp/note.$$ &&
		od -An -v -tx1 /tmp/note.$$ | tr -d ' \n'
	rm -f /tmp/note.$$
	[ "$plain" = "$1" ] || rm -f "$plain"
}

# load_variant NAME [PARAM=VALUE...]: one of ours, proven to be it by its build id. A
# kernel that can't load modules has it built in.
load_variant()
{
	local file

	if is_builtin; then
		[ $# = 1 ] && [ -e "/sys/bus/pci/drivers/$1" ]
		return
	fi
	file=$(module_file "$1") || return 1
	modprobe vfio_iommu_type1 && modprobe "$@" || return 1
	[ "$(loaded_id "$1")" = "$(file_id "$file")" ] ||
		{ echo "the loaded $1 is not $file" >&2; return 1; }
}

# load_ours, load_mdev [PARAM=VALUE...]
load_ours()
{
	load_variant vfio-pci "$@"
}

load_mdev()
{
	load_variant vfio-pci-mdev "$@"
}

# load_intree [PARAM=VALUE...]: the kernel's own vfio-pci.
load_intree()
{
	local file

	file=$(ls "$modules_dir"/kernel/drivers/vfio/pci/vfio-pci.ko*) || return 1
	modprobe vfio_iommu_type1 && modprobe vfio-pci-core || return 1
	insmod "$file" "$@" || return 1
	[ "$(loaded_id vfio-pci)" = "$(file_id "$file")" ]
}

# unload_vfio_pci: whichever is loaded, what ours adopts, and our framework.
unload_vfio_pci()
{
	local m

	! is_builtin || return 0
	for m in vfio_pci vfio_pci_mdev vfio_pci_igd vfio_pci_nvlink2 \
		vfio_pci_variant; do
		[ ! -e "/sys/module/$m" ] || rmmod "$m" || return 1
	done
}

# start_udev: for tests whose clients wait for it.
start_udev()
{
	local d=/usr/lib/systemd/systemd-udevd

	[ -x "$d" ] || d=/lib/systemd/systemd-udevd
	"$d" --daemon && udevadm trigger --action=add &&
		udevadm settle --timeout=60
}

# session CMD...: run it; what was typed and what came is for Documentation.
session()
{
	local rc=0

	echo "# $*" >>"$OUT/session.log"
	"$@" >/tmp/said 2>&1 || rc=$?
	cat /tmp/said >>"$OUT/session.log"
	cat /tmp/said
	return $rc
}

# start_libvirt [USER]: no systemd, no confinement: what is under test is the device.
# QEMU runs as root, or as USER, to whom libvirt gives files and devices.
start_libvirt()
{
	cat >>/etc/libvirt/qemu.conf <<-EOF
	security_driver = "none"
	user = "${1:-root}"
	group = "$(id -gn "${1:-root}")"
	dynamic_ownership = $(($# > 0))
	remember_owner = 0
	cgroup_controllers = [ ]
	namespaces = [ ]
	EOF
	mkdir -p /run/libvirt /dev/vfio
	# Static nodes are systemd's work; the module is not loaded yet.
	[ -e /dev/vfio/vfio ] || mknod /dev/vfio/vfio c 10 196
	virtlogd -d && libvirtd -d && wait_for 90 virsh -q list
}

# domain_of BDF SERIAL: for libvirt, a guest that boots from this function; its serial port is
# the file SERIAL.
domain_of()
{
	cat <<EOF
<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>bootsector</name>
  <memory unit='MiB'>64</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <features><acpi/></features>
  <on_crash>destroy</on_crash>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <controller type='usb' model='none'/>
    <serial type='file'><source path='$2'/></serial>
    <hostdev mode='subsystem' type='pci' managed='yes'>
      <source><address domain='0x0000' bus='0x${1:5:2}' slot='0x${1:8:2}' function='0x${1:11:1}'/></source>
      <boot order='1'/>
      <rom bar='off'/>
    </hostdev>
    <memballoon model='none'/>
  </devices>
  <qemu:commandline>
    <qemu:arg value='-device'/>
    <qemu:arg value='isa-debug-exit,iobase=0xf4,iosize=0x04'/>
  </qemu:commandline>
</domain>
EOF
}

# no_domain: libvirt knows of no running guest.
no_domain()
{
	[ -z "$(virsh -q list --name | tr -d '\n ')" ]
}

# make_bootsector SOURCE OUT: of a file in programs/, or at a path.
make_bootsector()
{
	local source=$1

	[[ $source = */* ]] || source=programs/$source
	as --32 -I programs -o /tmp/boot.o "$source" &&
		ld -m elf_i386 -Ttext 0x7c00 --oformat binary -o "$2" /tmp/boot.o &&
		[ "$(stat -c %s "$2")" = 512 ]
}

# --- kernels that watch themselves -----------------------------------------

is_builtin()
{
	[[ ${VPV_K:-} = *-builtin ]]
}

is_watched()
{
	is_builtin || [[ ${VPV_K:-} = *-debug ]]
}

if is_watched; then
	# shellcheck source=tools/testing/selftests/debug.inc
	. ./debug.inc
	watched_from_the_start
fi
