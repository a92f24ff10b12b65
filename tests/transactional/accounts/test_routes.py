"""Accounts over HTTP: registration, log-in, profile, address book."""

import json
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from tests.support.web import PASSWORD, log_in, make_staff, register
from transactional.accounts.models import Customer, User
from transactional.core.clock import ManualClock
from transactional.core.journal import JournalEntry
from transactional.core.models import OutboxMessage
from transactional.core.security import PasswordHasher
from transactional.core.uow import Database

ADDRESS = {
    "recipient": "आशा राव",
    "line1": "14 Temple Street",
    "city": "Bengaluru",
    "postal_code": "560003",
    "country": "India",
}


def new_shopper(**changes: object) -> dict[str, object]:
    return {"email": "Asha@Example.com", "password": PASSWORD, "full_name": "Asha Rao"} | changes


def mails(database: Database) -> list[dict[str, str]]:
    with database.read() as session:
        return list(session.scalars(select(OutboxMessage.payload).order_by(OutboxMessage.id)))


class TestRegistration:
    def test_a_shopper_registers_and_logs_in_however_the_address_is_typed(self, client: TestClient) -> None:
        assert client.post("/v1/auth/register", json=new_shopper()).status_code == 202
        headers = log_in(client, "  ASHA@example.COM ")
        me = client.get("/v1/me", headers=headers).json()
        assert (me["email"], me["full_name"]) == ("Asha@Example.com", "Asha Rao")
        assert (me["roles"], me["permissions"]) == (["customer"], [])
        assert me["profile"]["city"] is None

    @pytest.mark.slow
    def test_a_known_address_is_answered_alike_and_only_its_owner_hears_of_it(
        self, client: TestClient, database: Database
    ) -> None:
        first = client.post("/v1/auth/register", json=new_shopper())
        second = client.post("/v1/auth/register", json=new_shopper(email="asha@example.com", password="x" * 12))
        third = client.post("/v1/auth/register", json=new_shopper(email="asha@example.com"))
        assert (first.status_code, first.json()) == (second.status_code, second.json())
        assert (second.status_code, second.json()) == (third.status_code, third.json())
        sent = mails(database)
        assert [mail["subject"] for mail in sent] == ["Welcome", "You have an account already"]
        assert {mail["to"] for mail in sent} == {"Asha@Example.com"}
        log_in(client, "asha@example.com")  # the first password still stands
        with database.read() as session:
            assert session.scalar(select(func.count()).select_from(User)) == 1

    @pytest.mark.parametrize(
        ("changes", "word"),
        [
            ({"email": "nobody"}, "e-mail"),
            ({"email": "a b@example.com"}, "e-mail"),
            ({"password": "short"}, "password"),
            ({"password": "asha@example.com"}, "must not be the e-mail"),
            ({"full_name": "   "}, "full_name"),
            ({"birthday": "2030-01-01"}, "past"),
            ({"is_admin": True}, "is_admin"),
            ({"phone": "call me"}, "phone"),
        ],
    )
    def test_bad_input_is_named(self, client: TestClient, changes: dict[str, object], word: str) -> None:
        answer = client.post("/v1/auth/register", json=new_shopper(**changes))
        assert answer.status_code == 422
        assert word in answer.text
        assert PASSWORD not in answer.text

    def test_registrations_from_one_address_are_bounded(self, client: TestClient) -> None:
        statuses = [client.post("/v1/auth/register", json=new_shopper(password="short")).status_code for _ in range(3)]
        assert statuses == [422, 422, 422]  # refused before they count
        shop = client.app.state.shop  # type: ignore[attr-defined]
        shop.settings.registrations_per_address = 2
        answers = [
            client.post("/v1/auth/register", json=new_shopper(email=f"p{n}@example.com")).status_code for n in range(3)
        ]
        assert answers == [202, 202, 429]

    def test_an_account_does_not_take_a_guests_orders_over(self, client: TestClient, database: Database) -> None:
        from transactional.accounts.service import get_or_create_guest

        now = database.clock.now()
        with database.unit_of_work(actor="test") as session:
            guest = get_or_create_guest(session, email="asha@example.com", now=now)
        client.post("/v1/auth/register", json=new_shopper())
        me = client.get("/v1/me", headers=log_in(client)).json()
        assert me["profile"]["customer_id"] != guest.id
        with database.unit_of_work(actor="test") as session:
            assert get_or_create_guest(session, email="ASHA@example.com", now=now).id == guest.id
            assert session.scalar(select(func.count()).select_from(Customer)) == 2


class TestLogIn:
    def test_unknown_and_wrong_are_answered_alike(self, client: TestClient, database: Database) -> None:
        register(database)
        bodies = [
            {"email": "asha@example.com", "password": "wrong password"},
            {"email": "nobody@example.com", "password": "wrong password"},
            {"email": "not an address", "password": "wrong password"},
        ]
        answers = [client.post("/v1/auth/login", json=body) for body in bodies]
        assert {answer.status_code for answer in answers} == {401}
        assert len({answer.json()["detail"] for answer in answers}) == 1
        assert {answer.headers["WWW-Authenticate"] for answer in answers} == {"Bearer"}

    def test_an_unknown_account_costs_the_same_work(self, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
        calls: list[str | None] = []
        verify = PasswordHasher.verify

        def counted(self: PasswordHasher, stored: str | None, password: str) -> bool:
            calls.append(stored)
            return verify(self, stored, password)

        monkeypatch.setattr(PasswordHasher, "verify", counted)
        client.post("/v1/auth/login", json={"email": "nobody@example.com", "password": "wrong password"})
        assert calls == [None]

    def test_a_closed_account_cannot_log_in(self, client: TestClient, database: Database) -> None:
        user_id = register(database)
        headers = log_in(client)
        with database.unit_of_work(actor="test") as session:
            session.get_one(User, user_id).is_active = False
        assert client.get("/v1/me", headers=headers).status_code == 401
        answer = client.post("/v1/auth/login", json={"email": "asha@example.com", "password": PASSWORD})
        assert answer.status_code == 401

    def test_an_old_hash_is_upgraded_and_never_journaled(self, client: TestClient, database: Database) -> None:
        user_id = register(database)
        with database.read() as session:
            old = session.get_one(User, user_id).password_hash
        assert "m=8," in old
        log_in(client)
        with database.read() as session:
            new = session.get_one(User, user_id).password_hash
            journal = json.dumps([entry.changes for entry in session.scalars(select(JournalEntry))])
        assert "m=19456,t=2,p=1" in new
        assert "argon2" not in journal
        log_in(client)
        with database.read() as session:
            assert session.get_one(User, user_id).password_hash == new

    def test_guessing_is_slowed_down_by_account_even_with_the_right_password(
        self, client: TestClient, database: Database, clock: ManualClock
    ) -> None:
        register(database)
        wrong = {"email": "asha@example.com", "password": "wrong password"}
        assert [client.post("/v1/auth/login", json=wrong).status_code for _ in range(10)] == [401] * 10
        right = {"email": " ASHA@example.com", "password": PASSWORD}
        refused = client.post("/v1/auth/login", json=right)
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) <= 15 * 60 + 1
        clock.advance(timedelta(minutes=15))
        assert client.post("/v1/auth/login", json=right).status_code == 200

    def test_guessing_over_many_accounts_is_slowed_down_by_address(self, client: TestClient) -> None:
        client.app.state.shop.settings.login_attempts_per_address = 3  # type: ignore[attr-defined]
        statuses = [
            client.post("/v1/auth/login", json={"email": f"p{n}@example.com", "password": "guess"}).status_code
            for n in range(4)
        ]
        assert statuses == [401, 401, 401, 429]

    @pytest.mark.slow
    @pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "Bearer ", "Bearer a.b.c", "Bearer 💥".encode(), "x"])
    def test_useless_credentials_are_refused(self, client: TestClient, header: str | bytes) -> None:
        assert client.get("/v1/me", headers={"Authorization": header}).status_code == 401

    def test_stale_credentials_do_not_stand_in_the_way_of_a_log_in(
        self, client: TestClient, database: Database
    ) -> None:
        register(database)
        answer = client.post(
            "/v1/auth/login",
            json={"email": "asha@example.com", "password": PASSWORD},
            headers={"Authorization": "Bearer stale"},
        )
        assert answer.status_code == 200


class TestProfile:
    def test_only_what_is_sent_changes(self, client: TestClient, database: Database) -> None:
        register(database)
        headers = log_in(client)
        client.patch("/v1/me", headers=headers, json={"city": "Mysuru", "phone": "+91 98450 12345"})
        me = client.patch("/v1/me", headers=headers, json={"full_name": "Asha R."}).json()
        assert (me["full_name"], me["profile"]["city"], me["profile"]["phone"]) == (
            "Asha R.",
            "Mysuru",
            "+91 98450 12345",
        )
        cleared = client.patch("/v1/me", headers=headers, json={"phone": None}).json()
        assert cleared["profile"]["phone"] is None

    @pytest.mark.parametrize(
        "body", [{"full_name": ""}, {"full_name": None}, {"marketing_consent": None}, {"id": 4}, {"email": "x@y.zz"}]
    )
    def test_what_cannot_be_changed_is_refused(
        self, client: TestClient, database: Database, body: dict[str, object]
    ) -> None:
        register(database)
        assert client.patch("/v1/me", headers=log_in(client), json=body).status_code == 422

    def test_staff_see_their_permissions(self, client: TestClient, database: Database) -> None:
        make_staff(database, "meena@example.com", "staff")
        me = client.get("/v1/me", headers=log_in(client, "meena@example.com")).json()
        assert me["roles"] == ["customer", "staff"]
        assert {"write_orders", "read_orders", "read_analytics"} <= set(me["permissions"])
        assert "write_refunds" not in me["permissions"]


class TestAddresses:
    def test_the_book(self, client: TestClient, database: Database) -> None:
        register(database)
        headers = log_in(client)
        made = client.post("/v1/me/addresses", headers={**headers, "Idempotency-Key": "1"}, json=ADDRESS)
        assert made.status_code == 201
        again = client.post("/v1/me/addresses", headers={**headers, "Idempotency-Key": "1"}, json=ADDRESS)
        assert again.json() == made.json()
        number = made.json()["id"]
        moved = client.put(f"/v1/me/addresses/{number}", headers=headers, json={**ADDRESS, "city": "Mysuru"})
        assert moved.json()["city"] == "Mysuru"
        assert client.get("/v1/me/addresses", headers=headers).json() == [moved.json()]
        assert client.delete(f"/v1/me/addresses/{number}", headers=headers).status_code == 204
        assert client.get("/v1/me/addresses", headers=headers).json() == []
        assert client.delete(f"/v1/me/addresses/{number}", headers=headers).status_code == 404

    def test_a_strangers_address_is_absent(self, client: TestClient, database: Database) -> None:
        register(database, "a@example.com")
        register(database, "b@example.com")
        owner, stranger = log_in(client, "a@example.com"), log_in(client, "b@example.com")
        made = client.post("/v1/me/addresses", headers={**owner, "Idempotency-Key": "1"}, json=ADDRESS).json()
        path = f"/v1/me/addresses/{made['id']}"
        assert client.put(path, headers=stranger, json=ADDRESS).status_code == 404
        assert client.delete(path, headers=stranger).status_code == 404
        assert client.get("/v1/me/addresses", headers=stranger).json() == []
        assert client.get("/v1/me/addresses", headers=owner).json() == [made]

    def test_a_book_is_bounded(self, client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("transactional.accounts.addresses.MAX_ADDRESSES", 2)
        register(database)
        headers = log_in(client)
        statuses = [
            client.post("/v1/me/addresses", headers={**headers, "Idempotency-Key": key}, json=ADDRESS).status_code
            for key in "abc"
        ]
        assert statuses == [201, 201, 409]

    @pytest.mark.parametrize("change", [{"postal_code": "!"}, {"recipient": " "}, {"line1": "x" * 201}, {"city": None}])
    def test_bad_addresses_are_refused(self, client: TestClient, database: Database, change: dict[str, object]) -> None:
        register(database)
        headers = {**log_in(client), "Idempotency-Key": "1"}
        assert client.post("/v1/me/addresses", headers=headers, json=ADDRESS | change).status_code == 422
