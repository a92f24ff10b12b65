"""Passwords, tokens, and the installation's own secret."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest

from transactional.core.errors import Unauthenticated
from transactional.core.security import PasswordHasher, TokenSigner, jwt_secret, new_refresh_token, token_hash
from transactional.settings import Settings

NOW = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)
SECRET = "s" * 32


@pytest.fixture
def signer() -> TokenSigner:
    return TokenSigner(SECRET, lifetime=timedelta(minutes=15))


def test_a_hash_verifies_its_password_only() -> None:
    hasher = PasswordHasher.cheap()
    stored = hasher.hash("पासवर्ड 🔑")
    assert hasher.verify(stored, "पासवर्ड 🔑")
    assert not hasher.verify(stored, "पासवर्ड")
    assert not hasher.verify("not a hash", "पासवर्ड 🔑")


def test_without_a_stored_hash_nothing_fits() -> None:
    assert not PasswordHasher.cheap().verify(None, "anything")


def test_weaker_parameters_ask_for_an_upgrade() -> None:
    stored = PasswordHasher.cheap().hash("x")
    assert PasswordHasher().needs_upgrade(stored)
    assert PasswordHasher().verify(stored, "x")
    assert not PasswordHasher.cheap().needs_upgrade(stored)


def test_a_token_says_who_until_its_time_is_over(signer: TokenSigner) -> None:
    token = signer.sign(user_id=7, epoch=2, session_id="ses_1", now=NOW)
    claims = signer.read(token, now=NOW + timedelta(minutes=14, seconds=59))
    assert (claims.user_id, claims.epoch, claims.session_id) == (7, 2, "ses_1")
    with pytest.raises(Unauthenticated):
        signer.read(token, now=NOW + timedelta(minutes=15))


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"typ": "refresh", "sub": "7", "epoch": 0, "sid": "s", "exp": 4_000_000_000},
        {"typ": "access", "sub": "seven", "epoch": 0, "sid": "s", "exp": 4_000_000_000},
        {"typ": "access", "sub": "7", "epoch": 0, "sid": "s", "exp": 10**30},
        {"typ": "access", "sub": "7", "sid": "s", "exp": 4_000_000_000},
    ],
)
def test_a_well_signed_token_of_another_shape_is_refused(signer: TokenSigner, claims: dict[str, object]) -> None:
    with pytest.raises(Unauthenticated):
        signer.read(jwt.encode(claims, SECRET, algorithm="HS256"), now=NOW)


def test_foreign_and_unsigned_tokens_are_refused(signer: TokenSigner) -> None:
    claims = {"typ": "access", "sub": "1", "epoch": 0, "sid": "s", "exp": 4_000_000_000}
    for token in (
        jwt.encode(claims, "t" * 32, algorithm="HS256"),
        jwt.encode(claims, None, algorithm="none"),
        jwt.encode(claims, SECRET * 2, algorithm="HS512"),
        "a.b.c",
        "",
        "💥",
    ):
        with pytest.raises(Unauthenticated):
            signer.read(token, now=NOW)


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 32 bytes"):
        TokenSigner("short", lifetime=timedelta(minutes=1))


def test_refresh_tokens_are_random_and_stored_as_hashes() -> None:
    token = new_refresh_token()
    assert token != new_refresh_token()
    assert token not in token_hash(token)
    assert len(token_hash(token)) == 64


def test_a_configured_secret_wins(tmp_path: Path) -> None:
    assert jwt_secret(Settings(var=tmp_path, jwt_secret="x" * 40)) == "x" * 40  # type: ignore[arg-type]
    assert not (tmp_path / "secrets").exists()


def test_the_installations_secret_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    settings = Settings(var=tmp_path)
    secret = jwt_secret(settings)
    assert len(secret) >= 64
    assert jwt_secret(settings) == secret
    path = tmp_path / "secrets" / "jwt.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["jwt.key"]


@pytest.mark.slow
def test_processes_that_start_at_once_agree_on_the_secret(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from transactional.core.security import jwt_secret;"
        "from transactional.settings import Settings; sys.stdin.read(1);"
        "print(jwt_secret(Settings(var=Path(sys.argv[1]))))"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("x")
        process.stdin.flush()
    secrets = {process.communicate()[0].strip() for process in processes}
    assert len(secrets) == 1
    assert len(secrets.pop()) >= 64
