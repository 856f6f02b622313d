"""Language tags (BCP 47), and which of the languages of a mail somebody gets (RFC 4647, 3.4: lookup)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

#: The language of last resort before “the only one there is”.
ENGLISH = "en"
#: Says of a text that its language is not known (ISO 639-2).
UNDETERMINED = "und"
#: A tag as it may stand in a file name: a language, then perhaps script, region and variants.
TAG = r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*"

_TAG = re.compile(TAG)
#: Scripts written from right to left, and the languages that are written in one unless their tag says otherwise.
_RTL_SCRIPTS = frozenset({"adlm", "arab", "hebr", "nkoo", "rohg", "syrc", "thaa"})
_RTL_LANGUAGES = frozenset({"ar", "ckb", "dv", "fa", "he", "iw", "ps", "sd", "ug", "ur", "yi"})

#: The languages most spoken at home in the United States, and a few more.
_NAMES = {
    "ar": "Arabic", "de": "German", "en": "English", "es": "Spanish", "fa": "Persian", "fr": "French", "gu": "Gujarati",
    "hi": "Hindi", "hmn": "Hmong", "ht": "Haitian Creole", "hy": "Armenian", "it": "Italian", "ja": "Japanese",
    "ko": "Korean", "nv": "Navajo", "pa": "Punjabi", "pl": "Polish", "pt": "Portuguese", "ru": "Russian",
    "so": "Somali", "tl": "Tagalog", "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip


def language_tag(text: str) -> str:
    """*text* as a tag in lower case, ``es_MX`` too; empty if it is none."""
    tag = text.strip().replace("_", "-")
    return tag.lower() if _TAG.fullmatch(tag) else ""


def choose_language(wanted: Iterable[str], available: Collection[str]) -> str | None:
    """
    Return the first of *available* that fits the earliest of *wanted*; else English, else the first there is.

    A wish for ``es-MX`` is met by ``es``, and one for ``es`` by ``es-MX``. Returns None only if nothing is available.
    """
    there = sorted(available)
    for wish in (*wanted, ENGLISH):
        tag = language_tag(wish)
        while tag:
            found = next((one for one in there if one.lower() == tag), None)
            if found is None:
                found = next((one for one in there if one.lower().startswith(f"{tag}-")), None)
            if found is not None:
                return found
            tag = tag.rpartition("-")[0]
    return there[0] if there else None


def language_name(tag: str) -> str:
    """The language of *tag* in English, with its region or script as in the tag; the tag itself for rarer ones."""
    language, _, more = tag.partition("-")
    name = _NAMES.get(language.lower())
    return (f"{name} ({more})" if more else name) if name else tag


def direction(tag: str) -> str:
    """``rtl`` or ``ltr``: the direction in which texts in the language *tag* are written."""
    language, *parts = tag.lower().split("-")
    scripts = [part for part in parts if len(part) == 4 and part.isalpha()]
    if scripts:
        return "rtl" if scripts[0] in _RTL_SCRIPTS else "ltr"
    return "rtl" if language in _RTL_LANGUAGES else "ltr"
