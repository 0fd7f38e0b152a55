#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""usage: expect-config.py DUMP CHANGE...

What the "config" lines of a vfio-dump must be after quirks, worked out from
those before. Numbers are in hex. CHANGE is one of
  hide_cap=ID,LENGTH      LENGTH bytes of each such capability are zeros
  hide_ext_cap=ID,LENGTH
  config=OFFSET/VALUE[/MASK]
"""
import sys


def read_config(path):
    config = bytearray()
    with open(path) as dump:
        for line in dump:
            if line.startswith("config "):
                config += bytes.fromhex(line.split(":")[1])
    return config


def hide_cap(config, cap, length):
    link, pos = 0x34, config[0x34]
    while pos:
        following = config[pos + 1]
        if config[pos] == cap:
            config[link] = following
            config[pos:pos + length] = bytes(length)
        else:
            link = pos + 1
        pos = following
    if not config[0x34]:
        config[6] &= ~0x10


def header(config, pos):
    return int.from_bytes(config[pos:pos + 4], "little")


def set_header(config, pos, value):
    config[pos:pos + 4] = value.to_bytes(4, "little")


def hide_ext_cap(config, cap, length):
    pos, before = 0x100, None
    while pos:
        value = header(config, pos)
        following = value >> 20
        if value & 0xffff == cap:
            config[pos:pos + length] = bytes(length)
            if before is None:
                set_header(config, pos, following << 20)
                before = pos
            else:
                link = header(config, before) & 0xfffff
                set_header(config, before, link | following << 20)
        else:
            before = pos
        pos = following


def show(config, offset, value, mask=0xff):
    config[offset] = config[offset] & ~mask | value


def main():
    config = read_config(sys.argv[1])
    for change in sys.argv[2:]:
        what, numbers = change.split("=")
        numbers = [int(n, 16) for n in numbers.replace("/", ",").split(",")]
        {"hide_cap": hide_cap, "hide_ext_cap": hide_ext_cap,
         "config": show}[what](config, *numbers)
    for at in range(0, len(config), 16):
        print(f"config {at:03x}:", config[at:at + 16].hex(" "))


main()
