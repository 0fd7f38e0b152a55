# SPDX-License-Identifier: GPL-2.0-only
"""Has sphinx warn of what is missing in reference.rst, in hooks.dot or in a table.

Reference: what the headers define and core/ exports is there; sphinx itself warns of what
is there twice. Picture: each hook is a node, and what runs in a phase is what the comment
at the top of the header says, in the same order.
"""
import pathlib
import re

from docutils import nodes
from sphinx.util import logging

log = logging.getLogger(__name__)

# Structures, inline functions, macros with arguments; exports.
DEFINED = re.compile(r"(?<!the framework's alone\. \*/\n)^struct (\w+) \{|"
                     r"^static inline [^;{]*?(\w+)\(|"
                     r"^#define (\w+)\(|"
                     r"^EXPORT_SYMBOL_GPL\((\w+)\)", re.MULTILINE)
TABLES = {"ops": "vfio_pci_variant_ops", "gate": "vfio_pci_variant_gate"}
CALL = re.compile(r"\w+\(\)(?: of the gate)?")


def defined(root):
    for path in sorted(root.glob("include/linux/*.h")) + sorted(root.glob("core/*.c")):
        text = path.read_text()
        for match in DEFINED.finditer(text):
            if path.suffix == ".h" or match[4]:
                yield next(filter(None, match.groups()))


def hooks(header):
    for prefix, table in TABLES.items():
        body = re.search(rf"^struct {table} \{{(.*?)^\}};", header, re.MULTILINE | re.DOTALL)
        for name in re.findall(r"\(\*(\w+)\)", body[1]):
            yield f"{prefix}_{name}"


def phases_of_comment(header):
    """Each phase's name begins a line of it, what runs then is beside and below."""
    phase, calls = None, {}
    for line in header[:header.index("#ifndef")].splitlines():
        start = re.match(r" \*   (\w*) {2,}(.*)", line)
        if not start:
            continue
        phase = start[1] or phase
        calls.setdefault(phase, []).extend(CALL.findall(start[2]))
    return calls


def phases_of_picture(picture):
    phases = re.findall(r"subgraph cluster_(\w+) \{(.*?)^\t\}", picture,
                        re.MULTILINE | re.DOTALL)
    return {phase: CALL.findall(" ".join(re.findall(r'label="(.*?)"', body)).replace("\\n", " "))
            for phase, body in phases}


def check_complete(_app, env):
    root = pathlib.Path(env.srcdir).parent
    header = (root / "include/linux/vfio_pci_variant.h").read_text()
    picture = (root / "Documentation/hooks.dot").read_text()

    documented = {name for name, _, _, page, _, _ in env.get_domain("c").get_objects()
                  if page == "reference"}
    for name in defined(root):
        if name not in documented:
            log.warning("reference.rst: %s is missing", name)
    for node in hooks(header):
        if not re.search(rf"\b{node} \[", picture):
            log.warning("hooks.dot: the hook %s is missing", node)
    told, drawn = phases_of_comment(header), phases_of_picture(picture)
    for phase in sorted(told.keys() | drawn.keys()):
        if told.get(phase) != drawn.get(phase):
            log.warning("hooks.dot: %s: the header has %s, the picture %s", phase,
                        told.get(phase), drawn.get(phase))


def check_tables(_app, doctree):
    """In a simple table a line that continues the first column is a row of its own."""
    for entry in doctree.findall(nodes.entry):
        if not entry.children:
            log.warning("a table has an empty cell beside %r", entry.parent.astext().strip(),
                        location=entry.parent)


def setup(app):
    app.connect("env-check-consistency", check_complete)
    app.connect("doctree-read", check_tables)
    return {"parallel_read_safe": True}
