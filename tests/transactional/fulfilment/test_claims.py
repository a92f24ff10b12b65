"""Parcels that the courier lost or broke: a claim opens of itself, one decision refunds it or sends it again."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select

from tests.support.parallel import at_once, failures, successes
from tests.support.trade import TradeKit
from tests.support.web import log_in, make_client, make_staff
from tests.transactional.shipping.depot import Depot, open_depot
from transactional import wiring
from transactional.core.clock import ManualClock
from transactional.core.errors import Conflict, NotFound
from transactional.core.models import OutboxMessage
from transactional.fulfilment import claims
from transactional.orders.service import OrderStatus
from transactional.shipping import polling
from transactional.shipping.models import CarrierClaim, ClaimCause, ClaimDecision, ShipmentStatus
from transactional.shipping.service import claim_of
from transactional.shipping_standin.entities import Scan


def lose(depot: Depot, script: str = "lost", *, quantity: int = 1, mode: str = "online") -> int:
    """A parcel at its unhappy end, as polling tells it; gives its id."""
    parcel_id = depot.send(quantity, script=script, mode=mode)
    for _ in range(14):
        depot.advance(parcel_id)
        polling.poll_active(depot.database, depot.carrier)
        depot.work()
    return parcel_id


def claim(depot: Depot, parcel_id: int) -> CarrierClaim:
    with depot.database.read() as session:
        found = claim_of(session, parcel_id)
    assert found is not None
    return found


def decide(depot: Depot, claim_id: int, decision: ClaimDecision) -> CarrierClaim:
    decided = depot.kit.run(
        lambda s: claims.decide(s, claim_id=claim_id, decision=decision, actor="user:1", note="", now=depot.kit.now)
    )
    depot.work()
    return decided


def mails(depot: Depot, word: str) -> int:
    with depot.database.read() as session:
        payloads = session.scalars(select(OutboxMessage.payload).where(OutboxMessage.topic == "mail.send")).all()
    return sum(word in str(payload) for payload in payloads)


@pytest.mark.parametrize(
    ("script", "status", "cause"),
    [
        ("lost", ShipmentStatus.LOST, ClaimCause.LOST),
        ("damaged", ShipmentStatus.DAMAGED, ClaimCause.DAMAGED),
    ],
)
def test_the_scan_opens_one_claim_and_nothing_is_paid_before_the_decision(
    depot: Depot, script: str, status: ShipmentStatus, cause: ClaimCause
) -> None:
    parcel_id = lose(depot, script)
    assert depot.status(parcel_id) is status
    opened = claim(depot, parcel_id)
    assert (opened.cause, opened.decision, opened.claimed_minor) == (cause, None, 33_333)
    assert depot.order_of(parcel_id).status is OrderStatus.SHIPPED
    assert mails(depot, f"by the courier: order {opened.order_id}") == 1
    depot.tell_all()
    with depot.database.read() as session:
        assert session.scalar(select(func.count(CarrierClaim.id))) == 1, "told twice, opened once"


def test_a_refund_gives_the_units_up(depot: Depot) -> None:
    parcel_id = lose(depot)
    claim_id = claim(depot, parcel_id).id
    decided = decide(depot, claim_id, ClaimDecision.REFUND)
    assert (decided.decided_by, decided.decided_at) == ("user:1", depot.kit.now)
    assert depot.order_of(parcel_id).status is OrderStatus.CANCELLED
    assert depot.kit.level(depot.variant_id) == (99, 0), "what was lost is on no shelf"
    decide(depot, claim_id, ClaimDecision.REFUND)
    with pytest.raises(Conflict, match="decided already"):
        decide(depot, claim_id, ClaimDecision.RESEND)
    depot.kit.assert_sound()


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["online", "on_delivery"])
def test_goods_are_sent_again_and_arrive(depot: Depot, mode: str) -> None:
    parcel_id = lose(depot, quantity=2, mode=mode)
    decided = decide(depot, claim(depot, parcel_id).id, ClaimDecision.RESEND)
    assert decided.replacement_id is not None
    again = depot.parcel(decided.replacement_id)
    assert again.manifest_url, again.halted_reason
    assert again.cod_minor == depot.parcel(parcel_id).cod_minor
    assert depot.kit.level(depot.variant_id) == (96, 0), "two are lost, two go out again"
    assert decide(depot, decided.id, ClaimDecision.RESEND).replacement_id == again.id
    depot.advance(again.id, 10)
    depot.tell_all()
    assert depot.status(again.id) is ShipmentStatus.DELIVERED
    assert depot.order_of(parcel_id).status is OrderStatus.DELIVERED
    depot.kit.assert_sound()


def test_nothing_is_sent_again_from_an_empty_shelf(depot: Depot) -> None:
    parcel_id = lose(depot, quantity=60)
    claim_id = claim(depot, parcel_id).id
    with pytest.raises(Conflict, match="fewer than 60 units"):
        decide(depot, claim_id, ClaimDecision.RESEND)
    assert claim(depot, parcel_id).decision is None, "all or nothing"
    with pytest.raises(NotFound):
        decide(depot, claim_id + 1, ClaimDecision.REFUND)


@pytest.mark.slow
def test_a_parcel_that_turns_up_needs_no_decision(depot: Depot) -> None:
    parcel_id = lose(depot)
    now = depot.clock.now()
    depot.standin.journeys.add(depot.at_carrier(parcel_id), Scan(now, "7", "DELIVERED", "DLVD", "found", "hub"))
    polling.confirm(depot.database, depot.carrier, shipment_id=parcel_id)
    depot.work()
    assert depot.status(parcel_id) is ShipmentStatus.DELIVERED
    assert claim(depot, parcel_id).decision is ClaimDecision.WITHDRAWN
    assert depot.order_of(parcel_id).status is OrderStatus.DELIVERED


@pytest.mark.slow
def test_staff_read_and_decide_claims_over_http(depot: Depot, tmp_path: Path) -> None:
    parcel_id = lose(depot)
    make_staff(depot.database, "mira@example.com")
    with make_client(depot.database, tmp_path) as client:
        staff = log_in(client, "mira@example.com")
        (waiting,) = client.get("/v1/staff/parcel-claims", headers=staff).json()["items"]
        assert (waiting["shipment_id"], waiting["cause"], waiting["decision"]) == (parcel_id, "lost", None)
        path = f"/v1/staff/parcel-claims/{waiting['id']}/decision"
        assert client.post(path, json={"decision": "refund"}).status_code == 401
        answers = {
            decision: client.post(path, json={"decision": decision}, headers=staff).status_code
            for decision in ("withdrawn", "refund", "resend")
        }
        assert answers == {"withdrawn": 422, "refund": 200, "resend": 409}
        assert client.get("/v1/staff/parcel-claims", headers=staff).json()["items"] == []
        (decided,) = client.get("/v1/staff/parcel-claims?open_only=false", headers=staff).json()["items"]
        assert decided["decision"] == "refund"
        assert client.post("/v1/staff/parcel-claims/999/decision", json={"decision": "refund"}, headers=staff).is_error


def test_a_decision_taken_by_two_at_once_is_taken_once(any_kit: TradeKit, clock: ManualClock) -> None:
    wiring.wire()
    depot = open_depot(any_kit, clock)
    with depot.in_use():
        claim_id = claim(depot, lose(depot)).id

        def work(decision: ClaimDecision) -> Callable[[], CarrierClaim]:
            return lambda: depot.kit.run(
                lambda s: claims.decide(
                    s, claim_id=claim_id, decision=decision, actor="user:1", note="", now=depot.kit.now
                )
            )

        results = at_once([work(ClaimDecision.REFUND), work(ClaimDecision.RESEND)])
        assert len(successes(results)) == 1
        assert [type(error) for error in failures(results)] == [Conflict]
        depot.work()
        depot.kit.assert_sound()
