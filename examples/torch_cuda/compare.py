"""Compares the calibrated attention of act_torch.py with the materialised one, and times it beside plain attention.

    python3 examples/torch_cuda/compare.py            # compares; exits with 1 on a difference
    python3 examples/torch_cuda/compare.py --bench    # times, too

Without a CUDA device it checks act_torch.materialised against plain attention on the processor and says so.
"""

import argparse
import sys

import torch

import act_torch

# Largest difference of an output, relative to the largest: the types' own roundings of outputs and weights.
BOUNDS = {torch.float32: 1e-4, torch.float16: 4e-3, torch.bfloat16: 3e-2}


def random_inputs(heads, kv_heads, tokens, channels, dtype, device, seed):
    """Queries whose first channel is constant and keys of which some answer to it: those draw attention."""
    generator = torch.Generator().manual_seed(seed)
    q, k, v = (0.7 * torch.randn(1, h, tokens, channels, generator=generator) for h in (heads, kv_heads, kv_heads))
    q[..., 0] = 1
    k[..., 0] = torch.where(torch.rand(1, kv_heads, tokens, generator=generator) < 4 / tokens, 6 * channels**0.5, 0.0)
    return [x.to(device=device, dtype=dtype) for x in (q, k, v)]


def compare():
    failed = False
    for dtype, bound in BOUNDS.items():
        for heads, kv_heads, tokens, channels in [(4, 4, 1, 64), (8, 2, 77, 64), (8, 8, 300, 128), (32, 8, 1024, 128)]:
            q, k, v = random_inputs(heads, kv_heads, tokens, channels, dtype, "cuda", tokens)
            chosen = range(0, heads, 2)
            expected, sinks = act_torch.materialised(q.double(), k.double(), v.double(), chosen)
            plain, lse = act_torch.attention_with_lse(q, k, v)
            out = plain.clone()
            counts, _, moved = act_torch.correct_output(out, lse, q, k, v, chosen)
            apart = ((out - expected).abs().max() / expected.abs().max()).item()
            changed = ((out - plain).abs().max() / expected.abs().max()).item()
            same_sinks = torch.equal(counts.long(), sinks.sum(-1))
            good = apart <= bound and same_sinks
            failed |= not good
            print(f"{str(dtype):15} heads {heads}/{kv_heads} tokens {tokens:5} channels {channels:3}: "
                  f"{int(counts.sum())} sinks{'' if same_sinks else ' (NOT those expected)'}, "
                  f"moved {moved.sum().item():.2f}, outputs changed by {changed:.1e}, "
                  f"difference {apart:.1e} {'ok' if good else f'OVER {bound}'}")
    return failed


def captured(work):
    """A CUDA graph of what work() enqueues, and what it returned: the graph's own memory, made anew by each replay."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            work()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = work()
    return graph, result


def median_ms(graphs, repeat=30):
    """Median time of each of the graphs, replayed one after the other. All are enqueued while the device sleeps: what
    the processor needs for its calls isn't in the times."""
    times = []
    for _ in range(repeat + 5):
        events = [torch.cuda.Event(enable_timing=True) for _ in range(len(graphs) + 1)]
        torch.cuda._sleep(2_000_000)
        events[0].record()
        for graph, event in zip(graphs, events[1:]):
            graph.replay()
            event.record()
        torch.cuda.synchronize()
        times.append([start.elapsed_time(end) for start, end in zip(events, events[1:])])
    return [sorted(each)[repeat // 2] for each in zip(*times[5:])]


def bench():
    """The correction, its scores given with 4 sinks a head, beside the attention it follows."""
    print(f"\n{torch.cuda.get_device_name()}, torch {torch.__version__}, bfloat16, 32 heads, causal")
    print("| tokens | channels | attention ms | correction ms | share |\n|---|---|---|---|---|")
    sdpa = torch.nn.functional.scaled_dot_product_attention
    for tokens in (1024, 4096, 8192, 16384):
        for channels in (64, 128):
            q, k, v = random_inputs(32, 32, tokens, channels, torch.bfloat16, "cuda", 1)
            scores = torch.zeros(1, 32, tokens, dtype=torch.float64, device="cuda")
            scores[:, :, [tokens // 9, tokens // 3, tokens // 2, tokens - tokens // 7]] = 0.5
            words = act_torch.head_words(range(32), 32, "cuda")
            fused, _ = captured(lambda: sdpa(q, k, v, is_causal=True))
            before, (plain, lse) = captured(lambda: act_torch.attention_with_lse(q, k, v))
            after, _ = captured(lambda: act_torch.correct_output(plain, lse, q, k, v, words=words, scores=scores))
            attention, _, correction = median_ms([fused, before, after])
            print(f"| {tokens} | {channels} | {attention:.3f} | {correction:.3f} | {100 * correction / attention:.1f} % |")


def check_materialised():
    """What the comparison rests on, as far as a processor can tell."""
    q, k, v = random_inputs(4, 2, 200, 32, torch.float64, "cpu", 1)
    sdpa = torch.nn.functional.scaled_dot_product_attention
    grown = [x.repeat_interleave(2, 1) for x in (k, v)]
    plain = sdpa(q, *grown, is_causal=True)
    same, _ = act_torch.materialised(q, k, v, beta=1.0)
    changed, sinks = act_torch.materialised(q, k, v, heads=[1])
    apart = (same - plain).abs().max().item()
    good = apart < 1e-12 and sinks.sum() > 0 and not sinks[:, [0, 2, 3]].any()
    good = good and torch.allclose(changed[:, [0, 2, 3]], plain[:, [0, 2, 3]]) and not torch.allclose(changed, plain)
    print(f"materialised with beta 1 against plain attention: {apart:.1e}; {int(sinks.sum())} sinks in the chosen head")
    return not good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", action="store_true", help="time the correction beside plain attention")
    arguments = parser.parse_args()
    if not torch.cuda.is_available():
        print("[skipped] no CUDA device: act's kernels did not run")
        return int(check_materialised())
    failed = compare()
    if arguments.bench:
        bench()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
