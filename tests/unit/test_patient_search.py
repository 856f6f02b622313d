"""What people type to find a patient, and what of it is marked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from usher_engine.core.folded_text import folded
from usher_engine.enrollment.search_keys import keys_of
from usher_engine.enrollment.search_marks import marked
from usher_engine.enrollment.search_terms import KeyRange, parse_typed
from usher_engine.enrollment.typed_dates import TypedDate, dates_in

NOW = datetime(2026, 5, 4, 9, 2, tzinfo=UTC)


def patient(family: str = "Twin", given: str = "Alex", **more: Any) -> dict[str, Any]:
    name = {"use": "official", "family": family, "given": [given]}
    return {"resourceType": "Patient", "id": "p1", "name": [name], "birthDate": "2000-02-29", **more}


def finds(text: str, resource: dict[str, Any]) -> bool:
    """What the index answers, on the keys of one patient."""
    keys = keys_of(resource, NOW)

    def has(wanted: KeyRange) -> bool:
        return any(key.startswith(wanted.key) if wanted.begins else key == wanted.key for key in keys)

    return any(
        all(any(all(map(has, alternative)) for alternative in term.alternatives) for term in reading)
        for reading in parse_typed(text, NOW.year).readings
    )


@pytest.mark.parametrize(
    ("given", "family", "typed"),
    [
        ("José", "García Márquez", "jose garcia"),
        ("José", "García Márquez", "Garcia-Marquez, JOSE"),
        ("Máire", "O'Brien", "maire o’brien"),
        ("Máire", "O’Brien", "obrien"),
        ("Máire", "O’Brien", "o brien"),
        ("Máire", "O Brien", "o'brien"),
        ("Anne-Marie", "Müller", "annemarie muller"),
        ("Anne-Marie", "Müller", "marie mueller"),
        ("Anne Marie", "Mueller", "müller anne-marie"),
        ("Linh", "Nguyễn", "nguyen"),
        ("Linh", "Nguye\u0302\u0303n", "Nguyễn"),
        ("Jo", "Strauß", "STRAUSS"),
        ("Jo", "Straße", "strasse"),
        ("ＡＢ", "Ｗｉｄｅ", "wide ab"),
        ("Łukasz", "Żółć", "lukasz zolc"),
        ("小明", "王", "王小明"),
        ("小明", "王", "小明"),
        ("Ἀθηνᾶ", "Παπαδόπουλος", "παπαδοπουλοσ αθηνα"),
        ("Фёдор", "Ильин", "федор"),
        ("م\u064fح\u0640مد", "علي", "محمد"),
    ],
)
def test_a_name_is_found_in_every_spelling(given: str, family: str, typed: str) -> None:
    assert finds(typed, patient(family, given))
    assert not finds(f"{typed} zzz", patient(family, given))


@pytest.mark.parametrize(
    "typed",
    [
        "29 feb 2000", "2/29/2000", "29.2.2000", "2000-02-29", "02/29/2000", "29 February 2000", "29 feb", "feb 29",
        "February 29th, 2000", "29 de febrero de 2000", "2/29/00", "20000229", "2000年2月29日", "feb 2000", "2000-02",
        "2000", "twin alex 29 feb", "Twin, Alex 2/29/2000", "２９.２.２０００", "alex 2000",
    ],
)  # fmt: skip
def test_a_date_of_birth_is_found_as_typed(typed: str) -> None:
    assert finds(typed, patient())
    assert not finds(typed, patient(birthDate="1981-05-04"))


def test_an_ambiguous_date_is_read_both_ways() -> None:
    assert finds("4/5/1981", patient(birthDate="1981-05-04"))
    assert finds("4/5/1981", patient(birthDate="1981-04-05"))
    assert parse_typed("4/5/1981", 2026).doubtful == (TypedDate(1981, 4, 5), TypedDate(1981, 5, 4))
    assert parse_typed("29/2/2000", 2026).doubtful == ()


def test_no_date_is_made_of_what_is_none() -> None:
    for words in (["31", "2", "2000"], ["13", "13"], ["may"], ["0", "0"], ["99", "feb", "1"], [], ["²", "2", "2000"]):
        assert dates_in(words, 0, 2026)[0] in (0, 2) if len(words) > 2 else dates_in(words, 0, 2026) == (0, ())


@pytest.mark.parametrize(
    ("typed", "fits"),
    [
        ("100-2041", True), ("100 2041", True), ("1002041", True), ("2041", True), ("204", False), ("100-204", False),
        ("555 0141", True), ("503 555 0141", True), ("+1 (503) 555-0141", True), ("0141", True), ("5550141", True),
        ("555", False), ("97201", True), ("97201-1234", True), ("1234", True), ("9720", False),
        ("twin41@example.org", True), ("TWIN41@Example.ORG", True), ("twin41@", True), ("other@example.org", False),
        ("p1", True), ("x@", False), ("@", False),
    ],
)  # fmt: skip
def test_numbers_are_found_by_whole_groups(typed: str, *, fits: bool) -> None:
    record = patient(
        identifier=[{"value": "100-2041"}],
        telecom=[{"system": "phone", "value": "(503) 555-0141"}, {"system": "email", "value": "Twin41@example.org"}],
        address=[{"postalCode": "97201-1234"}],
    )
    assert finds(typed, record) is fits


def test_a_zip_of_another_country_and_a_number_with_its_code() -> None:
    record = patient(address=[{"postalCode": "SW1A 1AA"}], telecom=[{"system": "phone", "value": "+44 20 7946 0000"}])
    for typed in ("sw1a 1aa", "SW1A1AA", "020 7946 0000", "ｓｗ１ａ"):
        assert finds(typed, record), typed


def test_what_has_ended_is_not_searched_but_names_are() -> None:
    over = {"period": {"end": "2019-05-01"}}
    record = patient(
        telecom=[{"system": "phone", "value": "555 0141", **over}], address=[{"postalCode": "97201", **over}]
    )
    record["name"].append({"use": "old", "family": "Sample", "given": ["Alexandra"], **over})
    assert not finds("555 0141", record)
    assert not finds("97201", record)
    assert finds("alexandra sample", record)


def look_alike(resource: dict[str, Any]) -> set[str]:
    return {key for key in keys_of(resource, NOW) if key.startswith("=")}


def test_who_looks_alike() -> None:
    alex = look_alike(patient())
    assert alex
    assert look_alike(patient("TWIN", "Álex")) == alex == look_alike(patient("Alex", "Twin"))
    assert look_alike(patient(birthDate="2000-03-01")) != alex
    for nobody in (patient(birthDate=""), patient(active=False), patient(deceasedBoolean=True)):
        assert look_alike(nobody) == set()
    merged = {"link": [{"type": "replaced-by", "other": {"reference": "Patient/p2"}}]}
    assert look_alike(patient(**merged)) == set()
    assert look_alike({**patient(), "name": [{"text": "Alex Twin"}]}) == alex
    assert look_alike({**patient(), "name": [{"family": "Twin"}]}) == set()


@pytest.mark.parametrize(
    ("text", "typed", "expected"),
    [
        ("Álex Twïn-Example", "twin alex", "[Álex] [Twïn]-Example"),
        ("Alexandra O’Twin", "alex twin", "[Alex]andra O’[Twin]"),
        ("Máire O’Brien", "obrien", "Máire [O’Brien]"),
        ("Jo Strauß", "strauss", "Jo [Strauß]"),
        ("Jo Strauß", "straus", "Jo [Strauß]"),
        ("Nguye\u0302\u0303n", "nguye", "[Nguye\u0302\u0303]n"),
        ("Anne Müller", "mueller", "Anne [Müller]"),
        ("Alex Twin", "1981", "Alex Twin"),
        ("", "twin", ""),
    ],
)
def test_marks_are_in_the_original_spelling(text: str, typed: str, expected: str) -> None:
    pieces = marked(text, parse_typed(typed, 2026))
    assert "".join(f"[{piece}]" if matched else piece for piece, matched in pieces) == expected
    assert "".join(piece for piece, _ in pieces) == text


def test_a_record_full_of_names_has_bounded_keys() -> None:
    record = patient(family="x" * 5_000)
    record["name"] += [{"family": f"Name{number} Other-{number}", "given": ["A B C"] * 20} for number in range(2_000)]
    keys = keys_of(record, NOW)
    assert len(keys) <= 300
    assert max(map(len, keys)) <= 60
    assert finds("x" * 150, record)


def test_ascii_is_folded_as_everything_else() -> None:
    every = "".join(map(chr, range(128)))
    assert folded(every) == folded(f"{every} é").removesuffix(" e")


def test_only_signs_find_nobody_and_nothing_asks_for_everybody() -> None:
    assert parse_typed("% _ …", 2026).asks_for_nothing
    assert not parse_typed(" \u200b ", 2026).asks_for_nothing
    assert folded("  --  ") == ""
