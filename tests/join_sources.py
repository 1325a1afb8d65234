#!/usr/bin/env python3
"""Joins sources that are read many at a time (tests/tidy.sh, tests/fuzz/run.sh, cmake/join.cmake):

  join_sources.py FOLDER [--units COUNT] [--linked] [--commands COMPILE_COMMANDS_JSON] SOURCE...

Writes into FOLDER one .cpp of the sources of each folder, or COUNT for all, and prints "UNIT SOURCE..." a line; a unit that stays as
it was isn't written. With --commands, a unit's sources have
one command, and FOLDER/compile_commands.json has the units'; a source without a command is its own unit. Nearly all that a source
costs is the headers it includes, which its neighbours share. Where two have the same name for something of their own, it gets a
number; what may still clash fails to compile, and has to be read source by source. A source that has a name both for itself and as
part of its interface gets the number in both: units of such sources can be read, but not linked with others that call it. With
--linked such a source is a unit of its own.
"""
import argparse
import collections
import json
import pathlib
import re

LARGEST = 24  # sources of one unit


def own_names(text):
    """What a source declares for itself: names at the margin of its unnamed namespaces, near enough."""
    names = set(re.findall(r"^int (main)\(", text, re.M))
    names.update(re.findall(r"^using (\w+) =", text, re.M))
    for body in re.findall(r"^namespace \{$(.*?)^\}  // namespace$", text, re.M | re.S):
        for line in re.findall(r"^[A-Za-z].*$", body, re.M):
            names.update(re.findall(r"[\s&*](\w+)(?=\(|\{|\[| = | \{|;| : )", line))
    return names - {"noexcept", "const"}


def offers_own_name(text, names):
    """Whether a source defines one of the names outside of its unnamed namespaces too."""
    rest = re.sub(r"^namespace \{$.*?^\}  // namespace$", "", text, flags=re.M | re.S)
    return any(re.search(rf"^[A-Za-z].*[\s&*:]{name}\(", rest, re.M) for name in names)


def joined(sources):
    text = {source: source.read_text() for source in sources}
    count = collections.Counter(name for each in text.values() for name in own_names(each))
    unit = ""
    for number, source in enumerate(sources):
        lines = text[source]
        for header in re.findall(r'^#include "(.*)"$', lines, re.M):
            if (source.parent / header).exists():
                lines = lines.replace(f'#include "{header}"', f'#include "{source.parent / header}"')
        clashing = "|".join(sorted(name for name in own_names(lines) if count[name] > 1))
        if clashing:  # outside of literals and of other things' members
            word = re.compile(rf"""("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\])')|(?<![\w.:/])({clashing})\b(?!/)""")
            lines = word.sub(lambda found: found[1] or f"{found[2]}_{number}", lines)
        unit += f'#line 1 "{source}"\n{lines}'
    return unit


parser = argparse.ArgumentParser()
parser.add_argument("folder", type=pathlib.Path)
parser.add_argument("--commands", type=pathlib.Path)
parser.add_argument("--units", type=int)
parser.add_argument("--linked", action="store_true")
parser.add_argument("sources", nargs="+", type=pathlib.Path)
arguments = parser.parse_args()
folder = arguments.folder.resolve()
folder.mkdir(parents=True, exist_ok=True)

command_of = {}
if arguments.commands:
    command_of = {entry["file"]: entry for entry in json.loads(arguments.commands.read_text())}
groups = {}
for source in arguments.sources:
    flags = directory = ""
    if arguments.commands:
        entry = command_of.get(str(source.resolve()))
        if entry is None:  # what an option leaves out: alone, by a neighbour's command
            print(source.resolve(), source.resolve())
            continue
        flags = re.sub(r" -o \S+ -c \S+$| -O\S| -include \S+", "", entry["command"])
        directory = entry["directory"]
    name = "all" if arguments.units else str(source.parent)
    groups.setdefault((name.lstrip("/"), flags, directory), []).append(source.resolve())

commands = []
for (name, flags, directory), sources in groups.items():
    if arguments.linked:
        names = collections.Counter(name for each in sources for name in own_names(each.read_text()))
        clashing = {name for name, count in names.items() if count > 1}
        for each in [each for each in sources if offers_own_name(each.read_text(), clashing & own_names(each.read_text()))]:
            print(each, each)
            sources.remove(each)
    if not sources:
        continue
    parts = arguments.units or -(-len(sources) // LARGEST)
    for part in range(parts):
        unit = folder / f"{name.replace('/', '.')}.{len(commands)}.cpp"
        text = joined(sources[part::parts])
        if not unit.exists() or unit.read_text() != text:
            unit.write_text(text)
        commands.append({"directory": directory, "file": str(unit), "command": f"{flags} -Wno-shadow -o unit.o -c {unit}"})
        print(unit, *sources[part::parts])
if arguments.commands:
    (folder / "compile_commands.json").write_text(json.dumps(commands, indent=1))
