"""Caches of compiled texts are bounded by bytes, and what they count is no less than what the results take."""

import gc
import json
import threading
import tracemalloc

import pytest
from usher_engine.core.bounded_cache import ENTRY, MEGABYTE, BoundedCache
from usher_engine.expressions import compile_expression, compile_script, compile_template
from usher_engine.forms import parse_form
from usher_engine.forms.pattern_parser import read_pattern
from usher_engine.mail_templates import compile_mail

ALL = (compile_expression, compile_mail, compile_script, compile_template, parse_form, read_pattern)


def counting(limit, per_character=1):
    asked = []

    def make(text):
        """Made of a text."""
        asked.append(text)
        return [text]

    return BoundedCache(make, limit=limit, per_character=per_character), asked


def test_a_text_is_made_once_while_there_is_room():
    cache, asked = counting(limit=2 * ENTRY + 4)
    assert cache("aa") is cache("aa")
    cache("bb")
    assert (asked, len(cache), cache.size) == (["aa", "bb"], 2, 2 * ENTRY + 4)


def test_the_oldest_make_room():
    cache, asked = counting(limit=2 * ENTRY + 4)
    for text in ("aa", "bb", "c", "aa", "bb"):
        cache(text)
    assert asked == ["aa", "bb", "c", "aa", "bb"]
    assert (len(cache), cache.size) == (2, 2 * ENTRY + 4)


def test_long_texts_leave_less_room_and_the_longest_none():
    cache, asked = counting(limit=3 * ENTRY, per_character=10)
    for text in ("a", "b", "c" * 100):
        cache(text)
    assert (len(cache), cache.size) == (1, 2 * ENTRY)
    cache("d" * 300)
    assert (len(cache), cache.size, asked[-1]) == (0, 0, "d" * 300)


def test_what_fails_is_not_kept():
    def fail(text):
        raise ValueError(text)

    cache = BoundedCache(fail, limit=10_000, per_character=1)
    for _ in range(2):
        with pytest.raises(ValueError, match="x"):
            cache("x")
    assert (len(cache), cache.size) == (0, 0)


def test_it_is_cleared_and_keeps_the_words_of_its_function():
    cache, _ = counting(limit=10_000)
    cache("a")
    cache.clear()
    assert (len(cache), cache.size, cache.__doc__) == (0, 0, "Made of a text.")


def test_threads_count_each_text_once():
    cache, _ = counting(limit=ENTRY * 50 + 500)
    begin = threading.Barrier(8)

    def work(number):
        begin.wait()
        for turn in range(2_000):
            assert cache(f"{(turn * (number + 1)) % 90:010}")[0]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cache.size == len(cache) * (ENTRY + 10) <= ENTRY * 50 + 500


def taken(compile_text, texts):
    """Bytes that stay when *texts* have been compiled and kept."""
    for cache in ALL:
        cache.clear()
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for text in texts:
            compile_text(text)
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


LISTS = {"names": "a{n}", "numbers": "1", "lists": "[]", "signs": "-a", "comparisons": "a<1", "methods": "a.lower()"}
LINES = {"assigned": "a=1", "branches": "if a:b=1", "sums": "a=b+c+d+e", "pairs": "a,b=c", "deleted": "del a.b"}
PLACED = {"same": "{{{{a}}}}", "other": "{{{{a{n}}}}}", "text": "xxxxxx"}
MARKED = {"paragraphs": "a\n\n", "stressed": "*a*", "code": "`a`", "lists": "- a\n", "links": "[](a)"}
PATTERNS = {"letters": "a", "any": ".", "no spaces": r"\S", "no words": r"\W", "classes": r"[^\sa]", "repeats": "a?"}
SELECT = {"type": "select", "key": "a", "label": "A", "values": [{"value": str(n)} for n in range(300)]}


@pytest.mark.parametrize(
    ("compile_text", "texts"),
    [
        *((compile_expression, [f"[{','.join([part.format(n=i + n) for i in range(100)])},{n}]" for n in range(8)])
          for part in LISTS.values()),
        (compile_expression, [f"a{n}" for n in range(1_000)]),
        *((compile_script, [f"{line}\n" * (600 // len(line)) + f"a={n}" for n in range(6)]) for line in LINES.values()),
        *((compile_template, ["".join(part.format(n=i * 10 + n) for i in range(300)) + str(n) for n in range(10)])
          for part in PLACED.values()),
        *((compile_mail, [f"---\nsubject: s\n---\n{part.format(n=n) * 200}{n}" for n in range(10)])
          for part in MARKED.values()),
        *((read_pattern, [f"^{part * (190 // len(part))}{n}$" for n in range(20)]) for part in PATTERNS.values()),
        (parse_form, [json.dumps({"id": str(n), "components": [SELECT]}) for n in range(50)]),
        (parse_form, [f'{{"components": [{{"type": "text", "text": "{"😀" * 20_000}{n}"}}]}}' for n in range(5)]),
    ],
)  # fmt: skip
def test_what_is_counted_is_no_less_than_what_is_taken(compile_text, texts):
    # Threads of earlier tests may allocate meanwhile; that only adds, so the smallest of three is the truth.
    assert any(taken(compile_text, texts) <= compile_text.size for _ in range(3))
    assert len(compile_text) == len(texts)


def test_an_analyst_who_types_for_hours_fills_no_memory():
    compile_script.clear()
    for number in range(12):
        compile_script(f"a = b + c + d + {number}\n" * 290)
    assert 14 * MEGABYTE < compile_script.size <= 16 * MEGABYTE
    assert len(compile_script) < 12
