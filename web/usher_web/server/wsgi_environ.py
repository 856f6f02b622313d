"""The WSGI environment of an ASGI request (PEP 3333), with the hardening that the server in front used to do."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import IO, Any
from urllib.parse import unquote_to_bytes

#: Headers that have a name of their own in the environment, or end with the bridge, which reads the body whole.
OWN = {b"content-type": "CONTENT_TYPE"}
DROPPED = frozenset({b"content-length", b"transfer-encoding", b"expect", b"connection", b"keep-alive", b"upgrade"})


def wsgi_environ(scope: Mapping[str, Any], body: IO[bytes], length: int) -> dict[str, Any]:
    """
    Return the environment of the request in *scope*, whose *body* of *length* bytes has arrived whole.

    Header names with an underscore are dropped: they would become the same variable as their spelling with a hyphen,
    which a proxy may have checked. Repeated headers are joined (RFC 9110, 5.3).
    """
    server, client = scope.get("server") or ("localhost", 80), scope.get("client") or ("", 0)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": _path(scope["raw_path"]),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or 80),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": client[0],
        "REMOTE_HOST": client[0],
        "REMOTE_PORT": str(client[1]),
        "CONTENT_LENGTH": str(length),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }
    for name, value in scope["headers"]:
        if name in DROPPED or b"_" in name:
            continue
        key = OWN.get(name) or "HTTP_" + name.decode("latin-1").upper().replace("-", "_")
        text = value.decode("latin-1")
        joint = "; " if name == b"cookie" else ", "
        environ[key] = f"{environ[key]}{joint}{text}" if key in environ else text
    return environ


def _path(target: bytes) -> str:
    """The path of a request target, which may be a whole address (RFC 9112, 3.2.2); its bytes as WSGI wants them."""
    if not target.startswith(b"/") and b"://" in target:
        target = b"/" + target.partition(b"://")[2].partition(b"/")[2]
    return unquote_to_bytes(b"/" + target.lstrip(b"/")).decode("latin-1")
