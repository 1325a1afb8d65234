"""Makes settings.json: what `transformers` makes of small tokenizers with settings files beside them.

    python make_settings.py

Each case is a folder: "model" (a small one of this folder, if any) as tokenizer.model (or, with "step", small.json as tokenizer.json with that pre-tokenizer and
without a template), the files listed, and with "beside" small.spm.json as tokenizer.json, which is made here from small.model.
The ids are AutoTokenizer's without what it puts around a text, special tokens in the text being tokens; "decoded" is what it
makes of them again. Needs: transformers 5.24 (its classes decide; others differ), sentencepiece, protobuf.
"""
import json
import os
import pathlib
import shutil
import tempfile

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
from transformers import AutoTokenizer
import transformers

here = pathlib.Path(__file__).parent
TEXTS = ["the word", " the word", "  the", "a</s>the", "a</s> the", "</s>the", "<s>the", " </s> the", "\u2581the", "a</s>\u2581the", "\nthe",
         "a<unk>the", "", " ", "the  <x> the", "the<x>the <y> the", "zum<now> zum zumwhere", "szum zum.zum", "<z>  <z>the", "\u00e9\U0001f600"]
roles = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
token = lambda content, special=False, **flags: {"content": content, "special": special, "lstrip": False, "rstrip": False,
                                                 "single_word": False, "normalized": False, **flags}
ADDED = {"700": token("<x>"), "701": token("<y>", True, lstrip=True), "702": token("<z>", rstrip=True, normalized=True),
         "703": token("zum", single_word=True, normalized=True), "704": token("<now>", lstrip=True, rstrip=True)}
llama = {**roles, "tokenizer_class": "LlamaTokenizer"}
made = []


def case(name, texts=TEXTS, model="small.model", step=None, beside=False, **files):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        if step:
            small = json.loads((here / "small.json").read_text())
            small["pre_tokenizer"], small["post_processor"] = step, None
            (root / "tokenizer.json").write_text(json.dumps(small))
        elif model:
            shutil.copy(here / model, root / "tokenizer.model")
        if beside:
            shutil.copy(here / "small.spm.json", root / "tokenizer.json")
        for file, content in files.items():
            (root / (file + ".json")).write_text(json.dumps(content))
        tokenizer = AutoTokenizer.from_pretrained(folder)
        ids = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
        made.append({"name": name, "model": None if step else model, "files": files, "step": step, "beside": beside, "class": type(tokenizer).__name__,
                     "bos": tokenizer.bos_token_id, "eos": tokenizer.eos_token_id, "texts": texts, "ids": ids,
                     "decoded": [tokenizer.decode(i) for i in ids]})


def write_beside():
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(here / "small.model", pathlib.Path(folder) / "tokenizer.model")
        (pathlib.Path(folder) / "config.json").write_text('{"model_type": "mistral"}')
        tokenizer = AutoTokenizer.from_pretrained(folder)
        tokenizer.add_bos_token = True
        content = json.loads(tokenizer.backend_tokenizer.to_str())
    (here / "small.spm.json").write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")))


write_beside()
config = {"model_type": "llama"}
mistral = {"model_type": "mistral"}
case("no settings", config=config)
for legacy in (True, False, None):
    case(f"legacy {legacy}", config=config, tokenizer_config={**llama, "legacy": legacy})
    case(f"legacy {legacy}, another class for the model type", config=mistral, tokenizer_config={**llama, "legacy": legacy})
for legacy in (True, False):
    for space in (True, False, None):
        case(f"legacy {legacy}, space {space}", config=config, tokenizer_config={**llama, "legacy": legacy, "add_prefix_space": space})
case("no class, legacy false", config=config, tokenizer_config={**roles, "legacy": False})
for legacy in (True, False):
    case(f"added tokens, legacy {legacy}", config=config, tokenizer_config={**llama, "legacy": legacy, "added_tokens_decoder": ADDED})
case("added tokens, general class", config=mistral, tokenizer_config={**roles, "added_tokens_decoder": ADDED})
case("added_tokens.json", config=config, tokenizer_config={**llama, "legacy": False, "eos_token": "<y>"}, added_tokens={"<x>": 700, "<y>": 701})
case("special_tokens_map.json", config=config, tokenizer_config={**llama, "legacy": False, "eos_token": "<x>"},
     added_tokens={"<x>": 700, "<y>": 701, "<z>": 702},
     special_tokens_map={"eos_token": token("<y>", True, lstrip=True), "bos_token": "<s>", "additional_special_tokens": ["<z>"]})
case("special_tokens_map.json beside added_tokens_decoder", config=config, special_tokens_map={"eos_token": "<x>"},
     tokenizer_config={**llama, "legacy": False, "eos_token": "<y>", "added_tokens_decoder": ADDED})
case("tokenizer.json beside, general class", beside=True, config=mistral, tokenizer_config=roles)
for legacy in (True, False):
    case(f"tokenizer.json beside, legacy {legacy}", beside=True, config=config, tokenizer_config={**llama, "legacy": legacy})
spaces = ["  the", "a  b", "a   b\n\n<b>c</b>", "\t\t\tx", "<b></b>", "\n\n\n", "a </s>  b"]
case("user-defined pieces, no space before a text", texts=spaces, model="small.plain.model", config=mistral, tokenizer_config=roles)
case("user-defined pieces that are added tokens too", texts=spaces, model="small.plain.model", config=mistral,
     tokenizer_config={**roles, "added_tokens_decoder": {"3": token("\u2581\u2581"), "6": token("\n\n"), "8": token("<b>", True)}})
case("tokenizer.json alone, general class", model=None, beside=True, config=mistral, tokenizer_config={**roles, "legacy": False})
for legacy in (True, False):
    for space in (True, False):
        case(f"tokenizer.json alone, legacy {legacy}, space {space}", model=None, beside=True, config=config,
             tokenizer_config={**llama, "legacy": legacy, "add_prefix_space": space})
case("tokenizer.json alone, CodeLlama", model=None, beside=True, config={"model_type": "code_llama"},
     tokenizer_config={**roles, "tokenizer_class": "CodeLlamaTokenizer"})
case("tokenizer.json alone, added tokens", model=None, beside=True, config=config,
     tokenizer_config={**llama, "legacy": False, "added_tokens_decoder": ADDED})
case("tokenizer.json alone, added_tokens.json", model=None, beside=True, config=config,
     tokenizer_config={**llama, "legacy": False, "eos_token": "<y>"}, added_tokens={"<x>": 700, "<y>": 701})
byte_level = lambda space: {"type": "ByteLevel", "add_prefix_space": space, "trim_offsets": True, "use_regex": True}
plain = ["work number", " work", "work<|im_end|>work", "7 work", ""]
gpt2 = {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>", "unk_token": "<|endoftext|>"}
for kind in ("GPT2Tokenizer", "GPT2TokenizerFast", "PreTrainedTokenizerFast", None):
    for space in (True, False, None):
        for own in (True, False):
            settings = {**gpt2, **({"tokenizer_class": kind} if kind else {}), **({"add_prefix_space": space} if space is not None else {})}
            case(f"{kind}, space {space}, tokenizer.json {own}", texts=plain, step=byte_level(own), config=config, tokenizer_config=settings)
case("GPT-2 without a class", texts=plain, step=byte_level(True), config={"model_type": "gpt2"}, tokenizer_config={**gpt2, "add_prefix_space": True})
case("StableLM's general class", texts=plain, step=byte_level(False), config={"model_type": "stablelm"},
     tokenizer_config={**gpt2, "tokenizer_class": "GPT2Tokenizer", "add_prefix_space": True})
(here / "settings.json").write_text(json.dumps({"transformers": transformers.__version__, "cases": made}, ensure_ascii=True, separators=(",", ":")) + "\n")
for each in made:
    print(each["name"], each["class"], each["bos"], each["eos"], each["ids"][:3])
