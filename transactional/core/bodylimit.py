"""How large a request may be. The framework's own limit answers in plain text; this one with a problem document."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES = 2 * 1024 * 1024


class BodyLimitMiddleware:
    """Refuses a body beyond the limit, whether its length was announced or not (413)."""

    def __init__(self, app: ASGIApp, limit: int = MAX_BODY_BYTES) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what the handler reads; the error is raised where it reads, so the app's handlers shape the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = _content_length(scope)
        taken = 0

        async def receive_within_limit() -> Message:
            nonlocal taken
            self._check(announced)
            message = await receive()
            taken += len(message.get("body", b""))
            self._check(taken)
            return message

        await self._app(scope, receive_within_limit, send)

    def _check(self, size: int) -> None:
        if size > self._limit:
            raise HTTPException(413, f"a request holds at most {self._limit} bytes")


def _content_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0
