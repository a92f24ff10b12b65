"""Who asks, and what they may: every operation declares exactly one of `requires`, `authenticated` and `public`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Protocol, TypeVar

from fastapi import Depends, Request, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from transactional.core.context import shop_of
from transactional.core.errors import Forbidden, NotFound, Unauthenticated
from transactional.core.permissions import check_known

Marker = Callable[..., Awaitable[None]]

# Declares the scheme in the OpenAPI document; the header itself is read by `identify`, once a request.
_bearer = HTTPBearer(auto_error=False, description="The access token from `POST /v1/auth/login`")
_Bearer = Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever sends a request."""

    user_id: int | None = None
    customer_id: int | None = None
    permissions: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    session_id: str | None = None
    """The family of refresh tokens that the access token belongs to."""

    @property
    def name(self) -> str:
        """As the journal writes it: `user:12` or `anonymous`."""
        return "anonymous" if self.user_id is None else f"user:{self.user_id}"

    def may(self, permission: str) -> bool:
        """Whether the actor holds a permission key; ValueError for a key that does not exist."""
        return check_known(permission) in self.permissions


ANONYMOUS = Actor()


@dataclass(frozen=True, slots=True)
class Identity:
    """The outcome of looking at the request's credentials: an actor, or why they do not count."""

    actor: Actor
    refusal: Unauthenticated | None = None


async def identify(request: Request) -> Identity:
    """Look at the bearer token, once a request. Never refuses by itself: a public operation may not care."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if not scheme:
        return Identity(ANONYMOUS)
    if scheme.lower() != "bearer" or not token.strip():
        return Identity(ANONYMOUS, Unauthenticated("the Authorization header must read: Bearer <access token>"))
    try:
        # Rights are read from the database; who brings no token is known without a trip to the thread pool.
        actor = await run_in_threadpool(shop_of(request).authenticate, token.strip())
    except Unauthenticated as refusal:
        return Identity(ANONYMOUS, refusal)
    request.state.actor = actor.name  # the request log names it
    return Identity(actor)


IdentityDep = Annotated[Identity, Depends(identify)]


async def optional_actor(identity: IdentityDep) -> Actor:
    """The caller, `ANONYMOUS` without credentials; stale credentials are refused, so that the client renews them."""
    if identity.refusal is not None:
        raise identity.refusal
    return identity.actor


async def current_actor(actor: Annotated[Actor, Depends(optional_actor)]) -> Actor:
    """The caller, who must be logged in."""
    if actor.user_id is None:
        raise Unauthenticated("this needs a logged-in user")
    return actor


OptionalActor = Annotated[Actor, Depends(optional_actor)]
CurrentActor = Annotated[Actor, Depends(current_actor)]


def requires(permission: str) -> Marker:
    """Admit only callers who hold this permission (401 without log-in, 403 without the key)."""
    check_known(permission)

    async def check(actor: CurrentActor, _credentials: _Bearer) -> None:
        if not actor.may(permission):
            raise Forbidden(f"this needs the permission {permission}", permission=permission)

    return _marked(check, permission)


def authenticated() -> Marker:
    """Admit every logged-in caller; what is theirs decides the handler with `own_or_404`."""

    async def check(_actor: CurrentActor, _credentials: _Bearer) -> None:
        """`current_actor` has refused already whoever is not logged in."""

    return _marked(check, "authenticated")


def public() -> Marker:
    """Admit everybody."""

    async def check() -> None:
        """Nothing to check: the mark itself says that this is meant."""

    return _marked(check, "public")


def _marked(check: Marker, access: str) -> Marker:
    check.access = access  # type: ignore[attr-defined]
    return check


def access_marks(dependencies: list[Any]) -> list[str]:
    """The access rules among a route's `dependencies`; the tests demand exactly one for every operation."""
    calls = (getattr(dependency, "dependency", None) for dependency in dependencies)
    return [str(call.access) for call in calls if call is not None and hasattr(call, "access")]


class Owned(Protocol):
    """Something that belongs to a customer."""

    @property
    def customer_id(self) -> int | None:
        """The owner."""
        ...


OwnedT = TypeVar("OwnedT", bound=Owned)


def own_or_404(thing: OwnedT | None, actor: Actor, *, what: str = "object", staff: str | None = None) -> OwnedT:
    """The thing, if it is the actor's own or the actor holds the permission `staff`; else NotFound.

    Absent and foreign answer alike, so that nobody can probe for what others have.
    """
    if thing is not None:
        own = actor.customer_id is not None and thing.customer_id == actor.customer_id
        if own or (staff is not None and actor.may(staff)):
            return thing
    raise NotFound(f"no such {what}")
