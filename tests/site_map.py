"""Every page of the product with who may open it, read from the application itself."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask
from usher_engine.accounts import Role
from usher_web import auth
from werkzeug.routing import Rule

#: A person of each role, as the acceptance tests' cast has them.
NAMES = {Role.STAFF: "alice", Role.ANALYST: "ana", Role.AUDITOR: "audrey", Role.ADMIN: "adam"}


def addresses(app: Flask) -> Iterator[tuple[Rule, auth.Policy, str]]:
    """Each address with its policy and each of its methods."""
    for rule in app.url_map.iter_rules():
        found = auth.policy_of(app, rule.endpoint)
        assert found is not None, f"{rule.endpoint} has no policy"
        for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "DELETE"}):
            yield rule, found, method


def pages(app: Flask) -> Iterator[tuple[Rule, auth.Policy, str]]:
    """The same, for people only, not for programs."""
    return ((rule, found, method) for rule, found, method in addresses(app) if found.door is auth.Door.SESSION)
