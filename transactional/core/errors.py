"""Errors the shop answers with: one base class, each with a stable type and HTTP status (RFC 9457)."""

from typing import Any, ClassVar

PROBLEM_BASE = "urn:my-little-things:problem:"


class ShopError(Exception):
    """A refusal with a reason. `detail` is for the person who asked; `extra` goes into the problem document."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad-request"
    title: ClassVar[str] = "The request cannot be fulfilled"

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra

    @property
    def type_uri(self) -> str:
        """The problem's stable identifier."""
        return PROBLEM_BASE + self.code


class InvalidInput(ShopError):
    """Well-formed, but against a rule of the shop."""

    status = 422
    code = "invalid-input"
    title = "The input breaks a rule"


class NotFound(ShopError):
    """Absent, or not the caller's own: the two are not told apart."""

    status = 404
    code = "not-found"
    title = "Not found"


class Unauthenticated(ShopError):
    """No valid proof of who is asking."""

    status = 401
    code = "unauthenticated"
    title = "Log in first"


class Forbidden(ShopError):
    """Known caller, missing permission."""

    status = 403
    code = "forbidden"
    title = "Permission missing"


class Conflict(ShopError):
    """Somebody or something else was faster, or the state forbids it."""

    status = 409
    code = "conflict"
    title = "Conflict with the present state"


class IllegalTransition(Conflict):
    """The state machine knows no such step."""

    code = "illegal-transition"
    title = "This step is not possible from here"


class OutOfStock(Conflict):
    """Fewer units are saleable than were asked for."""

    code = "out-of-stock"
    title = "Not enough stock"


class IdempotencyMismatch(ShopError):
    """The key was used before with another body."""

    status = 422
    code = "idempotency-key-reused"
    title = "This idempotency key belongs to another request"


class TooManyRequests(ShopError):
    """Slow down."""

    status = 429
    code = "too-many-requests"
    title = "Too many requests"


class Unavailable(ShopError):
    """An outside service or the database does not answer; trying again is safe."""

    status = 503
    code = "unavailable"
    title = "Temporarily unavailable"
