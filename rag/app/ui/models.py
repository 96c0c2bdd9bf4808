"""Settings > Answers: which LLM writes, those that are found on this machine, and whether one works."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from rag.answer import StreamingAnswerer
from rag.answer.write import choice, servers
from rag.answer.write.endpoint import Settings, checked_url
from rag.errors import InputError

if TYPE_CHECKING:
    from rag.answer.write import LlmAnswerer
    from rag.app.as_json import Json
    from rag.library import Library

_LONGEST = 500  # characters of an address, a name, a key
INSTALL = "OpenAI’s client, which talks to language models, is not installed. Type: pip install 'rag[llm]'"


class ModelHandlers:
    """What the page calls to connect an LLM. A key goes in and never comes out.

    Only whoever sits at this machine (`local`) may choose one: the choice holds for all who see the page.
    """

    def __init__(self, library: Library, *, local: bool) -> None:
        self._library = library
        self._local = local
        self._settings: Settings | None = None  # chosen on the page since the program started
        self._llm: LlmAnswerer | None = None

    def answerer(self) -> LlmAnswerer:
        """Return the answerer with the chosen LLM; raises `InputError` without one."""
        settings = self._chosen()
        if settings is None:
            raise InputError("No language model is chosen: choose one under Settings.")
        if self._llm is None or self._llm.llm.settings != settings:
            from rag.answer.write import llm_answerer

            self._llm = llm_answerer(self._library.retriever, settings)
        return self._llm

    def _chosen(self) -> Settings | None:
        return self._settings or Settings.named() or choice.kept()

    def chosen(self) -> Json | None:
        """Tell which LLM writes, without its key; `always` where the program was started with one. None for none."""
        if isinstance(self._library.answerer, StreamingAnswerer):
            settings = getattr(getattr(self._library.answerer, "llm", None), "settings", None)
            return {**_view(settings), "always": True} if settings else {"always": True, "local": False}
        settings = self._chosen()
        return _view(settings) if settings else None

    def look(self) -> Json:
        """Look for servers on this machine, and tell which LLM is chosen and what there is to install."""
        found = servers.found() if self._local else []
        return {
            "servers": [{"name": each.name, "url": each.url, "models": list(each.models)} for each in found],
            "chosen": self.chosen(),
            "may_choose": self._local,
            "install": "" if find_spec("openai") else INSTALL,
        }

    def choose(self, url: str, model: str, key: str) -> Json:
        """Choose the LLM at an address and keep the choice; an empty key leaves the one that is kept for it."""
        self._check_local()
        if max(map(len, (url, model, key))) > _LONGEST:
            raise InputError(f"An address, a name and a key have up to {_LONGEST} characters each.")
        if not (key.isascii() and key.isprintable()):
            raise InputError("The key has characters that no key has: copy it again.")
        choice.keep(Settings(checked_url(url), model.strip() or None, key.strip() or None))
        self._settings = choice.kept()
        return self.look()

    def forget_model(self) -> Json:
        """Forget the choice and its key."""
        self._check_local()
        choice.forget()
        self._settings = None
        return self.look()

    def try_it(self) -> Json:
        """Say in one line what the chosen LLM can do; raises `RagError` where it cannot be used."""
        from rag.answer.write.trial import tried

        settings = self._chosen()
        if settings is None:
            raise InputError("No language model is chosen.")
        return {"line": tried(settings)}

    def _check_local(self) -> None:
        if not self._local:
            raise InputError("The language model can be chosen only at the machine on which the program runs.")


def _view(settings: Settings) -> Json:
    return {
        "url": settings.url,
        "model": settings.model or "",
        "host": settings.host,
        "local": servers.is_local(settings.url),
        "has_key": settings.key is not None,
    }
