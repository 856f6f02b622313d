"""Commands for cases and tasks: start, tasks, complete, history."""

from __future__ import annotations

from typing import Any

import click
from usher_engine import Instance, Step, UserTask
from usher_engine.enrollment import PROCESS

from .opening import acting, as_json, local, open_usher, parse_data, print_json


@click.command()
@click.argument("process")
@click.option("--data", required=True, help="The first data, a JSON object.")
@click.option("--key", help="Idempotency key: the same key starts one case.")
@click.option("--as", "user", help="Account that starts it.")
@as_json
def start(process: str, data: str, key: str | None, user: str | None, machine: bool) -> None:
    """Start a case of PROCESS and run it to its first waiting point."""
    values = parse_data(data)
    enrollment, accounts = open_usher()
    actor = acting(accounts, user)
    if process == PROCESS:
        instance = enrollment.start(values, actor=actor, key=key, source="command line")
    else:
        instance = enrollment.engine.start(process, values, actor=actor, key=key, source="command line")
    print_case(instance, machine)


@click.command()
@click.option("--user", help="Only what this account may see.")
@as_json
def tasks(user: str | None, machine: bool) -> None:
    """List open user tasks, soonest due first."""
    enrollment, accounts = open_usher()
    found = enrollment.engine.inbox.tasks(acting(accounts, user) if user else None, limit=1_000)
    if machine:
        print_json([_task(task) for task in found])
        return
    for task in found:
        due = f"due {local(task.due):%Y-%m-%d %H:%M}" if task.due else "no due date"
        click.echo(f"{task.id}  {task.title}  {task.group or '-'}  {task.assignee or 'unclaimed'}  {due}")
    click.echo(f"{len(found)} open tasks.")


@click.command()
@click.argument("task")
@click.option("--data", default="{}", help="The form's fields, a JSON object.")
@click.option("--as", "user", required=True, help="Account that completes it.")
@as_json
def complete(task: str, data: str, user: str, machine: bool) -> None:
    """Complete a user task as one of the accounts."""
    enrollment, accounts = open_usher()
    instance = enrollment.engine.complete(task, parse_data(data), actor=acting(accounts, user))
    print_case(instance, machine)


@click.command()
@click.argument("name")
@click.option("--data", default="{}", help="The data of the message, a JSON object.")
@click.option("--key", "business_key", help="What the case is about, for example a patient's id.")
@click.option("--case", "instance", help="The case's number, instead of --key.")
@click.option("--once", help="Idempotency key: the same key delivers once.")
@click.option("--as", "user", help="Account that delivers it.")
@as_json
def message(
    name: str,
    data: str,
    business_key: str | None,
    instance: str | None,
    once: str | None,
    user: str | None,
    machine: bool,
) -> None:
    """Deliver the message NAME to the case that waits for it."""
    enrollment, accounts = open_usher()
    moved = enrollment.engine.incoming.deliver_message(
        name,
        parse_data(data),
        actor=acting(accounts, user),
        business_key=business_key,
        instance=instance,
        key=once,
        source="command line",
    )
    print_case(moved, machine)


@click.command()
@click.argument("instance")
@as_json
def history(instance: str, machine: bool) -> None:
    """Show the steps and events of a case, oldest first."""
    enrollment, _ = open_usher()
    steps = enrollment.engine.queries.history(instance)
    if machine:
        print_json([_step(step) for step in steps])
        return
    for step in steps:
        click.echo(f"{step.revision:>4}  {local(step.at):%Y-%m-%d %H:%M:%S}  {step.by}  {step.command['kind']}")
        for event in step.events:
            element = f" {event['element']}" if "element" in event else ""
            click.echo(f"      {event['kind']}{element}")


def print_case(instance: Instance, machine: bool) -> None:
    if machine:
        print_json(
            {
                "instance": instance.id,
                "revision": instance.revision,
                "status": instance.status,
                "at": list(instance.at),
                "tasks": [{"id": t.id, "element": t.element, "title": t.title} for t in instance.tasks],
                "waits": [
                    {"element": w.element, "due": w.due.isoformat() if w.due else None, "message": w.message or None}
                    for w in instance.waits
                ],
                "outcome": instance.outcome,
                "incident": instance.incident,
            }
        )
        return
    where = ", ".join(instance.at) or instance.outcome or "its end"
    click.echo(f"Case {instance.id}: {instance.status}, at {where}.")
    if instance.explanation:
        click.echo(instance.explanation)
    if instance.incident:
        click.echo(f"Incident: {instance.incident}")
    for wait in instance.waits:
        what = f"until {local(wait.due):%Y-%m-%d %H:%M %Z}" if wait.due else f"for the message “{wait.message}”"
        click.echo(f"{wait.element} waits {what}.")
    for task in instance.tasks:
        click.echo(f"Open task: {task.id}  {task.title}")


def _task(task: UserTask) -> dict[str, Any]:
    plain = ("id", "instance", "element", "title", "message", "group", "assignee", "priority")
    times = {"created": task.created.isoformat(), "due": task.due.isoformat() if task.due else None}
    return {**{name: getattr(task, name) for name in plain}, **times}


def _step(step: Step) -> dict[str, Any]:
    return {"instance": step.instance, "revision": step.revision, "hash": step.hash.hex(), **step.body}
