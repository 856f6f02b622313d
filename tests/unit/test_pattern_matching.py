"""Patterns of fields: read as browsers read them, refused where they could explode, matched in bounded work."""

import random
import re
import time

import pytest
from usher_engine.forms.pattern_matching import MAX_PATTERN_VALUE, fits, pattern_problem
from usher_engine.forms.pattern_parser import read_pattern

SOON_S = 0.5  # a loaded machine counts too; alone each takes less than 0.02


def nested(body, count, levels):
    for _ in range(levels):
        body = f"(?:{body}){{{count}}}"
    return f"^{body}$"


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        # one staff answer to the first of these stopped the whole server for ever
        (nested("", 100, 5), "can be empty"),
        (nested(r"\b", 100, 3), "cannot be repeated"),
        (nested(r"a{0}\B", 100, 3), "can be empty"),
        (nested("a{0}", 100, 3), "can be empty"),
        (nested("|", 100, 3), "repeats alternatives"),
        ("^()*$", "can be empty"),
        ("^(?:a?){2}$", "repeat inside a repeat"),
        ("^(?:(?:a?){1}){2}$", "repeat inside a repeat"),
        ("^(?:(?:a|b){1}){2}$", "repeats alternatives"),
        (nested("a", 100, 2), "longer than 100"),
        (nested("a", 100, 5), "longer than 100"),
        (f"^x?(?:{nested('a', 100, 2)[1:-1]})?$", "longer than 100"),
        ("^(a+)+$", "repeat inside a repeat"),
        ("^(a*)*b$", "repeat inside a repeat"),
        ("^(a|aa)+$", "repeats alternatives"),
        ("^a*a*a*b$", "too many"),
        ("^a{1,5}a{1,5}a{1,5}b$", "too many"),
        ("^" + "a{1,4}" * 8 + "b$", "too many"),
        ("^" + "(a|b|c)" * 5 + "$", "too many"),
        ("^a{101}$", "more than 100 times"),
        ("^a{5,101}$", "more than 100 times"),
        ("^" + "(" * 21 + "a" + ")" * 21 + "$", "levels deep"),
        ("^" + "a" * 199 + "$", "longer than"),
        # interpreted differently by browsers, Python or other servers
        ("a+", "start with ^"),
        (r"^a\$", "end with $"),
        ("^a|b$", "start with ^"),
        ("^a$b", "start with ^"),
        ("^(a$)$", "“$” is allowed at the end"),
        ("^(^a)$", "“^” is allowed at the start"),
        ("^(a$", "“$” is allowed at the end"),
        ("^(a", "missing"),
        ("^a)$", "no opening bracket"),
        ("^[a$", "missing"),
        ("^[a-", "missing"),
        ("^[a-b", "missing"),
        ("^(?=a)a$", "look-ahead"),
        ("^(?!a)a$", "look-ahead"),
        ("^(?<=a)a$", "look-behind"),
        ("^(?i:a)$", "flags"),
        ("^(?i)a$", "flags"),
        ("^(?P<x>a)$", "named group"),
        ("^(?>a)$", "atomic"),
        ("^(?#a)$", "comment"),
        ("^(a)(?(1)b)$", "condition"),
        (r"^(a)\1$", r"\1"),
        (r"^\p{L}$", r"\p"),
        (r"^a\Z$", r"\Z"),
        (r"^\Aa$", r"\A"),
        (r"^\a$", r"\a"),
        (r"^\cJ$", r"\c"),
        (r"^\x4$", r"\x"),
        (r"^\u12$", r"\u"),
        (r"^\ud800$", "half a character"),
        ("^\ud800$", "half a character"),
        (r"^[\b]$", r"\b"),
        ("^[[:alpha:]]$", "[:alpha:]"),
        ("^[[.a.]]$", "[:alpha:]"),
        ("^[[=a=]]$", "[:alpha:]"),
        ("^[]a]$", "[] is empty"),
        ("^[^]$", "[] is empty"),
        ("^[b-a]$", "a range"),
        (r"^[a-\d]$", "a range"),
        (r"^[\d-z]$", "a range"),
        (r"^[\w-z]$", "a range"),
        (r"^[0-\w]$", "a range"),
        (r"^\udfff$", "half a character"),
        (r"^\b?$", "cannot be repeated"),
        ("^a**$", "follows a repeat"),
        ("^a*+$", "follows a repeat"),
        ("^a{2}{3}$", "follows a repeat"),
        ("^a??+$", "follows a repeat"),
        ("^a???$", "follows a repeat"),
        ("^*a$", "has nothing to repeat"),
        ("^a{,3}$", "has nothing to repeat"),
        ("^{$", "has nothing to repeat"),
        ("^a{3,2}$", "ends before it starts"),
        ("^a{2$", "has nothing to repeat"),
        ("^a\\", "is not supported"),
    ],
)
def test_a_refused_pattern_has_a_reason(pattern, reason):
    assert reason in pattern_problem(pattern)


@pytest.mark.parametrize(
    ("pattern", "taken", "refused"),
    [
        (r"^\d{5}(-\d{4})?$", ["62704", "62704-1234"], ["6270", "62704-", "62704-12345", "٦٢٧٠٤", "62704\n"]),
        ("^[A-Za-z0-9]{2,6}([ -]?[A-Za-z0-9]{2,4})?$", ["SW1A 1AA", "K1A0B1", "ab"], ["a", "SW1A  1AA", "SW1A-1"]),
        ("^(a|b|)c$", ["ac", "bc", "c"], ["abc", ""]),
        ("^a$|^b+$", ["a", "bbb"], ["ab", "aa", ""]),
        ("^$", [""], ["a"]),
        (r"^[^\d\s]+$", ["ab", "é"], ["a1", "a b", "a\u00a0b", "a\ufeffb", ""]),
        (r"^a\sb$", ["a b", "a\tb", "a\u00a0b", "a\ufeffb", "a\u2029b"], ["ab", "a\u200bb"]),
        (r"^\S\W\D$", ["a-b", "é€é"], [" -b", "a_b", "a-1"]),
        ("^.$", ["a", "é", "😀"], ["", "ab", "\n", "\r", "\u2028"]),
        (r"^\x41\u00e9[\u0400-\u04ff]$", ["Aéж"], ["Aeж", "Aéz"]),
        (r"^\bab\b \bc$", ["ab c"], ["abc"]),
        (r"^a\Bb\b-\B$", ["ab-"], ["a-"]),
        (r"^[\]\-^a-c\\]+$", ["]-^abc\\"], ["d", "["]),
        ("^[-a]+[b-]$", ["-ab", "a-"], ["-c"]),
        ("^[a-ac-d]$", ["a", "c", "d"], ["b", "e", "-"]),
        ("^[^a-c]$", ["d", "`", "\0", "\U0010ffff"], ["a", "b", "c"]),
        (r"^[^\x00-a\u0063]$", ["b", "d"], ["\0", "a", "c"]),
        (r"^[^b-\uffff]$", ["a", "😀"], ["b", "é"]),
        (r"^[\t\n\v\f\r]$", ["\t", "\n", "\v", "\f", "\r"], ["\b", "\x0e", "t", "n", "\\"]),
        (r"^\t\n\v\f\r$", ["\t\n\v\f\r"], ["\t\n\v\f\n"]),
        (r"^\é\€\-\/\$\^$", ["é€-/$^"], ["é€-/$"]),
        ("^[[(]$", ["[", "("], ["]"]),
        ("^a}]$", ["a}]"], ["a}"]),
        ("^a+?b*?c??$", ["a", "aabbc"], ["b", "acc"]),
        ("^(?:ab){2,}$", ["abab", "ababab"], ["ab", "ababa"]),
        ("^a{2,3}b{0}$", ["aa", "aaa"], ["a", "aaaa", "aab"]),
        ("^(\\d{2}:){5}\\d{2}$", ["01:02:03:04:05:06"], ["01:02:03:04:05"]),
        ("^a{1,4}a{1,4}a{1,4}b$", ["aaab", "aaaaaaaaaaaab"], ["aab", "aaaaaaaaaaaaab"]),
        ("^(a*)?b{100}?$", ["b" * 100], ["b" * 99]),
        ("^" + "(a|b)" * 8 + "$", ["abababab"], ["abababa"]),
        ("^.*$", ["a" * MAX_PATTERN_VALUE], ["a" * (MAX_PATTERN_VALUE + 1)]),
    ],
)
def test_matching_a_pattern(pattern, taken, refused):
    assert pattern_problem(pattern) == ""
    assert [value for value in taken if not fits(pattern, value)] == []
    assert [value for value in refused if fits(pattern, value)] == []


SPACES = "\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(map(chr, range(0x2000, 0x200B)))
DIGITS = "0123456789"
WORD = f"{DIGITS}ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize(
    ("small", "large", "wanted"),
    [("s", "S", SPACES), ("d", "D", DIGITS), ("w", "W", WORD), (None, ".", "\n\r\u2028\u2029")],
)
def test_the_characters_of_a_class_are_those_of_javascript(small, large, wanted):
    """ECMA-262, 22.2.2: WhiteSpace and LineTerminator, DecimalDigit, WordCharacters; each with all around it."""
    around = {chr(ord(letter) + step) for letter in f"{SPACES}{WORD}\U0010fffe" for step in (-1, 0, 1)}
    without = [read_pattern(f"^[^\\{small}]$"), read_pattern(f"^\\{large}$")] if small else [read_pattern("^.$")]
    for letter in around | {"\0", "\U0010ffff", "é", "😀"}:
        assert [part.takes(letter) for part in without] == [letter not in wanted] * len(without), ascii(letter)
        if small:
            assert read_pattern(f"^[x\\{small}]$").takes(letter) is (letter in wanted or letter == "x")
    assert not fits(r"^[^\s\S]$", "a") and fits(r"^[\s\S]$", "a")


def test_groups_nest_up_to_twenty_levels():
    assert fits("^" + "(" * 20 + "a" + ")" * 20 + "(b)(c)$", "abc")


def drawn(choose, depth=0):
    """A random pattern: mostly harmless, often hostile."""
    parts = []
    for _ in range(choose.randint(0, 4)):
        atom = choose.choice(["a", "b", "-", r"\d", r"\w", r"\s", "[ab]", "[^a]", r"\b", r"\B", "", "(?:)"])
        if depth < 4 and choose.random() < 0.4:
            inside = [drawn(choose, depth + 1) for _ in range(choose.choice([1, 1, 1, 2, 3]))]
            atom = f"({choose.choice(['', '?:'])}{'|'.join(inside)})"
        if atom and choose.random() < 0.5:
            repeats = ["*", "+", "?", "{2}", "{3}", "{0}", "{100}", "{10}", "{0,2}", "{1,4}", "{1,5}", "{2,}", "+?"]
            atom += choose.choice(repeats)
        parts.append(atom)
    return "".join(parts)


def accepted(seed, count):
    choose = random.Random(seed)
    patterns = (f"^{drawn(choose)}$" for _ in range(count))
    return sorted({pattern for pattern in patterns if not pattern_problem(pattern)})


def test_generated_patterns_match_like_the_standard_library():
    """On short values, where trying one way after the other is still quick."""
    choose = random.Random(7)
    patterns = accepted(7, 6_000)
    assert len(patterns) > 800
    both = {True: 0, False: 0}
    for pattern in patterns:
        known = re.compile(pattern, re.ASCII)
        for _ in range(6):
            value = "".join(choose.choice("aab-1 ") for _ in range(choose.randint(1, 7)))  # "": \B differs
            matches = known.fullmatch(value) is not None
            assert fits(pattern, value) is matches, (pattern, value)
            both[matches] += 1
    assert min(both.values()) > 120


def test_generated_patterns_match_hostile_values_quickly():
    hostile = ["a" * 100, "a" * 99 + "!", "ab" * 50, "1" * 99 + "\n", "a b-" * 25, "-" * 100]
    for pattern in accepted(8, 4_000):
        began = time.process_time()
        for value in hostile:
            fits(pattern, value)
        assert time.process_time() - began < SOON_S, pattern


@pytest.mark.parametrize("pattern", [nested("", 100, 5), nested("a?", 100, 4), nested("(a|b)*", 100, 3), "^(a+)+$"])
def test_the_work_is_bounded_even_for_refused_patterns(pattern):
    assert pattern_problem(pattern)
    began = time.process_time()
    assert not fits(pattern, "a" * 99 + "!")
    assert time.process_time() - began < SOON_S
