#!/usr/bin/env python3
"""Writes the small GGUF models of tests/golden/parity/families whose names follow beside this script, every tensor in
float32: llama.cpp rounds activations to the type of the weights, and agreement could be seen to three digits only.
Needs the packages gguf and numpy. make_f32.py llama/base gemma2/base gemma3_text/base bloom/base qwen3/base"""
import sys
from pathlib import Path

import gguf
import numpy as np

here = Path(__file__).resolve().parent
for name in sys.argv[1:]:
    reader = gguf.GGUFReader(here.parent / "parity" / "families" / name / "model.gguf")
    writer = gguf.GGUFWriter(here / f"{name.replace('/', '-')}.gguf", reader.fields["general.architecture"].contents())
    for key, field in reader.fields.items():
        if key.startswith("GGUF.") or key in ("general.architecture", "general.file_type", "general.quantization_version"):
            continue
        kind = field.types[0]
        writer.add_key_value(key, field.contents(), kind, field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None)
    writer.add_uint32("general.file_type", 0)
    for tensor in reader.tensors:
        numbers = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        writer.add_tensor(tensor.name, numbers.reshape([int(n) for n in reversed(tensor.shape)]))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
