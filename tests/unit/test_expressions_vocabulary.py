"""What the editor offers is what the language knows, word for word."""

import pytest
from usher_engine.expressions import WORDS, compile_expression
from usher_engine.expressions.functions import FUNCTIONS
from usher_engine.expressions.methods import ALL, LOOKING

OWNERS = {"method of a text": str, "method of a record": dict, "method of a list": list}


def test_every_function_is_offered_and_no_other() -> None:
    assert sorted(word.name for word in WORDS if word.kind == "function") == sorted(FUNCTIONS)


@pytest.mark.parametrize(("kind", "owner"), OWNERS.items())
def test_every_method_is_offered_and_no_other(kind: str, owner: type) -> None:
    offered = {word.name: word.script_only for word in WORDS if word.kind == kind}
    assert offered == {name: name not in LOOKING[owner] for name in ALL[owner]}


@pytest.mark.parametrize("word", [word for word in WORDS if word.kind == "function"], ids=lambda word: word.name)
def test_a_usage_says_whether_something_goes_in(word) -> None:
    assert word.usage == (f"{word.name}(…)" if FUNCTIONS[word.name].most else f"{word.name}()")


@pytest.mark.parametrize("word", [word for word in WORDS if word.kind == "operator"], ids=lambda word: word.name)
def test_an_operator_is_part_of_the_language(word) -> None:
    left = "" if word.name == "not" else "a "
    right = "" if "None" in word.name or "…" in word.name else " b"
    compile_expression(f"{left}{word.usage.replace('…', 'b')}{right}")
