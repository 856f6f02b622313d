"""Rules for mails: the templates of a package, and the elements that send them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from usher_engine.core.errors import ExpressionError, InvalidDefinition
from usher_engine.definitions import Node, Package
from usher_engine.expressions import compile_template
from usher_engine.mail_templates import (
    UNDETERMINED,
    TemplateFiles,
    choose_language,
    closest,
    language_name,
    language_tag,
    mail_problems,
    misnamed,
    template_path,
    templates_of,
    unknown_value,
)
from usher_engine.services import MailUse, Services

from ..definitions.lint_finding import Finding
from .expression_rules import compile_problem
from .known_values import UNKNOWN, known_value
from .process_graph import Sheet


@dataclass(frozen=True, kw_only=True)
class _Sending:
    """
    An element that sends mail.

    *templates* are the names it may name; None if only the case's data tell. *values* are the names of the values it
    gives a mail; None if only the data tell.
    """

    sheet: Sheet
    node: Node
    use: MailUse
    parameters: Mapping[str, str]
    templates: tuple[str, ...] | None
    values: frozenset[str] | None

    def finding(self, message: str, *, is_warning: bool = False) -> Finding:
        return self.sheet.finding(self.node.id, "mail", message, "warning" if is_warning else "error")


def mail_findings(package: Package, sheets: Iterable[Sheet], services: Services) -> Iterator[Finding]:
    """Findings about the mails of *package* and the elements of its processes that send them."""
    templates = templates_of(package)
    sendings = [sending for sheet in sheets for sending in _sendings(sheet)]
    for sending in sendings:
        yield from _element(sending, templates)
    for path in misnamed(package):
        message = "No mail is made from this file. Name it like mail/reminder.en.md, with the language before .md."
        yield Finding(file=path, element="", rule="mail", message=message, severity="warning")
    for template in templates.values():
        names = value_names(template.name, sendings, services)
        yield from _files(package, template, names, services.mail_links)
    yield from _missing_languages(templates)


# elements


def _sendings(sheet: Sheet) -> Iterator[_Sending]:
    for node in sheet.process.nodes:
        call = node.service
        if call is None or call.operator not in sheet.services:
            continue
        use = sheet.services.get(call.operator).mails
        if use is not None:
            given = {name: source for name, source in call.parameters.items() if not _is_nothing(source)}
            source = given.get("template")
            templates = (use.template,) if source is None and use.template else _texts(source or "")
            values = _values(use, given)
            yield _Sending(sheet=sheet, node=node, use=use, parameters=given, templates=templates, values=values)


def _element(sending: _Sending, templates: Mapping[str, TemplateFiles]) -> Iterator[Finding]:
    recipients = [name for name in sending.use.recipients if name in sending.parameters]
    if sending.use.recipients and len(recipients) != 1:
        yield sending.finding(f"A mail goes to one of: {', '.join(sending.use.recipients)}. Set exactly one of them.")
    if sending.templates is None and not templates:
        yield sending.finding("The package has no mail template. Add one, such as mail/reminder.en.md.")
    for name in sending.templates or ():
        yield from _template(sending, name, templates)
    for name in sorted(sending.use.names & _literal_keys(sending.parameters.get("values", ""))):
        yield sending.finding(f"The value “{name}” of a mail is Usher's own. Call yours otherwise.")


def _template(sending: _Sending, name: str, templates: Mapping[str, TemplateFiles]) -> Iterator[Finding]:
    if name not in templates:
        instead = closest(name, templates)
        hint = f"Did you mean “{instead}”?" if instead else f"Add {template_path(name, 'en')}."
        yield sending.finding(f"There is no mail template “{name}”. {hint}")
        return
    languages = templates[name].languages
    source = sending.parameters.get("language", "")
    for wish in _texts(source) or ():
        tag = language_tag(wish)
        if not tag:
            yield sending.finding(f"“{wish}” is not the tag of a language. Write for example en or es.")
        elif (chosen := choose_language([wish], languages)) and chosen.partition("-")[0] != tag.partition("-")[0]:
            message = f"There is no {template_path(name, wish)}; the mail goes out in {language_name(chosen)}."
            yield sending.finding(message, is_warning=True)


def _values(use: MailUse, given: Mapping[str, str]) -> frozenset[str] | None:
    names = use.always.union(*(more for name, more in use.when.items() if name in given))
    source = given.get("values")
    if source is None:
        return names
    keys = _literal_keys(source)
    return names | keys if keys else None


# files


def value_names(template: str, sendings: Iterable[_Sending], services: Services) -> frozenset[str] | None:
    """
    The values that every element that names *template* gives it; None if only the data tell.

    Where no element names it, those of the elements whose template only the data tell; without any, those that
    operators give on their own.
    """
    named = [sending for sending in sendings if sending.templates and template in sending.templates]
    perhaps = [sending for sending in sendings if sending.templates is None]
    known = [sending.values for sending in named or perhaps]
    values = [names for names in known if names is not None]
    if not known:
        return services.mail_names
    if len(values) < len(known):
        return None
    return frozenset.intersection(*values) if named else frozenset().union(*values)


def _files(
    package: Package, template: TemplateFiles, names: frozenset[str] | None, links: frozenset[str]
) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for language, path in template.markdown.items():
        if language.lower() in seen:
            message = f"{seen[language.lower()]} is in the same language. Keep one of them."
            yield Finding(file=path, element="", rule="mail", message=message)
        seen.setdefault(language.lower(), path)
        yield from _markdown(package, path, names, links)
    for path in template.pair.values():
        if template.markdown:
            message = f"This file is not used: {next(iter(template.markdown.values()))} takes its place. Remove it."
            yield Finding(file=path, element="", rule="mail", message=message, severity="warning")
        yield from _part_of_pair(package, path, names)
    if len(template.pair) == 1 and not template.markdown:
        (ending, path), *_ = template.pair.items()
        other = f"{path.removesuffix(ending)}{'html' if ending == 'txt' else 'txt'}"
        better = template_path(template.name, "en")
        message = f"Half of a mail: {other} is missing. Better write the mail once, as {better}."
        yield Finding(file=path, element="", rule="mail", message=message, severity="warning")


def _markdown(package: Package, path: str, names: frozenset[str] | None, links: frozenset[str]) -> Iterator[Finding]:
    text, problem = _text(package, path)
    if problem:
        yield problem
        return
    for found in mail_problems(text, names, links if names is None else links & names):
        message = f"Line {found.line}: {found.message}"
        yield Finding(file=path, element="", rule="mail", message=message, severity=found.severity)


def _part_of_pair(package: Package, path: str, names: frozenset[str] | None) -> Iterator[Finding]:
    text, problem = _text(package, path)
    if problem:
        yield problem
        return
    if reason := compile_problem(compile_template, text):
        yield Finding(file=path, element="", rule="mail", message=f"In a placeholder: {reason}")
        return
    if names is not None:
        for name in sorted(compile_template(text).names - names):
            yield Finding(file=path, element="", rule="mail", message=unknown_value(name, names))


def _text(package: Package, path: str) -> tuple[str, Finding | None]:
    try:
        return package.text(path), None
    except InvalidDefinition as error:
        return "", Finding(file=path, element="", rule="mail", message=error.problems[0][1])


def _missing_languages(templates: Mapping[str, TemplateFiles]) -> Iterator[Finding]:
    """A warning for each mail that lacks a language in which the package has another mail."""
    known = {tag.lower(): template.name for template in templates.values() for tag in template.markdown}
    for template in templates.values():
        own = {tag.lower() for tag in template.markdown}
        for tag in sorted(known.keys() - own) if own else ():
            file = next(iter(template.markdown.values()))
            instead = language_name(choose_language([tag], template.languages) or UNDETERMINED)
            message = (
                f"“{known[tag]}” is there in {language_name(tag)}, “{template.name}” is not: patients who prefer it "
                f"get this mail in {instead}. Add {template_path(template.name, tag)}."
            )
            yield Finding(file=file, element="", rule="mail", message=message, severity="warning")


# expressions


def _is_nothing(source: str) -> bool:
    """Whether the parameter *source* is certainly not given: null, false or an empty text."""
    return _value(source) in (None, False, "")


def _value(source: str) -> object:
    try:
        return known_value(source)
    except ExpressionError:
        return UNKNOWN


def _texts(source: str) -> tuple[str, ...] | None:
    """The texts *source* may be, for a literal and a choice between literals; None if the data tell."""
    value = _value(source)
    if isinstance(value, str):
        return (value,)
    try:
        tree = ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    found = _choices(tree)
    return tuple(dict.fromkeys(text for text in found if text)) if found and None not in found else None


def _choices(tree: ast.expr) -> list[str | None]:
    """The texts at the ends of a chain of “a if … else b”; None in it for an end that is no text."""
    ends: list[str | None] = []
    while isinstance(tree, ast.IfExp):
        ends.append(_constant(tree.body))
        tree = tree.orelse
    return [*ends, _constant(tree)]


def _constant(tree: ast.expr) -> str | None:
    return tree.value if isinstance(tree, ast.Constant) and isinstance(tree.value, str) else None


def _literal_keys(source: str) -> frozenset[str]:
    """The keys of a record written out in *source*; empty for everything else."""
    try:
        tree = ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    keys = [_constant(key) if key is not None else None for key in tree.keys] if isinstance(tree, ast.Dict) else []
    return frozenset() if None in keys else frozenset(key for key in keys if key)
