"""Who may do what: every view has a policy, checked before it runs; a view without one is refused.

The sign-in page lives in `sign_in`. Sessions are rows (`usher_engine.accounts`), so signing out, a changed role and
a disabled account take effect with the next request.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from flask import Flask, Request, Response, current_app, g, redirect, request, url_for
from usher_engine import Actor, Settings
from usher_engine.accounts import Account, Role, Session, Token
from werkzeug.exceptions import Forbidden, TooManyRequests, Unauthorized
from werkzeug.wrappers import Response as AnyResponse

from . import page_token
from .addresses import origin, parts
from .next_page_notice import Notice, NoticeKind, as_stored
from .site import site

View = TypeVar("View", bound=Callable[..., Any])

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
POLICY = "usher_policy"
#: Largest body on public pages, in bytes. Parsing a 2 MB form takes two seconds of CPU.
FROM_STRANGERS = 16 * 1024


class Door(Enum):
    #: Anybody; the view itself decides what to show.
    PUBLIC = "public"
    #: A person with a session cookie; unsafe methods need the CSRF token.
    SESSION = "session"
    #: A program with a bearer token; cookies are ignored here.
    BEARER = "bearer"


@dataclass(frozen=True, slots=True)
class Policy:
    door: Door
    roles: frozenset[Role] = frozenset()
    #: With `Door.BEARER`: whether our own pages may call it too, with their `page_token`.
    pages: bool = False
    #: A page asks this by itself, so it is no sign of life.
    passive: bool = False
    #: With `Door.SESSION`: people send files here, so that a request may be larger.
    files: bool = False


def public(view: View) -> View:
    """Let anybody open *view*."""
    setattr(view, POLICY, Policy(Door.PUBLIC))
    return view


def public_file(view: View) -> View:
    """Let anybody open *view*, which makes no session longer: pages load scripts and fonts long after they came."""
    setattr(view, POLICY, Policy(Door.PUBLIC, passive=True))
    return view


def policy(*roles: Role, passive: bool = False, files: bool = False) -> Callable[[View], View]:
    """
    Let signed-in people with one of *roles* open the view.

    A *passive* one does not make their session longer; one that takes *files* reads larger requests.
    """
    return _with_policy(Policy(Door.SESSION, frozenset(roles), passive=passive, files=files))


def token_policy(*roles: Role, pages: bool = False) -> Callable[[View], View]:
    """Let programs whose bearer token has one of *roles* call the view; with *pages* our own pages too."""
    return _with_policy(Policy(Door.BEARER, frozenset(roles), pages))


def _with_policy(found: Policy) -> Callable[[View], View]:
    def mark(view: View) -> View:
        setattr(view, POLICY, found)
        return view

    return mark


def policy_of(app: Flask, endpoint: str) -> Policy | None:
    """The policy of the view behind *endpoint*; None means nobody may open it."""
    found: Policy | None = getattr(app.view_functions[endpoint], POLICY, None)
    return found


def may_open(endpoint: str) -> bool:
    """Whether the signed-in account may open the view behind *endpoint*: no link should lead to a refusal."""
    found = policy_of(current_app, endpoint)
    return found is not None and g.session is not None and g.session.account.role in found.roles


def refuse_unguarded(app: Flask) -> None:
    """Stop at start-up if a route has no policy, so that no unprotected route goes live."""
    bare = sorted({rule.endpoint for rule in app.url_map.iter_rules() if policy_of(app, rule.endpoint) is None})
    if bare:
        raise RuntimeError(f"No policy says who may open: {', '.join(bare)}")


def guard() -> AnyResponse | None:
    """Identify and authorise the caller before anything a stranger sends is parsed."""
    g.session, g.actor = None, None
    found = policy_of(current_app, request.endpoint) if request.endpoint else Policy(Door.PUBLIC)
    if found is None:
        raise Forbidden
    if found.door is Door.PUBLIC:
        request.max_content_length = FROM_STRANGERS
    if found.door is Door.BEARER:
        _admit_program(found)
        return None
    g.session = _live_session(request, passive=found.passive)
    if g.session is not None:
        g.actor = acting(g.session.account)
        if found.files and g.session.account.role in found.roles:
            request.max_content_length = site().settings.largest_upload
    if request.method not in SAFE_METHODS and request.endpoint:  # an address without a view gets 404 or 405 anyway
        _refuse_forged(request, g.session)
    return _admit_person(found, g.session) if found.door is Door.SESSION else None


def _admit_program(found: Policy) -> None:
    caller, source = _caller(request.headers.get("Authorization", ""), found)
    g.actor, g.source = acting(caller), source
    if caller.role not in found.roles:
        wanted = " or ".join(sorted(role.value for role in found.roles))
        raise Forbidden(f"This token has the role {caller.role.value}; this needs {wanted}.")
    if not site().accounts.hit(f"{source}|api", site().settings.api_per_minute, 60):
        raise TooManyRequests("This token has made too many requests in a minute. Wait a minute and go on more slowly.")


def _caller(header: str, found: Policy) -> tuple[Token | Account, str]:
    """The owner of the bearer token, and the source of its idempotency keys."""
    kind, _, secret = header.partition(" ")
    secret = secret.strip() if kind.lower() == "bearer" else ""
    if found.pages and page_token.is_page_token(secret):
        account = page_token.holder(secret)
        if account is None:
            raise Unauthorized("This page has been open for too long, or you are signed out. Reload it and try again.")
        return account, page_source(account.name)
    token = site().accounts.token(secret) if secret else None
    if token is None:
        raise Unauthorized("Send a valid token: Authorization: Bearer usher_…. Make one with: usher token add NAME")
    return token, f"api:{token.name}"


def page_source(name: str) -> str:
    """The source of the idempotency keys from pages of the person *name*, with or without a script."""
    return f"web:{name}"


def _admit_person(found: Policy, session: Session | None) -> AnyResponse | None:
    if session is None:
        return _to_sign_in()
    if session.account.role not in found.roles:
        raise Forbidden("Your role does not include this page.")
    return None


def _to_sign_in() -> AnyResponse:
    if request.is_json or request.headers.get("X-Requested-With"):
        raise Unauthorized("You are signed out. Sign in again; what you typed is kept.")
    page = request.full_path.rstrip("?") if request.method in SAFE_METHODS else referring_path()
    return redirect(url_for("sign_in.show", next=page if page != "/" else None), 303)


def referring_path() -> str:
    """The path of the page this request came from, "/" if that is unknown or another site's."""
    came_from = parts(request.referrer or "")
    return came_from.path if came_from and came_from.netloc == request.host else "/"


def cookie_name(settings: Settings) -> str:
    """`__Host-` makes browsers insist on Secure, no Domain and Path=/; plain HTTP in development cannot have it."""
    return "usher" if settings.env == "development" else "__Host-usher"


def _live_session(incoming: Request, *, passive: bool) -> Session | None:
    secret = incoming.cookies.get(cookie_name(site().settings))
    at_work = not passive and "X-Usher-Poll" not in incoming.headers
    return site().accounts.session(secret, touch=at_work) if secret else None


def had_session() -> bool:
    """Whether this browser was signed in and is not any more: the session has ended by itself."""
    return g.get("session") is None and cookie_name(site().settings) in request.cookies


def set_cookie(response: Response | AnyResponse, session: Session) -> None:
    name, secure = cookie_name(site().settings), site().settings.env != "development"
    response.set_cookie(name, session.secret, httponly=True, secure=secure, samesite="Lax", path="/")


def clear_cookie(response: Response | AnyResponse) -> None:
    name, secure = cookie_name(site().settings), site().settings.env != "development"
    response.delete_cookie(name, httponly=True, secure=secure, samesite="Lax", path="/")


def _refuse_forged(incoming: Request, session: Session | None) -> None:
    """
    Refuse what another site made the browser send.

    Browsers send the origin with every POST. Without either header the caller is not a current browser; a session
    then still needs its token.
    """
    came_from, fetched_from = incoming.headers.get("Origin"), incoming.headers.get("Sec-Fetch-Site")
    if came_from is not None:
        if not _is_own(came_from, incoming):
            raise Forbidden("This request came from another site and was refused.")
    elif fetched_from not in (None, "same-origin", "none"):
        raise Forbidden("This request came from another site and was refused.")
    if session is not None:
        sent = incoming.headers.get("X-CSRF-Token") or incoming.form.get("csrf_token", "")
        if not hmac.compare_digest(sent.encode("utf-8", "replace"), session.csrf.encode()):
            raise Forbidden("This page is too old to be sent. Reload it and try again; drafts are kept.")


def _is_own(sent: str, incoming: Request) -> bool:
    """Whether the Origin header *sent* names this server: scheme, host and port."""
    settings = site().settings
    scheme = incoming.scheme if settings.env == "development" else settings.base_url.partition(":")[0].lower()
    own = {origin(settings.base_url), origin(f"{scheme}://{incoming.host}")} - {None}
    return origin(sent) in own


def acting(account: Account | Token) -> Actor:
    """The person or program of *account* as an actor of the engine."""
    if isinstance(account, Token):
        return Actor(name=account.name, role=account.role.value, groups=account.groups, by_program=True)
    stands_in = account.stands_in if account.role is Role.STAFF else ()
    return Actor(name=account.name, role=account.role.value, groups=account.groups, stands_in=stands_in)


def csrf_token() -> str:
    """The token a form must carry; empty if nobody is signed in."""
    session: Session | None = g.get("session")
    return session.csrf if session else ""


def actor() -> Actor:
    """The caller, inside a view whose policy admitted them."""
    found: Actor = g.actor
    return found


def source() -> str:
    """The source of the caller's idempotency keys, inside a view for programs."""
    found: str = g.source
    return found


def is_page() -> bool:
    """Whether one of our own pages calls the API for a person, inside a view for programs."""
    return source().startswith("web:")


def session() -> Session:
    """The session of the caller, inside a view for people."""
    found: Session = g.session
    return found


def say(text: str, kind: NoticeKind = NoticeKind.DONE) -> None:
    """Show *text* on the next page. It is stored in the session's row, so pass no patient data."""
    site().accounts.leave_notice(session(), as_stored(Notice(kind, text)))


def say_failed(text: str) -> None:
    """Show on the next page, as an alert, that what was asked for did not work."""
    say(text, NoticeKind.FAILED)
