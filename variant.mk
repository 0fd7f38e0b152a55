# SPDX-License-Identifier: GPL-2.0-only
#
# What the Kbuild of a variant includes. Installed, this is
#
#	include /usr/share/vfio-pci-variants/variant.mk
#
# and a build uses what "make install" left for the kernel that it is for: headers and
# exports of the framework that is installed there. Below another root it is that root's
# that are used. In vfio-pci-variants itself vpv-sdk is the tree.
ifndef vpv-sdk
vpv-root := $(patsubst %/usr/share/vfio-pci-variants/variant.mk,%,$(lastword $(MAKEFILE_LIST)))
# CONFIG_PCI is unset where no configuration is read (clean, help).
ifdef CONFIG_PCI
vpv-release := $(shell sed -n 's/^.define UTS_RELEASE "\(.*\)"/\1/p' \
	$(objtree)/include/generated/utsrelease.h)
vpv-sdk := $(vpv-root)/lib/modules/$(vpv-release)/vfio-pci-variants/
ifeq ($(wildcard $(vpv-sdk)Module.symvers),)
$(error vfio-pci-variants: not installed for kernel $(vpv-release), as there is no $(vpv-sdk)Module.symvers; in its tree: make install KDIR=$(abspath $(objtree)))
endif
override KBUILD_EXTRA_SYMBOLS += $(vpv-sdk)Module.symvers
endif
endif

# Of all that the headers say: a change of theirs is another interface, whoever made it.
ifdef vpv-sdk
vpv-abi := $(shell cat $(sort $(wildcard $(vpv-sdk)include/linux/*.h)) </dev/null | sha256sum | cut -c 1-8)
vpv-flags := -I$(vpv-sdk)include -DVFIO_PCI_VARIANT_ABI=0x$(vpv-abi)
subdir-ccflags-y += $(vpv-flags)
endif
