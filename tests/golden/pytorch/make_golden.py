"""Writes the PyTorch files of this folder with torch.save, and what is in them as torch.load reads it.

    python make_golden.py

Files that are read: state.bin (every type, views, shared storages, a parameter), state4.bin (the same in pickle protocol 4),
module.bin (the state_dict of a module, which has attributes), and state.json: type, shape and, as float32, the bits of each tensor's numbers.
The others, and everything whose name says so, are refused; none of their code ever runs here or there. Folders beside them hold the weights of ../parity's checkpoints of the same names, one
file and several, and of its families/gpt2/old-buffers: the test compares logits. Needs torch and safetensors.
"""
import collections
import json
import os
import pathlib
import pickle
import warnings
import zipfile

import safetensors.torch
import torch

HERE = pathlib.Path(__file__).resolve().parent
PARITY = HERE.parent / "parity"


def state() -> collections.OrderedDict:
    """Tensors whose values show where each number came from: 0, 1, 2, ... in each storage."""
    grid = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
    shared = torch.arange(6, dtype=torch.float16).reshape(2, 3)
    special = torch.tensor([0.0, -0.0, 1e-40, 65504.0, 3.4e38, -1.5])
    return collections.OrderedDict(
        grid=grid,
        transposed=grid.permute(2, 0, 1),
        every_second=grid[:, :, ::2],
        slice=grid[1, 1:],
        column=grid[:, :, 1],
        half=shared,
        tied=shared,
        half_transposed=shared.t(),
        bfloat=special.bfloat16(),
        special=special,
        special_half=special.half(),
        parameter=torch.nn.Parameter(torch.ones(3, 1) * 7),
        scalar=torch.tensor(2.5),
        scalar_view=grid[1, 2, 3],
        unit_axes=torch.arange(3.0).reshape(1, 3, 1).transpose(0, 2),
        empty=torch.zeros(0, 4),
        expanded=torch.tensor([5.0]).expand(4, 3),
        double=torch.arange(3, dtype=torch.float64),
        long=torch.arange(3),
        int=torch.arange(3, dtype=torch.int32),
        short=torch.arange(3, dtype=torch.int16),
        char=torch.arange(3, dtype=torch.int8),
        byte=torch.arange(3, dtype=torch.uint8),
        mask=torch.tril(torch.ones(1, 1, 3, 3, dtype=torch.bool)),
        epoch=3,
        name="nothing",
    )


class Calls:
    """Pickles to a call of a function with arguments: what a hostile file does."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def rewritten(path: pathlib.Path, to: str, replace: dict[str, bytes], compression=zipfile.ZIP_STORED):
    """The zip at `path` with some records replaced, added (None: left out)."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(HERE / to, "w", compression) as new:
        root = old.namelist()[0].split("/")[0]
        content = {name: old.read(name) for name in old.namelist()}
        content |= {f"{root}/{name}": data for name, data in replace.items()}
        for name, data in content.items():
            if data is not None:
                new.writestr(zipfile.ZipInfo(name), data, compression)


def main():
    warnings.simplefilter("ignore")
    whole = state()
    torch.save(whole, HERE / "state.bin")
    torch.save(whole, HERE / "state4.bin", pickle_protocol=4)
    torch.manual_seed(5)
    torch.save(torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.LayerNorm(3)).state_dict(), HERE / "module.bin")
    expected = {}
    for file in ("state.bin", "state4.bin", "module.bin"):
        read = torch.load(HERE / file, weights_only=file != "state4.bin")
        expected[file] = {
            name: {"type": str(tensor.dtype).removeprefix("torch."), "shape": list(tensor.shape),
                   "bits": tensor.detach().float().flatten().view(torch.int32).tolist()}
            for name, tensor in read.items() if isinstance(tensor, torch.Tensor)}
    (HERE / "state.json").write_text(json.dumps(expected, separators=(",", ":")).replace('},"', '},\n"') + "\n")

    small = {"w": torch.ones(2, 2)}
    torch.save(small, HERE / "legacy.bin", _use_new_zipfile_serialization=False)
    torch.save({"model": small, "epoch": 3}, HERE / "nested.bin")
    torch.save([torch.ones(2)], HERE / "list.bin")
    torch.save(torch.ones(2), HERE / "tensor.bin")
    torch.save({0: torch.ones(2)}, HERE / "number_key.bin")
    torch.save({"w": torch.ones(2, dtype=torch.complex64)}, HERE / "complex.bin")
    torch.save({"w": torch.ones(2, device="meta")}, HERE / "meta.bin")
    torch.save({"w": torch._neg_view(torch.ones(2))}, HERE / "negative.bin")
    torch.save(torch.nn.Linear(1, 1), HERE / "module_object.bin")
    torch.jit.save(torch.jit.script(torch.nn.Linear(1, 1)), HERE / "torchscript.bin")

    torch.save({"w": torch.ones(1), "x": Calls(os.system, "echo this must never run")}, HERE / "os_system.bin")
    torch.save({"w": torch.ones(1), "x": Calls(os.system, "echo this must never run")}, HERE / "os_system4.bin",
               pickle_protocol=4)
    torch.save({"w": torch.ones(1), "x": Calls(eval, "print('this must never run')")}, HERE / "eval.bin")
    torch.save({"w": torch.ones(1), "x": Calls(getattr, "text", "upper")}, HERE / "getattr.bin")
    torch.save(small, HERE / "small.bin")
    rewritten(HERE / "small.bin", "compressed.bin", {}, zipfile.ZIP_DEFLATED)
    rewritten(HERE / "small.bin", "big_endian.bin", {"byteorder": b"big"})
    rewritten(HERE / "small.bin", "protocol0.bin", {"data.pkl": pickle.dumps({"w": 1}, protocol=0)})
    rewritten(HERE / "small.bin", "version11.bin", {"version": b"11\n"})

    for name in ("tiny-llama-old-config", "tiny-llama-new-config"):
        folder = HERE / name
        folder.mkdir(exist_ok=True)
        for file in sorted((PARITY / name).glob("*.safetensors")):
            to = file.name.replace("model", "pytorch_model").replace(".safetensors", ".bin")
            torch.save(safetensors.torch.load_file(file), folder / to)
        for index in (PARITY / name).glob("*.index.json"):
            listed = json.loads(index.read_text())
            listed["weight_map"] = {
                tensor: file.replace("model", "pytorch_model").replace(".safetensors", ".bin")
                for tensor, file in listed["weight_map"].items()}
            (folder / "pytorch_model.bin.index.json").write_text(json.dumps(listed, indent=1) + "\n")

    # GPT-2 as old checkpoints are: masks among the weights, here in one file, and weights that were transposed.
    tensors = {}
    for file in sorted((PARITY / "families/gpt2/old-buffers").glob("*.safetensors")):
        tensors |= safetensors.torch.load_file(file)
    tensors = {name: tensor.t().contiguous().t() if "c_attn.weight" in name else tensor
               for name, tensor in tensors.items()}
    (HERE / "gpt2-old-buffers").mkdir(exist_ok=True)
    torch.save(tensors, HERE / "gpt2-old-buffers" / "pytorch_model.bin")


if __name__ == "__main__":
    main()
