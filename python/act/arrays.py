"""Arrays of any kind as arguments, and errors that name them."""
from __future__ import annotations

import sys
from typing import Any, Sequence

from act._core import Error

_arrays = ("map", "q", "k", "v", "out", "plain", "log_sum_exp", "scores", "carried_sums", "sums", "row")


def heads_of(heads: Sequence[int] | None) -> list[int] | None:
    """Chosen heads for the extension; None: all."""
    return None if heads is None else [int(head) for head in heads]


def call(function: Any, **arguments: Any) -> Any:
    """Calls the extension; what it can't take is an act.Error that names the argument."""
    for name, value in arguments.items():
        if getattr(value, "requires_grad", False) and sys.modules["torch"].is_grad_enabled():
            raise Error(f"{name}: requires gradients, which act doesn't give: pass {name}.detach()")
    try:
        return function(**arguments)
    except TypeError as unfit:
        arrays = {name: value for name, value in arguments.items() if hasattr(value, "shape")}
        for name, value in arrays.items():
            device = str(getattr(value, "device", "cpu"))
            if not device.startswith("cpu"):
                raise Error(f"{name}: lies on {device}; act computes in CPU memory") from None
            flags = getattr(value, "flags", None)
            if flags is not None and not flags.writeable and name in ("map", "out", "row", "plain", "carried_sums"):
                raise Error(f"{name}: is read-only, and is written to") from None
        names = [name for name, value in arguments.items() if name in _arrays and value is not None]
        wrong = [name for name in names if not hasattr(arguments[name], "shape")]
        if wrong:
            raise Error(f"{wrong[0]}: must be an array with the buffer or DLPack protocol, not "
                        f"{type(arguments[wrong[0]]).__name__}") from None
        raise Error(f"arguments: {str(unfit).splitlines()[0]}") from None


def extent_of(array: Any, axis: int) -> int:
    """Extent of an axis; 0 where it has none: the call will say so."""
    return int(array.shape[axis]) if hasattr(array, "shape") and len(array.shape) >= -axis else 0


def rows_of(array: Any) -> int:
    """Extent of the last axis but one; 1 for what has one axis, 0 for what has none."""
    return extent_of(array, -2) if len(getattr(array, "shape", ())) != 1 else 1


def empty_like(array: Any, shape: tuple[int, ...]) -> Any:
    """A tensor of torch for one of torch, else an array of NumPy's, of the same type."""
    if type(array).__module__.split(".")[0] == "torch":
        import torch

        return torch.empty(shape, dtype=array.dtype)
    import numpy

    return numpy.empty(shape, dtype=array.dtype)
