"""Who may do what: roles as rows, granted under the rule that nobody gives a key they do not hold."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from transactional.accounts import service as accounts
from transactional.core.access import Actor
from transactional.core.errors import NotFound, Unauthenticated
from transactional.core.security import TokenSigner
from transactional.core.uow import Database
from transactional.staff import roles as vocabulary
from transactional.staff.models import Role, RolePermission, UserRole


def seed_roles(session: Session, *, now: datetime) -> None:  # noqa: ARG001  the shape of every service function
    """Make the roles that a shop starts with; a role that is there keeps what the shop made of it."""
    present = set(session.scalars(select(Role.key)))
    for key, (name, permissions) in vocabulary.SEEDS.items():
        if key in present:
            continue
        role = Role(key=key, name=name)
        session.add(role)
        session.flush()
        session.add_all(RolePermission(role_id=role.id, permission=key) for key in sorted(permissions))


@dataclass(frozen=True, slots=True)
class RoleView:
    """A role with what it permits."""

    id: int
    key: str
    name: str
    permissions: frozenset[str]


def list_roles(session: Session) -> list[RoleView]:
    """Every role, by id."""
    permissions: defaultdict[int, set[str]] = defaultdict(set)
    for role_id, permission in session.execute(select(RolePermission.role_id, RolePermission.permission)):
        permissions[role_id].add(permission)
    return [
        RoleView(role.id, role.key, role.name, vocabulary.effective(role.key, frozenset(permissions[role.id])))
        for role in session.scalars(select(Role).order_by(Role.id))
    ]


def role_by_key(session: Session, key: str) -> RoleView:
    """A role; NotFound if there is none."""
    for role in list_roles(session):
        if role.key == key:
            return role
    raise NotFound(f"no role {key!r}")


def rights_of(
    session: Session, *, user_id: int, is_customer: bool, now: datetime
) -> tuple[frozenset[str], frozenset[str]]:
    """A user's roles and permissions at a moment: the union over the grants that have not run out."""
    held = or_(
        Role.id.in_(
            select(UserRole.role_id).where(
                UserRole.user_id == user_id, or_(UserRole.expires_at.is_(None), UserRole.expires_at > now)
            )
        ),
        Role.key.in_(vocabulary.DERIVED if is_customer else ()),
    )
    rows = session.execute(
        select(Role.key, RolePermission.permission)
        .outerjoin(RolePermission, RolePermission.role_id == Role.id)
        .where(held)
    )
    stored: defaultdict[str, set[str]] = defaultdict(set)
    for key, permission in rows:
        stored[key].update(() if permission is None else (permission,))
    permissions = (vocabulary.effective(key, frozenset(keys)) for key, keys in stored.items())
    return frozenset(stored), frozenset().union(*permissions)


class Authenticator:
    """Turns an access token into an actor, reading rights anew each time: a revocation counts at the next request."""

    def __init__(self, database: Database, signer: TokenSigner) -> None:
        self._database = database
        self._signer = signer

    def __call__(self, token: str) -> Actor:
        """The holder of the token; Unauthenticated when it is forged, has expired or its session has ended."""
        now = self._database.clock.now()
        claims = self._signer.read(token, now=now)
        with self._database.read() as session:
            holder = accounts.live_session(
                session, user_id=claims.user_id, epoch=claims.epoch, session_id=claims.session_id, now=now
            )
            if holder is None:
                raise Unauthenticated("the session has ended; log in again")
            roles, permissions = rights_of(
                session, user_id=holder.user_id, is_customer=holder.customer_id is not None, now=now
            )
        return Actor(
            user_id=holder.user_id,
            customer_id=holder.customer_id,
            permissions=permissions,
            roles=roles,
            session_id=claims.session_id,
        )
