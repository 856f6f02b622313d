"""A sentence for the next page keeps its kind, also one that an older version left in a session."""

import pytest
from usher_web.next_page_notice import Notice, NoticeKind, as_stored, from_stored


@pytest.mark.parametrize("kind", NoticeKind)
@pytest.mark.parametrize("text", ["It did not work: the form is gone.", "failed", "done", "A: B\nC"])
def test_a_notice_comes_back_as_it_was(kind: NoticeKind, text: str) -> None:
    notice = Notice(kind, text)
    assert from_stored(as_stored(notice)) == notice


@pytest.mark.parametrize("stored", ["The case was cancelled.", "done", "failed", "two\nlines"])
def test_a_bare_sentence_is_about_something_done(stored: str) -> None:
    assert from_stored(stored) == Notice(NoticeKind.DONE, stored)


def test_nothing_is_no_notice() -> None:
    assert from_stored(as_stored(Notice(NoticeKind.FAILED, ""))) is None
