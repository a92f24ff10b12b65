"""Tickets: the workflow, who may read what, and one owner at a time."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.trade import TradeKit
from tests.support.web import log_in, make_client, make_staff, register
from transactional.core.clock import ManualClock
from transactional.core.errors import Conflict, IllegalTransition, InvalidInput, NotFound
from transactional.core.uow import Database
from transactional.tickets import service
from transactional.tickets.service import ResolutionCode, Ticket, TicketCategory, TicketStatus
from transactional.tickets.workflow import TRANSITIONS


class Desk:
    """A customer with a ticket, and a member of staff."""

    def __init__(self, database: Database) -> None:
        self.kit = TradeKit(database)
        self.customer = self.kit.customer()
        self.staff = make_staff(database, "boss@example.com", "super_admin")

    def open(self, **changes: Any) -> str:
        values: dict[str, Any] = {
            "customer_id": self.customer,
            "category": TicketCategory.GENERAL,
            "subject": "Help",
            "body": "It is broken",
            "actor": "user:1",
            **changes,
        }
        return self.kit.run(lambda s: service.open_ticket(s, now=self.kit.now, **values).public_id)

    def do(self, ticket: str, step: str, **arguments: Any) -> None:
        def work(session: Any) -> int:
            found = service.get_ticket(session, ticket_public_id=ticket)
            getattr(service, step)(session, ticket=found, **arguments)
            return found.id

        self.kit.run(work)

    def move(self, ticket: str, to: TicketStatus) -> None:
        self.do(ticket, "change_status", to=to, actor="user:2", now=self.kit.now)

    def answer(self, ticket: str) -> None:
        self.do(ticket, "reply_as_staff", body="We look", actor="user:2", now=self.kit.now)

    def write(self, ticket: str, body: str = "And?") -> None:
        self.do(ticket, "reply_as_customer", body=body, actor="user:1", now=self.kit.now)

    def resolve(self, ticket: str) -> None:
        self.do(ticket, "resolve", code=ResolutionCode.FIXED, actor="user:2", now=self.kit.now)

    def look(self, ticket: str) -> Ticket:
        with self.kit.database.read() as session:
            return service.get_ticket(session, ticket_public_id=ticket)

    def steps(self, ticket: str) -> list[str]:
        with self.kit.database.read() as session:
            found = service.get_ticket(session, ticket_public_id=ticket)
            return [step.to_status for step in service.status_history(session, ticket=found)]


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def test_a_life_from_opening_to_closing_is_written_down(desk: Desk, clock: ManualClock) -> None:
    ticket = desk.open()
    clock.advance(timedelta(minutes=30))
    desk.answer(ticket)
    answered = clock.now()
    clock.advance(timedelta(hours=1))
    desk.write(ticket)
    desk.answer(ticket)
    desk.resolve(ticket)
    desk.do(ticket, "close", actor="user:2", now=clock.now())
    found = desk.look(ticket)
    assert found.status is TicketStatus.CLOSED
    assert found.resolution_code == "fixed"
    assert found.first_responded_at == answered, "only the first public answer stops that clock"
    assert desk.steps(ticket) == ["new", "pending_customer", "open", "pending_customer", "resolved", "closed"]


@pytest.mark.parametrize("before", TicketStatus)
@pytest.mark.parametrize("after", TicketStatus)
def test_only_steps_of_the_table_are_taken(database: Database, before: TicketStatus, after: TicketStatus) -> None:
    desk = Desk(database)
    ticket = desk.open()
    for step in _way_to(before):
        desk.move(ticket, step)
    if after in TRANSITIONS[before]:
        desk.move(ticket, after)
        assert desk.look(ticket).status is after
    else:
        with pytest.raises(IllegalTransition):
            desk.move(ticket, after)
        assert desk.look(ticket).status is before


def _way_to(status: TicketStatus) -> list[TicketStatus]:
    if status is TicketStatus.NEW:
        return []
    return [TicketStatus.RESOLVED, status] if status is TicketStatus.CLOSED else [status]


def test_a_note_reaches_no_customer_and_stops_no_clock(desk: Desk) -> None:
    ticket = desk.open()
    desk.do(ticket, "note", body="He always complains", user_id=desk.staff, now=desk.kit.now)
    found = desk.look(ticket)
    assert found.first_responded_at is None
    assert found.status is TicketStatus.NEW
    with desk.kit.database.read() as session:
        shown = service.messages_of(session, ticket=found, with_notes=False)
        whole = service.messages_of(session, ticket=found, with_notes=True)
    assert [message.body for message in shown] == ["It is broken"]
    assert [message.is_internal for message in whole] == [False, True]


def test_a_reply_reopens_for_a_week_and_no_longer(desk: Desk, clock: ManualClock) -> None:
    ticket = desk.open()
    desk.resolve(ticket)
    clock.advance(timedelta(days=7))
    desk.write(ticket, "still broken")
    found = desk.look(ticket)
    assert (found.status, found.resolved_at, found.resolution_code) == (TicketStatus.OPEN, None, None)
    desk.resolve(ticket)
    clock.advance(timedelta(days=7, seconds=1))
    with pytest.raises(Conflict, match="new one"):
        desk.write(ticket, "again")
    desk.do(ticket, "close", actor="user:2", now=clock.now())
    with pytest.raises(Conflict, match="closed"):
        desk.write(ticket, "again")


def test_staff_opens_a_resolved_ticket_before_answering(desk: Desk) -> None:
    ticket = desk.open()
    desk.resolve(ticket)
    with pytest.raises(Conflict):
        desk.answer(ticket)
    desk.move(ticket, TicketStatus.OPEN)
    desk.answer(ticket)


def test_parallel_claims_give_one_owner(any_database: Database) -> None:
    desk = Desk(any_database)
    ticket = desk.open()
    claimants = [make_staff(any_database, f"s{n}@example.com", "super_admin") for n in range(4)]
    barrier = threading.Barrier(4)

    def claim(user: int) -> bool:
        barrier.wait()
        try:
            desk.do(ticket, "assign", assignee_id=user, now=desk.kit.now)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        won = list(threads.map(claim, claimants))
    assert sum(won) == 1
    assert desk.look(ticket).assignee_id == claimants[won.index(True)]


def test_a_ticket_is_handed_over_only_by_who_knows_whose_it_is(desk: Desk, database: Database) -> None:
    ticket, now = desk.open(), desk.kit.now
    colleague = make_staff(database, "colleague@example.com", "super_admin")
    desk.do(ticket, "assign", assignee_id=desk.staff, now=now)
    desk.do(ticket, "assign", assignee_id=desk.staff, now=now)
    with pytest.raises(Conflict):
        desk.do(ticket, "assign", assignee_id=colleague, now=now)
    desk.do(ticket, "assign", assignee_id=colleague, expected=desk.staff, now=now)
    assert desk.look(ticket).assignee_id == colleague


def test_only_who_works_on_tickets_gets_one(desk: Desk, database: Database) -> None:
    ticket, shopper = desk.open(), register(database, "ravi@example.com")
    for user in (shopper, 404):
        with pytest.raises(InvalidInput, match="does not work on tickets"):
            desk.do(ticket, "assign", assignee_id=user, now=desk.kit.now)


def test_an_order_must_be_one_s_own(desk: Desk) -> None:
    kit = desk.kit
    lamp = kit.variant("LAMP", stock=5)
    mine = kit.order(kit.buy({lamp: 1}, customer_id=desk.customer))
    guests = kit.order(kit.buy({lamp: 1}))
    assert desk.look(desk.open(order_number=mine.order_number)).order_id == mine.id
    for reference in (guests.order_number, "MLT-404"):
        with pytest.raises(NotFound):
            desk.open(order_number=reference)


@pytest.mark.parametrize("change", [{"subject": "  "}, {"body": "\n"}])
def test_empty_words_are_refused(desk: Desk, change: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        desk.open(**change)


@pytest.fixture
def client(database: Database, tmp_path: Path) -> Iterator[TestClient]:
    with make_client(database, tmp_path) as client:
        yield client


def keyed(headers: dict[str, str], key: str) -> dict[str, str]:
    return {**headers, "Idempotency-Key": key}


@pytest.mark.slow
def test_over_http_the_customer_never_sees_a_note(desk: Desk, client: TestClient) -> None:
    asha, boss = log_in(client, "asha@example.com"), log_in(client, "boss@example.com")
    body = {"category": "order_issue", "subject": "Broken", "body": "Ein Riss"}
    opened = client.post("/v1/tickets", json=body, headers=keyed(asha, "t1"))
    assert opened.status_code == 201, opened.text
    ticket = opened.json()["id"]
    assert client.post("/v1/tickets", json=body, headers=keyed(asha, "t1")).json()["id"] == ticket
    staff_path = f"/v1/staff/tickets/{ticket}"
    assert client.put(f"{staff_path}/assignee", json={}, headers=boss).json()["assignee_id"] == desk.staff
    assert client.post(f"{staff_path}/notes", json={"body": "SECRET"}, headers=keyed(boss, "n1")).status_code == 201
    answered = client.post(f"{staff_path}/messages", json={"body": "Sorry!"}, headers=keyed(boss, "m1"))
    assert answered.json()["status"] == "pending_customer"
    seen = client.get(f"/v1/tickets/{ticket}", headers=asha)
    assert [message["body"] for message in seen.json()["messages"]] == ["Ein Riss", "Sorry!"]
    replied = client.post(f"/v1/tickets/{ticket}/messages", json={"body": "Danke"}, headers=keyed(asha, "m2"))
    assert replied.json()["status"] == "open"
    assert client.put(f"{staff_path}/status", json={"status": "resolved"}, headers=boss).status_code == 422
    assert client.post(f"{staff_path}/close", headers=boss).status_code == 409
    resolved = client.post(f"{staff_path}/resolve", json={"code": "replaced"}, headers=boss)
    assert resolved.json()["resolution_code"] == "replaced"
    closed = client.post(f"{staff_path}/close", headers=boss).json()
    assert [step["to_status"] for step in closed["history"]][-2:] == ["resolved", "closed"]
    everything = [client.get(path, headers=asha).text for path in ("/v1/tickets", f"/v1/tickets/{ticket}")]
    assert all("SECRET" not in text for text in [*everything, replied.text, seen.text])


def test_over_http_nobody_reads_another_s_ticket(desk: Desk, client: TestClient, database: Database) -> None:
    ticket = desk.open()
    register(database, "ravi@example.com")
    ravi = log_in(client, "ravi@example.com")
    assert client.get(f"/v1/tickets/{ticket}", headers=ravi).status_code == 404
    assert client.get("/v1/tickets", headers=ravi).json()["items"] == []
    write = client.post(f"/v1/tickets/{ticket}/messages", json={"body": "x"}, headers=keyed(ravi, "x1"))
    assert write.status_code == 404
    assert client.get(f"/v1/staff/tickets/{ticket}", headers=ravi).status_code == 403
    assert client.get(f"/v1/tickets/{ticket}").status_code == 401
