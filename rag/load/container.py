"""Zip containers and the XML in them, as office files and e-books are: opened within limits."""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

from rag.errors import LoadError, Skipped
from rag.load.decode import OLE

if TYPE_CHECKING:
    Element = Any  # lxml has no types

_MOST_BYTES = 200_000_000
_MOST_RATIO = 100
_MOST_MEMBERS = 2_000
_SMALL = 1_000_000  # bytes that may be packed as tightly as they like: empty sheets pack a thousandfold
_DIRECTORY_ENTRY, _DIRECTORY_END = b"PK\x01\x02", b"PK\x05\x06"
_TEMPLATES = frozenset({"2013-12-23T23:15:00Z", "2013-01-27T09:14:16Z"})
"""When the templates of python-docx and python-pptx were made, which stands in each file that is made of them."""
_UNKNOWN = 0xFFFFFFFF  # the size of a directory that says it elsewhere (zip64)


class Container:
    """The members of a zip file. Raises `LoadError` for a damaged or encrypted one, `Skipped` for one beyond limits."""

    def __init__(self, data: bytes, uri: str) -> None:
        self.uri = uri
        count = _directory(data).count(_DIRECTORY_ENTRY)  # before they are read, which takes its time
        if count > _MOST_MEMBERS:
            raise Skipped(f"{uri}: holds {count} files, more than {_MOST_MEMBERS}; split it")
        if data.startswith(OLE):
            raise LoadError(f"{uri}: is encrypted or in an old binary format; save it without a password, in today's")
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
            raise LoadError(f"{uri}: is damaged ({error}); open it and save it anew") from error
        members = self._zip.infolist()
        self.files = [member for member in members if not member.is_dir()]  # in order; several may have one name
        self.names = [member.filename for member in self.files]
        size = sum(member.file_size for member in members)
        if size > _MOST_BYTES:
            raise Skipped(f"{uri}: unpacks to {size / 1e6:.0f} MB, more than {_MOST_BYTES / 1e6:.0f}; split it")
        for member in members:
            if member.file_size > max(_SMALL, _MOST_RATIO * member.compress_size):
                raise Skipped(f"{uri}: {member.filename} unpacks more than {_MOST_RATIO}-fold, as bombs do")

    def read(self, member: str | zipfile.ZipInfo) -> bytes:
        """Return the bytes of a member, of the last one that has a name; raises `LoadError`."""
        name = member if isinstance(member, str) else member.filename
        try:
            found = self._zip.getinfo(name) if isinstance(member, str) else member
            if found.flag_bits & 1:
                raise LoadError(f"{self.uri}: {name} is encrypted; save it without a password")
            return self._zip.read(found)
        except KeyError as error:
            raise LoadError(f"{self.uri}: {name} is missing; save the file anew") from error
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
            raise LoadError(f"{self.uri}: {name} is damaged ({error}); save the file anew") from error

    def xml(self, name: str) -> Element:
        """Return a member as a tree; raises `LoadError`."""
        return parse_xml(self.read(name), self.uri)

    def optional(self, name: str) -> Element:
        """Return a member as a tree, an empty one where there is no such member."""
        return self.xml(name) if name in self.names else parse_xml(b"<none/>", self.uri)

    def relations(self, part: str) -> dict[str, str]:
        """Return the targets of an OOXML part's relationships by their id, as names of members."""
        folder, _, name = part.rpartition("/")
        return {
            key: resolve(folder, each.get("Target", ""))
            for each in self.optional(f"{folder}/_rels/{name}.rels")
            if each.get("TargetMode") != "External" and (key := each.get("Id"))
        }

    def related(self, part: str, kind: str) -> list[str]:
        """Return the members that an OOXML part names and that have `kind` in their name."""
        return [name for name in self.relations(part).values() if kind in name and name in self.names]


def _directory(data: bytes) -> bytes:
    """Return the part of a zip file that lists its members; all of it where its end does not tell the size."""
    end = data.rfind(_DIRECTORY_END)
    size = int.from_bytes(data[end + 12 : end + 16], "little")
    return data[max(0, end - size) : end] if end >= 0 and size < _UNKNOWN else data


def resolve(folder: str, target: str) -> str:
    """Return the name of a member that `target` means, seen from `folder`."""
    return posixpath.normpath(posixpath.join(f"/{folder}", target)).lstrip("/")


def parse_xml(data: bytes, uri: str) -> Element:
    """Parse XML without entities, network and huge texts; raises `LoadError`."""
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise LoadError(f"{uri}: holds damaged XML ({error.msg}); open it and save it anew") from error


def local_name(element: Element) -> str:
    """Return an element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def attribute(element: Element, name: str, default: str = "") -> str:
    """Return an attribute by its name without namespace; `default` without one, or with an empty one."""
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "") or default


def value_of(element: Element, path: str, default: str = "") -> str:
    """Return the value of the element at a path of names, as in `<w:numId w:val="3"/>`; `default` without one."""
    child = element.find("/".join(f"{{*}}{name}" for name in path.split("/")))
    return default if child is None else attribute(child, "val", default)


def integer(text: str) -> int:
    """Return a number that a file gives; 0 for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def properties(root: Element) -> tuple[str | None, str | None]:
    """Return title and date of the core properties of OOXML, ODF and EPUB, unless it is that of a template.

    The day of the last change comes before that of the first: people write over the file of last time.
    """
    from rag.language.published import parse_date

    found: dict[str, str] = {}
    for element in root.iter():
        if isinstance(element.tag, str) and element.text and element.text.strip():
            found.setdefault(local_name(element), element.text.strip())
    stamps = (found.get(name, "") for name in ("date", "modified", "created", "creation-date"))
    return found.get("title"), parse_date(next((s for s in stamps if s and s not in _TEMPLATES), "")[:10])
