"""The mail templates among the files of a package: ``mail/NAME.LANG.md``, or a pair ``mail/NAME.txt`` and ``.html``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from usher_engine.definitions import Package

from .languages import TAG, UNDETERMINED

FOLDER = "mail/"
_MARKDOWN = re.compile(rf"mail/([A-Za-z0-9][\w-]*)\.({TAG})\.md", re.ASCII)
_PAIR = re.compile(r"mail/([A-Za-z0-9][\w-]*)\.(txt|html)", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class TemplateFiles:
    """The files of one template: *markdown* by language tag as written, *pair* by ending (``txt``, ``html``)."""

    name: str
    markdown: dict[str, str]
    pair: dict[str, str]

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages the template can be sent in; `UNDETERMINED` where only a pair holds it."""
        return tuple(self.markdown) or ((UNDETERMINED,) if self.pair else ())

    @property
    def paths(self) -> tuple[str, ...]:
        """The files a mail may be made from."""
        return tuple(self.markdown.values()) or tuple(self.pair.values())


def language_of(path: str) -> str:
    """The language that the name of a Markdown template says; empty for every other file."""
    found = _MARKDOWN.fullmatch(path)
    return found[2] if found else ""


def name_of(path: str) -> str:
    """The name of the template that the file *path* belongs to; empty for every other file."""
    found = _MARKDOWN.fullmatch(path) or _PAIR.fullmatch(path)
    return found[1] if found else ""


def template_path(name: str, language: str) -> str:
    """Where the template *name* stands in *language*."""
    return f"{FOLDER}{name}.{language}.md"


def templates_of(package: Package) -> dict[str, TemplateFiles]:
    """The templates of *package* by name."""
    found: dict[str, TemplateFiles] = {}
    for path in package.files:
        if name := name_of(path):
            template = found.setdefault(name, TemplateFiles(name=name, markdown={}, pair={}))
            if language := language_of(path):
                template.markdown[language] = path
            else:
                template.pair[path.rpartition(".")[2]] = path
    return found


def misnamed(package: Package) -> Iterator[str]:
    """The files in ``mail/`` that no template consists of."""
    yield from (path for path in package.files if path.startswith(FOLDER) and not name_of(path))
