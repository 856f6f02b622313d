"""The BPMN file the browser draws: as it was deployed, so that a browser may keep it as long as its hash."""

from __future__ import annotations

from flask import Response, request
from usher_engine import Package
from werkzeug.wrappers import Response as AnyResponse


def bpmn_response(package: Package, file: str = "") -> AnyResponse:
    """One diagram of *package*, the first unless told."""
    response = Response(package.files[file or package.diagrams()[0]], content_type="application/xml; charset=utf-8")
    response.set_etag(package.hash)
    response.headers["Cache-Control"] = "private, no-cache"
    return response.make_conditional(request)
