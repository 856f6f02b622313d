"""Serve BPMN files to the diagram viewer and as downloads, never as pages."""

from __future__ import annotations

from flask import Response
from usher_engine.definitions import Package

from ..content_policy import FILE, HEADER


def bpmn_response(package: Package, file: str = "") -> Response:
    """The diagram *file* of *package*, by default the first. Analysts wrote it, so it is sandboxed and not rendered."""
    response = Response(package.files[file or package.diagrams()[0]], content_type="application/xml; charset=utf-8")
    response.headers["Content-Disposition"] = "attachment"
    response.headers[HEADER] = FILE
    return response
