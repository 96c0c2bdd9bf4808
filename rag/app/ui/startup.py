"""Imports Gradio without the third of its time that it spends on writing stubs for editors into its own folder."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec, PathFinder
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType


class _WithoutStubs:
    """Finds the module that writes them, and takes that function out of it; Gradio has no setting for it."""

    def find_spec(self, name: str, path: Sequence[str] | None, _: ModuleType | None = None) -> ModuleSpec | None:
        """Find `gradio.component_meta`, as an entry of `sys.meta_path` does."""
        spec = PathFinder.find_spec(name, path) if name == "gradio.component_meta" else None
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def execute_and_change(module: ModuleType) -> None:
            execute(module)
            module.__dict__["create_or_modify_pyi"] = lambda *_, **__: None

        spec.loader.exec_module = execute_and_change  # type: ignore[method-assign]
        return spec


def import_gradio() -> None:
    """Import Gradio, if that has not happened yet."""
    finder = _WithoutStubs()
    sys.meta_path.insert(0, finder)
    try:
        import gradio  # noqa: F401
    finally:
        sys.meta_path.remove(finder)
