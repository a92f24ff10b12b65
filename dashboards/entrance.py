"""The entrance: a plain HTML log-in outside of Streamlit, since only an HTTP answer sets a cookie hidden from scripts.

Whoever is not logged in gets no page and no exported file; the pages ask again by themselves (`lib/session.py`), since
Streamlit talks over a web socket that stays open.
"""

import html
from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboards.lib.access import LoginRefusedError, ShopUnreachableError
from dashboards.lib.logins import COOKIE, LIFETIME_SECONDS, Logins

LOGIN_PATH = "/login"
# Streamlit's own plumbing and assets, which hold no figure: health, the web socket, scripts and styles.
_OPEN = ("/_stcore/", "/static/", "/component/")
_MAX_BODY_BYTES = 10_000

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Log in – My Little Things</title>
<style>
body {{ font: 16px/1.5 sans-serif; color: #31333f; margin: 0; display: grid; place-items: center; min-height: 100vh; }}
main {{ width: min(26rem, calc(100vw - 3rem)); }}
h1 {{ font-size: 1.9rem; margin: 0 0 .25rem; }}
p {{ margin: 0 0 1.25rem; color: #5f6270; }}
label {{ display: block; margin-bottom: 1rem; font-size: .9rem; }}
input {{ box-sizing: border-box; width: 100%; padding: .6rem; margin-top: .25rem; font: inherit;
  border: 1px solid #c9cad1; border-radius: .5rem; }}
button {{ padding: .6rem 1.4rem; font: inherit; color: white; background: #b4436c; border: 0; border-radius: .5rem; }}
input:focus-visible, button:focus-visible {{ outline: 3px solid #e3a8bf; }}
.error {{ padding: .7rem; color: #7d1d1d; background: #fdecec; border-radius: .5rem; }}
</style></head><body><main>
<h1>My Little Things</h1><p>Log in with your staff account of the shop.</p>
{error}
<form method="post" action="{action}">
<label>E-mail<input name="email" type="email" value="{email}" autocomplete="username" required autofocus></label>
<label>Password<input name="password" type="password" autocomplete="current-password" required></label>
<button type="submit">Log in</button>
</form></main></body></html>
"""
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def routes(logins: Logins) -> list[Route]:
    """`/login`: the form, and what it sends."""

    async def show(request: Request) -> Response:
        if logins.knows(request.cookies.get(COOKIE)):
            return RedirectResponse(_wanted(request), status_code=303)
        return _form(request)

    async def enter(request: Request) -> Response:
        if not _from_here(request):
            return PlainTextResponse("This form was sent from another site.", status_code=403)
        if int(request.headers.get("content-length") or _MAX_BODY_BYTES) >= _MAX_BODY_BYTES:
            return PlainTextResponse("This is no log-in.", status_code=413)
        form = await request.form()
        email, password = str(form.get("email", "")), str(form.get("password", ""))
        try:
            token = await run_in_threadpool(logins.begin, email, password)
        except ShopUnreachableError as error:
            return _form(request, email=email, error=str(error), status=503)
        except LoginRefusedError as error:
            return _form(request, email=email, error=str(error), status=401)
        await run_in_threadpool(logins.end, request.cookies.get(COOKIE))
        answer = RedirectResponse(_wanted(request), status_code=303)
        answer.set_cookie(
            COOKIE,
            token,
            max_age=LIFETIME_SECONDS,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return answer

    return [Route(LOGIN_PATH, show, methods=["GET"]), Route(LOGIN_PATH, enter, methods=["POST"])]


class Guard:
    """ASGI middleware: pages and files are for people who are logged in; others are sent to the form."""

    def __init__(self, app: ASGIApp, logins: Logins) -> None:
        self._app = app
        self._logins = logins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through, send to the form, or refuse."""
        if scope["type"] != "http" or _is_open(scope["path"]):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        if self._logins.knows(request.cookies.get(COOKIE)):
            await self._app(scope, receive, send)
            return
        await _refusal(request)(scope, receive, send)


def login_url(wanted: str) -> str:
    """Where to log in, and come back from to `wanted` (path and query)."""
    return LOGIN_PATH if wanted == "/" else f"{LOGIN_PATH}?next={quote(wanted, safe='')}"


def _is_open(path: str) -> bool:
    return path == LOGIN_PATH or path.startswith(_OPEN)


def _refusal(request: Request) -> Response:
    if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(login_url(request.url.path + query), status_code=303)
    return PlainTextResponse("Log in first.", status_code=401)


def _form(request: Request, *, email: str = "", error: str = "", status: int = 200) -> Response:
    content = _PAGE.format(
        action=html.escape(login_url(_wanted(request))),
        email=html.escape(email),
        error=f'<p class="error" role="alert">{html.escape(error)}</p>' if error else "",
    )
    return HTMLResponse(content, status_code=status, headers=_HEADERS)


def _wanted(request: Request) -> str:
    """The page that was asked for: a path of this very server, never another site."""
    wanted = request.query_params.get("next", "/")
    parts = urlsplit(wanted)
    is_path = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return wanted if is_path and wanted.isprintable() and not _is_open(parts.path) else "/"


def _from_here(request: Request) -> bool:
    """Whether our own form sent this: no other site may log somebody in under an account of its choice."""
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return False
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")
