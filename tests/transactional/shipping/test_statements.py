"""What parcels cost in SQL: a history that is told again writes nothing, a step is one intent and one answer."""

from tests.transactional.inventory.test_statements import statements
from tests.transactional.shipping.depot import Depot
from transactional.shipping import polling, steps
from transactional.shipping.models import ShipmentStatus


def writes(seen: list[str]) -> list[str]:
    return [statement for statement in seen if not statement.startswith("SELECT")]


def test_a_history_is_kept_by_one_statement_and_told_again_writes_no_scan(depot: Depot) -> None:
    parcel_id = depot.send()
    depot.advance(parcel_id, 6)
    with statements(depot.kit) as first:
        polling.confirm(depot.database, depot.carrier, shipment_id=parcel_id)
    assert sum("INTO shipment_events" in statement for statement in first) == 1
    assert len(depot.events(parcel_id)) >= 7
    with statements(depot.kit) as again:
        polling.confirm(depot.database, depot.carrier, shipment_id=parcel_id)
    assert not any("shipment_events" in statement for statement in writes(again))


def test_every_step_is_one_intent_and_one_answer_in_shared_transactions(depot: Depot) -> None:
    parcel_id = depot.pack(depot.order())
    with statements(depot.kit) as seen:
        steps.advance(depot.database, depot.carrier, shipment_id=parcel_id)
    assert depot.status(parcel_id) is ShipmentStatus.PICKUP_SCHEDULED
    assert sum("INTO carrier_calls" in statement for statement in seen) == 6
    assert sum("UPDATE carrier_calls" in statement for statement in seen) == 6
    assert sum("FROM shipments" in statement and "WHERE shipments.id" in statement for statement in seen) == 7
