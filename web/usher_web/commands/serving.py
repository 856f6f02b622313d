"""`usher serve` and `usher worker`: the web application, and the jobs that follow from steps."""

from __future__ import annotations

import signal
import threading

import click
from usher_engine import Settings, open_queue
from usher_engine.accounts import Accounts
from usher_engine.checkpoints import Checkpointer
from usher_engine.core import Deadlines
from usher_engine.enrollment import Enrollment, MinuteWatch
from usher_engine.store.queued_work import QUEUES
from usher_engine.web_requests import unreadable_secrets

from ..app import create_app
from ..server import answer
from .listening import PORT, bind_socket
from .opening import open_usher, read_settings
from .supervision import inherited_lifeline, start_supervisor, watch


def _checked_settings() -> Settings:
    settings = read_settings().for_production()
    for line in settings.warnings():
        click.echo(f"Warning: {line}", err=True)
    return settings


def _open(settings: Settings) -> tuple[Enrollment, Accounts]:
    """Usher's parts, after a warning for each operator of a package and each secret that cannot be used."""
    opened = open_usher(settings)
    refused = map(str, opened[0].engine.services.refused)
    for line in (*refused, *unreadable_secrets(settings.web_secrets)):
        click.echo(f"Warning: {line}", err=True)
    return opened


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=PORT, default=8000, show_default=True, help="Port to listen on.")
@click.option(
    "--worker/--no-worker",
    "with_worker",
    default=None,
    help="Do jobs in this process too, or leave them to `usher worker`.  [default: on SQLite only]",
)
def serve(host: str, port: int, *, with_worker: bool | None) -> None:
    """Serve the web application; on SQLite with a job worker in the same process."""
    settings, before = _checked_settings(), inherited_lifeline()
    listening = (before and before.socket()) or bind_socket(host, port)
    lifeline = before or start_supervisor(listening, settings)
    enrollment, accounts = _open(settings)
    deadlines = Deadlines(enrollment.engine.database.interrupt)
    app = create_app(enrollment.engine, enrollment, accounts, settings)
    works = enrollment.engine.database.is_sqlite if with_worker is None else with_worker
    worker_thread = open_queue(enrollment.engine, deadlines) if works else None
    checkpoints = Checkpointer(enrollment.engine.database, settings, enrollment.engine.clock)
    minutes = MinuteWatch(enrollment)
    if worker_thread:
        worker_thread.start()
        checkpoints.start()
        minutes.start()
    watch(lifeline, deadlines, settings)
    click.echo(f"Usher listens on {host}, port {port}; people reach it at {settings.base_url}")
    if not works:
        click.echo("This process does no jobs: mails and timers need `usher worker`.")
    try:
        answer(app, listening, settings, deadlines)
    finally:
        if worker_thread:
            worker_thread.stop()
            minutes.stop()
            checkpoints.stop()


@click.command()
@click.option("--once", is_flag=True, help="Do the due jobs, then end.")
@click.option(
    "--queues",
    default=",".join(QUEUES),
    show_default=True,
    metavar="NAME,…",
    help="The queues to serve, on PostgreSQL. Some worker has to serve each.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 64),
    help="Jobs at once; on PostgreSQL of each queue.  [default: USHER_WORKER_THREADS]",
)
def worker(*, once: bool, queues: str, concurrency: int | None) -> None:
    """Do the jobs that follow from steps: mail, timers, retries, runs over many cases."""
    served = _queues(queues)
    settings = _checked_settings()
    if once:
        clinic = _open(settings)[0]
        clinic.links.close_due()
        clinic.digests.send_due()
        click.echo(f"{open_queue(clinic.engine, queues=served, concurrency=concurrency).run_due()} jobs done.")
        return
    lifeline = inherited_lifeline() or start_supervisor(None, settings)
    enrollment, _ = _open(settings)
    deadlines = Deadlines(enrollment.engine.database.interrupt)
    running = open_queue(enrollment.engine, deadlines, queues=served, concurrency=concurrency)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    checkpoints = Checkpointer(enrollment.engine.database, settings, enrollment.engine.clock)
    minutes = MinuteWatch(enrollment)
    running.start()
    checkpoints.start()
    minutes.start()
    watch(lifeline, deadlines, settings)
    click.echo("Waiting for jobs. Stop with Ctrl+C.")
    ended.wait()
    minutes.stop()
    checkpoints.stop()
    running.stop()


def _queues(named: str) -> list[str]:
    """The queues named, separated by commas."""
    found = [name for part in named.split(",") if (name := part.strip())]
    unknown = sorted(set(found) - set(QUEUES))
    if unknown or not found:
        wrong = ", ".join(unknown) or "nothing"
        raise click.BadParameter(f"“{wrong}” names no queue. There are {', '.join(QUEUES)}.", param_hint="--queues")
    return found
