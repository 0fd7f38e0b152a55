# SPDX-License-Identifier: GPL-2.0-only
#
# For people: make modules, install, demo, test, check. What the kernel's build
# reads is in Kbuild.

KDIR ?= /lib/modules/$(shell uname -r)/build
DEPMOD ?= depmod
ifneq ($(INSTALL_MOD_PATH),)
override INSTALL_MOD_PATH := $(abspath $(INSTALL_MOD_PATH))
endif

# The release that KDIR builds for: its folder below lib/modules. Not
# kernel.release, which in Debian 12's headers names the upstream version.
krelease = $(shell sed -n 's/^.define UTS_RELEASE "\(.*\)"/\1/p' \
	$(KDIR)/include/generated/utsrelease.h)
# modules_install puts external modules there by default only on newer kernels.
INSTALL_MOD_DIR ?= updates
installed = vfio-pci-variant.ko vfio-pci.ko vfio-pci-mdev.ko vfio-pci-igd.ko \
	vfio-pci-nvlink2.ko
updates = $(INSTALL_MOD_PATH)/lib/modules/$(krelease)/$(INSTALL_MOD_DIR)
# What a variant elsewhere is built with: headers and exports, of each kernel its own,
# as what is installed for another one may be older; and what finds them.
# Packagers may name a root's /usr, where its modules are: as good as the root.
sdk = $(INSTALL_MOD_PATH)/lib/modules/$(krelease)/vfio-pci-variants
share = $(patsubst %/usr,%,$(INSTALL_MOD_PATH))/usr/share/vfio-pci-variants
# What new-variant makes another one of.
templates = examples/edu/Kbuild examples/edu/Makefile examples/edu/dkms.conf \
	examples/smallest/vfio-pci-smallest.c examples/smallest/README.md \
	examples/smallest/selftests/smallest.sh examples/smallest/selftests/variant.conf

# DKMS does not know that what it built with what was installed before has to be built
# again: a line for each such variant, as NAME/VERSION.
define tell_of_dkms
	cd /var/lib/dkms 2>/dev/null || exit 0; \
	for built in */*/$(krelease); do \
		[ -e "$$built" ] || continue; \
		v=$${built%/*}; \
		! grep -rqs vfio-pci-variants/variant.mk $$v/source/ || \
			echo "DKMS: build $$v again: dkms build --force $$v -k $(krelease) &&" \
				"dkms install --force $$v -k $(krelease)"; \
	done
endef

.PHONY: help modules install uninstall clean new-variant demo test test-all check docs \
	mutants bench
help:
	@echo 'make modules [KDIR=dir]   build the modules for the kernel in KDIR'
	@echo 'make install [KDIR=dir]   install them in updates/ and run depmod (root)'
	@echo 'make uninstall [KDIR=dir] remove them and run depmod (root)'
	@echo 'make new-variant ID=VENDOR:DEVICE NAME=name [DIR=dir]'
	@echo '                          write a variant of your own, in a folder of its own'
	@echo 'make demo [K=]            pass a function to a guest, in a VM (root)'
	@echo 'make test [K=] [T=]       run the tests in VMs (root); K: 6.1 6.12 7.3 ppc64el'
	@echo '                          VARIANT=dir: what every variant owes, of that one, and'
	@echo '                          its own tests; here or in another repository'
	@echo 'make test-all [K=]        each on every kernel: before a release (root)'
	@echo 'make check                run the static checks (root)'
	@echo 'make docs                 build Documentation/ as HTML, in out/docs/html (root)'
	@echo 'make mutants [M=] [K=] [T=] break the product, see that its test fails (root)'
	@echo 'make bench [K=]           cost of an access, against the in-tree driver (root)'
	@echo 'make clean                remove what the build made here'

modules:
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

# What packages put there is theirs: it is not written over, nor taken away.
install: modules
	@test ! -e $(share)/variant.mk || test -e $(share)/.make-install || \
		{ echo "vfio-pci-variants: $(share) is of a package, or of an older version: remove that first" >&2; exit 1; }
	$(MAKE) -C $(KDIR) M=$(CURDIR) INSTALL_MOD_DIR=$(INSTALL_MOD_DIR) modules_install
	rm -rf $(sdk)
	install -d $(sdk)/include/linux $(share)
	install -m 644 include/linux/*.h $(sdk)/include/linux
	install -m 644 Module.symvers $(sdk)
	touch $(sdk)/.make-install $(share)/.make-install
	install -m 644 variant.mk $(share)
	install -m 644 packaging/dkms/variant.conf $(share)/dkms-variant.conf
	install tools/new-variant $(share)
	for file in $(templates); do \
		install -m 644 -D $$file $(share)/$$file || exit; \
	done
	$(DEPMOD) $(if $(INSTALL_MOD_PATH),-b $(INSTALL_MOD_PATH)) $(krelease)
	@$(if $(INSTALL_MOD_PATH),,$(tell_of_dkms))

# Compressed or not, below updates/ or, in its folder, below updates/variants/. What is
# in share serves all kernels: it goes with the last of them.
uninstall:
	$(if $(krelease),,$(error no kernel headers in KDIR=$(KDIR)))
	find $(wildcard $(updates)) /dev/null ! -path '$(updates)/dkms/*' -type f \
		\( $(patsubst %,-name '%*' -o,$(installed)) -false \) -print -delete
	test ! -e $(sdk)/.make-install || rm -rf $(sdk)
	ls $(INSTALL_MOD_PATH)/lib/modules/*/vfio-pci-variants/.make-install >/dev/null 2>&1 || \
		test ! -e $(share)/.make-install || rm -rf $(share)
	find $(wildcard $(updates)/variants) /dev/null -depth -type d -empty -delete
	$(DEPMOD) $(if $(INSTALL_MOD_PATH),-b $(INSTALL_MOD_PATH)) $(krelease)

clean:
	$(MAKE) -C $(KDIR) M=$(CURDIR) clean

new-variant:
	@tools/new-variant $(if $(ID)$(NAME),'$(ID)' '$(NAME)' $(if $(DIR),'$(DIR)'))

demo:
	tools/testing/demo $(K)

test:
	K='$(K)' T='$(T)' VARIANT='$(VARIANT)' tools/testing/run-tests

test-all:
	ALL=1 K='$(K)' tools/testing/run-tests

check:
	tools/testing/check

docs:
	tools/testing/docs

mutants:
	K='$(K)' T='$(T)' M='$(M)' tools/testing/mutants/run

bench:
	K='$(K)' tools/testing/bench
