# SPDX-License-Identifier: GPL-2.0-only
"""For sphinx. LINUX: sources of a kernel, as of 6.1, of which kernel-doc is used."""
import os
import sys

LINUX = os.environ.get("LINUX", "/usr/src/linux-source-6.1")
sys.path[:0] = [os.path.abspath("."), LINUX + "/Documentation/sphinx"]
sys.dont_write_bytecode = True

project = "vfio-pci-variants"
extensions = ["sphinx.ext.graphviz", "kerneldoc", "checks"]
highlight_language = "none"
smartquotes = False
graphviz_output_format = "svg"

kerneldoc_bin = LINUX + "/scripts/kernel-doc"
kerneldoc_srctree = os.path.abspath("..")
os.environ["KDOC_WERROR"] = "1"

# Names of the kernel's have no page here, ours have.
nitpicky = True
nitpick_ignore_regex = [("c:.*", r"(?i)(?!\w*vfio_pci_(variant|quirk)).*")]

html_theme_options = {"page_width": "1240px", "body_max_width": "960px"}
html_show_copyright = False
html_copy_source = False
