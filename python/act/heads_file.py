"""Heads files, as act-search writes them."""
from __future__ import annotations

import dataclasses
import json
import os
from typing import Any

from act._core import Error
from act.options import Options

_redistributions = {
    "proportional": {},
    "uniform": {"redistribute": "uniform"},
    "inverse": {"redistribute": "inverse"},
    "temperature": {"redistribute": "temperature"},
    "renormalised": {"redistribute": "renormalised"},
}
_columns = {"sinks": "sinks", "initial": "initial_token", "initial-token": "initial_token"}


@dataclasses.dataclass(frozen=True)
class HeadsFile:
    """Which heads are calibrated, and how. heads: strengths by (layer, head), None where it is the options' own."""

    name: str
    heads: dict[tuple[int, int], float | None]
    options: Options
    architecture: str | None = None
    layers: int | None = None
    heads_of_layer: int | None = None

    def of_layer(self, layer: int) -> list[int]:
        """The layer's heads, ascending."""
        return sorted(head for at, head in self.heads if at == layer)

    def options_of(self, layer: int, head: int) -> Options:
        """One head's own options."""
        strength = self.heads[layer, head]
        if strength is None:
            return self.options
        member = "factor" if self.options.redistribute == "renormalised" else "beta"
        return dataclasses.replace(self.options, **{member: strength})


def read_heads(path: str | os.PathLike) -> HeadsFile:
    """Reads a heads file of act-search. Raises act.Error, which names the file and the member."""
    name = os.fspath(path)

    def refuse(member: str, what: str) -> Error:
        return Error(f"{name}: {json.dumps(member)} {what}")

    try:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
    except (ValueError, RecursionError) as unread:
        raise Error(f"{name}: isn't JSON: {unread}") from None
    if not isinstance(document, dict):
        raise Error(f"{name}: must be a JSON object")
    if document.get("format") != "act-heads":
        raise refuse("format", 'isn\'t "act-heads"; this isn\'t a heads file')
    if document.get("version") != 1:
        raise refuse("version", "isn't 1, the only one this act reads")

    def whole(value: Any, least: int = 0) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and least <= value <= 65535

    def number(value: Any) -> bool:
        return isinstance(value, (int, float)) and not isinstance(value, bool)

    heads: dict[tuple[int, int], float | None] = {}
    if not isinstance(document.get("heads"), list):
        raise refuse("heads", "must be a list")
    for each in document["heads"]:
        right = isinstance(each, list) and len(each) in (2, 3) and all(map(whole, each[:2])) and all(map(number, each[2:]))
        if not right:
            raise refuse("heads", "must list [layer, head] or [layer, head, strength]")
        if (each[0], each[1]) in heads:
            raise refuse("heads", f"names head {each[1]} of layer {each[0]} twice")
        heads[each[0], each[1]] = float(each[2]) if len(each) == 3 else None

    told: dict[str, Any] = {}
    options = document.get("options", {})
    if not isinstance(options, dict):
        raise refuse("options", "must be an object")
    for key, value in options.items():
        if key == "rule" and isinstance(value, str):
            told["rule"] = value.replace("-", "_")
        elif key in ("alpha", "tau", "beta", "theta", "factor") and number(value):
            told[key] = float(value)
        elif key == "min_visible_rows" and whole(value, 1):
            told[key] = value
        elif key == "redistribution" and value in _redistributions:
            told.update(_redistributions[value])
        elif key == "redistribution" and value == "inverse-temperature":
            told["redistribute"] = "temperature"
            told["inverse"] = True
        elif key == "columns" and value in _columns:
            told["columns"] = _columns[value]
        elif key == "compatibility" and value in ("none", "authors"):
            told["authors"] = value == "authors"
        else:
            raise refuse(f"options.{key}", f"is {json.dumps(value)}, which isn't done here; leaving it out would calibrate differently")
    if told.pop("inverse", False):
        told["theta"] = 1 / told.get("theta", 1.1)
    made = Options(**told)
    try:
        made._given()
    except Error as wrong:
        raise Error(f"{name}: {wrong}") from None
    model = document.get("model", {})
    if not isinstance(model, dict):
        raise refuse("model", "must be an object")
    return HeadsFile(name, heads, made, model.get("architecture"), model.get("layers"), model.get("heads"))
