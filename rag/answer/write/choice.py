"""Which LLM was chosen, kept for the page and the command line in a file that only its owner can read.

It is no part of the index: an index is copied and shared, a key is not.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rag.answer.write import servers
from rag.answer.write.endpoint import Settings, checked_url
from rag.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping


def place(environment: Mapping[str, str] = os.environ) -> Path:
    """Return where the choice is kept: `rag/llm.json` in $XDG_CONFIG_HOME, or in ~/.config."""
    return Path(environment.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "rag" / "llm.json"


def chosen(url: str | None = None, model: str | None = None) -> Settings:
    """Return the LLM to ask: of this address, of the environment, the one that was kept, or one found on this machine.

    Raises `InputError` where there is none of these.
    """
    if settings := Settings.named(url=url, model=model) or kept():
        return replace(settings, model=model or settings.model)
    for server in servers.found():
        return Settings(server.url, model or server.models[0])
    raise InputError(
        f"no LLM is set up, and none was found on this machine ({', '.join(servers.PORTS)}); start one, "
        "give --llm-url, or set RAG_LLM_URL, as in http://127.0.0.1:8080/v1"
    )


def kept() -> Settings | None:
    """Return the LLM that was chosen; None for none, and where its file is no such file."""
    try:
        told = json.loads(place().read_text("utf-8"))
        return Settings(checked_url(told["url"]), told.get("model"), told.get("key"), told.get("context"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, InputError):
        return None


def keep(settings: Settings) -> None:
    """Keep a choice; without a key, the one that is kept for the same address stays. Raises `InputError`."""
    before = kept()
    same = before is not None and before.url == settings.url
    key = settings.key or (before.key if before and same else None)
    told = {"url": settings.url, "model": settings.model, "key": key, "context": settings.context}
    path, new = place(), place().with_name(f"llm.json.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(told, file)
        new.replace(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}); free space or check permissions") from error


def forget() -> None:
    """Forget the choice and its key."""
    place().unlink(missing_ok=True)
