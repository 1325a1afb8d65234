"""Makes the golden files for tokenizer.json's components with the Python package `tokenizers` (the reference).

    python make_variants.py [SmolLM2-135M-Instruct.Q4_1.gguf [SHARED]]

small.fallback.json   a BPE vocabulary with byte fallback, trained here, laid out as Llama 2's published file
small.unigram.json    a unigram vocabulary, trained here
variants.json         tokenizer.json files by what they change in small.json, small.fallback.json or small.unigram.json: for each
                      its name, the base file and the members that are set, by path; the layouts of model families and every
                      component with each of its options
variants.sums         for each variant and its lines: CRC-32, its low 16 bits, of the ids with special tokens in the
                      text as tokens, of the ids with them as text (int32 each), and of the text that the first ids decode to,
                      with and without special tokens (UTF-8)

pre_names.sums        CRC-32, its low 16 bits, of the ids of small.gguf's vocabulary with each of PRE_NAMES, for every ninth line
smollm2.texts         with the model: the same of the text that its ids decode to, for every line
shared.<name>.texts   the same of the real tokenizers in SHARED/tokenizers

Lines: varied_lines.py; variants have every STEP-th one, each variant others. All numbers are little-endian. Needs: tokenizers, gguf, numpy; small.json and small.gguf of make_golden.py.
"""
import copy
import json
import pathlib
import sys
import zlib

import numpy as np
from gguf import GGUFReader
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from varied_lines import lines as make_lines

here = pathlib.Path(__file__).parent
lines = make_lines()
STEP = 9  # every ninth line, another one for each variant
MARK = "\u2581"


def train_fallback():
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=760, special_tokens=special, show_progress=False, limit_alphabet=110)
    tokenizer.train_from_iterator([line for line in lines[: len(lines) // 2] if len(line) < 500], trainer)
    model = json.loads(tokenizer.to_str())["model"]
    made = Tokenizer(models.BPE(model["vocab"], [tuple(m) for m in model["merges"]], unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    made.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in special[:3]])
    made.normalizer = normalizers.Sequence([normalizers.Prepend(MARK), normalizers.Replace(" ", MARK)])
    made.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)])
    made.decoder = decoders.Sequence([decoders.Replace(MARK, " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    made.save(str(here / "small.fallback.json"), pretty=False)


def train_unigram():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    bytes_of = [f"<0x{b:02X}>" for b in range(256)]
    trainer = trainers.UnigramTrainer(vocab_size=400, special_tokens=["<unk>", "<s>", "</s>"], unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator([line for line in lines[: len(lines) // 2] if len(line) < 300 and line.isascii()], trainer)
    vocab = json.loads(tokenizer.to_str())["model"]["vocab"]
    vocab = [(t, round(s, 4)) for t, s in vocab] + [(b, 0.0) for b in bytes_of]
    made = Tokenizer(models.Unigram(vocab, 0, True))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Metaspace()
    made.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in ("<unk>", "<s>", "</s>")])
    made.save(str(here / "small.unigram.json"), pretty=False)


def byte_level(**options):
    return {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True} | options


def split(pattern, behavior="Isolated", invert=False, kind="Regex"):
    return {"type": "Split", "pattern": {kind: pattern}, "behavior": behavior, "invert": invert}


def pre(*steps):
    return {"type": "Sequence", "pretokenizers": list(steps)}


def normal(*steps):
    return {"type": "Sequence", "normalizers": list(steps)}


def decode(*steps):
    return {"type": "Sequence", "decoders": list(steps)}


def metaspace(scheme="always", split=True, replacement=MARK):
    return {"type": "Metaspace", "replacement": replacement, "prepend_scheme": scheme, "split": split}


def replace(pattern, content, kind="String"):
    return {"type": "Replace", "pattern": {kind: pattern}, "content": content}


def strip(left, right):
    return {"type": "Strip", "strip_left": left, "strip_right": right}


def added(*tokens):
    """After the base's three special ones: (text, options) each."""
    def make(base):
        ids = dict(base["model"]["vocab"])
        for text, _ in tokens:
            ids.setdefault(text, len(ids))
        return base["added_tokens"][:3] + [{"id": ids[text], "content": text, "single_word": False, "lstrip": False, "rstrip": False,
                                            "normalized": False, "special": False} | options for text, options in tokens]
    return make


def template(*pieces):
    return {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}} if p == "$A" else {"SpecialToken": {"id": p, "type_id": 0}} for p in pieces],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
            "special_tokens": {p: {"id": p, "ids": [IDS[p]], "tokens": [p]} for p in pieces if p != "$A"}}


IDS = {"<|endoftext|>": 0, "<|im_start|>": 1, "<|im_end|>": 2, "<s>": 1, "</s>": 2}
BYTES, FALLBACK, UNIGRAM = "small.json", "small.fallback.json", "small.unigram.json"
WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3, QWEN2 = WORDS % r"\p{N}{1,3}", WORDS % r"\p{N}"
QWEN35 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
TEKKEN = rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
ENDINGS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
GPT4O = rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+{ENDINGS}|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*{ENDINGS}|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
BLOOM = " ?[^(\\s|[.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c])]+"
DEEPSEEK3 = [r"\p{N}{1,3}", "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
             r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"]
no_regex = byte_level(use_regex=False)
plain = {"added_tokens": lambda base: base["added_tokens"][:3], "post_processor": None, "decoder": byte_level(), "model.ignore_merges": False}
llama_decoder = decode(replace(MARK, " "), {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0})
kinds = added(("<l>", {"lstrip": True}), ("<r>", {"rstrip": True}), ("<pad>", {"lstrip": True, "rstrip": True, "special": True}),
              ("the", {"single_word": True, "normalized": True}), ("\u0439", {"normalized": True}), ("a\u0301", {"normalized": True}),
              ("\u00e9", {}), (" of", {"normalized": True}), ("[INST]", {"special": True, "normalized": True}), ("    ", {}))

VARIANTS = [
    # Layouts of model families, over the small vocabularies.
    ("gpt2", BYTES, plain | {"pre_tokenizer": byte_level(), "post_processor": byte_level(trim_offsets=False)}),
    ("gpt2 with a prefix space", BYTES, plain | {"pre_tokenizer": byte_level(add_prefix_space=True), "post_processor": {"type": "RobertaProcessing", "sep": ["<|im_end|>", 2], "cls": ["<|im_start|>", 1], "trim_offsets": True, "add_prefix_space": True}}),
    ("gptneox", BYTES, plain | {"normalizer": {"type": "NFC"}, "pre_tokenizer": byte_level(), "added_tokens": added(("  ", {"normalized": True}), ("   ", {"normalized": True}))}),
    ("bloom", BYTES, plain | {"pre_tokenizer": pre(split(BLOOM), no_regex)}),
    ("smollm", BYTES, plain | {"pre_tokenizer": pre({"type": "Digits", "individual_digits": True}, byte_level())}),
    ("llama3", BYTES, plain | {"pre_tokenizer": pre(split(LLAMA3), no_regex), "model.ignore_merges": True, "post_processor": {"type": "Sequence", "processors": [byte_level(), template("<|im_start|>", "$A")]}}),
    ("qwen2", BYTES, plain | {"normalizer": {"type": "NFC"}, "pre_tokenizer": pre(split(QWEN2), no_regex), "post_processor": byte_level()}),
    ("qwen35", BYTES, plain | {"pre_tokenizer": pre(split(QWEN35), no_regex)}),
    ("olmo2", BYTES, plain | {"pre_tokenizer": pre(split(LLAMA3, "Removed", True), no_regex)}),
    ("tekken", BYTES, plain | {"pre_tokenizer": pre(split(TEKKEN), no_regex), "model.ignore_merges": True}),
    ("gpt-4o", BYTES, plain | {"pre_tokenizer": pre(split(GPT4O), no_regex)}),
    ("deepseek-v3", BYTES, plain | {"pre_tokenizer": pre(*[split(p) for p in DEEPSEEK3], no_regex)}),
    ("viking", BYTES, plain | {"pre_tokenizer": pre(split(BLOOM), split(r"\p{N}"), no_regex)}),
    ("falcon", BYTES, plain | {"pre_tokenizer": pre(split(r"[\p{P}\$\+<=>\^~\|`]+"), byte_level(use_regex=True), split("[0-9][0-9][0-9]"))}),
    ("falcon as GGUF has it", BYTES, plain | {"pre_tokenizer": pre(split(r"[\p{P}\$\+<=>\^~\|`]+"), split(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)"), split("[0-9][0-9][0-9]"), no_regex)}),
    ("default as GGUF has it", BYTES, plain | {"pre_tokenizer": pre(split(r"[\p{P}\$\+<=>\^~\|]+"), split(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)"), split(r"\p{N}+"), split("[0-9][0-9][0-9]"), no_regex)}),
    ("llama2", FALLBACK, {}),
    ("llama2, tokens normalised", FALLBACK, {"added_tokens": lambda base: [t | {"normalized": True} for t in base["added_tokens"]]}),
    ("mistral", FALLBACK, {"normalizer": None, "pre_tokenizer": metaspace("first", False)}),
    ("llama, always", FALLBACK, {"normalizer": None, "pre_tokenizer": metaspace("always", False)}),
    ("llama, never", FALLBACK, {"normalizer": None, "pre_tokenizer": metaspace("never", False), "decoder": decode(replace(MARK, " "), {"type": "ByteFallback"}, {"type": "Fuse"})}),
    ("phi3", FALLBACK, {"added_tokens": added(("<|user|>", {"rstrip": True, "special": True}), ("<|im_end|>", {"rstrip": True, "special": True}), ("<|endoftext|>", {"special": True}))}),
    ("gemma", FALLBACK, {"normalizer": replace(" ", MARK), "pre_tokenizer": split(" ", "MergedWithPrevious", kind="String"), "decoder": decode(replace(MARK, " "), {"type": "ByteFallback"}, {"type": "Fuse"})}),
    ("t5-like", UNIGRAM, {"post_processor": template("$A", "</s>")}),
    # Models.
    ("bpe, unknown characters vanish", FALLBACK, {"model.byte_fallback": False, "model.unk_token": None}),
    ("bpe, unknown", FALLBACK, {"model.byte_fallback": False, "model.fuse_unk": False}),
    ("bpe, unknown fused", FALLBACK, {"model.byte_fallback": False}),
    ("bpe, some bytes missing", FALLBACK, {"model.vocab": lambda base: {t: i for t, i in base["model"]["vocab"].items() if t not in ("<0x80>", "<0xE4>", "<0x81>", "<0x9F>")} | {f"[missing {i}]": i for t, i in base["model"]["vocab"].items() if t in ("<0x80>", "<0xE4>", "<0x81>", "<0x9F>")}}),
    ("bpe, some bytes missing, not fused", FALLBACK, {"model.fuse_unk": False, "model.vocab": lambda base: {t: i for t, i in base["model"]["vocab"].items() if t not in ("<0x80>", "<0xE4>")} | {f"[missing {i}]": i for t, i in base["model"]["vocab"].items() if t in ("<0x80>", "<0xE4>")}}),
    ("bpe, whole pieces", FALLBACK, {"model.ignore_merges": True, "normalizer": None, "pre_tokenizer": metaspace()}),
    ("bpe, merges as texts", FALLBACK, {"model.merges": lambda base: [" ".join(m) for m in base["model"]["merges"]]}),
    ("unigram", UNIGRAM, {}),
    ("unigram, no bytes", UNIGRAM, {"model.byte_fallback": False}),
    ("unigram, one piece", UNIGRAM, {"pre_tokenizer": metaspace(split=False)}),
    # Added tokens.
    ("added tokens of every kind", BYTES, plain | {"added_tokens": kinds, "pre_tokenizer": byte_level()}),
    ("added tokens of every kind, NFC", BYTES, plain | {"added_tokens": kinds, "pre_tokenizer": byte_level(), "normalizer": {"type": "NFC"}}),
    ("added tokens of every kind, llama2", FALLBACK, {"added_tokens": kinds}),
    ("added tokens of every kind, mistral", FALLBACK, {"added_tokens": kinds, "normalizer": None, "pre_tokenizer": metaspace("first", False)}),
    # Normalizers.
    ("NFD", BYTES, plain | {"normalizer": {"type": "NFD"}, "pre_tokenizer": byte_level()}),
    ("NFKC", BYTES, plain | {"normalizer": {"type": "NFKC"}, "pre_tokenizer": byte_level()}),
    ("NFKD", BYTES, plain | {"normalizer": {"type": "NFKD"}, "pre_tokenizer": byte_level()}),
    ("replace by a pattern", BYTES, plain | {"normalizer": normal(replace(r"\s+", " ", "Regex"), replace("e", "\u00eb")), "pre_tokenizer": byte_level()}),
    ("replace by nothing", FALLBACK, {"normalizer": normal(replace("a", ""), replace(r"^[A-Z ]+", "", "Regex")), "pre_tokenizer": metaspace("first")}),
    ("replace the first two, then first", FALLBACK, {"normalizer": replace(r"^..", "xy", "Regex"), "pre_tokenizer": metaspace("first")}),
    ("replace the first one, then first", FALLBACK, {"normalizer": replace(r"^.", "xy", "Regex"), "pre_tokenizer": metaspace("first")}),
    ("strip", BYTES, plain | {"normalizer": strip(True, True), "pre_tokenizer": byte_level()}),
    ("strip left, then first", FALLBACK, {"normalizer": strip(True, False), "pre_tokenizer": metaspace("first")}),
    ("strip right, then first", FALLBACK, {"normalizer": strip(False, True), "pre_tokenizer": metaspace("first")}),
    ("prepend, then strip", FALLBACK, {"normalizer": normal({"type": "Prepend", "prepend": " x"}, strip(True, False), {"type": "NFC"}), "pre_tokenizer": metaspace("first")}),
    ("bytes spelled by the normaliser", BYTES, plain | {"added_tokens": kinds, "normalizer": normal({"type": "NFC"}, {"type": "ByteLevel"}), "pre_tokenizer": split("\u0120", "MergedWithNext", kind="String")}),
    # Pre-tokenizers.
    *[(f"split {behavior} {invert}", BYTES, plain | {"pre_tokenizer": pre(split(r"[aeiou]+|\s", behavior, invert), no_regex)})
      for behavior in ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous") for invert in (False, True)],
    ("split at a plain text", BYTES, plain | {"pre_tokenizer": pre(split(". ", "MergedWithPrevious", kind="String"), no_regex)}),
    ("split at empty places", BYTES, plain | {"pre_tokenizer": pre(split(r"(?=[A-Z])|(?<=\d)", "Isolated"), no_regex)}),
    ("split at empty places, merged", BYTES, plain | {"pre_tokenizer": pre(split(r"x*", "MergedWithNext"), no_regex)}),
    ("lines", BYTES, plain | {"pre_tokenizer": pre(split(r"^.+$", "Isolated"), split(r"\A\w\W+|[\d\h]{2,3}?|[\S]\z", "Contiguous"), no_regex)}),
    ("classes in classes", BYTES, plain | {"pre_tokenizer": pre(split(r"[a-c[x-z\d]\s-]+|[\w&&&]".replace("&&&", "&"), "Isolated"), no_regex)}),
    ("digits", BYTES, plain | {"pre_tokenizer": pre({"type": "Digits", "individual_digits": False}, byte_level())}),
    ("white space", BYTES, plain | {"pre_tokenizer": pre({"type": "WhitespaceSplit"}, no_regex)}),
    ("prefix spaces behind a split", BYTES, plain | {"pre_tokenizer": pre(split(r"\d", "Isolated"), byte_level(add_prefix_space=True))}),
    ("marks behind bytes", BYTES, plain | {"pre_tokenizer": pre(byte_level(), metaspace("always", replacement="\u0120"))}),
    *[(f"metaspace {scheme} {cut}", FALLBACK, {"normalizer": None, "pre_tokenizer": metaspace(scheme, cut), "decoder": metaspace(scheme, cut)})
      for scheme in ("always", "first", "never") for cut in (True, False)],
    ("metaspace with another mark", FALLBACK, {"normalizer": None, "pre_tokenizer": metaspace("always", True, "_"), "decoder": metaspace("always", True, "_")}),
    ("metaspace behind a split", FALLBACK, {"normalizer": None, "pre_tokenizer": pre(split(r"[.,]", "Removed"), metaspace("first"))}),
    ("metaspace behind a split, always", FALLBACK, {"normalizer": None, "pre_tokenizer": pre(split(r"[.,]", "Isolated"), metaspace("always"))}),
    ("metaspace, the older words", FALLBACK, {"normalizer": None, "pre_tokenizer": {"type": "Metaspace", "replacement": MARK, "add_prefix_space": True}, "decoder": {"type": "Metaspace", "replacement": MARK, "add_prefix_space": True}}),
    # Post-processors.
    ("a template of several", BYTES, plain | {"pre_tokenizer": byte_level(), "post_processor": template("<|endoftext|>", "<|im_start|>", "$A", "<|im_end|>", "<|im_end|>")}),
    ("bert's processor", BYTES, plain | {"pre_tokenizer": byte_level(), "post_processor": {"type": "BertProcessing", "sep": ["<|im_end|>", 2], "cls": ["<|im_start|>", 1]}}),
    # Decoders.
    ("no decoder", FALLBACK, {"decoder": None}),
    ("an empty decoder", FALLBACK, {"decoder": decode()}),
    ("bytes without fusing", FALLBACK, {"decoder": {"type": "ByteFallback"}}),
    ("strip every token", FALLBACK, {"decoder": decode(replace(MARK, "  "), {"type": "Strip", "content": " ", "start": 1, "stop": 1})}),
    ("replace by a pattern when decoding", FALLBACK, {"decoder": decode({"type": "Fuse"}, replace(MARK + "+", " ", "Regex"), {"type": "Strip", "content": "\u00e9", "start": 2, "stop": 0})}),
]

# What tokenizer.ggml.pre names stand for, by the layouts above; llama.cpp's src/llama-vocab.cpp has no normalizer.
PRE_NAMES = {"default": "default as GGUF has it", "gpt-2": "gpt2", "smollm": "smollm", "llama-bpe": "llama3", "qwen2": "qwen2", "qwen35": "qwen35",
             "tekken": "tekken", "gpt-4o": "gpt-4o", "bloom": "bloom", "viking": "viking", "falcon": "falcon as GGUF has it", "deepseek-v3": "deepseek-v3"}


def set_member(document, path, value):
    *parents, last = path.split(".")
    for key in parents:
        document = document[key]
    document[last] = value


def made(base, changes):
    """The tokenizer.json, and the changes with their values computed."""
    document = copy.deepcopy(bases[base])
    values = {path: value(bases[base]) if callable(value) else value for path, value in changes.items()}
    for path, value in values.items():
        set_member(document, path, value)
    return document, values


def low(data):
    return zlib.crc32(data) & 0xFFFF


def blind(document):
    """The same, but for special tokens: no text is one. The library's unigram model finds them in text that isn't searched for them."""
    document = copy.deepcopy(document)
    if document["model"]["type"] == "Unigram":
        special = {t["content"] for t in document["added_tokens"] if t["special"]}
        document["model"]["vocab"] = [[f"\U0010fffe{i}" if t in special else t, s] for i, (t, s) in enumerate(document["model"]["vocab"])]
        document["added_tokens"] = [t for t in document["added_tokens"] if not t["special"]]
    tokenizer = Tokenizer.from_str(json.dumps(document))
    tokenizer.encode_special_tokens = True
    return tokenizer


def sums(tokenizer, blind_to_special, line):
    ids = tokenizer.encode(line).ids
    as_text = blind_to_special.encode(line).ids
    # Left out here: the library knows a special token by its text, and doesn't find one that its normalizer spells otherwise.
    special = {id for id, token in tokenizer.get_added_tokens_decoder().items() if token.special}
    without = tokenizer.decode([id for id in ids if id not in special])
    number = lambda values: low(np.array(values, np.int32).tobytes())
    return [number(ids), number(as_text), low(tokenizer.decode(ids, skip_special_tokens=False).encode()), low(without.encode())]


def write_pre_names():
    fields = GGUFReader(here / "small.gguf").fields
    tokens, kinds, merges = [fields["tokenizer.ggml." + key].contents() for key in ("tokens", "token_type", "merges")]
    numbers = []
    for layout in PRE_NAMES.values():
        changes = next(changes for name, _, changes in VARIANTS if name == layout)
        document = copy.deepcopy(bases[BYTES]) | {"normalizer": None, "post_processor": None, "added_tokens": [], "pre_tokenizer": changes["pre_tokenizer"]}
        document["model"] |= {"vocab": {t: i for i, t in enumerate(tokens)}, "merges": merges, "ignore_merges": changes.get("model.ignore_merges", False)}
        tokenizer = Tokenizer.from_str(json.dumps(document))
        tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t, k in zip(tokens, kinds) if k == 3])
        tokenizer.add_tokens([AddedToken(t, normalized=False) for t, k in zip(tokens, kinds) if k == 4])
        numbers += [low(np.array(tokenizer.encode(line).ids, np.int32).tobytes()) for line in lines[::STEP]]
    (here / "pre_names.sums").write_bytes(np.array(numbers, np.uint16).tobytes())


def write_texts(name, tokenizer):
    tokenizer.no_truncation()
    tokenizer.no_padding()
    decoded = [tokenizer.decode(e.ids, skip_special_tokens=False) for e in tokenizer.encode_batch(lines)]
    (here / f"{name}.texts").write_bytes(np.array([low(text.encode()) for text in decoded], np.uint16).tobytes())
    print(name, sum(text != line for text, line in zip(decoded, lines)), "of", len(lines), "lines come back changed")


def write_real(model, shared):
    fields = GGUFReader(model).fields
    tokens, kinds, merges = [fields["tokenizer.ggml." + key].contents() for key in ("tokens", "token_type", "merges")]
    tokenizer = Tokenizer(models.BPE({t: i for i, t in enumerate(tokens)}, [tuple(m.split(" ")) for m in merges]))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t, k in zip(tokens, kinds) if k == 3])
    write_texts("smollm2", tokenizer)
    for name in ("gpt2", "gptneox"):
        write_texts(f"shared.{name}", Tokenizer.from_file(str(shared / "tokenizers" / name / "tokenizer.json")))
    opt = shared / "tokenizers" / "opt"
    tokenizer = Tokenizer(models.BPE.from_file(str(opt / "vocab.json"), str(opt / "merges.txt")))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in ("</s>", "<pad>")])
    tokenizer.post_processor = processors.TemplateProcessing(single="</s> $A", special_tokens=[("</s>", 2)])
    write_texts("shared.opt", tokenizer)


if __name__ == "__main__":
    # Training a unigram model isn't repeatable: a vocabulary that is there stays.
    if not (here / FALLBACK).exists():
        train_fallback()
    if not (here / UNIGRAM).exists():
        train_unigram()
    bases = {name: json.loads((here / name).read_text()) for name in (BYTES, FALLBACK, UNIGRAM)}
    written, all_sums = [], []
    for number, (name, base, changes) in enumerate(VARIANTS):
        document, values = made(base, changes)
        written.append({"name": name, "base": base, "set": values})
        tokenizer, blind_to_special = Tokenizer.from_str(json.dumps(document)), blind(document)
        for line in lines[number % STEP :: STEP]:
            all_sums += sums(tokenizer, blind_to_special, line)
    (here / "variants.json").write_text(json.dumps(written, ensure_ascii=True, separators=(",", ":")).replace('},{"name"', '},\n{"name"') + "\n")
    (here / "variants.sums").write_bytes(np.array(all_sums, np.uint16).tobytes())
    write_pre_names()
    if len(sys.argv) > 2:
        write_real(sys.argv[1], pathlib.Path(sys.argv[2]))
    print(len(VARIANTS), "variants,", len(all_sums) // 4, "lines")
