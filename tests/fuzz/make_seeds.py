"""Writes small seeds for the fuzzers: make_seeds.py OUT makes a folder in OUT for each of them.

They are cut down from the golden files of tests/golden, so that each mutation is cheap. Standard library only.
"""
import json
import pathlib
import shutil
import struct
import sys
import zipfile

golden = pathlib.Path(__file__).resolve().parent.parent / "golden"
out = pathlib.Path(sys.argv[1])
for name in ("chat_template", "gguf", "gguf_split", "pickle", "pytorch_file", "quantization", "safetensors", "tokenizer_json"):
    (out / name).mkdir(parents=True, exist_ok=True)


def text(s):
    raw = s.encode()
    return struct.pack("<Q", len(raw)) + raw


def gguf(values):
    """A GGUF file of metadata alone: strings, booleans, and lists of strings, whole numbers or floats."""
    body = b""
    for key, value in values.items():
        body += text(key)
        if isinstance(value, bool):
            body += struct.pack("<IB", 7, value)
        elif isinstance(value, str):
            body += struct.pack("<I", 8) + text(value)
        elif isinstance(value, int):
            body += struct.pack("<II", 4, value)
        else:
            kind = 8 if isinstance(value[0], str) else 6 if isinstance(value[0], float) else 5
            body += struct.pack("<IIQ", 9, kind, len(value))
            body += b"".join(text(v) if kind == 8 else struct.pack("<f" if kind == 6 else "<i", v) for v in value)
    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(values)) + body


shutil.copy(golden / "gguf" / "small.gguf", out / "gguf" / "tensors")
shutil.copy(golden / "gguf" / "k_quants.gguf", out / "gguf" / "k_quants")
blocks = (golden / "gguf" / "k_quants.gguf").read_bytes()[-700:]
for i in range(15):  # tensor_type.hpp's order
    (out / "quantization" / str(i)).write_bytes(bytes([i]) + blocks)
tokens = ["<|im_end|>", "I", "t", "\u0120", "1", "2", "s", "'", "\u0120t", "'s"]
(out / "gguf" / "bpe").write_bytes(gguf({
    "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "smollm", "tokenizer.ggml.tokens": tokens,
    "tokenizer.ggml.token_type": [3] + [1] * 9, "tokenizer.ggml.merges": ["\u0120 t", "' s"],
    "tokenizer.ggml.bos_token_id": 0, "tokenizer.ggml.add_bos_token": True}))
pieces = ["<unk>", "<s>", "</s>", "\u2581", "I", "t", "\u2581I"]
(out / "gguf" / "spm").write_bytes(gguf({
    "tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": pieces, "tokenizer.ggml.scores": [0.0, 0.0, 0.0, -1.0, -2.0, -3.0, -0.5],
    "tokenizer.ggml.token_type": [2, 3, 3, 1, 1, 1, 1], "tokenizer.ggml.bos_token_id": 1}))


def part(number, name):
    """File `number` of two, with one float tensor."""
    body = b"".join(text(f"split.{key}") + struct.pack("<IH", 2, value)
                    for key, value in (("no", number), ("count", 2), ("tensors.count", 2)))
    body += text(name) + struct.pack("<IQIQ", 1, 4, 0, 0)
    content = b"GGUF" + struct.pack("<IQQ", 3, 1, 3) + body
    return content + bytes(-len(content) % 32) + struct.pack("<4f", 1, 2, 3, 4)


for name, parts in (("whole", [part(0, "a"), part(1, "b")]), ("twice", [part(0, "a"), part(1, "a")]),
                    ("wrong", [part(1, "a"), part(0, "b")])):
    (out / "gguf_split" / name).write_bytes(struct.pack("<H", len(parts[0])) + b"".join(parts))

header = json.dumps({"__metadata__": {"format": "pt"}, "a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
                     "b": {"dtype": "BF16", "shape": [2], "data_offsets": [16, 20]},
                     "m": {"dtype": "BOOL", "shape": [1], "data_offsets": [20, 21]},
                     "s": {"dtype": "F16", "shape": [], "data_offsets": [21, 23]}}, separators=(",", ":")).encode()
(out / "safetensors" / "small").write_bytes(struct.pack("<Q", len(header)) + header + bytes(23))

for file in sorted((golden / "pytorch").glob("*.bin")):
    if file.stat().st_size < 4000:
        shutil.copy(file, out / "pytorch_file" / file.stem)
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as packed:
            (out / "pickle" / file.stem).write_bytes(packed.read(f"{packed.namelist()[0].split('/')[0]}/data.pkl"))

whole = json.loads((golden / "tokenizer" / "small.json").read_text())
whole["model"]["vocab"] = {t: i for i, t in enumerate(tokens)}
whole["model"]["merges"] = [["\u0120", "t"], ["'", "s"]]
for variant, normalizer in (("plain", None), ("nfc", {"type": "Sequence", "normalizers": [{"type": "NFC"}]})):
    whole["normalizer"] = normalizer
    (out / "tokenizer_json" / variant).write_text(json.dumps(whole, separators=(",", ":")))
whole["pre_tokenizer"] = {"type": "ByteLevel", "add_prefix_space": True, "use_regex": True}
whole["post_processor"] = {"type": "RobertaProcessing", "sep": ["s", 6], "cls": ["I", 1]}
whole["model"]["merges"] = ["\u0120 t", "' s"]
(out / "tokenizer_json" / "roberta").write_text(json.dumps(whole, separators=(",", ":")))

golden = pathlib.Path(__file__).resolve().parents[1] / "golden" / "chat"
for name, template in json.loads((golden / "chat.json").read_text())["templates"].items():
    (out / "chat_template" / name).write_text(template)
for number, (template, _) in enumerate(json.loads((golden / "jinja.json").read_text())["cases"]):
    (out / "chat_template" / f"case-{number}").write_text(template)
