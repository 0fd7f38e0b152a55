#compdef lsvfio
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154,SC2296,SC2298
local -a addresses
addresses=(/sys/bus/pci/devices/*(N:t))
_arguments \
	'(-a --all)'{-a,--all}'[bridges and the chipset, too]' \
	'(-t --tree --json --dot --prometheus)'{-t,--tree}'[by IOMMU group]' \
	'(-v --verbose)'{-v,--verbose}'[all that is known of each]' \
	'(-w --watch)'{-w,--watch=-}'[again when something has changed]::seconds' \
	'(-t --tree --dot --prometheus)--json[for programs]' \
	'(-t --tree --json --prometheus)--dot[for graphviz]' \
	'(-t --tree --json --dot)--prometheus[for node_exporter]' \
	'--sysfs[a recorded sysfs]:folder:_files -/' \
	'--proc[its procfs]:folder:_files -/' \
	'--dev[its nodes]:folder:_files -/' \
	'--modules[its modules]:folder:_files -/' \
	'(-)'{-h,--help}'[usage]' \
	'(-)--version[the version]' \
	'1:function:(why plan display network nvme storage usb audio $addresses)' \
	'*:function:($addresses)'
