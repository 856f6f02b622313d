"""The diagrams of a package for the viewer, and their BPMN files, served as downloads, never as pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, request, url_for
from usher_engine import EngineError, NotFound
from usher_engine.definitions import Drawing, Package

from ..content_policy import FILE, HEADER
from ..site import site


def drawings_of_case(instance: str) -> Sequence[Drawing]:
    """The diagrams of the version a case runs on; none if that version is lost."""
    try:
        return site().engine.queries.package_of(instance).drawings
    except EngineError:
        return ()


def drawings_with(definition: str) -> Sequence[Drawing]:
    """The diagrams of the package with the hash *definition*; none if that version is lost."""
    try:
        return site().engine.versions.diagram_with(definition).package.drawings
    except EngineError:
        return ()


def diagram_names(drawings: Sequence[Drawing]) -> dict[str, str]:
    """The name of the diagram of each element; empty where there is only one diagram."""
    several = drawings if len(drawings) > 1 else ()
    return {node.id: one.name for one in several for process in one.processes for node in process.nodes}


def drawing_views(drawings: Sequence[Drawing], endpoint: str, **values: Any) -> list[dict[str, Any]]:
    """What the viewer must know of each diagram, in their order; *endpoint* with *values* answers with their files."""
    several = len(drawings) > 1
    return [drawing_view(one, url_for(endpoint, **values, diagram=one.key), several=several) for one in drawings]


def drawing_view(one: Drawing, url: str, *, several: bool) -> dict[str, Any]:
    """One diagram: its name, its address and page, where its calls lead, and, among *several*, the elements in it."""
    nodes = [node.id for process in one.processes for node in process.nodes]
    flows = [flow.id for process in one.processes for flow in process.flows]
    return {
        "key": one.key,
        "name": one.name,
        "url": url,
        "page": one.page,
        "calls": dict(one.calls),
        "elements": [*nodes, *flows] if several else [],
        "problem": one.problem,
    }


def bpmn_response(package: Package, process: str = "") -> Response:
    """
    The file of the diagram that ``?diagram=KEY`` asks for, by default of the main one; raises `NotFound`.

    Analysts wrote it, so it is sandboxed and not rendered.
    """
    found, asked = package.drawings_of(process), request.args.get("diagram", "")
    one = next((one for one in found if asked in ("", one.key)), None)
    if one is None:
        raise NotFound(f"This version has no diagram “{asked[:100]}”." if asked else "This version has no diagram.")
    response = Response(package.files[one.file], content_type="application/xml; charset=utf-8")
    response.headers["Content-Disposition"] = "attachment"
    response.headers[HEADER] = FILE
    return response
