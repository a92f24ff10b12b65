"""A parcel's row as what a carrier takes."""

import secrets

from sqlalchemy.orm import Session

from transactional.shipping.carrier import Address, Consignment, Item
from transactional.shipping.models import Shipment
from transactional.shipping.reading import items_of
from transactional.shipping.weights import Box

_CHANCES = 10**8


def consignment_of(session: Session, shipment: Shipment) -> Consignment:
    """The parcel as a carrier takes it; its reference must have been written before."""
    assert shipment.reference is not None
    where = shipment.ship_to
    cod = shipment.cod_minor > 0
    return Consignment(
        reference=shipment.reference,
        placed_at=shipment.created_at,
        address=Address(
            name=where["recipient"],
            phone=where["phone"],
            email=where["email"],
            line1=where["line1"],
            line2=where.get("line2") or "",
            city=where["city"],
            state=where.get("state") or "",
            postal_code=where["postal_code"],
            country=where["country"],
        ),
        items=[
            Item(item.sku, item.title, item.quantity, item.value_minor, item.hsn_code)
            for item in items_of(session, shipment.id)
        ],
        goods_minor=shipment.declared_minor,
        charges_minor=shipment.cod_minor - shipment.declared_minor if cod else 0,
        cod=cod,
        weight_grams=shipment.weight_grams,
        box=box_of(shipment),
    )


def box_of(shipment: Shipment) -> Box:
    """The outer size of a parcel that has one."""
    assert shipment.length_mm is not None
    assert shipment.width_mm is not None
    assert shipment.height_mm is not None
    return Box(shipment.length_mm, shipment.width_mm, shipment.height_mm)


def new_reference(shipment: Shipment) -> str:
    """A new id at the carrier for the present attempt: the day, the parcel, the attempt, chance; digits only.

    Chance keeps apart two shops that send from one account, such as a shop that is founded anew: their parcels share
    day and number. It is written to the row before the carrier hears of it, so a retry says the same. Eight digits: of
    parcels that agree in all the rest, one pair in a hundred million would meet.
    """
    chance = secrets.randbelow(_CHANCES)
    return f"{shipment.created_at:%y%m%d}{shipment.id:08d}{shipment.attempt:02d}{chance:08d}"
