# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Results of a test that runs on the host, sourced by it. It ends with done_testing.

# Both are used by functions that are called through check:
# shellcheck disable=SC2034
n=0
failed=0

# check DESC CMD...: ok when CMD succeeds.
check()
{
	local log

	n=$((n + 1))
	if log=$("${@:2}" 2>&1); then
		echo "ok $n - $1"
	else
		failed=1
		printf '%s\n' "$log" | tail -n 30 | sed 's/^/# /'
		echo "not ok $n - $1"
	fi
}

# is DESC GOT WANTED
is()
{
	check "$1" test "$2" = "$3"
	[ "$2" = "$3" ] || echo "# '$2', not '$3'"
}

# says TEXT CMD...: CMD fails, and one line of what it says has TEXT.
says()
{
	local said

	! said=$("${@:2}" 2>&1) && [ "$(grep -c "$1" <<<"$said")" = 1 ] ||
		{ echo "$said"; return 1; }
}

done_testing()
{
	echo "1..$n"
	exit $failed
}
