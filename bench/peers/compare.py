#!/usr/bin/env python3
"""Measures PyTorch and act in one run, alternating, and prints the ratios.

  python3 -m venv .venv && .venv/bin/pip install -r bench/peers/requirements.txt
  cmake --preset native && cmake --build --preset native --target act_calibrate_bench act_calibrated_attention_bench
  .venv/bin/python bench/peers/compare.py --bench build/native/bench

Two tables:
  map        act::calibrate in place on 32 softmaxed maps, against the best form of it in PyTorch: gather the sinks'
             columns, scale rows in place
  attention  act::calibrated_attention with all heads calibrated, against scaled_dot_product_attention uncalibrated

Nothing of act needs PyTorch. Each round measures a peer, then act's benchmark as a process of its own, then the next
cell; the figure is the median over rounds, so that a busy minute spoils a round of both and not one side. Times are real
time: close everything else, or use --cpu on one thread.
"""
import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch

HEADS = 32
MAP_LENGTHS = (128, 512, 1024, 2048)
ATTENTION_LENGTHS = (128, 512, 1024, 2048, 4096, 8192)
HEAD_SIZES = (64, 128)


def seconds(call, least, cpu):
    """Seconds a call, over at least `least` seconds of calls."""
    clock = time.process_time if cpu else time.perf_counter
    calls, begin = 0, clock()
    while True:
        call()
        calls += 1
        spent = clock() - begin
        if spent >= least:
            return spent / calls


def recorded_sinks(n):
    """Positions of the sinks of each head in the benchmarks' `real` profile; none where it wasn't recorded."""
    lines = (Path(__file__).parent.parent / "sink_profiles" / "smollm2.txt").read_text().splitlines()
    rows = [[int(each) for each in line.split()] for line in lines if not line.startswith("#")]
    return [row[1:] for row in rows if row[0] == n][:HEADS]


def causal_map(n, profile):
    """Softmaxed causal maps [HEADS, n, n] as bench/sink_profiles/sink_profile.hpp makes them."""
    random = torch.Generator().manual_seed(1)
    draw = torch.ones(HEADS, n)
    for head in range(HEADS):
        if profile == "few":
            draw[head, 1 + torch.randperm(n // 2, generator=random)[:3]] = n / 10
        else:
            sinks = recorded_sinks(n)[head]
            share = min(5.5, 0.9 * n / max(len(sinks), 1)) / n
            draw[head, sinks] = share * (n - len(sinks)) / (1 - len(sinks) * share)
    weights = torch.tril(draw[:, None, :].expand(HEADS, n, n))
    return (weights / weights.sum(-1, keepdim=True)).contiguous()


def calibrate_gather(maps, visible_rows, threshold, beta=1 - 1e-6):
    """Calibration of all heads, in place: the fastest form in PyTorch that was found. It reads the map once for the
    scores and reads and writes it once to scale rows; sinks' columns are gathered and written back. Whole-matrix forms
    (`where`, a product with a mask) move the map several times more, a loop over heads loses to its calls at short
    lengths. beta stays near 1 so that calls can repeat on one map."""
    is_sink = maps.sum(-2) / visible_rows > threshold
    is_sink[:, 0] = False
    most = int(is_sink.sum(-1).max())
    if most == 0:
        return
    valid, sinks = is_sink.float().topk(most, dim=-1)  # heads with fewer sinks are filled up with keys that aren't
    index = sinks[:, None, :].expand(-1, maps.shape[-1], -1)
    columns = maps.gather(-1, index)
    on_sinks = (columns * valid[:, None, :]).sum(-1, keepdim=True)
    elsewhere = 1 - on_sinks  # rows are softmaxed; act sums them
    factor = 1 + (1 - beta) * on_sinks / elsewhere.clamp_min(1e-30)
    maps.mul_(factor)
    maps.scatter_(-1, index, torch.where(valid[:, None, :] > 0, beta * columns, factor * columns))


def bench_seconds(program, name, least, cpu):
    """One Google Benchmark row, as a process: its seconds; None where the program has no such row."""
    done = subprocess.run([program, f"--benchmark_filter=^{name}(/|$)", f"--benchmark_min_time={least}",
                           "--benchmark_format=json"], check=True, capture_output=True, text=True)
    # A program in which no name matches prints nothing.
    rows = json.loads(done.stdout)["benchmarks"] if done.stdout.strip() else []
    if len(rows) != 1:
        return None
    unit = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}[rows[0]["time_unit"]]
    return rows[0]["cpu_time" if cpu else "real_time"] * unit


def cell(peer, program, names, options):
    """Medians over rounds: the peer's seconds, and those of each of act's rows."""
    peer()  # warm: threads, pages, the library's own choices
    peers, ours = [], {name: [] for name in names}
    for _ in range(options.rounds):
        peers.append(seconds(peer, options.least, options.cpu))
        for name in names:
            if None not in ours[name]:
                ours[name].append(bench_seconds(program, name, options.least, options.cpu))
    medians = {name: None if None in each else statistics.median(each) for name, each in ours.items()}
    return statistics.median(peers), medians


def print_row(columns):
    print("| " + " | ".join(columns) + " |", flush=True)


def table(heading, columns):
    print(f"\n{heading}\n")
    print_row(columns)
    print_row(["---"] * len(columns))


def milliseconds(value, ratio=""):
    return "not in the program" if value is None else f"{value * 1e3:.3g}{ratio}"


def compare_maps(options):
    program = options.bench / "act_calibrate_bench"
    table("Materialised maps, float32, 32 heads: ms, in brackets how many times faster than PyTorch",
          ["sinks", "n", "threads", "torch gather", "act", "act, sweep of the map"])
    for threads in options.threads:
        torch.set_num_threads(threads)
        for profile in options.profiles:
            for n in options.lengths or MAP_LENGTHS:
                if profile == "real" and not recorded_sinks(n):
                    continue
                maps, rows = causal_map(n, profile), torch.arange(n, 0, -1, dtype=torch.float32)
                shape = f"f32/heads:{HEADS}/n:{n}/threads:{threads}"
                names = [f"calibrate/{profile}/simd/{shape}", f"sweep/{shape}"]
                threshold = 0.05 if profile == "few" else 5 / n  # sink_profile.hpp's sink_rule_of
                peer, ours = cell(lambda: calibrate_gather(maps, rows, threshold), program, names, options)
                cells = [milliseconds(ours[name], f" ({peer / (ours[name] or peer):.1f} x)") for name in names]
                print_row([profile, str(n), str(threads), milliseconds(peer)] + cells)


def compare_attention(options):
    program = options.bench / "act_calibrated_attention_bench"
    kinds = ["plain"] + options.profiles
    table("Causal attention, float32, 32 heads: ms, in brackets the time over that of scaled_dot_product_attention",
          ["d", "n", "threads", "torch SDPA"] + [f"act, {k}" for k in kinds])
    for threads in options.threads:
        torch.set_num_threads(threads)
        for channels in HEAD_SIZES:
            for n in options.lengths or ATTENTION_LENGTHS:
                q, k, v = (torch.randn(1, HEADS, n, channels) for _ in range(3))

                def peer():
                    torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)

                names = [f"attention/{kind}/f32/heads:{HEADS}/d:{channels}/n:{n}/threads:{threads}" for kind in kinds]
                base, ours = cell(peer, program, names, options)
                cells = [milliseconds(ours[name], f" ({(ours[name] or base) / base:.2f})") for name in names]
                print_row([str(channels), str(n), str(threads), milliseconds(base)] + cells)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bench", type=Path, required=True, help="folder of act's benchmark programs")
    parser.add_argument("--only", choices=("map", "attention"), help="one of the tables")
    parser.add_argument("--lengths", type=int, nargs="+", help="prompt lengths instead of the tables' own")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--profiles", nargs="+", default=["few"], help="sink profiles as the benchmarks name them")
    parser.add_argument("--rounds", type=int, default=5, help="alternations in each cell (median)")
    parser.add_argument("--least", type=float, default=0.2, help="seconds of calls in each measurement")
    parser.add_argument("--cpu", action="store_true", help="CPU time instead of real time (one thread only)")
    options = parser.parse_args()
    if options.cpu and options.threads != [1]:
        parser.error("--cpu needs --threads 1: the CPU time of several threads isn't a duration")
    for program in ("act_calibrate_bench", "act_calibrated_attention_bench"):
        if not (options.bench / program).exists():
            parser.error(f"{options.bench / program} isn't there: build it, or name its folder with --bench")
    print(f"PyTorch {torch.__version__}, {options.rounds} alternations of at least {options.least} s, "
          f"{'CPU' if options.cpu else 'real'} time")
    with torch.inference_mode():
        if options.only != "attention":
            compare_maps(options)
        if options.only != "map":
            compare_attention(options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
