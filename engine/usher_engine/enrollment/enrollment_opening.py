"""Opens the enrolment: the engine, with every operator there is, on the database of the settings."""

from __future__ import annotations

from ..context import Clock, utc_now
from ..engine import Engine
from ..own_operators import beside, installed_operators
from ..services import Services
from ..settings import Settings
from ..store import Database
from ..web_requests import web_request_operator
from .enrollment import Enrollment
from .enrollment_operators import operators
from .mail import LINKS
from .patient_registry import Registry
from .smtp import Sender, smtp_sender
from .staff_mail import StaffMail


def open_enrollment(
    settings: Settings, *, clock: Clock = utc_now, send_mail: Sender | None = None, database: Database | None = None
) -> Enrollment:
    """The engine with the enrolment's services, on the database of *settings*; mail is sent over SMTP."""
    ours = database or Database(settings.database_url)
    registry = Registry(settings)
    send = send_mail or smtp_sender(settings)
    services = enrollment_services(settings, registry, ours, send)
    return Enrollment(Engine(settings, services, clock, ours), settings, StaffMail(settings, send))


def enrollment_services(settings: Settings, registry: Registry, database: Database, send_mail: Sender) -> Services:
    """All operators: the enrolment's, ``http/request``, those of installed packages; and mail values with addresses."""
    ours = operators(settings=settings, directory=registry, database=database, send_mail=send_mail)
    ours = (*ours, web_request_operator(settings))
    installed = beside(ours, installed_operators())
    return Services((*ours, *installed.operators), mail_links=LINKS, refused=installed.refused)
