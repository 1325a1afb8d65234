"""Makes the golden files of SentencePiece's other kinds with its own Python package, on the lines of varied_lines.py.

    python make_sentencepiece.py [gemma-3-270m-q4_k_m.gguf]

small.unigram.model    a unigram vocabulary with byte fallback, trained here, that removes extra spaces; small.unigram.checks: its ids
small.plain.model      BPE in the manner of Gemma: no space before a text, user-defined pieces of spaces, line breaks and tags
small.plain.gguf       the same as llama.cpp's converter lists it: user-defined pieces with spaces for U+2581, the unknown token
                       a control token that is named by its id alone; small.plain.checks: its ids
gemma3.checks          with the model: the ids of its lists, special tokens in a line being tokens
gemma3.text.checks     the same, being text

Checks are as make_golden.py writes them. Where a line has control tokens, the ids are the package's for each stretch between
them. Needs: sentencepiece, gguf, numpy.
"""
import io
import pathlib
import re
import sys
import zlib

import numpy as np
from gguf import GGUFReader, GGUFValueType as V, GGUFWriter
from sentencepiece import SentencePieceProcessor, SentencePieceTrainer
from sentencepiece import sentencepiece_model_pb2 as proto

from varied_lines import lines as make_lines

here = pathlib.Path(__file__).parent
lines = make_lines()
UNKNOWN, CONTROL, USER_DEFINED = 2, 3, 4


def write_checks(name, all_ids):
    with open(here / f"{name}.checks", "wb") as out:
        for ids in all_ids:
            out.write(np.array([len(ids), zlib.crc32(np.array(ids, np.int32).tobytes())], np.uint32).tobytes())


def encode_all(processor, tokens=True):
    """As the tokenizer begins every text, with its BOS."""
    size = processor.get_piece_size()
    whole = {processor.id_to_piece(i): i for i in range(size) if processor.is_control(i) or processor.is_unknown(i)} if tokens else {}
    cut = re.compile("(" + "|".join(map(re.escape, sorted(whole, key=len, reverse=True))) + ")") if whole else re.compile("(?!)")
    ids_of = lambda part: [whole[part]] if part in whole else processor.encode(part)
    return [[processor.bos_id()] + [i for part in cut.split(line) if part for i in ids_of(part)] for line in lines]


def train(remove_extra_whitespaces=False, **settings):
    model = io.BytesIO()
    # Without tabs: runs of them can be cut in ways of the same score, and the library's versions choose differently.
    sentences = [re.sub("[\n\0\t]", " ", line) for line in lines if len(line) < 500 and (line.isascii() or "\u4e2d" in line)]
    SentencePieceTrainer.train(sentence_iterator=iter(sentences), model_writer=model, byte_fallback=True, character_coverage=1.0,
                               normalization_rule_name="identity", remove_extra_whitespaces=remove_extra_whitespaces, num_threads=1, minloglevel=2, **settings)
    return model.getvalue()


def write_lists(path, model):
    made = proto.ModelProto.FromString(model)
    writer = GGUFWriter(path, "llama")
    writer.add_string("tokenizer.ggml.model", "llama")
    writer.add_array("tokenizer.ggml.tokens", [p.piece.replace("\u2581", " ") if p.type == USER_DEFINED else p.piece for p in made.pieces])
    writer.add_key_value("tokenizer.ggml.scores", [p.score for p in made.pieces], V.ARRAY, V.FLOAT32)
    writer.add_key_value("tokenizer.ggml.token_type", [CONTROL if p.type == UNKNOWN else p.type for p in made.pieces], V.ARRAY, V.INT32)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_bool("tokenizer.ggml.add_space_prefix", False)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def of_lists(path):
    """The processor of a GGUF file's lists."""
    fields = GGUFReader(path).fields
    get = lambda key: fields["tokenizer.ggml." + key].contents()
    made, unknown = proto.ModelProto(), get("unknown_token_id")
    for i, (text, score, kind) in enumerate(zip(get("tokens"), get("scores"), get("token_type"))):
        made.pieces.add(piece=text.replace(" ", "\u2581") if kind == USER_DEFINED else text, score=score,
                        type=UNKNOWN if i == unknown else kind)
    made.trainer_spec.model_type, made.trainer_spec.byte_fallback = 2, True
    for role in ("bos", "eos"):
        setattr(made.trainer_spec, role + "_piece", made.pieces[get(role + "_token_id")].piece)
    made.normalizer_spec.name, made.normalizer_spec.add_dummy_prefix, made.normalizer_spec.remove_extra_whitespaces = "identity", False, False
    return SentencePieceProcessor(model_proto=made.SerializeToString())


unigram = train(model_type="unigram", vocab_size=600, remove_extra_whitespaces=True)
(here / "small.unigram.model").write_bytes(unigram)
write_checks("small.unigram", encode_all(SentencePieceProcessor(model_proto=unigram)))
plain = train(model_type="bpe", vocab_size=700, add_dummy_prefix=False,
              user_defined_symbols=["\u2581\u2581", "\u2581\u2581\u2581", "\n", "\n\n", "\t\t", "<b>", "</b>", "<mask>"])
(here / "small.plain.model").write_bytes(plain)
write_lists(here / "small.plain.gguf", plain)
write_checks("small.plain", encode_all(SentencePieceProcessor(model_proto=plain)))
if len(sys.argv) > 1:
    gemma = of_lists(sys.argv[1])
    write_checks("gemma3", encode_all(gemma))
    write_checks("gemma3.text", encode_all(gemma, tokens=False))
