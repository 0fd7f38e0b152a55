# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Host side of the test bed: paths and small helpers, sourced by its scripts.

# The helpers are used by scripts that find them by sourcing this file.
# shellcheck disable=SC2034
vpv_testing=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
vpv_tree=$(cd "$vpv_testing/../.." && pwd -P)
vpv_vm=$vpv_testing/vm
vpv_cache=${VPV_CACHE:-/var/cache/vfio-pci-variants}
vpv_out=${VPV_OUT:-$vpv_tree/out}
# Variants in repositories of their own; those and the tree's, with tests in selftests/;
# the one that VARIANT names.
vpv_elsewhere=("$vpv_tree"/examples/*)
vpv_variant=
if [ -n "${VARIANT:-}" ]; then
	vpv_variant=$(realpath -e -- "$VARIANT") || exit
	case ${vpv_variant%/*} in
	"$vpv_tree/examples" | "$vpv_tree/variants") ;;
	*)
		for f in "$vpv_tree"/{examples,variants}/"${vpv_variant##*/}"; do
			[ ! -e "$f" ] || {
				echo "VARIANT: rename the folder, ${f#"$vpv_tree/"} has the same name" >&2
				exit 1
			}
		done
		vpv_elsewhere+=("$vpv_variant")
		;;
	esac
	[ -e "$vpv_variant/selftests/variant.conf" ] || {
		echo "VARIANT: it needs a file selftests/variant.conf, see examples/edu and Documentation/testing.rst" >&2
		exit 1
	}
fi
vpv_variants=("${vpv_elsewhere[@]}" "$vpv_tree"/variants/*)
vpv_keyring=/usr/share/keyrings/debian-archive-keyring.gpg
vpv_kernels="6.1 6.12 7.3"
# POWER9: 6.12, and a younger one, which is preemptible.
vpv_power="ppc64el ppc64el-7.2"
# The newest that Debian has, in sid and experimental.
vpv_next="unstable experimental"
# Compiled by mkkernel to watch themselves: with two variants built in, and with modules.
vpv_builtin="6.1-builtin 7.3-builtin"
vpv_debug="6.1-debug 7.3-debug"

# Everything that parses a tool's output wants it untranslated.
export LC_ALL=C.UTF-8

vpv_t0=${vpv_t0:-$SECONDS}

# say: progress for the person watching; stdout is left to TAP and results.
say()
{
	printf '== %s\n' "$*" >&2
}

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

need_root()
{
	[ "$(id -u)" = 0 ] || die "must be run as root"
}

# suite_of K: the Debian suite that serves kernel K's guests and builds.
suite_of()
{
	case $1 in
	6.1 | 6.1-builtin | 6.1-debug) echo bookworm ;;
	6.12 | 7.3 | 7.3-builtin | 7.3-debug | ppc64el | ppc64el-7.2) echo trixie ;;
	unstable | experimental) echo sid ;;
	*) die "unknown kernel '$1', known: $vpv_kernels $vpv_power $vpv_builtin $vpv_debug $vpv_next" ;;
	esac
}

# make_args K: what make has to be told to build for K.
make_args()
{
	case $1 in
	# Of BTF it has not got what it takes on another architecture.
	ppc64el*)
		echo "ARCH=powerpc CROSS_COMPILE=powerpc64le-linux-gnu-" \
			"CC=powerpc64le-linux-gnu-gcc-14 CONFIG_DEBUG_INFO_BTF_MODULES="
		;;
	# Of no use there but for its tests.
	*) echo "CONFIG_VFIO_PCI_VARIANT_NVLINK2=m" ;;
	esac
}

# selftests_dir K: the tests as its guests see them.
selftests_dir()
{
	case $1 in
	ppc64el*) echo "$vpv_out/ppc64el/selftests" ;;
	*) echo "$vpv_out/selftests" ;;
	esac
}

# site LABEL: where this machine's own apt gets Debian's packages from.
site()
{
	# apt expands these:
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(LABEL)|$(COMPONENT)|$(SITE)' |
		sed -n "/|cdrom:/d; /^$1|main|/ { s///p; q }"
}

# apt_proxy: and through which proxies, as options of apt.
apt_proxy()
{
	apt-config dump | grep -E '^Acquire::(http|https)::Proxy' || :
}

# debian_root SUITE DIR PACKAGES [OPTION...]: a Debian as debootstrap leaves it, with those
# and an apt that knows of main only, or of updates, too, if the first OPTION is "updates".
# The others are mmdebstrap's.
debian_root()
{
	local main security proxy mirrors suite=$1 root=$2 packages=$3

	shift 3
	main=$(site Debian)
	[ -n "$main" ] || die "no Debian archive in this machine's apt configuration"
	mirrors=("deb $main $suite main")
	if [ "${1:-}" = updates ]; then
		shift
		security=$(site Debian-Security)
		mirrors+=("deb $main $suite-updates main"
			"deb ${security:-${main%/}-security} $suite-security main")
	fi
	mapfile -t proxy < <(apt_proxy)
	rm -rf --one-file-system "$root"
	mkdir -p "${root%/*}"
	unshare -m --propagation private mmdebstrap --quiet --mode=root --variant=minbase \
		--keyring="$vpv_keyring" "${proxy[@]/#/--aptopt=}" --include="$packages" "$@" \
		"$suite" "$root" "${mirrors[@]}" >&2
}

# test_script TEST: its file, in whichever folder of selftests/ that is. "standard-NAME"
# are the standard checks, of the variant in a folder NAME.
test_script()
{
	local f

	if [[ $1 = standard-* ]]; then
		[ -z "$(variant_of "$1")" ] || echo "$vpv_testing/selftests/variant/standard.sh"
		return
	fi
	for f in "$vpv_testing"/selftests/{*/,}"$1.sh" "${vpv_variants[@]/%//selftests/$1.sh}"; do
		[ ! -e "$f" ] || { echo "$f"; return; }
	done
	die "no test $1"
}

# variant_of TEST: the folder of the variant that it is a test of, if of one.
variant_of()
{
	local v

	for v in "${vpv_variants[@]}"; do
		[ "$1" != "standard-${v##*/}" ] && [ ! -e "$v/selftests/$1.sh" ] || { echo "$v"; return; }
	done
	[[ $1 != standard-* ]] || die "no variant ${1#standard-}"
}

# head_of TEST: the lines in which it says what it needs. For the standard checks those
# of the variant come first.
head_of()
{
	[[ $1 != standard-* ]] || head -n 15 "$(variant_of "$1")/selftests/variant.conf"
	head -n 15 "$(test_script "$1")"
}

# asks TEST KEY DEFAULT: what it says of KEY in its "# vm:" line.
asks()
{
	local value

	value=$(head_of "$1" | sed -n "s/^# vm:.*[ ]$2=\([^ ]*\).*/\1/p" | head -n 1)
	echo "${value:-$3}"
}

# kernels_for TEST: those that the test is for.
kernels_for()
{
	asks "$1" kernels "${vpv_kernels// /,}" | tr ',' ' '
}

# usual_kernels_for TEST: those that "make test" runs it on.
usual_kernels_for()
{
	local usual

	usual=$(asks "$1" usual "")
	if [ -n "$usual" ]; then
		tr ',' ' ' <<<"$usual"
	else
		kernels_for "$1"
	fi
}

# root_dir SUITE: the root that mkroot made last.
root_dir()
{
	local link=$vpv_cache/roots/$1

	# Who makes one, or adds to one, holds this.
	[ -e "$link/vpv-root" ] || [ ! -e "$link.lock" ] || flock "$link.lock" true
	[ -e "$link/vpv-root" ] ||
		die "no root for $1 yet; run tools/testing/vm/mkroot $1"
	readlink -f "$link"
}

# kver_of K: the full kernel version of Debian's K, as in /lib/modules.
kver_of()
{
	local suite root kver

	suite=$(suite_of "$1")
	root=$(root_dir "$suite")
	kver=$(sed -n "s/^$1 //p" "$root/vpv-root")
	[ -n "$kver" ] ||
		die "no kernel $1 in the $suite root; run tools/testing/vm/mkroot $suite rest foreign"
	echo "$kver"
}

# What a build makes, as arguments of rsync: neither copied nor removed.
vpv_unbuilt=(--exclude='*.o' --exclude='*.ko' --exclude='*.mod' --exclude='*.mod.c'
	--exclude='*.cmd' --exclude=modules.order --exclude=Module.symvers)

# copy_tree DIR: bring DIR up to date with the tree and print what changed. By
# content and without times, so that only what changed is built again, and all of
# it: a source may be older than what was built from another one. Of tools/testing
# only the fixtures are built.
copy_tree()
{
	mkdir -p "$1"
	rsync -rlpi --checksum --delete --exclude=/out --exclude=/.git "${vpv_unbuilt[@]}" \
		--exclude=/Documentation --exclude=/debian --exclude=/examples/edu/selftests \
		--exclude='/variants/*/selftests' --include='/tools/testing/fixtures/***' \
		--exclude='/tools/testing/*' "$vpv_tree/" "$1/"
}

# contained CMD...: run CMD in mount and PID namespaces of its own. When their first
# process is killed the kernel takes every other process and mount of theirs along, so
# an interrupted run leaves neither, wherever it was.
contained()
{
	local rc=0

	vpv_contained=
	trap '[ -z "$vpv_contained" ] || kill -KILL "$vpv_contained" 2>/dev/null
		echo "interrupted" >&2; exit 130' INT TERM HUP
	setpriv --pdeathsig KILL unshare --mount --propagation private \
		--pid --fork --kill-child --mount-proc "$@" &
	vpv_contained=$!
	wait $vpv_contained || rc=$?
	return $rc
}

# jobs_at_once: how many guests run side by side, VPV_JOBS or what cores and memory
# are enough for: half of its time a guest waits; the largest has 4 GB, and QEMU needs some
# itself. What a container may have of them only its cgroup knows.
jobs_at_once()
{
	local jobs memory limit period

	jobs=$(nproc)
	read -r limit period < <(cat /sys/fs/cgroup/cpu.max 2>/dev/null || :) || limit=max
	[ "$limit" = max ] || [ $((limit / period)) -ge "$jobs" ] || jobs=$((limit / period))
	jobs=$((jobs + jobs / 2))
	memory=$(awk '/^MemAvailable:/ { printf "%.0f", $2 * 1024 }' /proc/meminfo)
	read -r limit < <(cat /sys/fs/cgroup/memory.max 2>/dev/null || :) || limit=max
	[ "$limit" = max ] || [ "$limit" -ge "$memory" ] || memory=$limit
	memory=$((memory * 2 / (9 << 30)))
	[ "$memory" -ge "$jobs" ] || jobs=$memory
	echo "${VPV_JOBS:-$((jobs < 1 ? 1 : jobs))}"
}

# No script ends without a word.
gave_up()
{
	printf '%s, line %s: "%s" ended with %s\n' "${2##*/}" "$3" "${4%%$'\n'*}" "$1" >&2
}
set -E
trap 'gave_up $? "${BASH_SOURCE[0]}" "$LINENO" "$BASH_COMMAND"' ERR

# elapsed: seconds since the script started, for progress lines.
elapsed()
{
	echo $((SECONDS - vpv_t0))
}
