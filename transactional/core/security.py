"""Passwords and tokens: Argon2id hashes, signed access tokens, opaque refresh tokens, the installation's own secret."""

import hashlib
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import argon2
import jwt
from argon2.exceptions import InvalidHashError, VerificationError

from transactional.core.errors import Unauthenticated
from transactional.settings import Settings

_ALGORITHM = "HS256"
_MIN_SECRET_BYTES = 32

# OWASP password storage cheat sheet: Argon2id with 19 MiB, so that many log-ins at once fit a small machine.
_STRONG = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# For histories that nobody logs in to: simulations register thousands of shoppers.
_CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class PasswordHasher:
    """Argon2id with parameters that travel inside the hash, so that old hashes verify and can be upgraded."""

    def __init__(self, argon: argon2.PasswordHasher = _STRONG) -> None:
        self._argon = argon
        self._dummy = argon.hash(secrets.token_hex(16))

    @classmethod
    def cheap(cls) -> "PasswordHasher":
        """The weakest parameters Argon2 has; its hashes are upgraded at the first real log-in."""
        return cls(_CHEAP)

    def hash(self, password: str) -> str:
        """A salted hash with its parameters."""
        return self._argon.hash(password)

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether the password fits; without a stored hash the same work is done and the answer is no."""
        try:
            return self._argon.verify(stored or self._dummy, password) and stored is not None
        except (VerificationError, InvalidHashError):
            return False

    def needs_upgrade(self, stored: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._argon.check_needs_rehash(stored)


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What an access token says."""

    user_id: int
    epoch: int
    session_id: str
    expires_at: datetime


class TokenSigner:
    """Signs and reads access tokens (JWT, HS256). Time is the shop's clock, never the library's."""

    def __init__(self, secret: str, *, lifetime: timedelta) -> None:
        if len(secret.encode()) < _MIN_SECRET_BYTES:
            raise ValueError(f"MLT_JWT_SECRET must have at least {_MIN_SECRET_BYTES} bytes")
        self._secret = secret
        self.lifetime = lifetime

    def sign(self, *, user_id: int, epoch: int, session_id: str, now: datetime) -> str:
        """A token for one user's session."""
        claims = {
            "typ": "access",
            "sub": str(user_id),
            "epoch": epoch,
            "sid": session_id,
            "iat": int(now.timestamp()),
            "exp": int((now + self.lifetime).timestamp()),
        }
        return jwt.encode(claims, self._secret, algorithm=_ALGORITHM)

    def read(self, token: str, *, now: datetime) -> AccessClaims:
        """What a token says, if we signed it and its time is not over; else Unauthenticated."""
        # The library would compare with the machine's clock; the time is checked below.
        options: jwt.types.Options = {
            "verify_exp": False,
            "verify_iat": False,
            "require": ["sub", "exp", "epoch", "sid", "typ"],
        }
        try:
            payload: dict[str, Any] = jwt.decode(token, self._secret, algorithms=[_ALGORITHM], options=options)
            claims = AccessClaims(
                user_id=int(payload["sub"]),
                epoch=int(payload["epoch"]),
                session_id=str(payload["sid"]),
                expires_at=datetime.fromtimestamp(int(payload["exp"]), UTC),
            )
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError):
            raise Unauthenticated("the access token is not valid") from None
        if payload["typ"] != "access" or claims.expires_at <= now:
            raise Unauthenticated("the access token has expired")
        return claims


def new_refresh_token() -> str:
    """An opaque token of 256 random bits."""
    return "rt_" + secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What the database keeps of a token. The token is random, so a fast hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def jwt_secret(settings: Settings) -> str:
    """The secret from the settings, else this installation's own, made on first use under `var/secrets`."""
    if settings.jwt_secret is not None:
        return settings.jwt_secret.get_secret_value()
    return _installation_secret(settings.var / "secrets" / "jwt.key")


def _installation_secret(path: Path) -> str:
    """Read the secret file, or make it. Two processes that start at once agree: the first link wins."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(draft, path)  # refuses to replace, and shows the file only when it is whole
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
