"""What is searched can be kept under a name."""

from __future__ import annotations

import stat

import pytest

from rag.app.ui import selections
from rag.app.ui.selections import Selections
from rag.errors import InputError, StoreError

NEWS = ["document=2022/minutes.txt", "folder=/docs/news"]


def test_selections_are_kept_replaced_and_forgotten(tmp_path, monkeypatch):
    file = tmp_path / "index" / "selections.json"
    kept = Selections(file)
    assert kept.kept_selections() == {}
    assert not file.parent.exists()
    kept.keep_selection("  Zoning \n papers ", ["folder=/docs/zoning"])
    assert kept.keep_selection("News", NEWS) == {"News": NEWS, "Zoning papers": ["folder=/docs/zoning"]}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert kept.keep_selection("News", NEWS[:1]) == Selections(file).kept_selections()
    assert kept.kept_selections()["News"] == NEWS[:1]
    monkeypatch.setattr(selections, "MOST", 2)
    with pytest.raises(InputError, match="forget one first"):
        kept.keep_selection("Third", NEWS)
    assert list(kept.forget_selection("News")) == ["Zoning papers"]
    assert list(kept.forget_selection("never kept")) == ["Zoning papers"]
    assert [path.name for path in file.parent.iterdir()] == ["selections.json"]


@pytest.mark.parametrize(
    ("name", "conditions", "said"),
    [("", NEWS, "a name"), ("x" * 61, NEWS, "a name"), ("News", [], "Tick"), ("News", ["colour=red"], "cannot filter")],
)
def test_what_is_no_selection_is_refused(tmp_path, name, conditions, said):
    with pytest.raises(InputError, match=said):
        Selections(tmp_path / "selections.json").keep_selection(name, conditions)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_is_named(tmp_path):
    file = tmp_path / "selections.json"
    for content in ("{", "[1]", '{"a": 1}'):
        file.write_text(content)
        with pytest.raises(StoreError, match=r"selections.json: cannot be read"):
            Selections(file).kept_selections()
