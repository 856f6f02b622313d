"""Which addresses are pages of ours, and which origins are the same."""

import pytest
from usher_web.addresses import inside, origin


@pytest.mark.parametrize(
    "page", ["/", "/inbox", "/cases?who=bob&after=a%0Db", "/processes/é", "/cases/a b", "/i/x-y_z"]
)
def test_our_pages(page):
    assert inside(page) == page


@pytest.mark.parametrize(
    "page",
    [
        "", "inbox", "//evil.example", "///evil.example", "/\\evil.example", "https://evil.example",
        "javascript:alert(1)",
        "/a\r\nb", "/a\tb", "/\x00", "/\x7f", "/\u202e", "/\u2028", "//[", "http://[", "/\ud800", "https:/evil",
    ],
)  # fmt: skip
def test_pages_of_others_and_garbled_ones(page):
    assert inside(page) == ""


def test_origins_are_compared_as_they_are_meant():
    assert origin("https://A.example") == origin("HTTPS://a.example:443/") == ("https", "a.example", 443)
    assert origin("http://a.example") != origin("https://a.example")
    assert [origin(text) for text in ("null", "", "http://", "http://[", "http://a:99999", "ftp://a")] == [None] * 6
