"""Who may do what: roles as rows, granted under the rule that nobody gives a key they do not hold."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import Select, bindparam, delete, or_, select
from sqlalchemy.orm import Session

from transactional.accounts import service as accounts
from transactional.core.access import Actor
from transactional.core.db import insert_into
from transactional.core.errors import Conflict, Forbidden, InvalidInput, NotFound, Unauthenticated
from transactional.core.security import TokenSigner
from transactional.core.uow import Database
from transactional.staff import roles as vocabulary
from transactional.staff.models import Role, RolePermission, UserRole

log = structlog.stdlib.get_logger("transactional.staff")


@dataclass(frozen=True, slots=True)
class RoleView:
    """A role with what it permits."""

    id: int
    key: str
    name: str
    permissions: frozenset[str]


@dataclass(frozen=True, slots=True)
class Grant:
    """A role that somebody holds."""

    user_id: int
    role: str
    granted_by: str
    granted_at: datetime
    expires_at: datetime | None


# --- roles ------------------------------------------------------------------------------------------------------------


def seed_roles(session: Session) -> None:
    """Make the roles that a shop starts with; a role that is there keeps what the shop made of it."""
    present = set(session.scalars(select(Role.key)))
    for key, (name, permissions) in vocabulary.SEEDS.items():
        if key in present:
            continue
        role = Role(key=key, name=name)
        session.add(role)
        session.flush()
        session.add_all(RolePermission(role_id=role.id, permission=permission) for permission in sorted(permissions))


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


# --- rights -----------------------------------------------------------------------------------------------------------


# Asked with every request that carries a token, so it is built once.
_RIGHTS = (
    select(Role.key, RolePermission.permission)
    .outerjoin(RolePermission, RolePermission.role_id == Role.id)
    .where(
        or_(
            Role.key.in_(bindparam("derived", expanding=True)),
            Role.id.in_(
                select(UserRole.role_id).where(
                    UserRole.user_id == bindparam("user_id"),
                    or_(UserRole.expires_at.is_(None), UserRole.expires_at > bindparam("now")),
                )
            ),
        )
    )
)


def rights_of(
    session: Session, *, user_id: int, is_customer: bool, now: datetime
) -> tuple[frozenset[str], frozenset[str]]:
    """A user's roles and permissions at a moment: the union over the grants that have not run out."""
    derived = sorted(vocabulary.DERIVED) if is_customer else []
    rows = session.execute(_RIGHTS, {"user_id": user_id, "now": now, "derived": derived})
    stored: defaultdict[str, set[str]] = defaultdict(set)
    for key, permission in rows:
        stored[key].update(() if permission is None else (permission,))
    permissions = (vocabulary.effective(key, frozenset(keys)) for key, keys in stored.items())
    return frozenset(stored), frozenset[str]().union(*permissions)


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


# --- grants -----------------------------------------------------------------------------------------------------------


def list_grants(session: Session, *, user_id: int, now: datetime) -> list[Grant]:
    """The roles that a user was given and that have not run out, oldest first."""
    return _grants(session, _live_grants(now).where(UserRole.user_id == user_id))


def list_members(session: Session, *, now: datetime) -> list[Grant]:
    """Every grant that has not run out: who works here."""
    return _grants(session, _live_grants(now))


def grant_role(
    session: Session, *, actor: Actor, user_id: int, role_key: str, now: datetime, expires_at: datetime | None = None
) -> Grant:
    """Give a user a role, or move its end. The user's access tokens die, so that the next ones know.

    Forbidden for a role that only the command line gives, for oneself, and for a role with a key that the actor does
    not hold; InvalidInput for an end that is past and for roles that nobody is given.
    """
    role = role_by_key(session, role_key)
    check_may_handle(role, actor=actor, user_id=user_id)
    if expires_at is not None and expires_at <= now:
        raise InvalidInput("a grant ends in the future", field="body.expires_at")
    accounts.get_user(session, user_id)
    return _write_grant(session, role=role, user_id=user_id, granted_by=actor.name, now=now, expires_at=expires_at)


def revoke_role(session: Session, *, actor: Actor, user_id: int, role_key: str) -> None:
    """Take a role from a user, at once. Forbidden as in `grant_role`; NotFound when the user does not hold it."""
    role = role_by_key(session, role_key)
    check_may_handle(role, actor=actor, user_id=user_id)
    _delete_grant(session, role=role, user_id=user_id)


def make_super_admin(session: Session, *, user_id: int, now: datetime) -> Grant:
    """Give every permission: the operator's command only."""
    role = role_by_key(session, vocabulary.SUPER_ADMIN)
    return _write_grant(session, role=role, user_id=user_id, granted_by="command-line", now=now, expires_at=None)


def remove_super_admin(session: Session, *, user_id: int) -> None:
    """Take every permission: the operator's command only. Conflict for the last super admin."""
    role = role_by_key(session, vocabulary.SUPER_ADMIN)
    # The role's row is the lock: of two who remove each other at the same time, the second must see the first.
    session.execute(select(Role.id).where(Role.id == role.id).with_for_update())
    holders = set(session.scalars(select(UserRole.user_id).where(UserRole.role_id == role.id)))
    remaining = [other for other in holders - {user_id} if accounts.get_user(session, other).is_active]
    if user_id in holders and not remaining:
        raise Conflict("the last super admin cannot be removed")
    _delete_grant(session, role=role, user_id=user_id)


def check_may_handle(role: RoleView, *, actor: Actor, user_id: int) -> None:
    """Whether the actor may give this role to the user, or take it: nobody hands on a key that they do not hold."""
    if role.key in vocabulary.DERIVED:
        raise InvalidInput(f"nobody is given the role {role.key!r}: it comes with the account", field="body.role")
    if role.key in vocabulary.COMMAND_LINE_ONLY:
        raise Forbidden(f"the role {role.key!r} is given and taken on the command line only")
    if actor.user_id == user_id:
        raise Forbidden("nobody changes their own roles")
    missing = sorted(role.permissions - actor.permissions)
    if missing:
        log.warning("grant refused", actor=actor.name, role=role.key, user_id=user_id, missing=missing)
        raise Forbidden("you do not hold every permission of this role", missing=missing)


def _write_grant(
    session: Session, *, role: RoleView, user_id: int, granted_by: str, now: datetime, expires_at: datetime | None
) -> Grant:
    values = {"granted_by": granted_by, "granted_at": now, "expires_at": expires_at}
    statement = insert_into(session, UserRole).values(user_id=user_id, role_id=role.id, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["user_id", "role_id"], set_=values))
    accounts.end_access_tokens(session, user_id=user_id)
    return Grant(user_id=user_id, role=role.key, granted_by=granted_by, granted_at=now, expires_at=expires_at)


def _delete_grant(session: Session, *, role: RoleView, user_id: int) -> None:
    held = delete(UserRole).where(UserRole.user_id == user_id, UserRole.role_id == role.id)
    if session.connection().execute(held).rowcount == 0:
        raise NotFound(f"the user does not hold the role {role.key!r}")
    accounts.end_access_tokens(session, user_id=user_id)


def _live_grants(now: datetime) -> Select[UserRole, str]:
    unexpired = or_(UserRole.expires_at.is_(None), UserRole.expires_at > now)
    return select(UserRole, Role.key).join(Role, Role.id == UserRole.role_id).where(unexpired)


def _grants(session: Session, statement: Select[UserRole, str]) -> list[Grant]:
    rows = session.execute(statement.order_by(UserRole.id))
    return [Grant(row.user_id, key, row.granted_by, row.granted_at, row.expires_at) for row, key in rows]
