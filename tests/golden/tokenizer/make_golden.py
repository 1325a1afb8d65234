"""Makes the golden files for the tokenizers with the Python package `tokenizers` (the reference) on the lines of varied_lines.py.

    python make_golden.py [SmolLM2-135M-Instruct.Q4_1.gguf]

lines.bin                 the lines: for each its length (uint32) and its UTF-8 bytes
small.gguf                a byte-level vocabulary trained here on the lines' first half, as GGUF metadata
small.<pre>.ids           its ids: for each line their number (uint16) and the ids (uint16 each)
smollm2.<pre>.checks      with the model: for each line the number of ids (uint32) and their CRC-32 as int32 (uint32)
unicode_classes.crc32     which code points are letters, numbers, white space and digits to the pre-tokenizers

<pre> is gpt2 (ByteLevel alone) or smollm (every digit alone first). The pre-tokenizers are set explicitly: importing a GGUF
file with `transformers` drops the digit rule. All numbers are little-endian. Needs: tokenizers, gguf, numpy.
"""
import json
import pathlib
import sys
import zlib

import numpy as np
from gguf import GGUFReader, GGUFValueType as V, GGUFWriter
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers, trainers

from varied_lines import lines as make_lines

here = pathlib.Path(__file__).parent
lines = make_lines()
byte_level = lambda: pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
PRES = {"gpt2": byte_level(), "smollm": pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level()])}


def write_lines():
    with open(here / "lines.bin", "wb") as out:
        for line in lines:
            raw = line.encode()
            out.write(np.uint32(len(raw)).tobytes() + raw)


def reference(tokens, kinds, merges, pre):
    """A tokenizer from GGUF's lists; kinds 3 (control) and 4 (user-defined) are matched as whole strings."""
    tokenizer = Tokenizer(models.BPE({t: i for i, t in enumerate(tokens)}, [tuple(m.split(" ")) for m in merges]))
    tokenizer.pre_tokenizer = PRES[pre]
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t, k in zip(tokens, kinds) if k == 3])
    tokenizer.add_tokens([AddedToken(t, normalized=False) for t, k in zip(tokens, kinds) if k == 4])
    return tokenizer


def encode_all(tokenizer):
    return [e.ids for e in tokenizer.encode_batch(lines, add_special_tokens=False)]


def write_ids(name, all_ids):
    with open(here / f"{name}.ids", "wb") as out:
        for ids in all_ids:
            out.write(np.uint16(len(ids)).tobytes() + np.array(ids, np.uint16).tobytes())


def write_checks(name, all_ids):
    with open(here / f"{name}.checks", "wb") as out:
        for ids in all_ids:
            out.write(np.array([len(ids), zlib.crc32(np.array(ids, np.int32).tobytes())], np.uint32).tobytes())


def train_small():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = PRES["gpt2"]
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(vocab_size=900, special_tokens=special, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(lines[: len(lines) // 2], trainer)
    model = json.loads(tokenizer.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].get)
    merges = [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]
    kinds = [3 if t in special else 1 for t in tokens]
    tokens.append("user defined")  # an added token that isn't a control token
    kinds.append(4)
    return tokens, kinds, merges


def write_small(tokens, kinds, merges):
    writer = GGUFWriter(here / "small.gguf", "llama")
    writer.add_string("tokenizer.ggml.model", "gpt2")
    writer.add_string("tokenizer.ggml.pre", "smollm")
    writer.add_array("tokenizer.ggml.tokens", tokens)
    writer.add_key_value("tokenizer.ggml.token_type", kinds, V.ARRAY, V.INT32)
    writer.add_array("tokenizer.ggml.merges", merges)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_bool("tokenizer.ggml.add_bos_token", True)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def class_of(c):
    """L, N, S or O (other) as GPT-2's pattern sees it, in lower case where the digit rule cuts."""
    if 0xD800 <= c < 0xE000:
        return "x"
    joins = lambda before: len(PRES["gpt2"].pre_tokenize_str(before + chr(c))) == 1
    kind = "L" if joins("a") else "N" if joins("1") else "O" if joins("!") else "S"
    cut = len(pre_tokenizers.Digits(individual_digits=True).pre_tokenize_str("a" + chr(c))) == 2
    return kind.lower() if cut else kind


write_lines()
small = train_small()
write_small(*small)
for pre in PRES:
    write_ids(f"small.{pre}", encode_all(reference(*small, pre)))
classes = "".join(class_of(c) for c in (*range(0x33480), *range(0xE0000, 0xE0200)))
(here / "unicode_classes.crc32").write_text(f"{zlib.crc32(classes.encode()):08x}\n")

if len(sys.argv) > 1:
    fields = GGUFReader(sys.argv[1]).fields
    model = [fields["tokenizer.ggml." + key].contents() for key in ("tokens", "token_type", "merges")]
    for pre in PRES:
        write_checks(f"smollm2.{pre}", encode_all(reference(*model, pre)))
