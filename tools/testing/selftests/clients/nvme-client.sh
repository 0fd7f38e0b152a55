#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: timeout=120 usual=6.1
# QEMU's user-space NVMe driver, a real client of VFIO: DMA in both directions
# and MSI-X. What it wrote is judged by the host, in the image itself.
# Functions are called through others, which shellcheck does not see.
# shellcheck disable=SC2317
set -u
# shellcheck source=tools/testing/selftests/lib.sh
. ./lib.sh

bdf=$(dev_bdf nvme0) || bail "no nvme0"

# Chosen anew in every run, so that no leftover can be mistaken for it; the
# host gets the numbers through the share.
pattern=$((RANDOM % 255 + 1))
offset=$(((RANDOM % 32 + 1) * 1048576))
size=65536
echo "$pattern $offset $size" >"$OUT/pattern"

# io CMD...: bounded, because a client whose interrupt never comes waits
# for ever.
io()
{
	local args=() c

	for c in "$@"; do
		args+=(-c "$c")
	done
	timeout -k 5 40 qemu-io -f raw "${args[@]}" "nvme://$bdf/1" 2>&1
}

# qemu-io exits with 0 after a failed comparison in some versions: its words
# are what counts. (Not "out", which is a local of check().)
said()
{
	grep -qF "$1" <<<"$words"
}

# same SIZE OFFSET: it read that much, and it was what was asked for.
same()
{
	said "read $1/$1 bytes at offset $2" &&
		! said "Pattern verification failed"
}

check "our vfio-pci loads" load_ours
check "nvme0 binds" bind_override "$bdf" vfio-pci

words=$(io "write -P $pattern $offset $size" "flush" \
	"read -P $pattern $offset $size")
diag "$words"
check "qemu-io writes $size bytes of $pattern at $offset" \
	said "wrote $size/$size bytes at offset $offset"
check "and reads the same back" same $size $offset

words=$(io "read -P $((pattern ^ 255)) $offset $size")
check "it tells another pattern apart" said "Pattern verification failed"

words=$(io "read -P 0 $((offset + size)) $size")
check "what follows is still zero" same $size $((offset + size))

bind_override "$bdf" ""
check "the modules unload" unload_vfio_pci
done_testing
