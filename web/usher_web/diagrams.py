"""The BPMN file the browser draws, as it was deployed: for scripts and to be kept, never shown as a page."""

from __future__ import annotations

from flask import Response
from usher_engine import Package

from .content_policy import FILE, HEADER


def bpmn_response(package: Package, file: str = "") -> Response:
    """One diagram of *package*, the first unless told. Analysts wrote it: opened by itself, nothing in it may run."""
    response = Response(package.files[file or package.diagrams()[0]], content_type="application/xml; charset=utf-8")
    response.headers["Content-Disposition"] = "attachment"
    response.headers[HEADER] = FILE
    return response
