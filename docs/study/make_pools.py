#!/usr/bin/env python3
"""Pool files of the study: random samples of each task's training file as files of their own, so that one search of a pool serves
every subset that heads are chosen on. Where one file is all there is (mr, subj), what isn't in the pool becomes a second file,
NAME-rest, which is scored. Draws are random.Random(7)'s.

  make_pools.py DATA OUT TASK=SAMPLES...      DATA holds sst2/train.tsv, trec/train.txt, subj/all.txt and so on
"""

import argparse
import pathlib
import random
import sys

# Task: training file (the search's), header lines, and the file that is scored; none: the training file's rest.
FILES = {
    "agnews": ("agnews/train.csv", 0, "agnews/test.csv"),
    "arce": ("arc/ARC-Easy-Dev.jsonl", 0, "arc/ARC-Easy-Test.jsonl"),
    "boolq": ("boolq/train.jsonl", 0, "boolq/val.jsonl"),
    "mr": ("mr/all.txt", 0, None),
    "sst2": ("sst2/train.tsv", 1, "sst2/dev.tsv"),
    "subj": ("subj/all.txt", 0, None),
    "trec": ("trec/train.txt", 0, "trec/test.txt"),
}


def pool_of(out, task):
    return out / (task + pathlib.Path(FILES[task][0]).suffix)


def scored_file(data, out, task):
    scored = FILES[task][2]
    return data / scored if scored else out / (task + "-rest" + pathlib.Path(FILES[task][0]).suffix)


def write_lines(path, lines):
    path.write_bytes(b"".join(line + b"\n" for line in lines))


def make_pool(data, out, task, samples):
    file, header, scored = FILES[task]
    lines = [line for line in (data / file).read_bytes().split(b"\n") if line.strip()]
    titles, lines = lines[:header], lines[header:]
    if len(lines) < samples:
        print(f"{file} has {len(lines)} samples, not {samples}: all are taken", file=sys.stderr)
    chosen = set(random.Random(7).sample(range(len(lines)), min(samples, len(lines))))
    write_lines(pool_of(out, task), titles + [line for i, line in enumerate(lines) if i in chosen])
    if scored is None:
        write_lines(scored_file(data, out, task), [line for i, line in enumerate(lines) if i not in chosen])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", metavar="DATA", type=pathlib.Path)
    parser.add_argument("out", metavar="OUT", type=pathlib.Path)
    parser.add_argument("pools", metavar="TASK=SAMPLES", nargs="+")
    asked = parser.parse_args()
    pools = []
    for each in asked.pools:
        name, _, count = each.partition("=")
        if name not in FILES or not count.isdigit() or int(count) == 0:
            parser.error(f"{each}: should be TASK=SAMPLES, the task one of {', '.join(FILES)}")
        if not (asked.data / FILES[name][0]).is_file():
            parser.error(f"{asked.data / FILES[name][0]}: isn't there; DATA holds the tasks' files")
        pools.append((name, int(count)))
    asked.out.mkdir(parents=True, exist_ok=True)
    for name, count in pools:
        make_pool(asked.data, asked.out, name, count)
