"""Makes the golden files for the GGUF reader and the dequantisation with the Python package `gguf`.

    python make_golden.py [NAME=MODEL.gguf]...

small.gguf             every metadata type, plain numbers and the types of 32 evenly spaced numbers a block, random
small.expected.bin     the float32 values of its tensors, in the file's order, as `gguf` dequantises them
k_quants.gguf          Q2_K to Q6_K, IQ4_NL and IQ4_XS, random blocks and extreme ones
k_quants.expected.bin  their values, as above
split-*-of-00004.gguf  the same tensors as a split model, the first of whose files has metadata alone
all_halves.crc32       CRC-32 of the float32 values of all half-precision bit patterns but NaN (those as 0)
NAME.crc32             for each model given: CRC-32 of each tensor's float32 values and its name, a line a tensor;
                       smollm2=models/SmolLM2-135M-Instruct.Q4_1.gguf gemma3=models/gemma-3-270m-q4_k_m.gguf
Needs: gguf, numpy.
"""
import pathlib
import sys
import zlib

import numpy as np
from gguf import GGMLQuantizationType as Q, GGUFReader, GGUFValueType as V, GGUFWriter, dequantize

here = pathlib.Path(__file__).parent
rng = np.random.default_rng(20240703)

SCALES = np.array([0.0, -0.0, 1.0, -1.5, 6e-8, -6e-8, 6.1e-5, 65504.0, 0.01, -0.3], dtype=np.float16)


def blocks(kind, rows, columns):
    """Random blocks with scales from all of half's range: zeros of both signs, subnormals, the largest number."""
    size = {Q.Q8_0: 34, Q.Q4_0: 18, Q.Q4_1: 20, Q.Q5_0: 22, Q.Q5_1: 24}[kind]
    raw = rng.integers(0, 256, (rows, columns // 32, size), dtype=np.uint8)
    halves = {Q.Q4_1: 2, Q.Q5_1: 2}.get(kind, 1)
    raw[..., : 2 * halves] = rng.choice(SCALES, (rows, columns // 32, halves)).view(np.uint8)
    return raw.reshape(rows, -1)


def write_small():
    writer = GGUFWriter(here / "small.gguf", "llama")
    writer.add_key_value("test.u8", 200, V.UINT8)
    writer.add_key_value("test.i8", -100, V.INT8)
    writer.add_key_value("test.u16", 60000, V.UINT16)
    writer.add_key_value("test.i16", -30000, V.INT16)
    writer.add_key_value("test.u32", 4000000000, V.UINT32)
    writer.add_key_value("test.i32", -2000000000, V.INT32)
    writer.add_key_value("test.u64", 2**63 + 5, V.UINT64)
    writer.add_key_value("test.i64", -(2**62), V.INT64)
    writer.add_key_value("test.f32", 0.1, V.FLOAT32)
    writer.add_key_value("test.f64", 0.1, V.FLOAT64)
    writer.add_key_value("test.yes", True, V.BOOL)
    writer.add_key_value("test.no", False, V.BOOL)
    writer.add_key_value("test.text", "naïve \u4e2d text", V.STRING)
    writer.add_key_value("test.strings", ["", "one", "two words", "\u00e9"], V.ARRAY, V.STRING)
    writer.add_key_value("test.integers", [3, -1, 7], V.ARRAY, V.INT32)
    writer.add_key_value("test.floats", [0.5, -2.0], V.ARRAY, V.FLOAT32)
    writer.add_key_value("test.booleans", [True, False, True], V.ARRAY, V.BOOL)
    floats = rng.standard_normal((3, 5)).astype(np.float32)
    floats[0, :4] = [np.inf, -np.inf, -0.0, 1e-42]
    writer.add_tensor("f32", floats)
    writer.add_tensor("f32.vector", rng.standard_normal(7).astype(np.float32))
    writer.add_tensor("f32.four_axes", rng.standard_normal((2, 3, 4, 5)).astype(np.float32))
    halves = rng.standard_normal((2, 9)).astype(np.float16)
    halves[0, :4] = [np.inf, -np.inf, -0.0, 6e-8]
    writer.add_tensor("f16", halves)
    brain = rng.integers(0, 2**16, (2, 6), dtype=np.uint16)
    brain[(brain & 0x7F80) == 0x7F80] = 0x7F80  # infinities rather than NaN
    writer.add_tensor("bf16", brain.view(np.uint8), raw_dtype=Q.BF16)
    for kind in (Q.Q8_0, Q.Q4_0, Q.Q4_1, Q.Q5_0, Q.Q5_1):
        writer.add_tensor(kind.name.lower(), blocks(kind, 4, 64), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


# Of a block: its size, where its half-precision scales lie, and where the bytes with its groups' scales.
K_BLOCKS = {
    Q.Q2_K: (84, (80, 82), (0, 16)), Q.Q3_K: (110, (108,), (96, 108)), Q.Q4_K: (144, (0, 2), (4, 16)),
    Q.Q5_K: (176, (0, 2), (4, 16)), Q.Q6_K: (210, (208,), (192, 208)), Q.IQ4_NL: (18, (0,), (0, 0)),
    Q.IQ4_XS: (136, (0,), (2, 8)),
}


def k_blocks(kind):
    """Four rows of two blocks: random ones, then with all bits 0 or 1 in the groups' scales, the numbers, and both."""
    size, halves, (first, last) = K_BLOCKS[kind]
    raw = rng.integers(0, 256, (8, size), dtype=np.uint8)
    groups = raw[:, first:last].copy()
    groups[2], groups[3] = 0, 255
    raw[4], raw[5] = 0, 255
    raw[:, first:last] = groups
    raw[6] = 255
    for at in halves:
        raw[:, at : at + 2] = rng.choice(SCALES, (8, 1)).view(np.uint8)
        raw[6, at : at + 2] = np.array([65504.0], dtype=np.float16).view(np.uint8)  # the largest product
    return raw.reshape(4, 2 * size)


def write_k_quants():
    blocks = {kind: k_blocks(kind) for kind in K_BLOCKS}
    for writer in (
        GGUFWriter(here / "k_quants.gguf", "llama"),
        GGUFWriter(here / "split.gguf", "llama", split_max_tensors=3, small_first_shard=True),
    ):
        for kind in K_BLOCKS:
            writer.add_tensor(kind.name.lower(), blocks[kind], raw_dtype=kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


def values(tensor):
    # 32-bit floats of any tensor; infinities times zero and the like are part of what is compared.
    with np.errstate(all="ignore"):
        return np.ascontiguousarray(dequantize(tensor.data, tensor.tensor_type), dtype=np.float32)


write_small()
write_k_quants()
for name in ("small", "k_quants"):
    expected = b"".join(values(t).tobytes() for t in GGUFReader(here / f"{name}.gguf").tensors)
    (here / f"{name}.expected.bin").write_bytes(expected)

halves = np.arange(2**16, dtype=np.uint16).view(np.float16).astype(np.float32)
halves[np.isnan(halves)] = 0
(here / "all_halves.crc32").write_text(f"{zlib.crc32(halves.tobytes()):08x}\n")

for argument in sys.argv[1:]:
    name, model = argument.split("=", 1)
    lines = [f"{zlib.crc32(values(t).tobytes()):08x} {t.name}\n" for t in GGUFReader(model).tensors]
    (here / f"{name}.crc32").write_text("".join(lines))
