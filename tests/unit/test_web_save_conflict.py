"""Two texts of one file: where they differ, and what a choice between them makes."""

from hypothesis import given
from hypothesis import strategies as st
from usher_web.analyst.save_conflict import hunks, merged_text

THEIRS = b"one\ntwo\nthree\nfour\nfive\nsix\n"
MINE = b"one\nTWO\nthree\nfour\nfive\nSIX\nseven\n"

texts = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n", b"d\r\n", b"\xff\n", b"e"])).map(b"".join)


def test_differences_are_counted_and_shown_with_the_lines_before():
    first, second = hunks(THEIRS, MINE)
    assert (first.number, first.before, first.theirs, first.mine) == (1, ("one",), ("two",), ("TWO",))
    assert (second.number, second.before, second.skipped) == (2, ("four", "five"), 1)
    assert (second.theirs, second.mine) == (("six",), ("SIX", "seven"))


def test_a_choice_takes_each_difference_from_where_it_says():
    assert merged_text(THEIRS, MINE, {"h1": "theirs", "h2": "mine"}) == b"one\ntwo\nthree\nfour\nfive\nSIX\nseven\n"
    assert merged_text(THEIRS, MINE, {"h2": "theirs"}) == b"one\nTWO\nthree\nfour\nfive\nsix\n"


def test_bytes_that_are_no_text_survive():
    assert merged_text(b"\xff\xfe\n", b"\xff\xfd\n", {"h1": "theirs"}) == b"\xff\xfe\n"
    assert next(hunks(b"\xff\xfe\n", b"x\n")).theirs == ("\ufffd\ufffd",)


def test_a_last_line_without_an_end_is_not_glued_to_what_follows():
    assert merged_text(b"a\nb\n", b"a", {"h1": "theirs"}) == b"a\nb\n"


@given(texts, texts)
def test_all_of_one_side_is_that_side(theirs, mine):
    count = len(list(hunks(theirs, mine)))
    assert [hunk.number for hunk in hunks(theirs, mine)] == list(range(1, count + 1))
    all_theirs = merged_text(theirs, mine, {f"h{number}": "theirs" for number in range(1, count + 1)})
    assert all_theirs.splitlines() == theirs.splitlines()
    assert merged_text(theirs, mine, {}).splitlines() == mine.splitlines()
