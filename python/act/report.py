"""What a call did to each head."""
from __future__ import annotations

from typing import Any, NamedTuple


class Sink(NamedTuple):
    """A key that collects more attention than the threshold: its position, and its column score."""

    position: int
    score: float


class HeadReport(NamedTuple):
    """What happened to one head: its sinks, ascending, and what some keys lost to others, summed over rows."""

    batch: int
    head: int
    sinks: list[Sink]
    moved_mass: float


def reports_of(heads: Any) -> list[HeadReport]:
    return [HeadReport(b, h, [Sink(*each) for each in sinks], moved) for b, h, sinks, moved in heads]
