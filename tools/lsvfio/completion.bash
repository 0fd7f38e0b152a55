# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2207
# For bash-completion.
_lsvfio()
{
	local cur prev words cword word verb= functions

	_init_completion -n := || return
	for word in "${words[@]:1:cword-1}"; do
		case $word in why | plan) verb=$word ;; esac
	done
	functions=$(ls /sys/bus/pci/devices 2>/dev/null)
	case $prev in
	--sysfs | --proc | --dev | --modules)
		compopt -o dirnames
		return
		;;
	esac
	if [[ $cur = -* ]]; then
		COMPREPLY=($(compgen -W "--all --tree --verbose --watch --json --dot --prometheus
			--sysfs --proc --dev --modules --help --version" -- "$cur"))
	elif [ -z "$verb" ]; then
		COMPREPLY=($(compgen -W "why plan display network nvme storage usb audio
			$functions" -- "$cur"))
	elif [ "$prev" = "$verb" ]; then
		COMPREPLY=($(compgen -W "$functions" -- "$cur"))
	elif [ "$verb" = plan ]; then
		COMPREPLY=($(compgen -W "$(lsvfio -v "$prev" 2>/dev/null |
			sed -n 's/^ *variants  *//p' | tr -d ,) vfio-pci" -- "$cur"))
	fi
	__ltrim_colon_completions "$cur"
}
complete -F _lsvfio lsvfio
