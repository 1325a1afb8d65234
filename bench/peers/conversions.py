"""What each engine needs, made from one GGUF file, so that all of them have the same numbers. For models.py.

Everything is made once and kept; delete it to make it anew.
"""
import shutil
import subprocess
import sys
from pathlib import Path


def made_once(make):
    """Makes `path` under another name first: what is there under its own name is whole."""

    def ensure(source, path):
        if not path.exists():
            print(f"making {path}", file=sys.stderr, flush=True)
            unfinished = path.with_name("unfinished-" + path.name)
            if unfinished.is_dir():  # of a run that was stopped; a file is written over
                shutil.rmtree(unfinished)
            make(source, unfinished)
            unfinished.rename(path)
        return path

    return ensure


@made_once
def float32_folder(gguf, folder):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    where = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    loaded = AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32)
    config = loaded.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config  # what was expanded is plain float32, which may be saved
    plain = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    plain.load_state_dict(loaded.state_dict())
    plain.save_pretrained(folder)
    AutoTokenizer.from_pretrained(**where).save_pretrained(folder)


def ctranslate2_folder(kind):
    @made_once
    def make(folder, made):
        from ctranslate2.converters import TransformersConverter
        TransformersConverter(str(folder)).convert(str(made), quantization=None if kind == "float32" else kind)

    return make


def onnx_folder(kind):
    @made_once
    def make(folder, made):
        subprocess.run([sys.executable, "-m", "onnxruntime_genai.models.builder", "-i", folder, "-o", made, "-p", kind,
                        "-e", "cpu"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    return make


FILE_TYPES = {"F32": 0, "F16": 1, "Q4_0": 2, "Q4_1": 3, "Q8_0": 7}  # general.file_type


def gguf_of(kind):
    """Every matrix in `kind`, the vocabulary's too; norms and biases in float32."""

    @made_once
    def make(source, path):
        import numpy as np
        from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter, quants
        reader = GGUFReader(source)
        architecture = reader.fields["general.architecture"].contents()
        writer = GGUFWriter(path, architecture)
        for field in reader.fields.values():
            if field.name.startswith("GGUF.") or field.name in ("general.architecture", "general.file_type"):
                continue
            element = field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
            writer.add_key_value(field.name, field.contents(), field.types[0], sub_type=element)
        writer.add_file_type(FILE_TYPES[kind])
        wanted = GGMLQuantizationType[kind]
        for tensor in reader.tensors:
            values = quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
            if values.ndim < 2 or kind == "F32":
                writer.add_tensor(tensor.name, values)
            else:
                writer.add_tensor(tensor.name, quants.quantize(values, wanted), raw_dtype=wanted)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()

    return make


def tokens_of(folder, text, sentences, work):
    """Ids of a long text, of prompts around sentences, and of the two label words."""
    from transformers import AutoTokenizer
    tokenizer = AutoTokenizer.from_pretrained(folder)
    (work / "text.ids").write_text(" ".join(map(str, tokenizer(text)["input_ids"])) + "\n")
    before = ("Classify the sentiment of the user's message into one of the following categories: 'positive' or "
              "'negative'.\n\nSentence: ")
    prompts = [tokenizer(before + sentence + "\nSentiment:")["input_ids"] for sentence in sentences]
    (work / "prompts.ids").write_text("".join(" ".join(map(str, each)) + "\n" for each in prompts))
    words = [tokenizer(word, add_special_tokens=False)["input_ids"] for word in (" negative", " positive")]
    at = next(i for i, (one, other) in enumerate(zip(*words)) if one != other)
    return work / "text.ids", work / "prompts.ids", [word[at] for word in words]
