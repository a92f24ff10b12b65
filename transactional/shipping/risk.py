"""How likely a parcel comes back undelivered: the shop's own history by pincode, payment and customer.

Each level is drawn towards the one above it, as if so many parcels of that one's rate had been seen before (a Beta
prior): few parcels say little, many say what they are.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, false, func, select
from sqlalchemy.orm import Session

from transactional.shipping.models import Shipment, ShipmentKind, ShipmentStatus

PRIOR_BP = {False: 200, True: 1_500}
"""Before any history: 2 % of prepaid parcels and 15 % of those paid at the door come back."""
_SHOP_WEIGHT, _PINCODE_WEIGHT, _CUSTOMER_WEIGHT = 50, 20, 5
_MEMORY = timedelta(days=365)
_BACK = (ShipmentStatus.RTO_INITIATED, ShipmentStatus.RTO_IN_TRANSIT, ShipmentStatus.RTO_DELIVERED)


def rto_probability_bp(
    session: Session, *, postal_code: str | None, cod: bool, customer_id: int | None, now: datetime
) -> int:
    """The chance of a return to origin, in hundredths of a percent."""
    same_pincode = false() if postal_code is None else Shipment.postal_code == postal_code
    same_customer = false() if customer_id is None else Shipment.customer_id == customer_id
    row = session.execute(
        select(*_counts(None), *_counts(same_pincode), *_counts(same_customer)).where(
            Shipment.kind == ShipmentKind.FORWARD,
            Shipment.status.in_((ShipmentStatus.DELIVERED, *_BACK)),
            (Shipment.cod_minor > 0) == cod,
            Shipment.created_at >= now - _MEMORY,
        )
    ).one()
    known = [int(value or 0) for value in row]
    rate = _drawn(PRIOR_BP[cod], known[0], known[1], _SHOP_WEIGHT)
    rate = _drawn(rate, known[2], known[3], _PINCODE_WEIGHT)
    return _drawn(rate, known[4], known[5], _CUSTOMER_WEIGHT)


def _counts(condition: ColumnElement[bool] | None) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """(finished, come back) among the rows that meet the condition."""
    back = Shipment.status.in_(_BACK)
    matching = Shipment.id > 0 if condition is None else condition
    return func.sum(case((matching, 1), else_=0)), func.sum(case((and_(matching, back), 1), else_=0))


def _drawn(prior_bp: int, finished: int, back: int, weight: int) -> int:
    return (back * 10_000 + weight * prior_bp) // (finished + weight)
