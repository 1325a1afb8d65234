#!/usr/bin/env python3
"""Measures one engine in a process of its own and prints the same JSON lines as act_runtime_bench. models.py calls it.

  run_engine.py ENGINE --model PATH --text IDS --prompts IDS --labels N,N [--threads N] [--rounds N] [--only WORK]...
"""
import argparse
import json
import statistics
import sys

from engines import ENGINES, timed


def show(**line):
    print(json.dumps(line), flush=True)


def lists(path):
    return [[int(each) for each in line.split()] for line in open(path) if line.strip()]


def counts(text):
    return [int(each) for each in text.split(",")]


def peak_bytes():
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def repeated(rounds, call):
    """Seconds that `call` returns with its result, after one call to be warm; and the last result."""
    call()
    done = [call() for _ in range(rounds)]
    return [each[0] for each in done], done[-1][1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("engine", choices=ENGINES)
    parser.add_argument("--model", required=True)
    parser.add_argument("--text", required=True)
    parser.add_argument("--prompts", required=True)
    parser.add_argument("--labels", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--prefill", default="64,256,1024")
    parser.add_argument("--decode", default="256,2048")
    parser.add_argument("--steps", type=int, default=32)
    parser.add_argument("--only", action="append", choices=("prefill", "decode", "score"))
    options = parser.parse_args()
    works = options.only or ["prefill", "decode", "score"]
    text, prompts, labels = lists(options.text)[0], lists(options.prompts), counts(options.labels)

    def first(count):
        return (text * (count // len(text) + 1))[:count]

    longest = max([0] + [count for count in counts(options.prefill) if "prefill" in works] +
                  [count for count in counts(options.decode) if "decode" in works] + [len(each) for each in prompts])
    longest = -(-(longest + options.steps + 1) // 256) * 256
    seconds, engine = timed(lambda: ENGINES[options.engine](options.model, threads=options.threads, longest=longest))
    show(work="model", path=options.model, load_seconds=seconds)
    if "prefill" in works:
        for tokens in counts(options.prefill):
            ids = first(tokens)
            engine.prefill(ids)  # the choices it makes once are made
            taken, logits = repeated(options.rounds, lambda: timed(lambda: engine.prefill(ids)))
            show(work="prefill", tokens=tokens, plain_rate=tokens / statistics.median(taken), plain_seconds=taken)
            if logits is None:
                continue
            top = sorted(range(len(logits)), key=lambda i: -logits[i])[:5]
            show(work="logits", of="prefill", tokens=tokens, top=top, logits=[float(logits[i]) for i in top])
    if "decode" in works:
        for context in counts(options.decode):
            ids = first(context)
            taken, greedy = repeated(options.rounds, lambda: engine.decode(ids, options.steps))
            middle = statistics.median(taken)
            if middle > 0:  # else the machine is too busy for a difference of two times
                show(work="decode", context=context, steps=options.steps, plain_rate=options.steps / middle, plain_seconds=taken)
            show(work="logits", of="decode", context=context, greedy=greedy)
    if "score" in works:
        taken, rows = repeated(options.rounds, lambda: timed(lambda: engine.score(prompts, labels)))
        show(work="score", samples=len(prompts), plain_rate=len(prompts) / statistics.median(taken), plain_seconds=taken)
        if rows is not None:
            show(work="logits", of="score", labels=labels, plain=rows)
    show(work="memory", after="all", peak_bytes=peak_bytes())
    return 0


if __name__ == "__main__":
    sys.exit(main())
