"""Makes the golden files for the tokenizers with the Python package `tokenizers` (the reference) on the lines of varied_lines.py.

    python make_golden.py [SmolLM2-135M-Instruct.Q4_1.gguf [SHARED]]

SHARED is a folder with real tokenizers in tokenizers/{gpt2,gptneox,opt,llama} and models/stories260K-llama.

lines.bin                 the lines: for each its length (uint32) and its UTF-8 bytes
small.gguf                a byte-level vocabulary trained here on the lines' first half, as GGUF metadata
small.<pre>.ids           its ids: for each line their number (uint16) and the ids (uint16 each)
smollm2.<pre>.checks      with the model: for each line the number of ids (uint32) and their CRC-32 as int32 (uint32)
small.llama3.checks       its ids with Llama 3's pattern and whole words
small.json                the small vocabulary as tokenizer.json with a split, digits, added tokens of every kind, a template
small.json.checks         its ids with the template's tokens; small.nfc.checks: with NFC as its normalizer
small.model, small.spm.gguf   a SentencePiece vocabulary trained here, in both forms; small.spm.checks: its ids
shared.<folder>.checks    the real tokenizers' ids, with what they put around a text
unicode_classes.crc32     which code points are letters, numbers, white space and digits to the pre-tokenizers

<pre> is gpt2 (ByteLevel alone) or smollm (every digit alone first). The pre-tokenizers are set explicitly: importing a GGUF
file with `transformers` drops the digit rule. SentencePiece's ids are those of its own Python package for each stretch
between control tokens. All numbers are little-endian. Needs: tokenizers, sentencepiece, gguf, numpy.
"""
import io
import json
import pathlib
import re
import sys
import zlib

import numpy as np
from gguf import GGUFReader, GGUFValueType as V, GGUFWriter
from sentencepiece import SentencePieceProcessor, SentencePieceTrainer
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from varied_lines import lines as make_lines

here = pathlib.Path(__file__).parent
lines = make_lines()
byte_level = lambda: pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
LLAMA3_PATTERN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
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


def llama3(tokenizer, tokens, merges):
    """The same with Llama 3's pattern and words that are tokens taken whole."""
    model = models.BPE({t: i for i, t in enumerate(tokens)}, [tuple(m.split(" ")) for m in merges], ignore_merges=True)
    tokenizer.model = model
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(LLAMA3_PATTERN), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    return tokenizer


def encode_all(tokenizer, add_special=False):
    return [e.ids for e in tokenizer.encode_batch(lines, add_special_tokens=add_special)]


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


def write_json(tokens, kinds, merges):
    tokenizer = Tokenizer(models.BPE({t: i for i, t in enumerate(tokens[:-1])}, [tuple(m.split(" ")) for m in merges], ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=False), pre_tokenizers.Split(Regex(LLAMA3_PATTERN), "isolated"),
        pre_tokenizers.Split("--", "merged_with_previous"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t, k in zip(tokens, kinds) if k == 3])
    tokenizer.add_tokens([AddedToken("<s>", lstrip=True, normalized=False), AddedToken("<pad>", rstrip=True, normalized=False),
                          AddedToken("the", single_word=True), AddedToken("\u0439"), AddedToken("a\u0301"), AddedToken("\u4e2d"), AddedToken("    ")])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<|im_start|> $A <|im_end|>", special_tokens=[("<|im_start|>", 1), ("<|im_end|>", 2)])
    tokenizer.save(str(here / "small.json"), pretty=False)
    write_checks("small.json", encode_all(tokenizer, True))
    tokenizer.normalizer = normalizers.NFC()
    write_checks("small.nfc", encode_all(Tokenizer.from_str(tokenizer.to_str()), True))


def spm_encode_all(processor):
    """Control and unknown pieces in the text are ids; each stretch between them is tokenised by itself, after the BOS."""
    whole = {processor.id_to_piece(i): i for i in range(processor.get_piece_size()) if processor.is_control(i) or processor.is_unknown(i)}
    cut = re.compile("(" + "|".join(map(re.escape, whole)) + ")")
    ids_of = lambda part: [whole[part]] if part in whole else processor.encode(part)
    return [[processor.bos_id()] + [i for part in cut.split(line) if part for i in ids_of(part)] for line in lines]


def write_spm():
    model = io.BytesIO()
    sentences = [line.replace("\n", " ").replace("\0", " ") for line in lines if len(line) < 500 and (line.isascii() or "\u4e2d" in line)]
    SentencePieceTrainer.train(sentence_iterator=iter(sentences), model_writer=model, model_type="bpe", vocab_size=700, byte_fallback=True,
                               character_coverage=1.0, normalization_rule_name="identity", remove_extra_whitespaces=False,
                               num_threads=1, minloglevel=2)
    (here / "small.model").write_bytes(model.getvalue())
    processor = SentencePieceProcessor(model_proto=model.getvalue())
    ids = range(processor.get_piece_size())
    writer = GGUFWriter(here / "small.spm.gguf", "llama")
    writer.add_string("tokenizer.ggml.model", "llama")
    writer.add_array("tokenizer.ggml.tokens", [processor.id_to_piece(i) for i in ids])
    writer.add_key_value("tokenizer.ggml.scores", [processor.get_score(i) for i in ids], V.ARRAY, V.FLOAT32)
    kind = lambda i: 2 if processor.is_unknown(i) else 3 if processor.is_control(i) else 6 if processor.is_byte(i) else 1
    writer.add_key_value("tokenizer.ggml.token_type", [kind(i) for i in ids], V.ARRAY, V.INT32)
    writer.add_bos_token_id(processor.bos_id())
    writer.add_eos_token_id(processor.eos_id())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    write_checks("small.spm", spm_encode_all(processor))


def write_shared(shared):
    for name in ("gpt2", "gptneox"):
        tokenizer = Tokenizer.from_file(str(shared / "tokenizers" / name / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        write_checks(f"shared.{name}", encode_all(tokenizer, True))
    opt = shared / "tokenizers" / "opt"
    tokenizer = Tokenizer(models.BPE.from_file(str(opt / "vocab.json"), str(opt / "merges.txt")))
    tokenizer.pre_tokenizer = byte_level()
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in ("</s>", "<pad>")])
    tokenizer.post_processor = processors.TemplateProcessing(single="</s> $A", special_tokens=[("</s>", 2)])
    write_checks("shared.opt", encode_all(tokenizer, True))
    for name, folder in (("llama", "tokenizers/llama"), ("stories", "models/stories260K-llama")):
        write_checks(f"shared.{name}", spm_encode_all(SentencePieceProcessor(model_file=str(shared / folder / "tokenizer.model"))))


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
write_checks("small.llama3", encode_all(llama3(reference(*small, "gpt2"), small[0], small[2])))
write_json(*small)
write_spm()
classes = "".join(class_of(c) for c in (*range(0x33480), *range(0xE0000, 0xE0200)))
(here / "unicode_classes.crc32").write_text(f"{zlib.crc32(classes.encode()):08x}\n")

if len(sys.argv) > 1:
    fields = GGUFReader(sys.argv[1]).fields
    model = [fields["tokenizer.ggml." + key].contents() for key in ("tokens", "token_type", "merges")]
    for pre in PRES:
        write_checks(f"smollm2.{pre}", encode_all(reference(*model, pre)))
if len(sys.argv) > 2:
    write_shared(pathlib.Path(sys.argv[2]))
