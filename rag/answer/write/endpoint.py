"""A server that speaks OpenAI's chat protocol: where it is, and how its words come in.

Whatever it sends is untrusted: redirects are not followed, size and time are limited, and no text of its errors is
repeated, for it could hold anything, the key among it.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from functools import cached_property, partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from rag.errors import InputError, LlmError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import httpx2
    import openai

_OPENAI = "https://api.openai.com/v1"


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the LLM is. The key is shown nowhere, and sent to this address alone.

    Attributes:
        url: of the API, as in `http://127.0.0.1:8080/v1`.
        model: None for the first one that the server lists.
        key: None where the server wants none.
        silence: seconds without a word, after which the server is taken to hang.
        longest: seconds that an answer may take.
        most: bytes that an answer may have.
    """

    url: str
    model: str | None = None
    key: str | None = field(default=None, repr=False)
    silence: float = 60.0
    longest: float = 300.0
    most: int = 4_000_000

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ, url: str | None = None, model: str | None = None) -> Self:
        """Return the settings of RAG_LLM_URL, RAG_LLM_MODEL and RAG_LLM_KEY; raises `InputError` without an address.

        Without RAG_LLM_URL, OPENAI_BASE_URL and OPENAI_API_KEY count; that key is for that address, and goes to no
        other.
        """
        url = url or environment.get("RAG_LLM_URL")
        key = environment.get("RAG_LLM_KEY")
        if not url and environment.get("OPENAI_API_KEY"):
            url = environment.get("OPENAI_BASE_URL") or _OPENAI
            key = key or environment["OPENAI_API_KEY"]
        url = url or environment.get("OPENAI_BASE_URL")
        if not url:
            raise InputError("no LLM is set up; give --llm-url, or set RAG_LLM_URL, as in http://127.0.0.1:8080/v1")
        if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
            raise InputError(f"{url} is not the address of an LLM; give one as in http://127.0.0.1:8080/v1")
        return cls(url.rstrip("/"), model or environment.get("RAG_LLM_MODEL"), key)


class Endpoint:
    """Asks one server. Safe to use from several threads. Raises `InputError` without OpenAI's client."""

    def __init__(self, settings: Settings) -> None:
        if not find_spec("openai"):
            raise InputError("OpenAI's client is not installed: pip install 'rag[llm]'")
        self.settings = settings

    def write(self, messages: Sequence[Mapping[str, str]], schema: Mapping[str, Any]) -> Iterator[str]:
        """Yield what the server writes, held to a JSON schema if it can do that; raises `LlmError` for any failure."""
        import httpx2
        import openai

        form = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}
        name = f"the LLM at {urlsplit(self.settings.url).hostname}"
        try:
            try:
                yield from self._stream(messages, response_format=form)
            except (openai.BadRequestError, openai.UnprocessableEntityError):  # does not know schemas
                yield from self._stream(messages)
        except openai.APITimeoutError as error:
            raise LlmError(f"{name} did not answer in time") from error
        except openai.APIConnectionError as error:
            raise LlmError(f"{name} cannot be reached") from error
        except openai.APIStatusError as error:
            raise LlmError(f"{name} answered with status {error.status_code}") from error
        except (openai.OpenAIError, ValueError, AttributeError, TypeError) as error:  # the last ones: odd JSON
            raise LlmError(f"{name} sent something that is no answer") from error
        except IncompleteResponseError as error:
            raise LlmError(f"{name} {error}") from error
        except (httpx2.HTTPError, httpx2.StreamError) as error:
            raise LlmError(f"{name} broke off") from error

    def _stream(self, messages: Sequence[Mapping[str, str]], **options: Any) -> Iterator[str]:  # noqa: ANN401
        ended = False
        request: dict[str, Any] = {"model": self._model, "messages": list(messages), "temperature": 0.0, **options}
        with self._client.chat.completions.create(**request, max_tokens=1000, stream=True) as stream:
            for chunk in stream:
                for choice in chunk.choices[:1]:
                    ended = ended or choice.finish_reason is not None
                    if choice.delta.content:
                        yield choice.delta.content
        if not ended:
            raise IncompleteResponseError("broke off")

    @cached_property
    def _model(self) -> str:
        return self.settings.model or next((model.id for model in self._client.models.list()), "default")

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
