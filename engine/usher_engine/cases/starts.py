"""Starts of cases: by programs with data, and by people with the start form of a process (decisions/0028)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ..bpmn import Diagram, Run
from ..context import Context
from ..core import events as e
from ..core.actor import Actor
from ..core.canonical import as_stored_json, check_input
from ..core.errors import Corrupt, EngineError, InvalidDefinition
from ..forms import Form, start_form
from ..store import Row, Transaction, Version, pause_rows, requests, task_rows, version_rows
from ..store.pause_rows import EVERY, Pause
from .first_data import business_key, checked_data, not_offered
from .idempotency_keys import case_for_key, case_for_key_or_live_case, recent_case
from .queries import CaseQueries, Instance
from .start_request import StartRequest
from .step_writer import FAILURES, Case, Moment, StepWriter

#: The same words by the same person within this time are taken for one start that was sent twice.
SENT_TWICE = timedelta(minutes=10)

#: The elements at which people next have something to do, or work of its own begins.
FIRST_WORK = frozenset({"userTask", "manualTask", "subProcess", "callActivity"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """
    A process that a person may start: its version in force, its start form if it has one, its pause if any.

    *follows* are the names of the first work for people that a case may come to, each with its groups.
    """

    version: Version
    about: str
    follows: tuple[tuple[str, str], ...]
    form: Form | None
    paused: Pause | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Begun:
    """The case of a start; *before* means that the same person had started it with the same words."""

    instance: Instance
    before: bool


class Starts:
    """Starts cases of the versions in force. One method = one step = one transaction."""

    def __init__(self, context: Context, queries: CaseQueries, steps: StepWriter) -> None:
        self.context, self.database = context, context.database
        self.queries, self.steps = queries, steps

    def start(
        self,
        process: str | Callable[[Transaction], str],
        data: Mapping[str, Any],
        *,
        actor: Actor,
        key: str | None = None,
        source: str = "",
        business_key: str = "",
        one_live: bool = False,
        keeps_others: bool = False,
    ) -> Instance:
        """
        Start an instance of the version in force and run it to its first waiting points.

        Args:
            process: Id of the process, or what finds it in the same transaction; if that raises, nothing is started.
            data: Its first data; JSON, no reserved keys. A start form validates them.
            actor: Who starts it.
            key: Idempotency key: the same key from the same *source* starts one instance.
            source: Issuer of the keys, for example the name of an API token.
            business_key: What the case is about, for example the patient's id; empty: as the start event says.
            one_live: If a live instance has this business key, return that one and start none.
            keeps_others: Keep data that the start form does not ask for, as a trigger sends; else it is refused.

        Raises:
            NotFound: No such process is deployed.
            InvalidSubmission: *data* breaks a limit or the start form, or *key* was used with other data.
        """
        values: dict[str, Any] = as_stored_json(check_input(dict(data), where="data"))
        named, find = (process, None) if isinstance(process, str) else ("", process)
        how = (business_key, one_live, key, source)
        return self._start(StartRequest(named, values, *how, keeps_others=keeps_others, find=find), actor).instance

    def begin(
        self,
        process: str,
        submission: Mapping[str, Any],
        *,
        actor: Actor,
        key: str | None = None,
        source: str = "",
        again: bool = False,
    ) -> Begun:
        """
        Start a case for a person or program with what the start form of the process asks for.

        Without *again*, the same *submission* by the same *actor* within `SENT_TWICE` gives the case it began.

        Raises:
            NotFound: There is no such process, or *actor* may not start it.
            InvalidSubmission: One entry for each wrong field, in form order; or *key* was used with other data.
            Paused: An administrator has paused it.
        """
        values: dict[str, Any] = as_stored_json(check_input(dict(submission), where="form"))
        asked = StartRequest(process, values, "", False, key, source, by_person=True, again=again)
        return self._start(asked, actor)

    def _start(self, asked: StartRequest, actor: Actor) -> Begun:
        moment = self.steps.moment()
        try:
            return self._write(asked, actor, moment)
        except FAILURES as failure:
            return self._write(asked, actor, moment, failure)

    def _write(self, asked: StartRequest, actor: Actor, moment: Moment, failure: EngineError | None = None) -> Begun:
        """Write the first step of a case: what ran, or the incident for the *failure* that prevented it."""
        with self.database.begin() as tx:
            asked = asked.found(tx)
            found, before = self._existing_case_for(tx, asked, actor, moment)
            if found is not None:
                tasks = task_rows.of_instances(tx, [found.id]).get(found.id, ())
                return Begun(instance=self.queries.as_instance(found, tasks), before=before)
            case = self._new_case(tx, asked, actor, moment)
            data, row = case.state.data, case.row
            ran = failure or Run.start(case.diagram, self.steps.step_context(tx, case, actor), data)
            first = e.InstanceStarted(row.process, row.version, row.definition, data, row.business_key)
            instance = self.steps.write(tx, case, {"kind": "start"}, actor, ran, first=[first])
            asked.remember(tx, row.id)
            if asked.by_person:
                source, key = asked.same_words(actor.name)
                requests.renew(tx, source=source, key=key, body=asked.digest, instance=row.id)
            return Begun(instance=instance, before=False)

    def _new_case(self, tx: Transaction, asked: StartRequest, actor: Actor, moment: Moment) -> Case:
        calendar = self.context.settings.calendar

        def begin(diagram: Diagram) -> tuple[dict[str, Any], str]:
            if asked.by_person and not diagram.start.admits(actor):
                raise not_offered(asked.process)
            data = checked_data(diagram, asked, today=calendar.day_of(moment.now))
            return data, business_key(diagram, asked, data, now=moment.now, calendar=calendar)

        return self.steps.new_case(tx, asked.process, begin, moment)

    def _existing_case_for(
        self, tx: Transaction, asked: StartRequest, actor: Actor, moment: Moment
    ) -> tuple[Row | None, bool]:
        """The instance that this request already started, or the live one with its business key."""
        if asked.one_live:
            wanted = (asked.source, asked.key, asked.digest, asked.process, asked.business_key)
            row, is_bound = case_for_key_or_live_case(tx, *wanted) or (None, True)
            if row is not None and not is_bound:
                asked.remember(tx, row.id)
            return row, False
        row = case_for_key(tx, asked.source, asked.key, asked.digest)
        if row is None and asked.by_person:
            recent = recent_case(tx, *asked.same_words(actor.name), since=moment.now - SENT_TWICE)
            return (None, False) if asked.again else (recent, True)
        return row, False

    # what people may start

    def offers(self, actor: Actor) -> list[Offer]:
        """The processes that *actor* may start, by name; not those whose package was altered or can no longer run."""
        with self.database.read() as tx:
            in_force: dict[str, Version] = {}
            for version in version_rows.versions(tx):
                in_force.setdefault(version.process, version)
            pauses = {(pause.process, pause.version): pause for pause in pause_rows.all_pauses(tx)}
            found = [self._offer(tx, version, actor, pauses) for version in in_force.values()]
        return sorted((offer for offer in found if offer), key=lambda offer: offer.version.name.lower())

    def offer(self, process: str, actor: Actor) -> Offer:
        """One process that *actor* may start; raises `NotFound`."""
        found = next((offer for offer in self.offers(actor) if offer.version.process == process), None)
        if found is None:
            raise not_offered(process)
        return found

    def _offer(
        self, tx: Transaction, version: Version, actor: Actor, pauses: Mapping[tuple[str, int], Pause]
    ) -> Offer | None:
        try:
            diagram = self.context.diagram(tx, version.hash)
            start = diagram.start
            if not start.admits(actor):
                return None
            form = start_form(diagram.package, start)
        except (Corrupt, InvalidDefinition):
            return None
        paused = pauses.get((version.process, EVERY)) or pauses.get((version.process, version.number))
        return Offer(version=version, about=start.about, follows=first_work(diagram), form=form, paused=paused)


def first_work(diagram: Diagram) -> tuple[tuple[str, str], ...]:
    """(name, groups) of the tasks, sub-processes and calls that a case reaches first, in the order of the flows."""
    found: dict[str, tuple[str, str]] = {}
    targets: dict[str, list[str]] = {}
    for source, target in diagram.flows:
        targets.setdefault(source, []).append(target)
    waiting, seen = [diagram.start.element], {diagram.start.element}
    while waiting:
        here = waiting.pop(0)
        element = diagram.elements.get(here)
        if element is not None and element.tag in FIRST_WORK:
            found[here] = (element.name or here, element.properties.get("candidateGroups") or element.lane)
            continue
        following = [target for target in targets.get(here, ()) if target not in seen]
        seen.update(following)
        waiting += following
    return tuple(found.values())
