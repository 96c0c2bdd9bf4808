"""The web page. Gradio is imported by `build` and `serve` only: it takes seconds, and no other command needs it."""

from __future__ import annotations

import asyncio
import atexit
import inspect
import os
import shutil
import socket
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from rag.app.ui.ending import wait_for_work
from rag.app.ui.password import Password, chosen_password
from rag.app.ui.token import Token, kept_token
from rag.app.ui.uploads import PREFIX, made_folder
from rag.errors import InputError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    import gradio as gr
    from fastapi import FastAPI

    from rag.library import Library

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
EVERY_ADDRESS = ("", "0.0.0.0", "::")  # noqa: S104 - only with a password
MOST_SESSIONS = 100  # of Gradio, 40 kB each; programs make one a call, and the page keeps nothing in them
MOST_WAITING = 100  # questions in the queue before the page says that it is busy


def serve(
    library: Library,
    host: str = "127.0.0.1",
    port: int = 7860,
    names: Sequence[str] = (),
    password_file: Path | None = None,
    *,
    with_token: bool = True,
    proxy: str | None = None,
) -> None:
    """Serve the page until interrupted; prints its address when it is ready. Port 0 takes a free one.

    Args:
        library: what is asked.
        host: the address to listen at; one that other machines reach needs a password.
        port: the port to listen at.
        names: under which the page is reached, besides those of this machine and IP addresses.
        password_file: holds the password in its first line; without it, RAG_PASSWORD in the environment does.
        with_token: whether a page without a password opens only with the token of the printed address; without it,
            every user and every program of this machine can read all that is indexed, and have any file indexed.
        proxy: the IP address of a proxy in front of the page, which says where requests come from.

    Raises:
        InputError: the host can be reached from other machines and there is no password, or the port is taken.
    """
    from rag.app.ui.server import end_on_signals, run

    end_on_signals()
    password = chosen_password(password_file)
    if host not in LOOPBACK_HOSTS and password is None:
        raise InputError(
            f"Other machines can reach {host or 'every address'}, so the page needs a password: "
            "put one into a file and name it with --password-file, or set RAG_PASSWORD."
        )
    with _listen(host, port) as listener:
        named = socket.gethostname() if host in EVERY_ADDRESS else host
        address = f"[{named}]" if ":" in named else named
        token = kept_token(library.store.root) if with_token and password is None else None
        local = host in LOOPBACK_HOSTS and not names and proxy is None  # else a proxy lets others in
        app = build(library, (host, socket.gethostname(), *names), password, token, local=local)
        entry = f"/?token={token}" if token else ""
        run(app, listener, f"Open http://{address}:{listener.getsockname()[1]}{entry}\n", proxy)


def build(
    library: Library,
    names: Sequence[str] = (),
    password: str | None = None,
    token: str | None = None,
    *,
    local: bool = True,
) -> FastAPI:
    """Return the page as an ASGI application, guarded, and start to load the encoder in the background.

    Args:
        library: what is asked.
        names: under which it is reached, besides those of this machine to itself.
        password: what to know to be let in.
        token: what to have to be let in, instead; with neither, everybody is who reaches it.
        local: whether only people at this machine do: they may name its folders.
    """
    uploads = _settle_gradio()
    import_gradio()
    from fastapi import FastAPI
    from fastapi.staticfiles import StaticFiles

    from rag.app.ui.examples import Examples
    from rag.app.ui.follow import Follow
    from rag.app.ui.guard import Guard
    from rag.app.ui.memory import give_back_from_time_to_time
    from rag.app.ui.page import layout

    follow, examples = Follow(library, local=local), Examples(library)
    blocks = layout(library, follow, examples, local=local)

    @asynccontextmanager
    async def closing(_: FastAPI) -> AsyncIterator[None]:
        giving_back = asyncio.create_task(give_back_from_time_to_time(blocks))
        yield
        giving_back.cancel()
        examples.close()
        await asyncio.to_thread(follow.close)
        await asyncio.to_thread(wait_for_work)
        if uploads.name.startswith(PREFIX):
            shutil.rmtree(uploads, ignore_errors=True)

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=closing)
    # by themselves: Gradio would rewrite the selectors of a style sheet given to it
    app.mount("/web", StaticFiles(directory=Path(__file__).with_name("web")))
    _mount(app, blocks)
    known, key = Password(password) if password else None, Token(token) if token else None
    app.add_middleware(Guard, uploads=uploads, names=names, password=known, token=key)
    library.warm(wait=False)
    return app


def _mount(app: FastAPI, blocks: gr.Blocks) -> None:
    """Serve Gradio's part at the root: quiet, and without what the page does not use."""
    import gradio as gr

    from rag.app.ui.page import theme
    from rag.load import LARGEST

    blocks.state_session_capacity = MOST_SESSIONS
    blocks.queue(max_size=MOST_WAITING, default_concurrency_limit=4)
    gr.mount_gradio_app(
        app,
        blocks,
        path="/",
        show_error=False,
        run_history=False,
        ssr_mode=False,
        mcp_server=False,
        enable_monitoring=False,
        max_file_size=LARGEST,
        allowed_paths=[],
        footer_links=[],
        theme=theme(),
    )
    blocks.has_launched = True  # unless this is set, Gradio takes any path for an uploaded file's


def _listen(host: str, port: int) -> socket.socket:
    """Take the port now, so that a taken one is said before anything slow starts."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        raise InputError(f"Port {port} of {host} cannot be used ({error}): choose another with --port.") from error


def _settle_gradio() -> Path:
    """Keep Gradio quiet and private. Read at its import, hence before it: no analytics, no hub, a folder of its own.

    Nor does it keep statistics of calls, which it would compute anew from ten thousand of them after each one.
    Uploads pass through that folder, which is returned; Gradio's own default is shared by all its applications.
    """
    if "GRADIO_TEMP_DIR" not in os.environ:
        folder = made_folder()
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        os.environ["GRADIO_TEMP_DIR"] = str(folder)
    os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1")
    os.environ.update(GRADIO_ANALYTICS_MAX_EVENTS="1", GRADIO_ANALYTICS_CACHE_FREQUENCY=f"{2**60}")
    return Path(os.environ["GRADIO_TEMP_DIR"])


def import_gradio() -> None:
    """Import Gradio without the third of its time that it spends on writing stubs for editors into its own folder.

    It has no setting for that, but writes none for a class whose file `inspect` cannot find: so none of its is found
    as long as the import lasts.
    """
    find = inspect.getfile

    def find_none_of_gradio(thing: Any) -> str:  # noqa: ANN401 - as `inspect` has it
        if getattr(thing, "__module__", "").startswith("gradio."):
            raise OSError
        return find(thing)

    with patch("inspect.getfile", find_none_of_gradio):
        import gradio  # noqa: F401
