"""Log-in, rotation and log-out. A session is a family of refresh tokens, one family a device.

These steps need transactions of their own (a hash takes longer than a write lock may be held; a revocation must
outlive the refusal that it comes with), so they take the database and not a session.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from transactional.accounts.models import RefreshToken, User
from transactional.accounts.service import (
    check_password_rules,
    end_access_tokens,
    get_user,
    normalise_email,
)
from transactional.core.errors import InvalidInput, NotFound, Unauthenticated
from transactional.core.ids import public_id
from transactional.core.security import PasswordHasher, TokenSigner, new_refresh_token, token_hash
from transactional.core.uow import Database

_REFUSAL = "the e-mail address or the password is wrong"


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a client keeps of its session."""

    access_token: str
    refresh_token: str
    expires_in: int
    """Seconds that the access token lives."""


@dataclass(frozen=True, slots=True)
class SessionKeeper:
    """Opens, renews and ends sessions."""

    database: Database
    signer: TokenSigner
    hasher: PasswordHasher
    refresh_lifetime: timedelta

    def log_in(self, *, email: str, password: str, user_agent: str | None, request_id: str | None) -> TokenPair:
        """A new session. Unauthenticated in the same words and time whether the account is missing or the password."""
        with self.database.read() as session:
            user = _user_or_none(session, email)
        stored = None if user is None else user.password_hash
        # Outside of any transaction: hashing is slow by design.
        if not self.hasher.verify(stored, password) or user is None or stored is None:
            raise Unauthenticated(_REFUSAL)
        upgraded = self.hasher.hash(password) if self.hasher.needs_upgrade(stored) else None
        return self.database.run(
            lambda session: self._open(
                session, user_id=user.id, verified=stored, upgraded=upgraded, user_agent=user_agent
            ),
            actor=f"user:{user.id}",
            request_id=request_id,
        )

    def _open(
        self, session: Session, *, user_id: int, verified: str, upgraded: str | None, user_agent: str | None
    ) -> TokenPair:
        user = session.get_one(User, user_id, with_for_update=True)
        # Between the check and now the password may have changed or the account been closed.
        if not user.is_active or user.password_hash != verified:
            raise Unauthenticated(_REFUSAL)
        if upgraded is not None:
            user.password_hash = upgraded
        return self._issue(session, user=user, family_id=public_id("ses"), user_agent=user_agent)

    def refresh(self, *, token: str, user_agent: str | None, request_id: str | None) -> TokenPair:
        """The next pair of a session; the token given is used up. Using it again ends the whole session.

        Unauthenticated for an unknown, used, ended or outlived token.
        """
        pair = self.database.run(
            lambda session: self._rotate(session, token=token, user_agent=user_agent),
            actor="refresh",
            request_id=request_id,
        )
        # Raised only here, after the commit: the revocation of a reused family must outlive the refusal.
        if pair is None:
            raise Unauthenticated("the refresh token is not valid; log in again")
        return pair

    def _rotate(self, session: Session, *, token: str, user_agent: str | None) -> TokenPair | None:
        now = self.database.clock.now()
        rotate = (
            update(RefreshToken)
            .where(
                RefreshToken.token_hash == token_hash(token),
                RefreshToken.rotated_at.is_(None),
                RefreshToken.revoked_at.is_(None),
                RefreshToken.expires_at > now,
            )
            .values(rotated_at=now)
            .returning(RefreshToken.user_id, RefreshToken.family_id)
        )
        rotated = session.execute(rotate).one_or_none()
        if rotated is None:
            _end_reused_family(session, token=token, now=now)
            return None
        user = session.get_one(User, rotated.user_id)
        if not user.is_active:
            return None
        return self._issue(session, user=user, family_id=rotated.family_id, user_agent=user_agent)

    def _issue(self, session: Session, *, user: User, family_id: str, user_agent: str | None) -> TokenPair:
        now = self.database.clock.now()
        token = new_refresh_token()
        session.add(
            RefreshToken(
                user_id=user.id,
                family_id=family_id,
                token_hash=token_hash(token),
                user_agent=user_agent[:200] if user_agent else None,
                issued_at=now,
                expires_at=now + self.refresh_lifetime,
            )
        )
        access = self.signer.sign(user_id=user.id, epoch=user.session_epoch, session_id=family_id, now=now)
        return TokenPair(access_token=access, refresh_token=token, expires_in=int(self.signer.lifetime.total_seconds()))

    def change_password(self, *, user_id: int, current: str, new: str, request_id: str | None) -> None:
        """Set another password and end every session. InvalidInput when the present one is wrong or the new one bad."""
        with self.database.read() as session:
            user = get_user(session, user_id)
        check_password_rules(new, email_key=user.email_key)
        if not self.hasher.verify(user.password_hash, current):
            raise InvalidInput("the present password is wrong", field="body.current_password")
        new_hash = self.hasher.hash(new)

        def change(session: Session) -> None:
            get_user(session, user_id).password_hash = new_hash
            end_all_sessions(session, user_id=user_id, now=self.database.clock.now())

        self.database.run(change, actor=f"user:{user_id}", request_id=request_id)


def _user_or_none(session: Session, email: str) -> User | None:
    try:
        key = normalise_email(email)
    except InvalidInput:
        return None  # an impossible address is answered like an unknown one
    return session.scalar(select(User).where(User.email_key == key))


def _end_reused_family(session: Session, *, token: str, now: datetime) -> None:
    known = session.scalar(select(RefreshToken).where(RefreshToken.token_hash == token_hash(token)))
    if known is not None and known.rotated_at is not None:
        _revoke(session, RefreshToken.family_id == known.family_id, now=now)


def _revoke(session: Session, which: object, *, now: datetime) -> int:
    statement = update(RefreshToken).where(which, RefreshToken.revoked_at.is_(None))  # type: ignore[arg-type]
    return session.connection().execute(statement.values(revoked_at=now)).rowcount


def purge_outlived_tokens(session: Session, *, now: datetime) -> int:
    """Delete the tokens whose time is over; gives how many. Until then a used one must be known, to see its reuse."""
    return session.connection().execute(delete(RefreshToken).where(RefreshToken.expires_at <= now)).rowcount


@dataclass(frozen=True, slots=True)
class DeviceSession:
    """One device's session as its owner sees it."""

    id: str
    user_agent: str | None
    last_used_at: datetime
    expires_at: datetime


def list_sessions(session: Session, *, user_id: int, now: datetime) -> list[DeviceSession]:
    """The user's live sessions, the one used last first. The live link of a family is the one not rotated yet."""
    live = (
        select(RefreshToken)
        .where(
            RefreshToken.user_id == user_id,
            RefreshToken.revoked_at.is_(None),
            RefreshToken.rotated_at.is_(None),
            RefreshToken.expires_at > now,
        )
        .order_by(RefreshToken.issued_at.desc(), RefreshToken.id.desc())
    )
    return [
        DeviceSession(token.family_id, token.user_agent, token.issued_at, token.expires_at)
        for token in session.scalars(live)
    ]


def end_session(session: Session, *, user_id: int, session_id: str, now: datetime) -> None:
    """End one device's session, access token included. NotFound when the user has no such live session."""
    mine = (RefreshToken.family_id == session_id) & (RefreshToken.user_id == user_id)
    if _revoke(session, mine, now=now) == 0:
        raise NotFound("no such session")


def end_all_sessions(session: Session, *, user_id: int, now: datetime) -> None:
    """End every session of the user, on every device."""
    _revoke(session, RefreshToken.user_id == user_id, now=now)
    end_access_tokens(session, user_id=user_id)
