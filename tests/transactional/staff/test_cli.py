"""The operator's commands."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from transactional.__main__ import main
from transactional.accounts.models import User
from transactional.core.db import make_engine
from transactional.core.journal import JournalEntry
from transactional.core.uow import Database
from transactional.settings import get_settings
from transactional.staff import service

PASSWORD = "a long walk by the sea"


@pytest.fixture(autouse=True)
def shop_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("MLT_VAR", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    get_settings.cache_clear()
    yield tmp_path
    get_settings.cache_clear()


def shop(folder: Path) -> Database:
    return Database(make_engine(f"sqlite:///{folder / 'shop.db'}"))


@pytest.mark.slow
def test_an_operator_makes_a_super_admin(
    shop_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ADMIN_PASSWORD", PASSWORD)
    command = ["create-admin", "--email", "Root@example.com", "--password-env", "ADMIN_PASSWORD"]
    assert main(command) == 0
    assert main(["create-admin", "--email", "root@EXAMPLE.com"]) == 0  # again: nothing changes
    assert "keeps its password" in capsys.readouterr().out
    database = shop(shop_folder)
    with database.read() as session:
        user = session.scalars(select(User)).one()
        names, _ = service.rights_of(session, user_id=user.id, is_customer=False, now=database.clock.now())
        assert names == {"super_admin"}
        actors = set(session.scalars(select(JournalEntry.actor).where(JournalEntry.table_name == "user_roles")))
    assert actors == {"command-line"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["create-admin", "--email", "root@example.com"], "--password"),
        (["create-admin", "--email", "root@example.com", "--password", "short"], "password has 10"),
        (["create-admin", "--email", "root", "--password", PASSWORD], "e-mail"),
        (["create-admin", "--email", "root@example.com", "--password-env", "NOT_SET_ANYWHERE"], "NOT_SET_ANYWHERE"),
        (["remove-admin", "--email", "nobody@example.com"], "no account"),
    ],
)
def test_bad_input_ends_with_code_2_and_a_reason(
    arguments: list[str], word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert word in capsys.readouterr().err


@pytest.mark.slow
def test_the_last_super_admin_stays(capsys: pytest.CaptureFixture[str]) -> None:
    main(["create-admin", "--email", "root@example.com", "--password", PASSWORD])
    assert main(["remove-admin", "--email", "root@example.com"]) == 2
    assert "last super admin" in capsys.readouterr().err
    main(["create-admin", "--email", "deputy@example.com", "--password", PASSWORD])
    assert main(["remove-admin", "--email", "root@example.com"]) == 0
