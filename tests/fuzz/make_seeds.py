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
(out / "gguf" / "spm_plain").write_bytes(gguf({
    "tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": [*pieces, "  ", "<0x0A>"], "tokenizer.ggml.scores": [-float(i) for i in range(9)],
    "tokenizer.ggml.token_type": [3, 3, 3, 1, 1, 1, 1, 4, 6], "tokenizer.ggml.unknown_token_id": 0, "tokenizer.ggml.eot_token_id": 2,
    "tokenizer.ggml.add_space_prefix": False}))


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

# Every layout and option of tokenizer.json that the golden files have, over a vocabulary of a few tokens.
bases = {name: json.loads((golden / "tokenizer" / name).read_text()) for name in ("small.json", "small.fallback.json", "small.unigram.json")}
vocabularies = {"small.json": tokens, "small.fallback.json": ["<unk>", "<s>", "</s>", "<0xC3>", "<0xB6>", "\u2581", "I", "t", "\u2581w", "w"],
                "small.unigram.json": [["<unk>", 0.0], ["<s>", 0.0], ["\u2581", -1.0], ["I", -2.5], ["t", -2], ["It", -3], ["<0xC3>", 0], ["<0xB6>", 0]]}
merges = {"small.json": [["\u0120", "t"], ["'", "s"]], "small.fallback.json": [["\u2581", "w"]]}
for number, variant in enumerate(json.loads((golden / "tokenizer" / "variants.json").read_text())):
    whole = json.loads(json.dumps(bases[variant["base"]]))
    for path, value in variant["set"].items():
        *parents, last = path.split(".")
        at = whole
        for key in parents:
            at = at[key]
        at[last] = value
    vocabulary = vocabularies[variant["base"]]
    ids = {t if isinstance(t, str) else t[0]: i for i, t in enumerate(vocabulary)}
    whole["model"]["vocab"] = vocabulary if variant["base"] == "small.unigram.json" else dict(ids)
    if "merges" in whole["model"]:
        as_texts = isinstance(whole["model"]["merges"][0], str)
        whole["model"]["merges"] = [" ".join(m) if as_texts else m for m in merges[variant["base"]]]
    for token in whole["added_tokens"]:
        token["id"] = ids.setdefault(token["content"], len(ids))
    (out / "tokenizer_json" / f"variant-{number}").write_text(json.dumps(whole, separators=(",", ":")))

golden = pathlib.Path(__file__).resolve().parents[1] / "golden" / "chat"
for name, template in json.loads((golden / "chat.json").read_text())["templates"].items():
    (out / "chat_template" / name).write_text(template)
for number, (template, _) in enumerate(json.loads((golden / "jinja.json").read_text())["cases"]):
    (out / "chat_template" / f"case-{number}").write_text(template)
# One file of a folder with a SentencePiece tokenizer: a byte that says which, then the file.
folder = out / "tokenizer_folder"
folder.mkdir(parents=True, exist_ok=True)


def varint(n):
    return bytes([n]) if n < 0x80 else bytes([n & 0x7F | 0x80]) + varint(n >> 7)


def field(tag, content):
    return varint(tag << 3 | 2) + varint(len(content)) + content if isinstance(content, bytes) else varint(tag << 3) + varint(content)


def model(kind, types, normalizer):
    made = b"".join(field(1, field(1, text.encode()) + b"\x15" + struct.pack("<f", -i) + field(3, kind_of))
                    for i, (text, kind_of) in enumerate(types))
    return made + field(2, field(3, kind) + field(35, 0)) + field(3, normalizer)


types = [("<unk>", 2), ("<s>", 3), ("</s>", 3), ("\u2581", 1), ("I", 1), ("t", 1), ("\u2581I", 1), ("a", 1), ("<b>", 4), ("\u2581\u2581", 4)]
(folder / "bpe").write_bytes(b"\0" + model(2, types, field(3, 1) + field(4, 0)))
(folder / "unigram").write_bytes(b"\0" + model(1, types, field(3, 0) + field(4, 1)))
token = lambda text, special: {"content": text, "special": special, "lstrip": True, "rstrip": False, "single_word": True, "normalized": False}
settings = {"tokenizer_class": "LlamaTokenizer", "legacy": False, "add_prefix_space": True, "add_bos_token": True, "bos_token": "<s>",
            "eos_token": {"content": "</s>"}, "additional_special_tokens": ["<b>"], "added_tokens_decoder": {"10": token("<x>", True), "11": token("a", False)}}
(folder / "config").write_bytes(b"\1" + json.dumps(settings, separators=(",", ":")).encode())
del settings["added_tokens_decoder"]
(folder / "config_plain").write_bytes(b"\1" + json.dumps(settings, separators=(",", ":")).encode())
(folder / "map").write_bytes(b"\2" + json.dumps({"eos_token": token("</s>", True), "pad_token": "<pad>"}).encode())
(folder / "added").write_bytes(b"\3" + json.dumps({"<x>": 10, "<b>": 9}).encode())
fast = {"added_tokens": [{"id": 10, **token("<x>", True)}],
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "\u2581"}, {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}]},
        "pre_tokenizer": {"type": "Metaspace", "prepend_scheme": "first"},
        "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}]},
        "model": {"type": "BPE", "vocab": {"<unk>": 0, "<s>": 1, "</s>": 2, "\u2581": 3, "I": 4, "t": 5, "a": 6, "\u2581I": 7, "It": 8, "<b>": 9}, "merges": []}}
(folder / "json").write_bytes(b"\4" + json.dumps(fast, separators=(",", ":")).encode())
(folder / "generation").write_bytes(b"\6" + json.dumps({"eos_token_id": [2, 5]}).encode())
