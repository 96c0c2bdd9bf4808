"""How a long run tells where it is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from tqdm import tqdm


class Bars:
    """A progress bar on standard error for each stage that takes longer than a second, with rate and time left."""

    def __init__(self) -> None:
        self._bars: dict[str, tqdm[None]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for bar in self._bars.values():
            bar.close()

    def show(self, stage: str, done: int, total: int) -> None:
        """Move the stage's bar."""
        from tqdm import tqdm

        if stage not in self._bars:
            unit = {"reading": " files", "asking": " questions"}.get(stage, " passages")
            self._bars[stage] = tqdm(total=total, desc=stage, unit=unit, delay=1, file=sys.stderr, dynamic_ncols=True)
        self._bars[stage].update(done - self._bars[stage].n)
