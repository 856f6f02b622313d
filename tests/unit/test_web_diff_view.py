"""The words of a comparison, and what its two diagrams mark."""

from usher_engine.differences import Change, ChangeKind, Comparison
from usher_web.analyst.diff_view import change_lines, changed_elements, lines_of, marks, sentence


def change(kind, thing="user task", key="A", file="a.bpmn", **more):
    return Change(kind=ChangeKind(kind), file=file, thing=thing, key=key, **more)


def test_one_sentence_counts_what_changed_elements_first():
    assert sentence(Comparison(changes=())) == "The two are the same."
    changes = [
        *(change("changed", key=key) for key in "ABCD"),
        change("added", key="E"),
        change("removed", key="F"),
        change("rerouted", "flow", "G"),
        change("moved", key="H"),
        change("changed", "field", "email", "f.form"),
        change("changed", "file", "m.txt", "m.txt"),
        change("added", "row", "r", "d.dmn"),
        change("removed", "row", "s", "d.dmn"),
    ]
    assert sentence(Comparison(changes=tuple(changes))) == (
        "4 elements changed, 1 added, 1 removed, 1 rerouted, 1 only moved, 1 form field changed, "
        "1 table row added, 1 removed and 1 file changed."
    )


def test_each_change_has_a_title_and_a_way_to_its_element():
    comparison = Comparison(
        changes=(
            change("changed", name="Update Now"),
            change("added", key="B", file="other.bpmn"),
            change("added", "flow", "a → b", name="Ask → Tell"),
            change("changed", "row", "r1", "d.dmn", name="3", part_of="Age group"),
            change("removed", "field", "mail", "f.form", name="E-mail", part_of="f.form"),
            change("changed", "file", "mail/a.txt", "mail/a.txt"),
        )
    )
    listed = change_lines(comparison, ["a.bpmn", "other.bpmn"], "a.bpmn")
    assert [(one.title, one.element, one.shown) for one in listed] == [
        ("User task “Update Now”", "A", True),
        ("User task “B”", "B", False),
        ("Flow “Ask → Tell”", "", True),
        ("Row 3 of “Age group”", "", False),
        ("Field “E-mail” of f.form", "", False),
        ("File mail/a.txt", "", False),
    ]
    assert changed_elements(comparison) == {"a.bpmn": 2, "other.bpmn": 1}


def test_each_side_marks_what_it_has():
    kinds = ("added", "removed", "changed", "rerouted", "moved")
    comparison = Comparison(changes=tuple(change(kind, key=kind) for kind in kinds))
    assert marks(comparison, "b.bpmn") == {"before": {}, "after": {}}
    assert marks(comparison, "a.bpmn") == {
        "before": {"removed": ["removed"], "changed": ["changed", "rerouted"], "moved": ["moved"]},
        "after": {"added": ["added"], "changed": ["changed", "rerouted"], "moved": ["moved"]},
    }


def test_kinds_of_lines_are_distinguished():
    found = lines_of(change("changed", "file", lines=("@@ -1 +1 @@", "-old", "+new", " kept", "")))
    assert [line["became"] for line in found] == ["place", "removed", "added", "kept", "kept"]
    assert [line["text"] for line in found] == ["@@ -1 +1 @@", "old", "new", "kept", ""]
