"""Decoding with a cache: a tracker for each head."""
from __future__ import annotations

from typing import Any

from act import _core
from act.arrays import call
from act.options import Options
from act.report import Sink


class Tracker:
    """Sinks of one head while it decodes with a cache: a step takes its raw row of weights in and calibrates it.

    A copy is a fork (beams). Slots are the row's elements; they stay what they are until evict().
    """

    def __init__(self, options: Options = Options(), *, _of: Any = None) -> None:
        self._of = _of if _of is not None else _core.Tracker(options._given())

    def start(self, sums: Any, *, first_key: int = 0, window: int = 0, query_offset: int = 0) -> None:
        """Begins after a prompt. sums: float64 [keys], its raw column sums (carried_sums of a call), up to its last row's
        own key; its rows began at query_offset, its padding ended at first_key."""
        call(self._of.start, sums=sums, first_key=first_key, window=window, query_offset=query_offset)

    def calibrate_row(self, row: Any, *, seen_begin: int = 0) -> float:
        """One step. row: raw weights [keys], calibrated in place; those before seen_begin aren't seen. Returns what
        some keys lost to others."""
        return call(self._of.calibrate_row, row=row, seen_begin=seen_begin)

    def retract(self, row: Any, *, seen_begin: int = 0) -> None:
        """Takes the last step back (a rejected draft token): `row` is its raw row."""
        call(self._of.retract, row=row, seen_begin=seen_begin)

    def evict(self, begin: int, end: int) -> None:
        """Slots [begin, end) leave the cache; later ones move down."""
        self._of.evict(begin, end)

    def copy(self) -> "Tracker":
        """A fork."""
        return Tracker(_of=self._of.copy())

    def save(self) -> bytes:
        """The state, for load() of a tracker with the same kind of rule."""
        return self._of.save()

    def load(self, state: bytes) -> None:
        """Restores what save() gave."""
        self._of.load(state)

    @property
    def keys(self) -> int:
        """How many slots are tracked."""
        return self._of.keys()

    @property
    def sinks(self) -> list[Sink]:
        """The sinks as of the last step."""
        return [Sink(*each) for each in self._of.sinks()]
