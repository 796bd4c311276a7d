"""Reads HTML the way a test asks about it: elements with their attributes and words, roots, ids."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


@dataclass
class Element:
    """One element; `words` is all text inside, with single spaces."""

    tag: str
    attributes: dict[str, str]
    children: list["Element"] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self._texts()).split())

    def _texts(self) -> Iterator[str]:
        yield from self.texts
        for child in self.children:
            yield from child._texts()

    def walk(self) -> Iterator["Element"]:
        yield self
        for child in self.children:
            yield from child.walk()

    def all(self, *tags: str) -> list["Element"]:
        return [one for one in self.walk() if one.tag in tags]

    def by_id(self, wanted: str) -> "Element":
        """The one element with this id."""
        found = [one for one in self.walk() if one.attributes.get("id") == wanted]
        assert len(found) == 1, f"{len(found)} elements with the id {wanted}"
        return found[0]

    def has_id(self, wanted: str) -> bool:
        return any(one.attributes.get("id") == wanted for one in self.walk())

    @property
    def buttons(self) -> list[str]:
        """The words on everything that is pressed, also links that look so."""
        return [
            one.words
            for one in self.walk()
            if one.tag == "button" or (one.tag == "a" and "button" in one.attributes.get("class", "").split())
        ]

    @property
    def headings(self) -> list[str]:
        return [one.words for one in self.all("h1", "h2", "h3")]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {})
        self._open = [self.root]

    def updatepos(self, i: int, j: int) -> int:
        """Count no lines: nobody asks where something stands, and counting takes a tenth of the time."""
        return j

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        names = [one.tag for one in self._open]
        assert tag in names, f"</{tag}> closes nothing"
        while self._open.pop().tag != tag:
            pass

    def handle_data(self, data: str) -> None:
        # Text belongs to a child of its own, so that the order of words is kept.
        if data.strip():
            self._open[-1].children.append(Element("#text", {}, texts=[data]))


def read(html: str) -> Element:
    """The tree of a page or a fragment; its roots are the children that are elements."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.root


def roots(fragment: Element) -> list[Element]:
    return [one for one in fragment.children if one.tag != "#text"]
