"""The fields of a patient that diagrams, forms and mails may use, each with its place in a FHIR R4 Patient.

`FIELDS` is the one list: operators' shapes, the gate, reading, correcting and docs/patient-fields.md follow from it.
Every field is text, empty where the record has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import TypeAlias

from ..core.shapes import Shape, text
from . import fhir_addresses, fhir_contacts, fhir_demographics, fhir_names
from .birth_sex import BIRTH_SEX_CODES, read_birth_sex, write_birth_sex
from .fhir_contacts import PHONE_USES
from .fhir_preference import Entry

Reader: TypeAlias = Callable[[Entry, datetime], str]
Writer: TypeAlias = Callable[[Entry, str, datetime], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class PatientField:
    """
    One field. *path* is its place as a FHIRPath below Patient.

    *write* is None for a field that Usher only reads. *codes* are the values it may have, with their words; where
    *several* may stand together, a space parts them. *among* are fields that may be read from the same entry.
    """

    key: str
    title: str
    path: str
    read: Reader
    write: Writer | None
    codes: Mapping[str, str] = field(default_factory=dict)
    several: bool = False
    among: tuple[str, ...] = ()
    note: str = ""

    @property
    def shape(self) -> Shape:
        """The shape of its values; empty text is always one."""
        if self.several:
            return text(self.title, known=["", *self.codes], description=self.note)
        return text(self.title, enum=["", *self.codes] if self.codes else (), description=self.note)

    def problem(self, value: str) -> str:
        """Why *value* cannot be its value; empty if it can."""
        chosen = value.split() if self.several else [value]
        if not value or not self.codes or all(code in self.codes for code in chosen):
            return ""
        return f"must be one of {', '.join(self.codes)}"


def _birth_sex(sources: str) -> PatientField:
    return PatientField(
        key="birth_sex",
        title="Birth sex",
        path="extension(us-core-birthsex), extension(us-core-individual-sex) or gender, as set",
        read=lambda resource, _now: read_birth_sex(resource, sources),
        write=lambda resource, value, _now: write_birth_sex(resource, value, sources),
        codes=BIRTH_SEX_CODES,
        note="Where it is read is the setting USHER_BIRTH_SEX_SOURCES.",
    )


def _address(key: str, title: str, part: str) -> PatientField:
    read, write = fhir_addresses.reader(part), fhir_addresses.writer(part)
    return PatientField(key=key, title=title, path=f"address.{part}", read=read, write=write)


def _line(number: int) -> PatientField:
    return PatientField(
        key=f"address_line{number}",
        title=f"Address line {number}",
        path=f"address.line[{number - 1}]",
        read=fhir_addresses.line_reader(number - 1),
        write=fhir_addresses.line_writer(number - 1),
    )


def _telephone(key: str, title: str, path: str, test: fhir_contacts.Test, use: str) -> PatientField:
    read, write = fhir_contacts.reader(test), fhir_contacts.writer(test, use)
    return PatientField(key=key, title=title, path=path, read=read, write=write)


def _category(key: str, title: str, url: str, codes: Mapping[str, str], *, several: bool) -> PatientField:
    return PatientField(
        key=key,
        title=title,
        path=f"extension({url.rpartition('/')[2]}).extension(ombCategory)",
        read=fhir_demographics.category_reader(url, codes),
        write=fhir_demographics.category_writer(url, codes),
        codes=codes,
        several=several,
        note="Several categories are parted by a space." if several else "",
    )


_NAMES = (
    PatientField(
        key="first_name",
        title="First name",
        path="name.given[0]",
        read=fhir_names.read_first,
        write=fhir_names.write_first,
    ),
    PatientField(
        key="middle_name",
        title="Middle name",
        path="name.given.skip(1)",
        read=fhir_names.read_middle,
        write=fhir_names.write_middle,
    ),
    PatientField(
        key="last_name",
        title="Last name",
        path="name.family",
        read=fhir_names.read_last,
        write=fhir_names.write_last,
    ),
    PatientField(
        key="name_suffix",
        title="Suffix",
        path="name.suffix",
        read=fhir_names.read_suffix,
        write=fhir_names.write_suffix,
    ),
    PatientField(
        key="preferred_name",
        title="Preferred name",
        path="name.where(use = 'nickname').given",
        read=fhir_names.read_preferred,
        write=fhir_names.write_preferred,
    ),
    PatientField(
        key="previous_last_name",
        title="Previous last name",
        path="name.where(use = 'maiden').family",
        read=fhir_names.read_previous_last,
        write=fhir_names.write_previous_last,
    ),
)

_CONTACTS = (
    PatientField(
        key="email",
        title="E-mail",
        path="telecom.where(system = 'email').value",
        read=fhir_contacts.read_email,
        write=fhir_contacts.write_email,
    ),
    _telephone(
        "mobile", "Mobile phone", "telecom.where(system = 'sms' or use = 'mobile').value", fhir_contacts.is_mobile,
        "mobile",
    ),
    _telephone(
        "home_phone", "Home phone", "telecom.where(system = 'phone' and use = 'home').value",
        fhir_contacts.is_home_phone, "home",
    ),
    _telephone(
        "work_phone", "Work phone", "telecom.where(system = 'phone' and use = 'work').value",
        fhir_contacts.is_work_phone, "work",
    ),
    PatientField(
        key="phone",
        title="Phone",
        path="telecom.where(system = 'phone' or system = 'sms').value",
        read=fhir_contacts.reader(fhir_contacts.is_phone, PHONE_USES),
        write=fhir_contacts.writer(fhir_contacts.is_phone, "home", PHONE_USES),
        among=("mobile", "home_phone", "work_phone"),
        note="The number to call: the lowest rank, then mobile, home, work. A correction changes the one that is read.",
    ),
)  # fmt: skip

_PERSON = (
    PatientField(
        key="gender",
        title="Administrative gender",
        path="gender",
        read=fhir_demographics.read_gender,
        write=fhir_demographics.write_gender,
        codes=fhir_demographics.GENDERS,
    ),
    PatientField(
        key="marital_status",
        title="Marital status",
        path="maritalStatus.coding.code",
        read=fhir_demographics.read_marital_status,
        write=fhir_demographics.write_marital_status,
        codes=fhir_demographics.MARITAL_STATUSES,
    ),
    _category("race", "Race", fhir_demographics.RACE, fhir_demographics.RACES, several=True),
    _category("ethnicity", "Ethnicity", fhir_demographics.ETHNICITY, fhir_demographics.ETHNICITIES, several=False),
    PatientField(
        key="language",
        title="Preferred language",
        path="communication.where(preferred = true).language.coding.code",
        read=fhir_demographics.read_language,
        write=fhir_demographics.write_language,
        note="A language tag of BCP 47, for example es or zh-Hant.",
    ),
    PatientField(
        key="interpreter_needed",
        title="Interpreter needed",
        path="extension(us-core-interpreter-needed)",
        read=fhir_demographics.read_interpreter,
        write=fhir_demographics.write_interpreter,
        codes=fhir_demographics.YES_OR_NO,
    ),
    PatientField(
        key="record_number",
        title="Medical record number",
        path="identifier.where(type.coding.code = 'MR').value",
        read=fhir_demographics.read_record_number,
        write=None,
        note="The EHR gives it; Usher never changes it.",
    ),
)

_EMERGENCY = (
    PatientField(
        key="emergency_contact_name",
        title="Emergency contact",
        path="contact.where(relationship.coding.code = 'C').name",
        read=fhir_contacts.read_emergency_name,
        write=fhir_contacts.write_emergency_name,
    ),
    PatientField(
        key="emergency_contact_phone",
        title="Emergency contact's phone",
        path="contact.where(relationship.coding.code = 'C').telecom.value",
        read=fhir_contacts.read_emergency_phone,
        write=fhir_contacts.write_emergency_phone,
    ),
    PatientField(
        key="emergency_contact_relationship",
        title="Relationship of the emergency contact",
        path="contact.where(relationship.coding.code = 'C').relationship.text",
        read=fhir_contacts.read_emergency_relationship,
        write=fhir_contacts.write_emergency_relationship,
    ),
)


@lru_cache(maxsize=8)
def fields_of(birth_sex_sources: str) -> Mapping[str, PatientField]:
    """All fields by key, in the order of a form; corrections are written in this order."""
    birth_date = PatientField(
        key="birth_date",
        title="Date of birth",
        path="birthDate",
        read=fhir_demographics.read_birth_date,
        write=fhir_demographics.write_birth_date,
    )
    address = (
        _line(1),
        _line(2),
        _address("city", "City", "city"),
        _address("county", "County", "district"),
        _address("state", "State", "state"),
        _address("zip_code", "ZIP code", "postalCode"),
        _address("country", "Country", "country"),
    )
    listed = (*_NAMES, birth_date, _birth_sex(birth_sex_sources), *_PERSON, *_CONTACTS, *address, *_EMERGENCY)
    return {one.key: one for one in listed}


#: All fields by key, for what does not depend on where the birth sex is read.
FIELDS: Mapping[str, PatientField] = fields_of("")


def in_sentence(label: str) -> str:
    """A label as written inside a sentence: “E-mail” becomes “e-mail”, “ZIP code” stays."""
    is_acronym = len(label) > 1 and label[1].isupper()
    return label if is_acronym else label[:1].lower() + label[1:]
