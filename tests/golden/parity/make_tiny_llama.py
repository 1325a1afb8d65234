"""Two tiny random Llama checkpoints as GGUF, and what `transformers` computes with them.

    python make_tiny_llama.py

writes tiny-llama-{mixed,tied}.gguf and tiny-llama-{mixed,tied}.json beside this script. The same seed gives the
same files with the same package versions (they are listed in the JSON files).

  * mixed: 8 query heads on 2 KV heads, head size 8, separate output matrix, rope theta 10,000;
           tensors of type F32, F16, BF16, Q8_0, Q4_0, Q4_1
  * tied:  6 query heads on 3 KV heads, head size 16, output tied to the embedding, rope theta 100,000;
           tensors of type Q8_0, Q5_0, Q5_1, Q4_0, Q4_1, F16

The logits are computed from the dequantised weights read back from the file, so quantisation error is in both
sides of the comparison. Prompts are drawn until every column score stays clear of its threshold by
MARGIN (relative): rounding in another implementation can't change which keys are sinks.
"""

from __future__ import annotations

import json
import pathlib

import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf import GGUFWriter, LlamaFileType
from gguf.quants import quantize
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

import act_reference as act
import gguf_llama

HERE = pathlib.Path(__file__).resolve().parent
LENGTHS = (1, 2, 7, 33, 90)
MARGIN = 3e-4

# A few sentences are enough for a vocabulary of this size; the numbers and signs are there for the digit rule.
CORPUS = """
The first token of a prompt draws far more attention than its meaning deserves, and so do some later ones.
A head that stares at one comma for 128 rows has little left for the words which answer the question.
We take a part of that weight away and give it to the other tokens, in proportion to what they had before.
Nothing is trained: 2 matrices are multiplied as before, 1 row of weights is changed, and the sum stays 1.
In 2024 the price was 37.50 (or 41.25 with tax); in 2025 nobody asked. "Really?" she said. "Really."
the of and to in is that it for was on are as with be at this have from or one had by not but what all
def mean(values): return sum(values) / len(values)  # fails for an empty list
""".strip().splitlines()


def train_vocabulary(size: int) -> tuple[list[str], list[str], int]:
    """Tokens in id order, merges, and the number of control tokens at the front."""
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=special,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    tokens = [t for t, _ in sorted(model["vocab"].items(), key=lambda item: item[1])]
    merges = [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]
    return tokens, merges, len(special)


def write_checkpoint(path, *, name, seed, hidden, layers, heads, kv_heads, ffn, theta, tied, types, vocabulary):
    rng = np.random.default_rng(seed)
    head_size = hidden // heads
    tokens, merges, controls = train_vocabulary(vocabulary)
    assert len(tokens) == vocabulary

    writer = GGUFWriter(str(path), "llama")
    writer.add_name(name)
    writer.add_license("apache-2.0")
    writer.add_block_count(layers)
    writer.add_context_length(256)
    writer.add_embedding_length(hidden)
    writer.add_feed_forward_length(ffn)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_rope_freq_base(theta)
    writer.add_rope_dimension_count(head_size)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(vocabulary)
    writer.add_file_type(LlamaFileType.MOSTLY_Q8_0)
    writer.add_quantization_version(2)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([3] * controls + [1] * (vocabulary - controls))
    writer.add_token_merges(merges)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_pad_token_id(2)
    writer.add_add_bos_token(False)
    writer.add_add_space_prefix(False)

    turn = iter(range(10**6))

    def put(tensor, values, kind=None):
        kind = types[next(turn) % len(types)] if kind is None else kind
        values = np.ascontiguousarray(values, dtype=np.float32)
        if kind == Type.F32:
            writer.add_tensor(tensor, values)
        elif kind == Type.F16:
            writer.add_tensor(tensor, values.astype(np.float16))
        else:
            writer.add_tensor(tensor, quantize(values, kind), raw_dtype=kind)

    def matrix(rows, columns, gain):
        return rng.normal(0.0, gain / np.sqrt(columns), (rows, columns))

    def norm():
        return rng.uniform(0.5, 1.5, hidden)

    # Random keys spread attention evenly; a few loud tokens give each head columns that most rows look at.
    embedding = rng.normal(0.0, 1.0, (vocabulary, hidden))
    embedding[:, : hidden // 8] += 0.7
    loud = rng.choice(np.arange(controls, vocabulary), vocabulary // 6, replace=False)
    embedding[loud] += rng.normal(0.0, 2.0, hidden)
    put("token_embd.weight", embedding, Type.Q8_0 if tied else Type.F16)
    put("output_norm.weight", norm(), Type.F32)
    if not tied:
        put("output.weight", matrix(vocabulary, hidden, 3.0), Type.Q8_0)
    for i in range(layers):
        put(f"blk.{i}.attn_norm.weight", norm(), Type.F32)
        put(f"blk.{i}.attn_q.weight", gguf_llama.to_interleaved(matrix(heads * head_size, hidden, 1.6), heads))
        put(f"blk.{i}.attn_k.weight", gguf_llama.to_interleaved(matrix(kv_heads * head_size, hidden, 1.6), kv_heads))
        put(f"blk.{i}.attn_v.weight", matrix(kv_heads * head_size, hidden, 1.5))
        put(f"blk.{i}.attn_output.weight", matrix(hidden, heads * head_size, 1.5))
        put(f"blk.{i}.ffn_norm.weight", norm(), Type.F32)
        put(f"blk.{i}.ffn_gate.weight", matrix(ffn, hidden, 1.2))
        put(f"blk.{i}.ffn_up.weight", matrix(ffn, hidden, 1.2))
        put(f"blk.{i}.ffn_down.weight", matrix(hidden, ffn, 1.2))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def head_set_cases(layers: int, heads: int) -> list[dict]:
    """The calibrations every golden file of this folder records."""
    every = [[layer, head] for layer in range(layers) for head in range(heads)]
    several = [[0, 1], [layers // 2, 0], [layers // 2, heads - 1], [layers - 1, 2 % heads]]
    return [
        {"name": "one head", "heads": [[1, heads // 2]], "options": {}},
        {"name": "several heads", "heads": several, "options": {}},
        {"name": "all heads", "heads": every, "options": {}},
        {"name": "all heads, alpha 3, beta 0", "heads": every, "options": {"alpha": 3.0, "beta": 0.0}},
        {"name": "several heads, absolute", "heads": several, "options": {"rule": "absolute", "tau": 0.1}},
        {"name": "all heads, absolute", "heads": every, "options": {"rule": "absolute", "tau": 0.15, "beta": 0.6}},
        {"name": "all heads, 5 rows at least", "heads": every, "options": {"min_visible_rows": 5}},
        {"name": "all heads, authors", "heads": every,
         "options": {"rule": "absolute", "tau": 0.1, "compatibility": "authors"}},
    ]


def draw_prompts(model, cases, seed, lengths=LENGTHS, first_token=3, margin=MARGIN, keep=None):
    """Golden entries for prompts of the given lengths, each clear of every threshold by `margin`."""
    rng = np.random.default_rng(seed)
    entries = []
    for length in lengths:
        act.check_plain(model, rng.integers(first_token, model.config.vocab_size, length))
        for _ in range(200):
            tokens = rng.integers(first_token, model.config.vocab_size, length)
            entry, reached = act.golden_prompt(model, tokens, cases, keep)
            if reached > margin:
                break
        else:
            raise RuntimeError(f"no prompt of {length} tokens is clear of every threshold by {margin}")
        entry["margin"] = float(f"{min(reached, 1e9):.3g}")
        entries.append(entry)
    return entries


def main():
    shapes = {
        "mixed": dict(seed=11, hidden=64, layers=4, heads=8, kv_heads=2, ffn=96, theta=10000.0, tied=False,
                      types=[Type.F16, Type.Q8_0, Type.BF16, Type.Q4_1, Type.F32, Type.Q4_0, Type.Q8_0],
                      vocabulary=288),
        "tied": dict(seed=12, hidden=96, layers=3, heads=6, kv_heads=3, ffn=128, theta=100000.0, tied=True,
                     types=[Type.Q5_1, Type.Q8_0, Type.Q4_1, Type.F16, Type.Q5_0, Type.Q4_0], vocabulary=320),
    }
    for name, shape in shapes.items():
        path = HERE / f"tiny-llama-{name}.gguf"
        write_checkpoint(path, name=f"tiny-llama-{name}", **shape)
        model, _ = gguf_llama.load(path)
        cases = head_set_cases(shape["layers"], shape["heads"])
        prompts = draw_prompts(model, cases, seed=shape["seed"])
        document = {"model": path.name, "versions": act.versions(), "cases": cases, "prompts": prompts}
        act.write_json(path.with_suffix(".json"), document)
        report(name, prompts)


def report(name, prompts):
    for p in prompts:
        plain = np.array(p["plain"]["logits"])
        moved = [
            f"{np.abs(np.array(c['logits']) - plain).max() / p['plain']['max_abs_logit']:.3f}"
            f"({sum(len(s[2]) for s in c['sinks'])})"
            for c in p["calibrated"]
        ]
        sinks = p["plain"]["sinks"]
        print(f"{name} n={len(p['tokens'])} max={p['plain']['max_abs_logit']:.3g} margin={p['margin']} "
              f"sinks in {len(sinks)} heads, {sum(len(s[2]) for s in sinks)}; moved(sinks) {' '.join(moved)}")


if __name__ == "__main__":
    main()
