"""The catalogues of other languages hold every text of the pages, and nothing else; no placeholder got lost."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po
from usher_web import message_catalogs

WEB = Path(message_catalogs.__file__).parent
OTHERS = [language for language in message_catalogs.languages() if language != "en"]
PLACEHOLDER = re.compile(r"%\(\w+\)s")


def texts_of_the_pages() -> set[str]:
    methods, options = parse_mapping_cfg(io.StringIO((WEB.parent / "babel.cfg").read_text()))
    found = extract_from_dir(WEB, methods, options)
    return {text if isinstance(text, str) else text[0] for _, _, text, _, _ in found}


def messages(path: Path, locale: str | None = None) -> Iterator[Message]:
    with path.open("rb") as file:
        read: Catalog = read_po(file, locale=locale)
    return (message for message in read if message.id)


def first(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def test_there_is_spanish() -> None:
    assert OTHERS == ["es"]


def test_the_template_is_what_the_pages_say() -> None:
    template = {first(message) for message in messages(message_catalogs.FOLDER / "usher.pot")}
    assert template == texts_of_the_pages(), "run: make messages"


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_is_missing(language: str) -> None:
    path = message_catalogs.FOLDER / language / "LC_MESSAGES" / "usher.po"
    there = list(messages(path, language))
    assert {first(message) for message in there} == texts_of_the_pages(), "run: make messages"
    for message in there:
        translated = [message.string] if isinstance(message.string, str) else list(message.string)
        assert all(translated), f"{path.name}: not translated: {first(message)}"
        assert not message.fuzzy
        wanted = sorted(PLACEHOLDER.findall(first(message)))
        assert all(sorted(PLACEHOLDER.findall(text)) == wanted for text in translated), first(message)


def test_a_language_is_called_as_its_speakers_do() -> None:
    names = [message_catalogs.own_name(tag) for tag in ("en", "es", "xx-notatag")]
    assert names == ["English", "Español", "Xx-notatag"]


def test_outside_of_a_request_pages_are_english() -> None:
    assert message_catalogs.spoken() == "en"
    assert message_catalogs.gettext("Continue") == "Continue"
    assert message_catalogs.ngettext("%(num)s try", "%(num)s tries", 2) == "%(num)s tries"
