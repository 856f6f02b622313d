"""What a page may load and run (Content-Security-Policy). A page that needs more than `STRICT` sets its own policy."""

from __future__ import annotations

from flask import Response, make_response

_RULES = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self' data:",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}

HEADER = "Content-Security-Policy"


def _policy_text(**changes: str) -> str:
    rules = _RULES | {name.replace("_", "-"): value for name, value in changes.items()}
    return "; ".join(f"{name} {value}" for name, value in rules.items())


#: The default of every page.
STRICT = _policy_text()
#: The decision-table and form editors write style attributes into what they draw. Scripts stay as restricted.
STYLED = _policy_text(style_src="'self' 'unsafe-inline'")
#: A page that frames another page of ours.
FRAMING = _policy_text(frame_src="'self'")
#: Text by an analyst, rendered as a mail reader would: no scripts, no remote pictures, no navigation.
MAIL = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox"
)

#: A file by users, opened as a page of its own: no scripts, no resources.
FILE = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"


def with_policy(page: str, policy: str) -> Response:
    """*page* under a policy of its own."""
    response = make_response(page)
    response.headers[HEADER] = policy
    if policy == MAIL:
        response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response
