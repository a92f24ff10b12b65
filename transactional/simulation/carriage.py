"""Parcels that go through a carrier's office: its stand-in plays their journeys, the shop asks where they are.

In the first months the shop sends with couriers of its own choice; then it opens an account and every parcel beyond the
city goes through the carrier, with couriers chosen by stored rules.
"""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from pydantic import SecretStr
from sqlalchemy.orm import Session

from transactional.core.clock import Clock
from transactional.core.uow import Database
from transactional.settings import Settings
from transactional.shipping import polling, rules
from transactional.shipping import service as shipping
from transactional.shipping.models import RuleAction
from transactional.shipping.provider import build
from transactional.shipping.rules import RuleValues
from transactional.shipping.service import Shipment
from transactional.shipping.shiprocket import Shiprocket
from transactional.shipping_standin.carrier import Carrier
from transactional.shipping_standin.config import Account
from transactional.shipping_standin.entities import Parcel
from transactional.shipping_standin.journeys import SCRIPTS
from transactional.shipping_standin.transport import InProcessTransport
from transactional.simulation.stage import Stage

NAME = "simulated"
"""Keeps these parcels apart from those of the shop's real account, which has never heard of them."""
ACCOUNT_OPENED_BEFORE_THE_END = timedelta(days=75)

_BASE_URL = "http://shiprocket.local/v1/external"
_INDIA = ZoneInfo("Asia/Kolkata")
_VAN_COMES = time(11, 0)
_AT_PICKUP = 3
"""So many steps of every script happen at the shop's door."""
_RULES = (
    RuleValues("mountains and islands by air", 10, RuleAction.ADJUST, 33, zone="special", adjustment_minor=-4_000),
    RuleValues("no surface post for heavy parcels", 20, RuleAction.BLOCK, 91, min_grams=5_000),
    RuleValues("the post is slow between big cities", 30, RuleAction.ADJUST, 91, zone="metro", adjustment_minor=4_000),
    RuleValues("good years with Ekart", 40, RuleAction.ADJUST, 54, min_grams=1_000, adjustment_minor=-2_500),
)


def open_office(clock: Clock, *, seed: int) -> Carrier:
    """The carrier's stand-in."""
    return Carrier(Account(seed=seed), clock=clock)


def open_account(office: Carrier, database: Database, settings: Settings) -> Shiprocket:
    """The shop's real adapter on the stand-in, without a socket between them."""
    account = office.account
    known = {
        "shiprocket_base_url": _BASE_URL,
        "shiprocket_email": account.email,
        "shiprocket_password": SecretStr(account.password),
        "pickup_location": account.pickup_location,
    }
    transport = InProcessTransport(office)
    adapter = build(settings.model_copy(update=known), database, transport=transport, pause=lambda _: None)
    adapter.name = NAME
    return adapter


def write_rules(session: Session, now: datetime) -> None:
    """What staff has learnt about couriers."""
    for values in _RULES:
        rules.create_rule(session, values=values, now=now)


def carrier_for(stage: Stage, postal_code: str) -> str:
    """Who carries a parcel to a pincode now."""
    has_account = stage.now >= stage.end - ACCOUNT_OPENED_BEFORE_THE_END
    far = stage.shelf.zones[postal_code] != "local"
    return stage.carrier.name if has_account and far else shipping.OWN


def van_comes_at(parcel: Shipment) -> datetime:
    """The morning for which the pickup is booked."""
    assert parcel.pickup_date is not None
    return datetime.combine(parcel.pickup_date, _VAN_COMES, tzinfo=_INDIA)


def fetch(stage: Stage, parcel: Shipment) -> None:
    """The courier takes the parcel along, and the shop asks for the news."""
    _play(stage, parcel, _AT_PICKUP)
    ask(stage, parcel.id)


def plan_scans(stage: Stage, parcel: Shipment, fate: str, *, begins: datetime, ends: datetime) -> None:
    """Let the rest of the fate's script happen in even steps, the last one at the end."""
    stage.office.journeys.set_script(_at_office(stage, parcel), fate)
    left = len(SCRIPTS[fate]) - _AT_PICKUP
    for number in range(1, left + 1):
        stage.agenda.at(begins + (ends - begins) * number / left, lambda _: _play(stage, parcel, 1))


def ask(stage: Stage, parcel_id: int) -> None:
    """Ask the carrier about one parcel."""
    polling.confirm(stage.database, stage.carrier, shipment_id=parcel_id)


def _play(stage: Stage, parcel: Shipment, steps: int) -> None:
    stage.office.journeys.advance(_at_office(stage, parcel), steps)


def _at_office(stage: Stage, parcel: Shipment) -> Parcel:
    found = stage.office.books.parcel(parcel.carrier_shipment_id)
    assert found is not None, "the carrier knows what it has given a number"
    return found
