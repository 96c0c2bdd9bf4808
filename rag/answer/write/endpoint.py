"""A server that speaks OpenAI's chat protocol: where it is, and how its words come in.

Whatever it sends is untrusted: redirects are not followed, size and time are limited, and no text of its errors is
repeated, for it could hold anything, the key among it.
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass, field
from functools import cached_property, partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from rag.answer.write import servers
from rag.errors import ContextExceeded, InputError, LlmError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import httpx2
    import openai

LEAST_CONTEXT = 1000
"""Tokens that a model has to take: fewer hold no rules, sources and answer."""

_OPENAI = "https://api.openai.com/v1"
_USUAL_CONTEXT = 4096  # tokens, where a server does not tell
_MOST_ROOM = 6000  # tokens of sources: what is far from the question only slows the answer down
_RULES = 450  # tokens of rules and question
_LONGEST_ANSWER = 1000  # tokens
_TOO_LONG = re.compile(r"context|too long|maximum.{0,20}tokens", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the LLM is. The key is shown nowhere, and sent to this address alone.

    Attributes:
        url: of the API, as in `http://127.0.0.1:8080/v1`.
        model: None for the first one that the server lists.
        key: None where the server wants none.
        context: tokens that the model takes; None for what the server tells.
        silence: seconds without a word, after which the server is taken to hang.
        longest: seconds that an answer may take.
        most: bytes that an answer may have.
    """

    url: str
    model: str | None = None
    key: str | None = field(default=None, repr=False)
    context: int | None = None
    silence: float = 180.0
    longest: float = 900.0
    most: int = 4_000_000

    @classmethod
    def named(
        cls, environment: Mapping[str, str] = os.environ, url: str | None = None, model: str | None = None
    ) -> Self | None:
        """Return the settings of RAG_LLM_URL, RAG_LLM_MODEL, RAG_LLM_KEY and RAG_LLM_CONTEXT; None without an address.

        Without RAG_LLM_URL, OPENAI_BASE_URL and OPENAI_API_KEY count; that key is for that address, and goes to no
        other. Raises `InputError` for what is no address, or no number.
        """
        url = url or environment.get("RAG_LLM_URL")
        key = environment.get("RAG_LLM_KEY")
        if not url and environment.get("OPENAI_API_KEY"):
            url = environment.get("OPENAI_BASE_URL") or _OPENAI
            key = key or environment["OPENAI_API_KEY"]
        url = url or environment.get("OPENAI_BASE_URL")
        context = environment.get("RAG_LLM_CONTEXT") or None
        if context and not (context.isascii() and context.isdecimal() and int(context) >= LEAST_CONTEXT):
            raise InputError(f"RAG_LLM_CONTEXT is {context}; give a number of tokens, {LEAST_CONTEXT} or more")
        model = model or environment.get("RAG_LLM_MODEL")
        return cls(checked_url(url), model, key, int(context) if context else None) if url else None

    @property
    def host(self) -> str:
        """The name of the machine that it is on."""
        return urlsplit(self.url).hostname or ""


def checked_url(url: str) -> str:
    """Return an address without a slash at its end; raises `InputError` for what is none of an LLM."""
    try:
        parts = urlsplit(url.strip())
        is_plain = not (parts.username or parts.query or parts.fragment)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and is_plain
    except ValueError:  # a port that is none, or half an IPv6 address
        is_address = False
    if not is_address:
        raise InputError(f"{url} is not the address of an LLM; give one as in http://127.0.0.1:8080/v1")
    return url.strip().rstrip("/")


class Endpoint:
    """Asks one server. Safe to use from several threads. Raises `InputError` without OpenAI's client."""

    def __init__(self, settings: Settings) -> None:
        if not find_spec("openai"):
            raise InputError("OpenAI's client is not installed: pip install 'rag[llm]'")
        self.settings = settings

    @cached_property
    def name(self) -> str:
        """The model's name, for people: without folders and the ending of its file."""
        return self.model.rpartition("/")[2].removesuffix(".gguf")[:60] or "the LLM"

    @cached_property
    def model(self) -> str:
        """The model's name, for the server."""
        return self.settings.model or next(iter(servers.models(self.settings.url, self.settings.key, 10.0)), "default")

    @cached_property
    def context(self) -> int:
        """How many tokens the model takes: as the settings say, else as its server tells."""
        told = self.settings.context or servers.context(self.settings.url, self.model, self.settings.key)
        return max(LEAST_CONTEXT, told or _USUAL_CONTEXT)

    @property
    def room(self) -> int:
        """How many tokens of sources it can be given, beside the rules and the answer."""
        return min(_MOST_ROOM, self.context - _RULES - self._longest_answer)

    @property
    def _longest_answer(self) -> int:
        return min(_LONGEST_ANSWER, self.context // 4)

    def write(self, messages: Sequence[Mapping[str, str]], schema: Mapping[str, Any]) -> Iterator[str]:
        """Yield what the server writes, held to a JSON schema if it can do that; raises `LlmError` for any failure."""
        import httpx2
        import openai

        name = f"the LLM at {self.settings.host}"
        try:
            yield from self._held_to(schema, messages)
        except openai.APITimeoutError as error:
            raise LlmError(f"{name} did not answer in time") from error
        except openai.APIConnectionError as error:
            raise LlmError(f"{name} cannot be reached") from error
        except openai.APIStatusError as error:
            kind = ContextExceeded if _is_too_long(error) else LlmError
            raise kind(f"{name} answered with status {error.status_code}") from error
        except (openai.OpenAIError, ValueError, AttributeError, TypeError) as error:  # the last ones: odd JSON
            raise LlmError(f"{name} sent something that is no answer") from error
        except IncompleteResponseError as error:
            raise LlmError(f"{name} {error}") from error
        except (httpx2.HTTPError, httpx2.StreamError) as error:
            raise LlmError(f"{name} broke off") from error

    def _held_to(self, schema: Mapping[str, Any], messages: Sequence[Mapping[str, str]]) -> Iterator[str]:
        """Ask for JSON of a schema, or without one where the server does not know schemas."""
        import openai

        form = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}
        try:
            yield from self._stream(messages, response_format=form)
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            if _is_too_long(error):
                raise
            yield from self._stream(messages)

    def _stream(self, messages: Sequence[Mapping[str, str]], **options: Any) -> Iterator[str]:  # noqa: ANN401
        ended = False
        request: dict[str, Any] = {"model": self.model, "messages": list(messages), "temperature": 0.0, **options}
        with self._client.chat.completions.create(**request, max_tokens=self._longest_answer, stream=True) as stream:
            for chunk in stream:
                for choice in chunk.choices[:1]:
                    ended = ended or choice.finish_reason is not None
                    if choice.delta.content:
                        yield choice.delta.content
        if not ended:
            raise IncompleteResponseError("broke off")

    @cached_property
    def _client(self) -> openai.OpenAI:
        import httpx2
        import openai

        silence = self.settings.silence
        http = httpx2.Client(
            timeout=httpx2.Timeout(silence, connect=min(silence, 10.0)),
            follow_redirects=False,
            trust_env=False,  # no proxy sees the key, and no .netrc replaces it
            event_hooks={"response": [partial(_limit, self.settings)]},
        )
        return openai.OpenAI(
            base_url=self.settings.url,
            api_key=self.settings.key or "none",
            organization="",
            project="",
            max_retries=0,
            http_client=http,
        )


def _is_too_long(error: openai.APIStatusError) -> bool:
    return error.status_code in {400, 413, 422} and bool(_TOO_LONG.search(str(error.body)))


class IncompleteResponseError(Exception):
    """A response has no end, or none within the limits: its text goes on behind the name of who sent it."""


def _limit(settings: Settings, response: httpx2.Response) -> None:
    """Let the body of a response end at the limits of size and time, whatever the server sends."""
    import httpx2

    assert isinstance(response.stream, httpx2.SyncByteStream)
    sent: httpx2.SyncByteStream = response.stream
    until = time.monotonic() + settings.longest

    class LimitedStream(httpx2.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            room = settings.most
            for part in sent:
                room -= len(part)
                if room < 0:
                    raise IncompleteResponseError("broke off")
                if time.monotonic() > until:
                    raise IncompleteResponseError(f"did not end in {settings.longest:.0f} seconds")
                yield part

        def close(self) -> None:
            sent.close()

    response.stream = LimitedStream()
