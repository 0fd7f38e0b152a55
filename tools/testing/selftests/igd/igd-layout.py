#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""usage: igd-layout.py list good|bad|bad-vbt
       igd-layout.py put NAME EXPECTED

The firmware of a machine with Intel graphics. "list" names layouts of an OpRegion
and its VBT, "put" writes one to memory that the kernel was told to leave alone,
prints the value for ASLS, and writes what a user must see to the file EXPECTED: of
a bad layout nothing. EXPECTED.why is a part of the log line that says what is wrong
with a bad one.
"""
import mmap
import random
import struct
import sys

LOW = 0x60000000        # memmap=2M$0x60000000
LOW_SIZE = 0x200000
HIGH = 0x140000000      # memmap=1M$0x140000000
ASLS = LOW + 0x3000     # a page that nothing else would be taken for

# VBT: where it is, or None; RVDA and RVDS: as the firmware says, where that is not
# what follows from the place of the VBT; size: of the OpRegion in KiB.
GOOD = {
    "1.0": dict(version=(1, 0)),
    "1.0 with what is RVDA later": dict(version=(1, 0), rvda=0x2000, rvds=0x1000),
    "2.0": dict(version=(2, 0)),
    "2.0 with RVDA but no RVDS": dict(version=(2, 0), rvda=HIGH),
    "2.1 with RVDS but no RVDA": dict(version=(2, 1), rvds=0x1000),
    "2.0, VBT adjacent": dict(version=(2, 0), vbt=ASLS + 0x2000, length=0x2400),
    "2.0, VBT distant": dict(version=(2, 0), vbt=LOW + 0x40000, length=0x1e00),
    "2.0, VBT below": dict(version=(2, 0), vbt=LOW, length=0x1fff),
    "2.0, VBT above 4 GiB": dict(version=(2, 0), vbt=HIGH, length=0x2200),
    "2.1": dict(version=(2, 1)),
    "2.1, VBT adjacent": dict(version=(2, 1), vbt=ASLS + 0x2000, length=0x2000),
    "2.1, VBT distant": dict(version=(2, 1), vbt=LOW + 0x54321, length=0x1ced),
    "2.1, VBT above 4 GiB": dict(version=(2, 1), vbt=HIGH + 0x11, length=0x1801),
    "2.1, smallest VBT": dict(version=(2, 1), vbt=ASLS + 0x2000, length=4),
    "3.0": dict(version=(3, 0)),
    "3.0, VBT adjacent": dict(version=(3, 0), vbt=ASLS + 0x2000, length=0x2001),
    "3.0, largest VBT": dict(version=(3, 0), vbt=LOW + 0x80003, length=0x10000),
}

NO_SIGNATURE = "no signature there"
NOT_FIRMWARE = "does not point to memory of the firmware"
BAD = {
    "bad signature": (NO_SIGNATURE, dict(version=(2, 0), name=b"IntelGraphicsMen")),
    "no bytes": (NO_SIGNATURE, dict(version=(0, 0), name=bytes(16))),
    "size 0": ("not 8 KiB", dict(version=(2, 0), size=0)),
    "size 4 KiB": ("not 8 KiB", dict(version=(1, 0), size=4)),
    "size 16 KiB": ("not 8 KiB", dict(version=(2, 1), size=16)),
    "size 16 KiB with a VBT":
        ("not 8 KiB", dict(version=(2, 1), size=16, vbt=LOW + 0x40000, length=0x1000)),
    "size 4 TiB": ("not 8 KiB", dict(version=(2, 0), size=0xffffffff)),
    "ASLS in system RAM": (NOT_FIRMWARE, dict(version=(2, 0), asls=0x1000000)),
    "ASLS partly in system RAM":
        (NOT_FIRMWARE, dict(version=(2, 0), asls=LOW + LOW_SIZE - 0x1000)),
    "ASLS where nothing is": (NOT_FIRMWARE, dict(version=(2, 0), asls=0xd8000000)),
    "ASLS at the end of 4 GiB": (NO_SIGNATURE, dict(version=(2, 0), asls=0xffffe000)),
}

BAD_PLACE = "points where no VBT can be"
TOO_LARGE = "more than a VBT can have"
BAD_VBT = {
    "RVDS too large":
        (TOO_LARGE, dict(version=(2, 1), vbt=LOW + 0x40000, length=0x2000, rvds=0x10001)),
    "RVDS at its end":
        (TOO_LARGE, dict(version=(2, 0), vbt=LOW + 0x40000, length=0x2000, rvds=0xffffffff)),
    "RVDS too small": (NO_SIGNATURE, dict(version=(2, 1), vbt=ASLS + 0x2000, length=3)),
    "RVDA in the OpRegion": (BAD_PLACE, dict(version=(2, 1), rvda=0x1fff, rvds=0x1000)),
    "RVDA over the OpRegion":
        (BAD_PLACE, dict(version=(2, 0), rvda=ASLS - 0x10, rvds=0x1000)),
    "RVDA relative, overflows":
        (BAD_PLACE, dict(version=(2, 1), rvda=(1 << 64) - 0x1000, rvds=0x1000)),
    "RVDA absolute, overflows":
        (BAD_PLACE, dict(version=(2, 0), rvda=(1 << 64) - 0x1000, rvds=0x2000)),
    "RVDA no address": (NOT_FIRMWARE, dict(version=(2, 0), rvda=1 << 60, rvds=0x1000)),
    "RVDA to the last byte":
        (NOT_FIRMWARE, dict(version=(2, 0), rvda=(1 << 64) - 0x1000, rvds=0x1000)),
    "RVDA in system RAM": (NOT_FIRMWARE, dict(version=(2, 0), rvda=0x1000000, rvds=0x1000)),
    "RVDA partly in system RAM":
        (NOT_FIRMWARE, dict(version=(2, 1), rvda=LOW + LOW_SIZE - 0x800 - ASLS,
                            rvds=0x1000)),
    "RVDA where nothing is": (NOT_FIRMWARE, dict(version=(2, 0), rvda=1 << 38, rvds=0x1000)),
    "RVDA to no VBT": (NO_SIGNATURE, dict(version=(2, 0), rvda=HIGH + 0x1000, rvds=0x1000)),
}
LAYOUTS = {"good": GOOD, "bad": BAD, "bad-vbt": BAD_VBT}


def write_memory(address, data):
    """To memory of the firmware, which the kernel lets root write to."""
    page = address & ~0xfff
    with open("/dev/mem", "r+b", buffering=0) as mem:
        with mmap.mmap(mem.fileno(), address + len(data) - page, offset=page) as m:
            m[address - page:address - page + len(data)] = data


def make(version, vbt=None, length=0, rvda=None, rvds=None, size=8,
         name=b"IntelGraphicsMem", asls=ASLS):
    """Returns the OpRegion and the VBT, as bytes."""
    rng = random.Random(f"{version} {vbt} {length}")
    region = bytearray(rng.randbytes(0x2000))
    table = b"$VBT" + rng.randbytes(0x10000)

    if rvda is None and vbt is not None:
        rvda = vbt if version == (2, 0) else vbt - ASLS
    region[0:16] = name
    struct.pack_into("<I", region, 0x10, size)
    struct.pack_into("<BBBB", region, 0x14, 0, 7, version[1], version[0])
    struct.pack_into("<Q", region, 0x3ba, rvda or 0)
    struct.pack_into("<I", region, 0x3c2, rvds if rvds is not None else length)
    return bytes(region), table[:length]


def expected(region, table, version):
    """What the user sees of a good one."""
    if not table:
        return region
    shown = bytearray(region)
    if version == (2, 0):
        shown[0x16] = 1
    shown[0x3ba:0x3c2] = struct.pack("<Q", 0x2000)
    return bytes(shown) + table


def without_vbt(region):
    """What the user sees of a good OpRegion whose VBT is bad."""
    return region[:0x3ba] + bytes(12) + region[0x3c6:]


def put(name, path):
    """Writes the layout to memory and what it has to come to to a file."""
    fault, what = ("", GOOD[name]) if name in GOOD else {**BAD, **BAD_VBT}[name]
    region, table = make(**what)

    # Nothing is left of the one before.
    write_memory(LOW, bytes(LOW_SIZE))
    write_memory(HIGH, bytes(0x20000))
    if "asls" not in what:
        write_memory(ASLS, region)
    if table:
        write_memory(what["vbt"], table)
    with open(path, "wb") as file:
        if name in GOOD:
            file.write(expected(region, table, what["version"]))
        elif name in BAD_VBT:
            file.write(without_vbt(region))
    with open(path + ".why", "w", encoding="utf-8") as file:
        file.write(fault)
    print(f"0x{what.get('asls', ASLS):x}")


if sys.argv[1:2] == ["list"] and "".join(sys.argv[2:]) in LAYOUTS:
    print("\n".join(LAYOUTS[sys.argv[2]]))
elif sys.argv[1:2] == ["put"] and len(sys.argv) == 4:
    put(sys.argv[2], sys.argv[3])
else:
    sys.exit(__doc__.splitlines()[0])
