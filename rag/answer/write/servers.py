"""LLM servers: those that run on this machine, and what one tells about its models.

Looking goes to this machine alone. What a server says is untrusted: limited in size, and nothing where it is odd.
"""

from __future__ import annotations

import http.client
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

PORTS = {"Ollama": 11434, "LM Studio": 1234, "llama.cpp": 8080, "vLLM": 8000}
"""Where servers listen unless they are told otherwise."""

_TIMEOUT = 0.7  # s; a server on this machine answers at once
_MOST_BYTES = 2_000_000
_MOST_MODELS = 50
_LONGEST_NAME = 200
_OLLAMA_TAKES = 4096  # tokens, unless it or the model is told otherwise


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A server that was found: what usually listens there, the address of its API, and its models."""

    name: str
    url: str
    models: tuple[str, ...]


def found(timeout: float = _TIMEOUT) -> list[LocalServer]:
    """Look for servers on this machine; those that list models, in the order of `PORTS`."""

    def look(name: str, port: int) -> LocalServer:
        url = f"http://127.0.0.1:{port}/v1"
        return LocalServer(name, url, tuple(models(url, timeout=timeout)))

    with ThreadPoolExecutor() as pool:
        servers = pool.map(look, PORTS, PORTS.values())
    return [server for server in servers if server.models]


def models(url: str, key: str | None = None, timeout: float = _TIMEOUT) -> list[str]:
    """Return the names of the models that a server lists."""
    return [name for name, _ in _listed(url, key, timeout)]


def context(url: str, model: str, key: str | None = None, timeout: float = _TIMEOUT) -> int | None:
    """Return how many tokens a model takes, as its server tells; None where it does not."""
    told = next((item for name, item in _listed(url, key, timeout) if name == model), {})
    size = _first(told.get("max_model_len"), _part(told, "meta").get("n_ctx"), told.get("loaded_context_length"))
    if size or not is_local(url):
        return size
    root = url.removesuffix("/v1")
    props = _json(f"{root}/props", timeout=timeout)
    studio = _json(f"{root}/api/v0/models/{quote(model)}", timeout=timeout)
    size = _first(_part(props, "default_generation_settings").get("n_ctx"), studio.get("loaded_context_length"))
    return size or _ollama_context(root, model, timeout)


def _ollama_context(root: str, model: str, timeout: float) -> int | None:
    shown = _json(f"{root}/api/show", body={"model": model}, timeout=timeout)
    if not shown:
        return None
    running = _json(f"{root}/api/ps", timeout=timeout).get("models")
    loaded = [item.get("context_length") for item in _items(running) if item.get("name") == model]
    words = str(shown.get("parameters") or "").split()
    given = [after for word, after in pairwise(words) if word == "num_ctx"]
    return _first(*loaded, *(int(size) for size in given if size.isdecimal()), _OLLAMA_TAKES)


def is_local(url: str) -> bool:
    """Tell whether an address is on this machine: what is sent there does not leave it."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _listed(url: str, key: str | None, timeout: float) -> Iterator[tuple[str, dict[str, Any]]]:
    items = _items(_json(f"{url}/models", key, timeout=timeout).get("data"))
    for item in items[:_MOST_MODELS]:
        name = item.get("id")
        if isinstance(name, str) and 0 < len(name) <= _LONGEST_NAME and name.isprintable():
            yield name, item


def _json(url: str, key: str | None = None, body: object = None, timeout: float = _TIMEOUT) -> dict[str, Any]:
    """Return the object that an address answers with; an empty one for anything else. No redirect is followed."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    headers = {"Accept": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
    data = None if body is None else json.dumps(body).encode()
    try:
        with closing(kind(parts.hostname or "", parts.port, timeout=timeout)) as connection:
            connection.request("POST" if data else "GET", parts.path, data, headers)
            response = connection.getresponse()
            answer = json.loads(response.read(_MOST_BYTES)) if response.status == http.client.OK else {}
    except (OSError, http.client.HTTPException, ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _part(item: dict[str, Any], name: str) -> dict[str, Any]:
    value = item.get(name)
    return value if isinstance(value, dict) else {}


def _items(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _first(*sizes: object) -> int | None:
    return next((size for size in sizes if isinstance(size, int) and 0 < size < 10_000_000), None)
