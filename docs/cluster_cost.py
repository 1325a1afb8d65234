"""What a search takes on R processes: the cost model of docs/cluster.md, from a model's sizes alone.

  python3 docs/cluster_cost.py            prints the page's tables
  python3 docs/cluster_cost.py DRY.json   compares with the work that act-search --dry-run --json counted

Work is multiply-adds. A plain pass of T tokens is T rows of each layer; a trial of layer l with its first sink at a part s of
the text runs (1 - s) T rows of the L - 1 - l layers above and one row of its last. Blocks of one layer and one chunk of samples
are what processes are dealt; a process that starts on a chunk runs its plain pass.
"""
import argparse
import heapq
import json
import math

MODELS = {  # layers, hidden, query heads, key heads, head size, inner, matrices of the feed-forward block
    "OPT-2.7B": (32, 2560, 32, 32, 80, 10240, 2),
    "Llama-2-7B": (32, 4096, 32, 32, 128, 11008, 3),
    "SmolLM2-135M": (30, 576, 9, 3, 64, 1536, 3),
}


def row(model, keys):
    """Multiply-adds of one token in one layer that attends to `keys` keys."""
    layers, hidden, heads, kv, size, inner, matrices = MODELS[model]
    return hidden * (2 * heads * size + 2 * kv * size + matrices * inner) + 2 * keys * heads * size


def blocks(model, samples, tokens, first, last, sinks, start, chunk_tokens=1024):
    """Rows of a chunk's plain pass, rows of each of its blocks, number of chunks. `sinks`: the share of trials that have one;
    `start`: the mean part of the text before it."""
    layers, _, heads, *_ = MODELS[model]
    together = max(1, chunk_tokens // tokens)
    chunks = math.ceil(samples / together)
    plain = together * ((layers - 1) * tokens + 1)
    trials = [together * heads * sinks * ((1 - start) * tokens * (layers - 1 - layer) + 1) for layer in range(first, last + 1)]
    return plain, trials, chunks


def busiest(plain, trials, chunks, processes, leading=0.0):
    """Rows' time until the last process is done, and rows that all run together. Dealt as block_dealer.hpp deals, two blocks ahead
    while there are many: a process goes on with its chunk, else begins a new one, else helps with the longest; it runs a plain
    pass of each chunk that it comes to. `leading`: what the first process has to do for each block (in rows' time)."""
    piles = [[plain] + trials[:] for _ in range(chunks)]  # the first block of a chunk is its plain pass, which is no extra work
    fronts, ends = [0] * chunks, [len(pile) for pile in piles]
    untouched = iter(range(chunks))
    at = [None] * processes
    held = [None] * processes  # the chunk whose plain pass a process has
    left = chunks * (1 + len(trials))
    free = [(0.0, process) for process in range(processes)]
    heapq.heapify(free)
    together = latest = 0.0
    while left:
        time, process = heapq.heappop(free)
        chunk, end = at[process], False
        if chunk is None or fronts[chunk] == ends[chunk]:
            chunk = next(untouched, None)
            if chunk is None:
                chunk, end = max(range(chunks), key=lambda c: ends[c] - fronts[c]), True
            at[process] = chunk
        if end:
            ends[chunk] -= 1
            number = ends[chunk]
        else:
            number = fronts[chunk]
            fronts[chunk] += 1
        rows = piles[chunk][number] if number else 0
        if held[process] != chunk:
            rows += plain
            held[process] = chunk
        left -= 1
        together += rows
        # The first process answers for every block; the others wait for nothing but their own.
        time += rows + (leading * processes if process == 0 else leading)
        latest = max(latest, time)
        heapq.heappush(free, (time, process))
    return latest, together


def tables():
    samples, tokens, sinks, start = 7 * 1000, 100, 0.75, 0.1
    rate, leading = 2e11, 0.005
    print(f"{samples} samples of {tokens} tokens, layers 2..L-2, a sink in {sinks:.0%} of the trials, on average {start:.0%} into "
          f"the text; {rate:.0e} multiply-adds a second and process, {leading * 1000:.0f} ms of the first process a block\n")
    print("| model | multiply-adds | 1 process | 8 | 64 | 512 | 2048 |\n|---|---|---|---|---|---|---|")
    for model in ("OPT-2.7B", "Llama-2-7B"):
        layers = MODELS[model][0]
        plain, trials, chunks = blocks(model, samples, tokens, 2, layers - 2, sinks, start)
        second = rate / row(model, tokens / 2)  # rows
        rows = chunks * (plain + sum(trials))
        cells = []
        for processes in (8, 64, 512, 2048):
            longest, _ = busiest(plain, trials, chunks, processes, leading * second)
            cells.append(f"{rows / processes / longest:.0%}, {longest / second / 3600:.1f} h")
        print(f"| {model} | {rows * row(model, tokens / 2):.2e} | {rows / second / 3600:.0f} h | " + " | ".join(cells) + " |")


def compare(path):
    with open(path, encoding="utf-8") as file:
        dry = json.load(file)
    samples, trials = dry["samples"], dry["trials"]
    tokens = dry["tokens"] / samples
    first, last = dry["layers"]
    sinks = dry["trials_with_sinks"] / trials
    model = next((name for name, sizes in MODELS.items() if sizes[0] == dry["model"]["layers"] and sizes[2] == dry["model"]["heads"]), None)
    if model is None:
        raise SystemExit(f"{path}: a model of {dry['model']['layers']} layers and {dry['model']['heads']} heads; the page has {', '.join(MODELS)}")
    plain, runs, chunks = blocks(model, samples, round(tokens), first, last, sinks, 0)
    modelled = dry["plain_layer_rows"] + sum(runs) * chunks
    counted = dry["plain_layer_rows"] + dry["trial_layer_rows"]
    print(f"{model}: {counted:.4g} rows counted, {modelled:.4g} if every sink stood first: "
          f"the first sink is {1 - (dry['trial_layer_rows'] / (sum(runs) * chunks)):.0%} into the text; "
          f"{dry['multiply_adds'] / counted:.4g} multiply-adds a row counted, {row(model, tokens / 2):.4g} by the model")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dry", nargs="?", metavar="DRY.json")
    asked = parser.parse_args()
    try:
        compare(asked.dry) if asked.dry else tables()
    except (OSError, ValueError, KeyError, TypeError, ZeroDivisionError) as error:
        raise SystemExit(f"{asked.dry}: isn't what act-search --dry-run --json writes: {error!r}")
