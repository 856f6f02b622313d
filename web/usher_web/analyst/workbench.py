"""What the pages of the workbench share: the tabs, what kind of editor a file gets, and what the scripts must know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask import current_app, url_for
from usher_engine import NotFound
from usher_engine.accounts import Role
from usher_engine.authoring import Draft, vocabulary_of
from usher_engine.definitions import STARTER_ROLES, Finding, Package, decision_callers, decision_names, process_names
from usher_engine.mail_templates import language_name, language_of, name_of, templates_of

from .. import auth
from ..site import site

#: The tabs behind pages of other blueprints, in their order; one shows up where its page exists.
ELSEWHERE = (("tryout.show", "Try"), ("backtests.show", "Backtest"), ("compare.show", "Compare"))

#: The tab of a draft from another product; it shows while somebody is there.
IMPORT = ("imports.show", "Import")

#: The kinds of files in the order they are listed.
ORDER = ("diagram", "form", "decision", "mail", "text")
#: What the list beside an editor calls them, mails first: there are most of them.
LISTED = {"mail": "Mails", "form": "Forms", "decision": "Tables", "diagram": "Diagrams", "text": "Other files"}
KINDS = {".bpmn": "diagram", ".form": "form", ".dmn": "decision"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Tab:
    """One page of the workbench."""

    label: str
    url: str
    current: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedFile:
    """A file, or a mail in all its languages, as the list beside an editor shows it; *path* leads to its editor."""

    name: str
    path: str
    languages: tuple[str, ...]
    errors: int
    current: bool


def file_list(package: Package, path: str, findings: Iterable[Finding]) -> dict[str, list[ListedFile]]:
    """The files of a draft in groups, for the list beside the editor of *path*."""
    errors = Counter(finding.file for finding in findings if finding.severity == "error")
    groups: dict[str, list[ListedFile]] = {words: [] for words in LISTED.values()}
    for name, paths in _files_by_name(package).items():
        listed = ListedFile(
            name=name,
            path=path if path in paths else next(iter(paths)),
            languages=tuple(filter(None, paths.values())),
            errors=sum(errors[one] for one in paths),
            current=path in paths,
        )
        groups[LISTED[kind(next(iter(paths)))]].append(listed)
    return {words: listed for words, listed in groups.items() if listed}


def _files_by_name(package: Package) -> dict[str, dict[str, str]]:
    """The files in order, each with its language or nothing; those of one mail stand together."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted(package.files):
        found.setdefault(name_of(path) or path, {})[path] = language_of(path)
    return found


def tabs(draft: Draft, current: str) -> list[Tab]:
    """The pages about *draft*; *current* is the endpoint that is shown."""
    there = [("modeler.edit", "Diagram"), ("modeler.files", "Forms, tables, mails")]
    if current == IMPORT[0]:
        there.insert(0, IMPORT)
    there += [(endpoint, label) for endpoint, label in ELSEWHERE if endpoint in current_app.view_functions]
    return [
        Tab(label=label, url=_address(endpoint, draft), current=endpoint == current)
        for endpoint, label in [*there, ("history.show", "History"), ("deployments.show", "Deploy")]
    ]


def process_tabs(process: str, current: str, *, drafted: bool) -> list[Tab]:
    """The same tabs on pages that need no draft, as far as the role may open them; where there is none, less."""
    files = [("modeler.files", "Forms, tables, mails")] if drafted else []
    history = [("history.show", "History")] if drafted else []
    deploy = [("deployments.show", "Deploy")] if drafted else []
    move = ("migrations.show", "Move running cases")
    there = [("modeler.edit", "Diagram"), *files, *ELSEWHERE, *history, move, *deploy]
    return [
        Tab(label=label, url=url_for(endpoint, process=process), current=endpoint == current)
        for endpoint, label in there
        if auth.may_open(endpoint)
    ]


def has_draft(process: str) -> bool:
    try:
        site().engine.drafts.find(process)
    except NotFound:
        return False
    return True


def elsewhere(process: str) -> list[tuple[str, str]]:
    """Addresses and names of the pages of other blueprints about the versions of *process*, for who may open them."""
    there = (*ELSEWHERE, ("migrations.show", "Move running cases"))
    return [(url_for(endpoint, process=process), label) for endpoint, label in there if auth.may_open(endpoint)]


def _address(endpoint: str, draft: Draft) -> str:
    if endpoint == "compare.show":
        return compared(draft, draft.based_on)
    return url_for(endpoint, process=draft.process)


def compared(draft: Draft, number: int | None) -> str:
    """The address where *draft* is compared with version *number*."""
    asked: dict[str, Any] = {"process": draft.process, "from": number, "to": "draft"}
    return url_for("compare.show", **asked)


def kind(path: str) -> str:
    """Which editor *path* gets: diagram, form, decision, mail or text."""
    if path.startswith("mail/"):
        return "mail"
    return next((found for ending, found in KINDS.items() if path.endswith(ending)), "text")


def editor(draft: Draft, path: str) -> str:
    """The address of the editor of one file."""
    return url_for("modeler.file", process=draft.process, path=path)


def main_diagram(package: Package, process: str) -> str:
    """The file the process is drawn in, else the main diagram; empty where there is none."""
    return next((one.file for one in package.drawings_of(process)), "")


def facts(draft: Draft, package: Package, path: str) -> dict[str, Any]:
    """What the script of an editor must know, as JSON."""
    found = draft.file(path)
    process = draft.process
    plain: dict[str, Any] = {"process": process, "path": path, "as": "text"}
    return {
        "process": process,
        "file": path,
        "etag": found.etag if found else "",
        "urls": {
            "file": url_for("drafts.file", process=process, path=path),
            "check": url_for("drafts.check", process=process),
            "changes": url_for("drafts.changes", process=process),
            "keep": url_for("drafts.keep", process=process),
            "back": url_for("history.go_back", process=process, number=0),
            "late": url_for("modeler.late", process=process, key="KEY"),
            "forget": url_for("drafts.forget", process=process, key="KEY"),
            "editor": url_for("modeler.file", process=process, path="PATH"),
            "text": url_for("modeler.file", **plain),
        },
        "forms": list(package.forms()),
        "groups": sorted(_groups()),
        "starterRoles": list(STARTER_ROLES),
        "decisions": [{"id": key, "name": name} for key, name in decision_names(package)],
        "callers": decision_callers(package, path) if path.endswith(".dmn") else [],
        "processes": [{"id": key, "name": name, "file": file} for key, name, file in process_names(package)],
        "operators": list(_operators()),
        "templates": list(_templates(package)),
        **vocabulary_of(package),
    }


def _groups() -> set[str]:
    """Whose inbox there is."""
    return {group for account in site().accounts.users() if account.role is Role.STAFF for group in account.groups}


def _templates(package: Package) -> Iterator[dict[str, Any]]:
    """The mails a step may name, each with the tags of its languages and what those are called."""
    for name, template in sorted(templates_of(package).items()):
        yield {"name": name, "languages": {tag: language_name(tag) for tag in template.markdown}}


def _operators() -> Iterator[dict[str, Any]]:
    for operator in site().engine.services:
        yield {
            "name": operator.name,
            "title": operator.title,
            "effect": operator.mode.value,
            "mails": operator.mails is not None,
            "errors": list(operator.errors),
            "parameters": [
                {"name": p.name, "kind": p.kind, "required": p.required, "help": p.help, "values": _values(p.shape)}
                for p in operator.parameters
            ],
        }


def _values(shape: Mapping[str, Any]) -> list[Any]:
    """The only values of a shape, where it lists them."""
    return [value for value in shape.get("enum", ()) if value is not None]
