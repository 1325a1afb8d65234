#!/usr/bin/env python3
"""Writes models of the paper's sizes with random weights: what loading, memory and speed are measured on, not answers.

  python3 make.py opt-2.7b FOLDER      config.json, model-0000I-of-0000N.safetensors of about 1 GB in float16, their index,
                                       vocab.json and merges.txt of single bytes: 5.3 GB
  python3 make.py llama-2-7b FILE.gguf Q4_0, the output matrix Q6_K and norms F32 as llama.cpp's own quantiser has them,
                                       a SentencePiece vocabulary of bytes and numbered words: 3.8 GB

Needs nothing but Python 3.9 or later. The same seed gives the same bytes. A few tens of MB of memory: every tensor is
written in blocks of 8 MiB. --layers, --divide (every width) and --vocabulary make smaller ones of the same form, for tests.

Weights are drawn as bits: sign and fraction of each number are random and its exponent takes few values, so that a matrix
product keeps the size of what goes in (a root mean square of about 1 / sqrt(columns)) and nothing overflows.
"""
import argparse
import json
import random
import struct
import sys
from pathlib import Path

BLOCK = 8 << 20


# --- random bits in a storage format


class pattern:
    """Bytes that repeat: `mask` has the bits that are drawn, `fixed` the others."""

    def __init__(self, mask, fixed=None):
        self.mask, self.fixed = mask, fixed if fixed is not None else bytes(len(mask))
        assert len(self.mask) == len(self.fixed)

    def stream(self, rng, size):
        """`size` bytes in blocks; a whole number of repetitions."""
        period = len(self.mask)
        assert size % period == 0
        step = max(BLOCK // period, 1) * period
        mask = fixed = None
        for begin in range(0, size, step):
            count = min(step, size - begin)
            if mask is None or count != step:
                mask = int.from_bytes(self.mask * (count // period), "little")
                fixed = int.from_bytes(self.fixed * (count // period), "little")
            yield (rng.getrandbits(8 * count) & mask | fixed).to_bytes(count, "little")


def halves(columns):
    """float16 whose root mean square is 1 / sqrt(columns) within a factor of 1.5: two exponents, either sign."""
    exponent = 0
    while 2.0 ** -(exponent + 1) >= columns ** -0.5:
        exponent += 1  # 2^-exponent is the least power of two that isn't below the aim
    low = (15 - exponent - 1) & ~1  # the field's last bit is drawn: [2^-e/2, 2^-e) and the octave above or below
    return pattern(struct.pack("<H", 0x87FF), struct.pack("<H", low << 10))


def half_bits(value):
    return struct.pack("<e", value)


def q4_0(columns):
    """Blocks of a float16 scale and 32 numbers of 4 bits, less 8: their root mean square is 4.64 scales."""
    scale = half_bits(columns ** -0.5 / 4.64)
    return pattern(b"\x1f\x00" + b"\xff" * 16, bytes((scale[0] & 0xE0, scale[1])) + bytes(16))


def q6_k(columns):
    """256 numbers of 6 bits, less 32 (root mean square 18.5), 16 whole scales of 32 to 63, a float16 scale."""
    scale = half_bits(columns ** -0.5 / (18.5 * 48))
    return pattern(b"\xff" * 192 + b"\x1f" * 16 + b"\x00\x00", bytes(192) + b"\x20" * 16 + scale)


def ones(word):
    return pattern(bytes(len(word)), word)


def zeros(word_bytes):
    return pattern(bytes(word_bytes))


class tensor:
    """Shape with the slowest axis first; `bits` how it is drawn; `size` in bytes."""

    def __init__(self, name, shape, bits, size, kind):
        self.name, self.shape, self.bits, self.size, self.kind = name, shape, bits, size, kind


def write_tensor(file, each, seed):
    # Of its own name and the seed: the same numbers wherever the tensor stands.
    for block in each.bits.stream(random.Random(f"{seed} {each.name}"), each.size):
        file.write(block)


# --- OPT as a Hugging Face folder


def opt_tensors(layers, hidden, inner, vocabulary, context):
    def matrix(name, rows, columns):
        return tensor(name, [rows, columns], halves(columns), 2 * rows * columns, "F16")

    def vector(name, size, bits):
        return tensor(name, [size], bits, 2 * size, "F16")

    def linear(name, rows, columns):
        return [matrix(name + ".weight", rows, columns), vector(name + ".bias", rows, halves(hidden))]

    def norm(name):
        return [vector(name + ".weight", hidden, ones(half_bits(1.0))), vector(name + ".bias", hidden, zeros(2))]

    top = "model.decoder."
    yield matrix(top + "embed_tokens.weight", vocabulary, hidden)
    yield matrix(top + "embed_positions.weight", context + 2, hidden)
    yield from norm(top + "final_layer_norm")
    for layer in range(layers):
        at = f"{top}layers.{layer}."
        for name in ("k_proj", "v_proj", "q_proj", "out_proj"):
            yield from linear(f"{at}self_attn.{name}", hidden, hidden)
        yield from norm(at + "self_attn_layer_norm")
        yield from linear(at + "fc1", inner, hidden)
        yield from linear(at + "fc2", hidden, inner)
        yield from norm(at + "final_layer_norm")


def byte_letters():
    """GPT-2's character for each byte."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters, others = {}, 0
    for byte in range(256):
        if byte in printable:
            letters[byte] = chr(byte)
        else:
            letters[byte] = chr(256 + others)
            others += 1
    return letters


def write_opt(folder, options):
    layers = options.layers or 32
    hidden, inner, heads = 2560 // options.divide, 10240 // options.divide, 32 // options.divide
    vocabulary, context = options.vocabulary or 50272, 2048
    folder.mkdir(parents=True, exist_ok=True)
    config = {"architectures": ["OPTForCausalLM"], "model_type": "opt", "activation_function": "relu", "bos_token_id": 2,
              "eos_token_id": 2, "pad_token_id": 1, "do_layer_norm_before": True, "ffn_dim": inner, "hidden_size": hidden,
              "max_position_embeddings": context, "num_attention_heads": heads, "num_hidden_layers": layers,
              "torch_dtype": "float16", "vocab_size": vocabulary, "word_embed_proj_dim": hidden,
              "tie_word_embeddings": True}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    words = ["<s>", "<pad>", "</s>", "<unk>"] + list(byte_letters().values())
    (folder / "vocab.json").write_text(json.dumps({word: i for i, word in enumerate(words)}) + "\n")
    (folder / "merges.txt").write_text("#version: 0.2\n")
    (folder / "tokenizer_config.json").write_text(json.dumps(
        {"tokenizer_class": "GPT2Tokenizer", "add_bos_token": True, "bos_token": "</s>", "eos_token": "</s>",
         "unk_token": "</s>", "pad_token": "<pad>"}, indent=2) + "\n")

    shards, filled = [[]], 0
    for each in opt_tensors(layers, hidden, inner, vocabulary, context):
        if filled and filled + each.size > options.shard_bytes:
            shards.append([])
            filled = 0
        shards[-1].append(each)
        filled += each.size
    where = {}
    for number, shard in enumerate(shards):
        name = f"model-{number + 1:05}-of-{len(shards):05}.safetensors"
        header, offset = {"__metadata__": {"format": "pt"}}, 0
        for each in shard:
            header[each.name] = {"dtype": each.kind, "shape": each.shape, "data_offsets": [offset, offset + each.size]}
            offset += each.size
            where[each.name] = name
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        with open(folder / name, "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            for each in shard:
                write_tensor(file, each, options.seed)
    total = sum(each.size for shard in shards for each in shard)
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {"total_size": total}, "weight_map": where}, indent=2) + "\n")
    print(f"{folder}: {len(where)} tensors, {total:,} bytes in {len(shards)} files")


# --- Llama 2 as a GGUF file


U32, F32, STRING, ARRAY = 4, 6, 8, 9  # of metadata
I32 = 5
TYPES = {"F32": 0, "Q4_0": 2, "Q6_K": 14}  # of tensors


def gguf_string(text):
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def gguf_value(kind, value):
    if kind == STRING:
        return gguf_string(value)
    return struct.pack({U32: "<I", I32: "<i", F32: "<f"}[kind], value)


def gguf_entry(key, kind, value, element=None):
    head = gguf_string(key) + struct.pack("<I", kind)
    if kind != ARRAY:
        return head + gguf_value(kind, value)
    return head + struct.pack("<IQ", element, len(value)) + b"".join(gguf_value(element, each) for each in value)


def llama_tensors(layers, hidden, inner, vocabulary):
    def matrix(name, rows, columns):
        return tensor(name, [rows, columns], q4_0(columns), rows * columns // 32 * 18, "Q4_0")

    def norm(name):
        return tensor(name, [hidden], ones(struct.pack("<f", 1.0)), 4 * hidden, "F32")

    yield matrix("token_embd.weight", vocabulary, hidden)
    yield norm("output_norm.weight")
    yield tensor("output.weight", [vocabulary, hidden], q6_k(hidden), vocabulary * hidden // 256 * 210, "Q6_K")
    for layer in range(layers):
        at = f"blk.{layer}."
        yield norm(at + "attn_norm.weight")
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            yield matrix(at + name + ".weight", hidden, hidden)
        yield norm(at + "ffn_norm.weight")
        yield matrix(at + "ffn_gate.weight", inner, hidden)
        yield matrix(at + "ffn_up.weight", inner, hidden)
        yield matrix(at + "ffn_down.weight", hidden, inner)


def write_llama(path, options):
    layers = options.layers or 32
    hidden, inner, heads = 4096 // options.divide, 11008 // options.divide, 32 // options.divide
    vocabulary = options.vocabulary or 32000
    words = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    kinds = [2, 3, 3] + [6] * 256
    if vocabulary <= len(words):
        sys.exit(f"make.py: --vocabulary has to be above {len(words)}: every byte is a token")
    if hidden % 256 or inner % 32:
        sys.exit(f"make.py: --divide {options.divide}: widths {hidden} and {inner} aren't whole blocks; use 2, 4, 8 or 16")
    for number in range(vocabulary - len(words)):
        words.append(f"\u2581w{number}")
        kinds.append(1)
    metadata = [
        ("general.architecture", STRING, "llama"), ("general.name", STRING, "random weights"),
        ("general.alignment", U32, 32), ("general.file_type", U32, 2), ("general.quantization_version", U32, 2),
        ("llama.block_count", U32, layers), ("llama.context_length", U32, 4096), ("llama.embedding_length", U32, hidden),
        ("llama.feed_forward_length", U32, inner), ("llama.attention.head_count", U32, heads),
        ("llama.attention.head_count_kv", U32, heads), ("llama.attention.layer_norm_rms_epsilon", F32, 1e-5),
        ("llama.rope.dimension_count", U32, hidden // heads), ("llama.rope.freq_base", F32, 10000.0),
        ("llama.vocab_size", U32, vocabulary), ("tokenizer.ggml.model", STRING, "llama"),
        ("tokenizer.ggml.tokens", ARRAY, words, STRING),
        ("tokenizer.ggml.scores", ARRAY, [-float(i) for i in range(vocabulary)], F32),
        ("tokenizer.ggml.token_type", ARRAY, kinds, I32),
        ("tokenizer.ggml.bos_token_id", U32, 1), ("tokenizer.ggml.eos_token_id", U32, 2),
        ("tokenizer.ggml.unknown_token_id", U32, 0)]
    tensors = list(llama_tensors(layers, hidden, inner, vocabulary))
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata))
    head += b"".join(gguf_entry(*entry) for entry in metadata)
    offset = 0
    for each in tensors:
        head += gguf_string(each.name) + struct.pack("<I", len(each.shape))
        head += b"".join(struct.pack("<Q", extent) for extent in reversed(each.shape))  # the fastest axis first
        head += struct.pack("<IQ", TYPES[each.kind], offset)
        offset += each.size + -each.size % 32
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        file.write(head + bytes(-len(head) % 32))
        for each in tensors:
            write_tensor(file, each, options.seed)
            file.write(bytes(-each.size % 32))
    print(f"{path}: {len(tensors)} tensors, {offset:,} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("shape", choices=("opt-2.7b", "llama-2-7b"))
    parser.add_argument("output", type=Path, help="a folder, or a GGUF file")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--layers", type=int, help="fewer layers")
    parser.add_argument("--divide", type=int, default=1, help="widths and heads of so much less: 1, 2, 4, 8 or 16")
    parser.add_argument("--vocabulary", type=int, help="fewer tokens")
    parser.add_argument("--shard-bytes", type=int, default=10**9, help="of each file of the folder")
    options = parser.parse_args()
    least = {"layers": 1, "vocabulary": 260}
    small = any(getattr(options, name) is not None and getattr(options, name) < count for name, count in least.items())
    if options.divide not in (1, 2, 4, 8, 16) or small:
        parser.error("--divide is 1, 2, 4, 8 or 16, --layers at least 1, --vocabulary at least 260")
    (write_opt if options.shape == "opt-2.7b" else write_llama)(options.output, options)


if __name__ == "__main__":
    main()
