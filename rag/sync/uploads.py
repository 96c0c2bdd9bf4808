"""Files that are copied into the index's own folder before they are indexed: each copy wholly there or not at all."""

from __future__ import annotations

import os
import shutil
from collections import deque
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import InputError, LoadError, Skipped
from rag.load import read
from rag.load.archive import is_archive, members
from rag.load.pool import Pool
from rag.records import Outcome
from rag.store.local.files import make_folder, sync, writing
from rag.sync.walk import escaped, uri_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from rag.records import State


def check_files(files: Sequence[str | Path]) -> None:
    """Refuse what is no file; raises `InputError`."""
    for file in files:
        if not Path(file).is_file():
            raise InputError(f"{file} is not a file; name files to add")


def copied(files: Sequence[str | Path], folder: Path) -> tuple[list[Path], list[Outcome]]:
    """Copy those files that are documents into a folder; return the copies, and what became of the others.

    Raises `StoreError` where the folder cannot be written.
    """
    with writing(folder):
        make_folder(folder)
        for left in folder.glob(".*.part"):  # by one that was killed
            left.unlink()
    copies: list[Path] = []
    refused: list[Outcome] = []
    for file in map(Path, files):
        try:
            _try(file)
        except LoadError as error:
            state: State = "skipped" if isinstance(error, Skipped) else "failed"
            refused.append(Outcome(escaped(uri_of(file)), state, str(error).removeprefix(f"{uri_of(file)}: ")))
            continue
        target = _free(folder / file.name, copies)
        if not target.exists() or not target.samefile(file):
            _copy(file, target)
        copies.append(target)
    return copies, refused


def _copy(file: Path, target: Path) -> None:
    """Copy a file wholly or not at all, and so that it lasts through a power cut."""
    half = target.with_name(f".{target.name}.part")
    try:
        with writing(target):
            shutil.copyfile(file, half)
            with half.open("rb") as copy:
                os.fsync(copy.fileno())
            half.replace(target)
            sync(target.parent)
    finally:
        half.unlink(missing_ok=True)


def delete_copy(file: Path) -> None:
    """Delete a copy for good, also after a power cut; raises `StoreError`."""
    with writing(file):
        file.unlink(missing_ok=True)
        sync(file.parent)


def _try(file: Path) -> None:
    """Read a file as it will be read when it is indexed; raises `LoadError`."""
    uri, data = read(file)
    if is_archive(uri):
        deque(members(data, uri), maxlen=0)  # within limits, that is: what is in it is reported later
        return
    with Pool(workers=1) as pool:
        pool.submit(data, uri).result()


def _free(path: Path, taken: Collection[Path]) -> Path:
    """Return the path, or one with a number when another file of the same call has it: both are wanted."""
    same = (path.with_name(f"{path.stem} ({number}){path.suffix}") for number in count(2))
    return next(free for free in chain([path], same) if free not in taken)
