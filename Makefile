# SPDX-License-Identifier: GPL-2.0-only
#
# For people: make modules, install, demo, test, check. What the kernel's build
# reads is in Kbuild.

KDIR ?= /lib/modules/$(shell uname -r)/build

# The release that KDIR builds for: its folder below lib/modules. Not
# kernel.release, which in Debian 12's headers names the upstream version.
krelease = $(shell sed -n 's/^.define UTS_RELEASE "\(.*\)"/\1/p' \
	$(KDIR)/include/generated/utsrelease.h)
# modules_install puts external modules there by default only on newer kernels.
INSTALL_MOD_DIR ?= updates
installed = vfio-pci-variant.ko vfio-pci.ko vfio-pci-mdev.ko vfio-pci-igd.ko \
	vfio-pci-nvlink2.ko

.PHONY: help modules install uninstall clean demo test test-all check mutants bench
help:
	@echo 'make modules [KDIR=dir]   build the modules for the kernel in KDIR'
	@echo 'make install [KDIR=dir]   install them in updates/ and run depmod (root)'
	@echo 'make uninstall [KDIR=dir] remove them and run depmod (root)'
	@echo 'make demo [K=]            pass a function to a guest, in a VM (root)'
	@echo 'make test [K=] [T=]       run the tests in VMs (root); K: 6.1 6.12 7.3 ppc64el'
	@echo 'make test-all [K=]        each on every kernel: before a release (root)'
	@echo 'make check                run the static checks (root)'
	@echo 'make mutants [M=] [K=] [T=] break the product, see that its test fails (root)'
	@echo 'make bench [K=]           cost of an access, against the in-tree driver (root)'
	@echo 'make clean                remove what the build made here'

modules:
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

install: modules
	$(MAKE) -C $(KDIR) M=$(CURDIR) INSTALL_MOD_DIR=$(INSTALL_MOD_DIR) modules_install
	depmod $(if $(INSTALL_MOD_PATH),-b $(INSTALL_MOD_PATH)) $(krelease)

# Compressed or not, below updates/ or, in its folder, below updates/variants/.
uninstall:
	$(if $(krelease),,$(error no kernel headers in KDIR=$(KDIR)))
	find $(wildcard $(INSTALL_MOD_PATH)/lib/modules/$(krelease)/$(INSTALL_MOD_DIR)) /dev/null \
		-type f \( $(patsubst %,-name '%*' -o,$(installed)) -false \) -print -delete
	depmod $(if $(INSTALL_MOD_PATH),-b $(INSTALL_MOD_PATH)) $(krelease)

clean:
	$(MAKE) -C $(KDIR) M=$(CURDIR) clean

demo:
	tools/testing/demo $(K)

test:
	K='$(K)' T='$(T)' tools/testing/run-tests

test-all:
	ALL=1 K='$(K)' tools/testing/run-tests

check:
	tools/testing/check

mutants:
	K='$(K)' T='$(T)' M='$(M)' tools/testing/mutants/run

bench:
	K='$(K)' tools/testing/bench
