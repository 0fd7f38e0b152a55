#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""usage: igd-layout.py list good|bad|bad-vbt
       igd-layout.py put NAME EXPECTED
       igd-layout.py all

The firmware of a machine with Intel graphics. "list" names the layouts of an OpRegion
and its VBT that a guest looks at, "put" writes one to memory that the kernel was told
to leave alone, prints the value for ASLS, and writes what a user must see to the file
EXPECTED: of a bad layout nothing. EXPECTED.why is a part of the log line that says what
is wrong with a bad one. "all" writes each of them, as struct layout of the unit test, to
stdout.
"""
import mmap
import random
import struct
import sys

LOW = 0x60000000        # memmap=2M$0x60000000
LOW_SIZE = 0x200000
HIGH = 0x140000000      # memmap=1M$0x140000000
ASLS = LOW + 0x3000     # a page that nothing else would be taken for
END = 1 << 64


def guest(**what):
    """A layout that a guest looks at, too: each tells it something of its own."""
    return dict(what, guest=True)


# VBT: where it is, or None; RVDA and RVDS: as the firmware says, where that is not
# what follows from the place of the VBT; size: of the OpRegion in KiB.
GOOD = {
    "0.0": dict(version=(0, 0)),
    "1.0": guest(version=(1, 0)),
    "1.0 with what is RVDA later": dict(version=(1, 0), rvda=0x2000, rvds=0x1000),
    "1.255 with all ones": dict(version=(1, 255), rvda=END - 1, rvds=0xffffffff),
    "2.0": guest(version=(2, 0)),
    "2.0 with RVDA but no RVDS": dict(version=(2, 0), rvda=HIGH),
    "2.0 with RVDS but no RVDA": dict(version=(2, 0), rvds=0x1000),
    "2.0, VBT adjacent": guest(version=(2, 0), vbt=ASLS + 0x2000, length=0x2400),
    "2.0, VBT distant": guest(version=(2, 0), vbt=LOW + 0x40000, length=0x1e00),
    "2.0, VBT below": dict(version=(2, 0), vbt=LOW, length=0x1fff),
    "2.0, VBT above 4 GiB": guest(version=(2, 0), vbt=HIGH, length=0x2200),
    "2.0, VBT just below": dict(version=(2, 0), vbt=ASLS - 4, length=4),
    "2.0, largest VBT, from 1": dict(version=(2, 0), vbt=1, length=0x10000),
    "2.0, VBT at the end": dict(version=(2, 0), vbt=END - 4, length=4),
    "2.1": dict(version=(2, 1)),
    "2.1 with RVDS but no RVDA": dict(version=(2, 1), rvds=0xffffffff),
    "2.1, VBT adjacent": guest(version=(2, 1), vbt=ASLS + 0x2000, length=0x2000),
    "2.1, VBT distant": guest(version=(2, 1), vbt=LOW + 0x54321, length=0x1ced),
    "2.1, VBT above 4 GiB": guest(version=(2, 1), vbt=HIGH + 0x11, length=0x1801),
    "2.1, smallest VBT": dict(version=(2, 1), vbt=ASLS + 0x2000, length=4),
    "2.255, VBT after a byte": dict(version=(2, 255), vbt=ASLS + 0x2001, length=9),
    "3.0": dict(version=(3, 0)),
    "3.0 with RVDA but no RVDS": dict(version=(3, 0), rvda=END - 1),
    "3.0, VBT adjacent": dict(version=(3, 0), vbt=ASLS + 0x2000, length=0x2001),
    "3.0, largest VBT": guest(version=(3, 0), vbt=LOW + 0x80003, length=0x10000),
    "3.0, VBT at the end": dict(version=(3, 0), vbt=END - 4, length=4),
    "255.0, VBT distant": dict(version=(255, 0), vbt=ASLS + 0x4000, length=37),
}

SIGNATURE = b"IntelGraphicsMem"
NO_SIGNATURE = "no signature there"
NOT_FIRMWARE = "does not point to memory of the firmware"
BAD = {
    "bad signature": (NO_SIGNATURE, guest(version=(2, 0), name=b"IntelGraphicsMen")),
    "no bytes": (NO_SIGNATURE, dict(version=(0, 0), name=bytes(16))),
    **{f"bad byte {i} of the signature":
           (NO_SIGNATURE, dict(version=(1, 0), name=SIGNATURE[:i] + b"!" + SIGNATURE[i + 1:]))
       for i in range(16)},
    "size 0": ("not 8 KiB", dict(version=(2, 0), size=0)),
    "size 4 KiB": ("not 8 KiB", dict(version=(1, 0), size=4)),
    "size 7 KiB": ("not 8 KiB", dict(version=(2, 0), size=7)),
    "size 9 KiB": ("not 8 KiB", dict(version=(2, 0), size=9)),
    "size 16 KiB with a VBT":
        ("not 8 KiB", guest(version=(2, 1), size=16, vbt=LOW + 0x40000, length=0x1000)),
    "size 8 KiB and 2 TiB":
        ("not 8 KiB", dict(version=(2, 1), size=0x80000008, rvda=0x2000, rvds=9)),
    "size 4 TiB": ("not 8 KiB", dict(version=(2, 0), size=0xffffffff)),
    "ASLS in system RAM": (NOT_FIRMWARE, guest(version=(2, 0), asls=0x1000000)),
    "ASLS partly in system RAM":
        (NOT_FIRMWARE, guest(version=(2, 0), asls=LOW + LOW_SIZE - 0x1000)),
    "ASLS where nothing is": (NOT_FIRMWARE, guest(version=(2, 0), asls=0xd8000000)),
    "ASLS at the end of 4 GiB": (NO_SIGNATURE, guest(version=(2, 0), asls=0xffffe000)),
}

BAD_PLACE = "points where no VBT can be"
TOO_LARGE = "more than a VBT can have"
BAD_VBT = {
    "RVDS too large":
        (TOO_LARGE, guest(version=(2, 1), vbt=LOW + 0x40000, length=0x2000, rvds=0x10001)),
    "RVDS at its end":
        (TOO_LARGE, dict(version=(2, 0), vbt=LOW + 0x40000, length=0x2000, rvds=0xffffffff)),
    "RVDS 16 MiB and a byte":
        (TOO_LARGE, dict(version=(2, 0), vbt=LOW + 0x40000, length=0x10, rvds=0x1000001)),
    "RVDS too small": (NO_SIGNATURE, guest(version=(2, 1), vbt=ASLS + 0x2000, length=3)),
    "RVDA in the OpRegion": (BAD_PLACE, guest(version=(2, 1), rvda=0x1fff, rvds=1)),
    "RVDA in its first byte": (BAD_PLACE, dict(version=(2, 0), rvda=ASLS, rvds=1)),
    "RVDA in its second byte": (BAD_PLACE, dict(version=(2, 1), rvda=1, rvds=1)),
    "RVDA in its last byte": (BAD_PLACE, dict(version=(2, 0), rvda=ASLS + 0x1fff, rvds=4)),
    "RVDA over the OpRegion":
        (BAD_PLACE, dict(version=(2, 0), rvda=ASLS - 0x10, rvds=0x1000)),
    "RVDA into the OpRegion": (BAD_PLACE, dict(version=(2, 0), rvda=ASLS - 4, rvds=5)),
    "RVDA absolute, last byte": (NO_SIGNATURE, dict(version=(2, 0), vbt=END - 1, length=1)),
    "RVDA relative, last byte": (NO_SIGNATURE, dict(version=(2, 1), vbt=END - 1, length=1)),
    "RVDA relative, overflows":
        (BAD_PLACE, dict(version=(2, 1), rvda=END - 0x1000, rvds=0x1000)),
    "RVDA relative, overflows by 1":
        (BAD_PLACE, dict(version=(3, 0), rvda=END - ASLS, rvds=4)),
    "RVDA relative, its end overflows":
        (BAD_PLACE, dict(version=(2, 1), rvda=END - ASLS - 4, rvds=5)),
    "RVDA absolute, overflows":
        (BAD_PLACE, dict(version=(2, 0), rvda=END - 4, rvds=5)),
    "RVDA no address": (NOT_FIRMWARE, guest(version=(2, 0), rvda=1 << 60, rvds=0x1000)),
    "RVDA to the last byte":
        (NOT_FIRMWARE, guest(version=(2, 0), rvda=END - 0x1000, rvds=0x1000)),
    "RVDA in system RAM": (NOT_FIRMWARE, guest(version=(2, 0), rvda=0x1000000, rvds=0x1000)),
    "RVDA partly in system RAM":
        (NOT_FIRMWARE, guest(version=(2, 1), rvda=LOW + LOW_SIZE - 0x800 - ASLS,
                             rvds=0x1000)),
    "RVDA where nothing is": (NOT_FIRMWARE, guest(version=(2, 0), rvda=1 << 38, rvds=0x1000)),
    "RVDA to no VBT": (NO_SIGNATURE, guest(version=(2, 0), rvda=HIGH + 0x1000, rvds=0x1000)),
}
LAYOUTS = {"good": GOOD, "bad": BAD, "bad-vbt": BAD_VBT}


def rows(kinds=LAYOUTS):
    """Yields name, kind, what is wrong and what it is made of, of each layout."""
    for kind in kinds:
        for name, row in LAYOUTS[kind].items():
            fault, what = row if isinstance(row, tuple) else ("", row)
            yield name, kind, fault, what


def write_memory(address, data):
    """To memory of the firmware, which the kernel lets root write to."""
    page = address & ~0xfff
    with open("/dev/mem", "r+b", buffering=0) as mem:
        with mmap.mmap(mem.fileno(), address + len(data) - page, offset=page) as m:
            m[address - page:address - page + len(data)] = data


def make(version, vbt=None, length=0, rvda=None, rvds=None, size=8, name=SIGNATURE, **_):
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


def shown(kind, region, table, version, **_):
    """What the user sees of it."""
    if kind == "bad":
        return b""
    if kind == "bad-vbt":
        return region[:0x3ba] + bytes(12) + region[0x3c6:]
    if not table:
        return region
    seen = bytearray(region)
    if version == (2, 0):
        seen[0x16] = 1
    seen[0x3ba:0x3c2] = struct.pack("<Q", 0x2000)
    return bytes(seen) + table


def put(wanted, path):
    """Writes the layout to memory and what it has to come to to a file."""
    kind, fault, what = next(row[1:] for row in rows() if row[0] == wanted)
    region, table = make(**what)

    # Nothing is left of the one before.
    write_memory(LOW, bytes(LOW_SIZE))
    write_memory(HIGH, bytes(0x20000))
    if "asls" not in what:
        write_memory(ASLS, region)
    if table:
        write_memory(what["vbt"], table)
    with open(path, "wb") as file:
        file.write(shown(kind, region, table, **what))
    with open(path + ".why", "w", encoding="utf-8") as file:
        file.write(fault)
    print(f"0x{what.get('asls', ASLS):x}")


def write_all():
    """Writes all but those that are bad by where they are, of which only a kernel knows."""
    for name, kind, fault, what in rows():
        if fault == NOT_FIRMWARE or "asls" in what:
            continue
        region, table = make(**what)
        seen = shown(kind, region, table, **what)
        sys.stdout.buffer.write(struct.pack(
            f"<64s64sQQQ{0x2000}s{0x10000}s{0x12000}s", name.encode(), fault.encode(), ASLS,
            what.get("vbt", what.get("rvda", 0)), len(seen), region, table, seen))


if sys.argv[1:2] == ["list"] and "".join(sys.argv[2:]) in LAYOUTS:
    print("\n".join(row[0] for row in rows(sys.argv[2:]) if "guest" in row[3]))
elif sys.argv[1:2] == ["put"] and len(sys.argv) == 4:
    put(sys.argv[2], sys.argv[3])
elif sys.argv[1:] == ["all"]:
    write_all()
else:
    sys.exit(__doc__.splitlines()[0])
