"""No value of a case changes where a request goes, and no text breaks the reading of an address."""

from __future__ import annotations

import contextlib
from urllib.parse import parse_qsl, unquote

from hypothesis import given
from hypothesis import strategies as st
from usher_engine.web_requests.web_address import BadAddress, WebAddress, filled_address, parse_address

LAB = "https://lab.example.org"
VALUES = st.one_of(
    st.text(), st.integers(), st.booleans(), st.sampled_from(["..", ".", "/", "\\", "@evil", "?", "#", "%2e%2e"])
)


@given(path=VALUES, query=VALUES)
def test_a_value_stays_in_its_place(path: object, query: object) -> None:
    try:
        found = filled_address(f"{LAB}/a/{{value}}/b", {"value": path}, {"q": query})
    except BadAddress:
        return
    assert str(found.origin) == LAB
    assert found.target.isascii()
    before, _, after = found.target.partition("?")
    begin, value, end = before.removeprefix("/").split("/")
    assert (begin, end) == ("a", "b")
    assert unquote(value) == (str(path).lower() if isinstance(path, bool) else str(path))
    assert parse_qsl(after, keep_blank_values=True) == [
        ("q", str(query).lower() if isinstance(query, bool) else str(query))
    ]


@given(text=st.one_of(st.text(), st.text().map(lambda text: LAB + text), st.text().map(lambda text: f"{LAB}/{text}")))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        found = parse_address(text)
    except BadAddress:
        return
    assert found.target.startswith("/")
    assert found.target.isascii()
    assert not set(found.target) & set(" \r\n\t\\")
    assert parse_address(f"{found.origin}{found.target}") == found


@given(location=st.one_of(st.text(), st.text().map(lambda text: f"/{text}"), st.text().map(lambda text: f"//{text}")))
def test_any_redirect_leads_somewhere_or_is_refused(location: str) -> None:
    here = parse_address(f"{LAB}/a/b?c")
    with contextlib.suppress(BadAddress, ValueError):
        assert isinstance(here.redirected(location), WebAddress)
