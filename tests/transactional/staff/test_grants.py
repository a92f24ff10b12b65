"""Roles: who may give what to whom, and when it counts."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select

from tests.support.web import log_in, make_staff, register
from transactional.accounts import service as accounts
from transactional.core.access import Actor
from transactional.core.clock import ManualClock
from transactional.core.errors import Conflict, Forbidden, InvalidInput, NotFound
from transactional.core.permissions import PERMISSIONS, expand
from transactional.core.uow import Database
from transactional.staff import roles, service
from transactional.staff.models import RolePermission

EVERYTHING = Actor(user_id=0, permissions=PERMISSIONS)


def grant(client: TestClient, headers: dict[str, str], email: str, role: str, **body: object) -> int:
    key = {"Idempotency-Key": f"{email}-{role}-{body}"[:128]}
    answer = client.post("/v1/staff/grants", headers={**headers, **key}, json={"email": email, "role": role, **body})
    return answer.status_code


def test_every_seeded_role_is_there_with_known_keys(database: Database) -> None:
    with database.read() as session:
        found = {role.key: role for role in service.list_roles(session)}
    assert set(found) == {"customer", "staff", "manager", "super_admin", "service"}
    assert found["customer"].permissions == frozenset()
    assert found["super_admin"].permissions == PERMISSIONS
    assert found["staff"].permissions < found["manager"].permissions < found["super_admin"].permissions
    assert all(permissions <= PERMISSIONS for _, permissions in roles.SEEDS.values())


def test_seeding_again_keeps_what_the_shop_made_of_a_role(database: Database) -> None:
    with database.unit_of_work(actor="test") as session:
        session.execute(delete(RolePermission).where(RolePermission.permission == "write_tickets"))
        service.seed_roles(session)
    with database.read() as session:
        assert "write_tickets" not in service.role_by_key(session, "staff").permissions
        assert "write_tickets" in service.role_by_key(session, "super_admin").permissions


def test_writing_implies_reading() -> None:
    assert expand(frozenset({"write_orders", "write_gone", "junk"})) == {"write_orders", "read_orders"}


@pytest.mark.slow
def test_a_manager_hires_and_dismisses_and_it_counts_at_once(client: TestClient, database: Database) -> None:
    make_staff(database, "boss@example.com", "manager")
    new = register(database, "new@example.com")
    boss, newcomer = log_in(client, "boss@example.com"), log_in(client, "new@example.com")
    assert client.get("/v1/staff/members", headers=newcomer).status_code == 403
    assert grant(client, boss, "New@example.com", "manager") == 201
    # The tokens of before are void: what they stood for has changed.
    assert client.get("/v1/me", headers=newcomer).status_code == 401
    newcomer = log_in(client, "new@example.com")
    assert client.get("/v1/staff/members", headers=newcomer).status_code == 200
    assert client.delete(f"/v1/staff/members/{new}/roles/manager", headers=boss).status_code == 204
    assert client.get("/v1/staff/members", headers=newcomer).status_code == 401
    assert client.get("/v1/staff/members", headers=log_in(client, "new@example.com")).status_code == 403
    assert client.delete(f"/v1/staff/members/{new}/roles/manager", headers=boss).status_code == 404


def test_members_show_who_gave_what(client: TestClient, database: Database) -> None:
    boss_id = make_staff(database, "boss@example.com", "manager")
    register(database, "new@example.com")
    boss = log_in(client, "boss@example.com")
    grant(client, boss, "new@example.com", "staff", expires_at="2026-02-01T00:00:00+05:30")
    members = client.get("/v1/staff/members", headers=boss).json()
    assert [member["email"] for member in members] == ["boss@example.com", "new@example.com"]
    held = members[1]["grants"][0]
    assert (held["role"], held["granted_by"]) == ("staff", f"user:{boss_id}")
    assert held["expires_at"] == "2026-01-31T18:30:00Z"
    shown = {role["key"]: role for role in client.get("/v1/staff/roles", headers=boss).json()}
    assert "read_orders" in shown["staff"]["permissions"]


def test_a_grant_runs_out_by_itself(client: TestClient, database: Database, clock: ManualClock) -> None:
    make_staff(database, "boss@example.com", "manager")
    register(database, "temp@example.com")
    boss = log_in(client, "boss@example.com")
    end = clock.now() + timedelta(minutes=5)
    assert grant(client, boss, "temp@example.com", "manager", expires_at=end.isoformat()) == 201
    temp = log_in(client, "temp@example.com")
    assert client.get("/v1/staff/roles", headers=temp).status_code == 200
    clock.advance(timedelta(minutes=5))
    assert client.get("/v1/staff/roles", headers=temp).status_code == 403
    assert client.get("/v1/me", headers=temp).json()["roles"] == ["customer"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("role", "email", "status"),
    [
        ("super_admin", "new@example.com", 403),
        ("customer", "new@example.com", 422),
        ("emperor", "new@example.com", 404),
        ("staff", "nobody@example.com", 404),
        ("service", "boss@example.com", 403),
        ("Bad Role", "new@example.com", 422),
    ],
)
def test_what_a_manager_cannot_give(client: TestClient, database: Database, role: str, email: str, status: int) -> None:
    make_staff(database, "boss@example.com", "manager")
    register(database, "new@example.com")
    assert grant(client, log_in(client, "boss@example.com"), email, role) == status


def test_an_end_in_the_past_is_refused(client: TestClient, database: Database) -> None:
    make_staff(database, "boss@example.com", "manager")
    register(database, "new@example.com")
    boss = log_in(client, "boss@example.com")
    assert grant(client, boss, "new@example.com", "staff", expires_at="2026-01-15T10:00:00Z") == 422
    assert grant(client, boss, "new@example.com", "staff", expires_at="2026-02-15T10:00:00") == 422  # no zone


def test_staff_without_the_key_and_strangers_are_kept_out(client: TestClient, database: Database) -> None:
    make_staff(database, "meena@example.com", "staff")
    register(database, "new@example.com")
    meena = log_in(client, "meena@example.com")
    assert grant(client, meena, "new@example.com", "staff") == 403
    assert client.get("/v1/staff/members", headers=meena).status_code == 403
    assert client.get("/v1/staff/members").status_code == 401


@pytest.mark.slow
def test_nobody_takes_a_super_admin_down_over_http(client: TestClient, database: Database) -> None:
    root = make_staff(database, "root@example.com", "super_admin")
    make_staff(database, "boss@example.com", "manager")
    for email in ("boss@example.com", "root@example.com"):
        headers = log_in(client, email)
        assert client.delete(f"/v1/staff/members/{root}/roles/super_admin", headers=headers).status_code == 403


def test_the_last_super_admin_stays(database: Database) -> None:
    first = make_staff(database, "root@example.com", "super_admin")
    second = make_staff(database, "deputy@example.com", "super_admin")
    with database.unit_of_work(actor="test") as session:
        service.remove_super_admin(session, user_id=first)
    with pytest.raises(Conflict, match="last super admin"), database.unit_of_work(actor="test") as session:
        service.remove_super_admin(session, user_id=second)
    with pytest.raises(NotFound), database.unit_of_work(actor="test") as session:
        service.remove_super_admin(session, user_id=first)


@pytest.mark.parametrize("kind", ["database", pytest.param("pg_database", marks=pytest.mark.postgres)])
def test_two_super_admins_who_remove_each_other_leave_one(kind: str, request: pytest.FixtureRequest) -> None:
    database: Database = request.getfixturevalue(kind)
    people = [make_staff(database, f"root{n}@example.com", "super_admin") for n in range(2)]
    start = threading.Barrier(2)

    def remove(user_id: int) -> bool:
        start.wait()
        try:
            database.run(lambda session: service.remove_super_admin(session, user_id=user_id), actor="test")
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(remove, people)) == [False, True]


def test_a_closed_account_does_not_count_as_a_super_admin(database: Database) -> None:
    root = make_staff(database, "root@example.com", "super_admin")
    gone = make_staff(database, "gone@example.com", "super_admin")
    with database.unit_of_work(actor="test") as session:
        accounts.get_user(session, gone).is_active = False
    with pytest.raises(Conflict), database.unit_of_work(actor="test") as session:
        service.remove_super_admin(session, user_id=root)


@given(held=st.frozensets(st.sampled_from(sorted(PERMISSIONS))), role=st.sampled_from(["staff", "manager", "service"]))
def test_nobody_gives_a_key_that_they_do_not_hold(held: frozenset[str], role: str) -> None:
    actor = Actor(user_id=1, permissions=expand(held))
    view = service.RoleView(1, role, role, roles.effective(role, roles.SEEDS[role][1]))
    may = view.permissions <= actor.permissions
    assert _admitted(actor, view) is may


def _admitted(actor: Actor, view: service.RoleView) -> bool:
    try:
        service.check_may_handle(view, actor=actor, user_id=2)
    except Forbidden:
        return False
    return True


def test_no_chain_of_grants_raises_anybody(database: Database) -> None:
    """Whoever is given a role by somebody, who was given theirs by somebody, holds no more than the first."""
    chain = [make_staff(database, "p0@example.com", "manager")]
    chain += [register(database, f"p{n}@example.com") for n in range(1, 4)]
    now = database.clock.now()
    for giver, taker in pairwise(chain):
        with database.unit_of_work(actor="test") as session:
            names, permissions = service.rights_of(session, user_id=giver, is_customer=True, now=now)
            actor = Actor(user_id=giver, permissions=permissions, roles=names)
            for role in service.list_roles(session):
                try:
                    service.grant_role(session, actor=actor, user_id=taker, role_key=role.key, now=now)
                except (Forbidden, InvalidInput):
                    continue
            _, given_on = service.rights_of(session, user_id=taker, is_customer=True, now=now)
            assert given_on <= permissions
    with database.read() as session:
        assert session.scalars(select(RolePermission)).first() is not None
