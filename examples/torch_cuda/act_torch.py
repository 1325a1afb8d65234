"""Calibrated attention in PyTorch: scaled_dot_product_attention's own kernels, then act's correction of their outputs.

    from act_torch import calibrated_attention
    out = calibrated_attention(q, k, v, heads=[0, 3, 7])      # causal, on a CUDA device

q [batch, heads, tokens, channels]; k and v may have fewer heads (grouped). No map is ever built.
"""

import functools
import pathlib

import torch
from torch.utils import cpp_extension

_here = pathlib.Path(__file__).resolve().parent


@functools.cache
def extension():
    """Compiles the extension on first use (nvcc and a C++20 compiler)."""
    return cpp_extension.load(
        name="act_torch_cuda",
        sources=[str(_here / "bindings.cpp"), str(_here / "correction.cu")],
        extra_include_paths=[str(_here.parents[1] / "include")],
        extra_cflags=["-O2", "-std=c++20"],
        extra_cuda_cflags=["-O3", "-std=c++20"],
    )


def head_words(heads, count, device):
    """The chosen heads of a layer as act's bits: 32-bit words on the device."""
    words = [0] * ((count + 31) // 32)
    for head in heads:
        if not 0 <= head < count:
            raise ValueError(f"heads: {head} is not one of {count}")
        words[head // 32] |= 1 << head % 32
    signed = [word - (1 << 32) if word >= 1 << 31 else word for word in words]
    return torch.tensor(signed, dtype=torch.int32, device=device)


def attention_with_lse(q, k, v):
    """Causal attention by PyTorch's fused kernels, with each row's log-sum-exp [batch, heads, tokens] in float."""
    groups = q.size(1) // k.size(1)
    if groups > 1:  # repeating once would still copy
        k, v = k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1)
    if q.dtype == torch.float32:
        out, lse = torch.ops.aten._scaled_dot_product_efficient_attention.default(q, k, v, None, True, 0.0, True)[:2]
    else:
        out, lse = torch.ops.aten._scaled_dot_product_flash_attention.default(q, k, v, 0.0, True)[:2]
    return out, lse[:, :, : q.size(2)].contiguous()  # some kernels round the rows up


def correct_output(out, lse, q, k, v, heads=None, first_key=None, scores=None, alpha=5.0, beta=0.4, words=None):
    """Calibrates the chosen heads' outputs in place, on the current stream; returns what was done."""
    if words is None and heads is not None:
        words = head_words(heads, q.size(1), q.device)
    stream = torch.cuda.current_stream(q.device).cuda_stream
    with torch.cuda.device(q.device):
        return extension().correct_output(out, lse, q, k, v, words, first_key, scores, 0, 0, alpha, beta, stream)


def calibrated_attention(q, k, v, heads=None, alpha=5.0, beta=0.4):
    """Causal attention with the chosen heads (None: all) calibrated."""
    out, lse = attention_with_lse(q, k, v)
    correct_output(out, lse, q, k, v, heads, alpha=alpha, beta=beta)
    return out


def materialised(q, k, v, heads=None, alpha=5.0, beta=0.4):
    """The same with whole maps and nothing but PyTorch, in q's type: what the above is compared with."""
    groups = q.size(1) // k.size(1)
    k, v = k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1)
    n = q.size(2)
    visible = torch.ones(n, n, dtype=torch.bool, device=q.device).tril()
    weights = (q @ k.transpose(-1, -2) / q.size(-1) ** 0.5).masked_fill(~visible, float("-inf")).softmax(-1)
    score = weights.sum(-2) / torch.arange(n, 0, -1, device=q.device)
    sink = score > alpha / n
    sink[..., 0] = False
    if heads is not None:
        chosen = torch.zeros(q.size(1), dtype=torch.bool, device=q.device)
        chosen[list(heads)] = True
        sink &= chosen[:, None]
    columns = sink[:, :, None, :]
    on_sinks = (weights * columns).sum(-1, keepdim=True)
    elsewhere = (weights * ~columns).sum(-1, keepdim=True)
    changes = (on_sinks > 0) & (elsewhere >= 2.0**-20 * (on_sinks + elsewhere))
    factor = torch.where(changes, 1 + (1 - beta) * on_sinks / elsewhere, torch.ones_like(elsewhere))
    kept = torch.where(changes, torch.full_like(factor, beta), torch.ones_like(factor))
    return (weights * torch.where(columns, kept, factor)) @ v, sink
