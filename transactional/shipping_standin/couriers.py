"""The rate card: a handful of couriers, five zones, half-kilogram slabs; and the serviceability answer made of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from transactional.shipping_standin import times
from transactional.shipping_standin.config import Couriers
from transactional.shipping_standin.refusals import Refusal, invalid

SLAB_GRAMS = 500
_METROS = ("110", "380", "400", "411", "500", "560", "600", "700")
_SPECIAL = ("17", "18", "19", "737", "744", "78", "79", "9")
_ZONES = {"local": "z_a", "regional": "z_b", "metro": "z_c", "national": "z_d", "special": "z_e"}
_ZONE_FACTOR = {"local": 70, "regional": 80, "metro": 100, "national": 115, "special": 170}
"""Hundredths of the courier's base rate."""
_ZONE_DAYS = {"local": 0, "regional": 1, "metro": 1, "national": 2, "special": 4}


@dataclass(frozen=True, slots=True)
class Courier:
    """A courier and its prices, in paise a slab."""

    id: int
    name: str
    base_paise: int
    rto_percent: int
    """What the way back costs, in percent of the rate."""
    cod_paise: int
    cod: bool
    surface: bool
    days: int
    rating: float
    rto_performance: float
    max_grams: int


COURIERS = (
    Courier(10, "Delhivery Surface", 4_400, 95, 3_300, True, True, 4, 4.1, 3.9, 50_000),
    Courier(24, "Xpressbees Surface", 4_150, 110, 3_000, True, True, 5, 3.9, 3.2, 30_000),
    Courier(33, "Blue Dart Air", 8_200, 80, 4_100, True, False, 2, 4.7, 4.6, 25_000),
    Courier(54, "Ekart Logistics Surface", 4_300, 60, 2_900, True, True, 4, 4.0, 4.4, 20_000),
    Courier(91, "India Post Surface", 3_600, 140, 0, False, True, 7, 3.4, 3.0, 35_000),
)


def zone_between(pickup: str, delivery: str) -> str:
    """The courier's zone between two pincodes."""
    if delivery.startswith(_SPECIAL) or pickup.startswith(_SPECIAL):
        return "special"
    if pickup[:3] == delivery[:3]:
        return "local"
    if pickup[:2] == delivery[:2]:
        return "regional"
    if pickup.startswith(_METROS) and delivery.startswith(_METROS):
        return "metro"
    return "national"


def rate_paise(courier: Courier, zone: str, grams: int) -> int:
    """The freight for a chargeable weight."""
    return courier.base_paise * _ZONE_FACTOR[zone] * _slabs(grams) // 100


def days_between(courier: Courier, zone: str) -> int:
    """How many days after the pickup the courier says it is at the door."""
    return courier.days + _ZONE_DAYS[zone]


def charged_grams(dead_grams: int, sides_cm: Iterable[float]) -> int:
    """Dead or volumetric weight, whichever is more."""
    volume = 1.0
    for side in sides_cm:
        volume *= side
    return max(dead_grams, round(volume / 5))


def find(courier_id: int) -> Courier:
    """A courier. Raises Refusal."""
    for courier in COURIERS:
        if courier.id == courier_id:
            return courier
    raise Refusal("Courier not found", status=400)


@dataclass(frozen=True, slots=True)
class Question:
    """What serviceability is asked for."""

    pickup: str
    delivery: str
    grams: int
    cod: bool

    def __post_init__(self) -> None:
        for name, code in (("pickup_postcode", self.pickup), ("delivery_postcode", self.delivery)):
            if not (code.isascii() and code.isdecimal() and len(code) == 6 and not code.startswith("0")):
                raise invalid(**{name: f"The {name.replace('_', ' ')} must be 6 digits."})
        if self.grams <= 0:
            raise invalid(weight="The weight must be greater than 0.")


def serviceability(question: Question, mode: Couriers, now: datetime) -> dict[str, Any]:
    """The answer, in the mood that is set."""
    if mode == "hyperlocal":
        return {"status": True, "data": [{"courier_name": "Borzo", "rates": "345.3"}]}
    able = [courier for courier in COURIERS if question.grams <= courier.max_grams]
    if mode == "none" or not able:
        return {"status": 404, "message": "Courier is not serviceable for this pincode."}
    if question.cod:
        able = [] if mode == "no_cod" else [courier for courier in able if courier.cod]
    blocked = [_blocked(courier, question) for courier in able] if mode == "all_blocked" else []
    rows = [] if blocked else [_row(courier, question, now) for courier in able]
    best = min(rows, key=lambda row: float(row["rate"]), default=None)
    recommended = best["courier_company_id"] if best else None
    return {
        "status": 200,
        "currency": "INR",
        "dg_courier": 0,
        "data": {
            "available_courier_companies": rows,
            "blocked_courier_companies": blocked,
            "is_recommendation_enabled": 1,
            "recommended_courier_company_id": recommended,
            "shiprocket_recommended_courier_id": recommended,
        },
    }


def _blocked(courier: Courier, question: Question) -> Mapping[str, Any]:
    return {
        "courier_company_id": courier.id,
        "courier_name": courier.name,
        "postcode": question.delivery,
        "block_reason": "Pincode is temporarily not served",
    }


def _row(courier: Courier, question: Question, now: datetime) -> dict[str, Any]:
    zone = zone_between(question.pickup, question.delivery)
    freight = rate_paise(courier, zone, question.grams)
    cod = courier.cod_paise if question.cod else 0
    days = days_between(courier, zone)
    return {
        "id": 880_000_000 + courier.id * 1_000 + _slabs(question.grams),
        "courier_company_id": courier.id,
        "courier_name": courier.name,
        "rate": (freight + cod) / 100,
        "freight_charge": freight / 100,
        "cod_charges": cod / 100,
        "cod_multiplier": 1.8 if question.cod else 0,
        "coverage_charges": 0,
        "other_charges": 0,
        "rto_charges": freight * courier.rto_percent // 100 / 100,
        "etd": times.american(now + timedelta(days=days)),
        "etd_hours": days * 24,
        "estimated_delivery_days": str(days),
        "rating": courier.rating,
        "delivery_performance": courier.rating,
        "pickup_performance": courier.rating,
        "rto_performance": courier.rto_performance,
        "tracking_performance": courier.rating,
        "min_weight": SLAB_GRAMS / 1_000,
        "charge_weight": _slabs(question.grams) * SLAB_GRAMS / 1_000,
        "surface_max_weight": f"{courier.max_grams / 1_000:.2f}",
        "is_surface": courier.surface,
        "mode": 0 if courier.surface else 1,
        "cod": int(courier.cod),
        "zone": _ZONES[zone],
        "blocked": 0,
        "cutoff_time": "15:00",
        "pickup_availability": "0",
        "suppression_dates": None,
        "is_hyperlocal": False,
        "is_rto_address_available": False,
    }


def _slabs(grams: int) -> int:
    return -(-grams // SLAB_GRAMS)
