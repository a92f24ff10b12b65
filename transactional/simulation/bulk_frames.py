"""What chance decides of a bulk history: drawn once as arrays, written part by part."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from transactional.importing.bulk import BulkWriter
from transactional.simulation.feasts import feasts_between
from transactional.simulation.gifts import CATEGORIES, GIFTS
from transactional.simulation.places import PLACES

CURRENCY = "INR"
SOURCE = "simulation"
_RETURNED = 0.03
_DAYS_TO_SHIP = 1
_DAYS_TO_DELIVER = 4
_CHANNELS = ("organic_search", "instagram", "direct", "referral", "paid_search", "email")
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Drawn:
    """Everything that chance decided. Times are UTC without zone, ids are counted from 1 in each frame's order.

    `orders`: order (number), customer, placed_at, shipped_at and delivered_at (null: not before the end), public_id,
    financial_year. `lines`: order, gift (place in GIFTS), quantity, price_minor, returned (bool), days_until_return.
    `customers`: customer, created_at, city, state, postal_code, channel.
    """

    start: datetime
    end: datetime
    customers: pl.DataFrame
    orders: pl.DataFrame
    lines: pl.DataFrame


def draw(rng: np.random.Generator, orders: int, customers: int, days: int, end: datetime) -> Drawn:
    """Decide who buys what and when."""
    start = end - timedelta(days=days)
    rates = rng.gamma(0.9, 1.0, customers) + 0.02
    joined = np.sort(rng.random(customers) ** 1.3 * 0.97) * days
    buyers = rng.choice(customers, size=orders, p=rates / rates.sum())
    moments = _moments(rng, joined[buyers], days, start.date())
    sequence = np.lexsort((buyers, moments))
    buyers, moments = buyers[sequence], moments[sequence]
    placed = _timestamps(start, moments)
    frame = pl.DataFrame({"order": np.arange(1, orders + 1), "customer": buyers + 1, "placed_at": placed})
    local = pl.col("placed_at") + pl.duration(hours=5, minutes=30)
    frame = frame.with_columns(
        pl.Series("public_id", _public_ids(rng, "ord", orders)),
        (local.dt.year() - (local.dt.month() < 4).cast(pl.Int32)).alias("financial_year"),
        _before(end, _DAYS_TO_SHIP).alias("shipped_at"),
        _before(end, _DAYS_TO_DELIVER).alias("delivered_at"),
    )
    return Drawn(
        start=start,
        end=end,
        customers=_customers(rng, start, joined),
        orders=frame,
        lines=_lines(rng, buyers, customers),
    )


def insert_customers(writer: BulkWriter, drawn: Drawn) -> None:
    """Write the customers; they have no log-in."""
    number = pl.col("customer")
    writer.insert(
        "customers",
        drawn.customers.select(
            number.alias("id"),
            pl.format("shopper-{}@example.com", number).alias("email"),
            pl.format("shopper-{}@example.com", number).alias("email_key"),
            pl.format("Shopper {}", number).alias("full_name"),
            pl.lit("India").alias("country"),
            "city",
            pl.col("channel").alias("acquisition_channel"),
            pl.lit(SOURCE).alias("source"),
            pl.format("{}", number).alias("external_ref"),
            "created_at",
        ),
    )


def lines_of(drawn: Drawn, orders: pl.DataFrame) -> pl.DataFrame:
    """The lines of some consecutive orders, with their customer and moments."""
    first, last = orders["order"][0], orders["order"][-1]
    own = drawn.lines.filter(pl.col("order").is_between(first, last))
    return own.join(
        orders.select("order", "customer", "placed_at", "shipped_at", "delivered_at"), on="order", maintain_order="left"
    ).with_columns((pl.col("quantity") * pl.col("price_minor")).alias("gross_minor"))


def returned_lines(lines: pl.DataFrame, end: datetime) -> pl.DataFrame:
    """Lines that come back whole before the end of the history, with the day on which they do."""
    day = pl.col("placed_at") + pl.duration(days=pl.col("days_until_return"))
    back = lines.filter(pl.col("returned")).with_columns(day.alias("returned_at"))
    return back.filter(pl.col("returned_at") < end.replace(tzinfo=None))


def _before(end: datetime, days: int) -> pl.Expr:
    """So many days after placement, if that lies before the end."""
    moment = pl.col("placed_at") + pl.duration(days=days)
    return pl.when(moment < end.replace(tzinfo=None)).then(moment)


def _moments(rng: np.random.Generator, joined: Floats, days: int, first: date) -> Floats:
    """Days since the start: after joining, more often before feasts."""
    weights = np.ones(days)
    for feast in feasts_between(first, first + timedelta(days=days)):
        at = (feast.day - first).days
        weights[max(0, at - 14) : at] *= 1.0 + 2.0 * feast.reach
    growing = np.cumsum(weights)
    floor = growing[np.minimum(joined.astype(np.int64), days - 1)]
    drawn = floor + rng.random(joined.size) * (growing[-1] - floor)
    day = np.searchsorted(growing, drawn, side="right").clip(0, days - 1)
    # Nobody buys before joining on the same day, and nobody after the end.
    moments: Floats = np.clip(np.maximum(day + rng.random(joined.size), joined), 0, days - 1e-6)
    return moments


def _timestamps(start: datetime, days: Floats) -> pl.Series:
    origin = np.datetime64(start.astimezone(UTC).replace(tzinfo=None), "us")
    moments = origin + (days * 86_400).astype(np.int64) * np.timedelta64(1_000_000, "us")
    return pl.Series(moments).cast(pl.Datetime("us"))


def _customers(rng: np.random.Generator, start: datetime, joined: Floats) -> pl.DataFrame:
    count = joined.size
    weights = np.array([place.weight for place in PLACES])
    homes = rng.choice(len(PLACES), size=count, p=weights / weights.sum())
    return pl.DataFrame(
        {
            "customer": np.arange(1, count + 1),
            "created_at": _timestamps(start, joined),
            "city": np.array([place.city for place in PLACES])[homes],
            "state": np.array([place.state for place in PLACES])[homes],
            "postal_code": np.array([place.postal_code for place in PLACES])[homes],
            "channel": np.array(_CHANNELS)[rng.integers(0, len(_CHANNELS), count)],
        }
    )


def _lines(rng: np.random.Generator, buyers: Ints, customers: int) -> pl.DataFrame:
    """One to four lines an order; two out of three from the customer's own two favourite categories."""
    sizes = rng.choice([1, 2, 3, 4], size=buyers.size, p=[0.5, 0.3, 0.14, 0.06])
    order = np.repeat(np.arange(1, buyers.size + 1), sizes)
    owner = np.repeat(buyers, sizes)
    favourites = rng.integers(0, len(CATEGORIES), (customers, 2))
    categories = rng.integers(0, len(CATEGORIES), order.size)
    loyal = rng.random(order.size) < 0.66
    categories[loyal] = favourites[owner[loyal], rng.integers(0, 2, int(loyal.sum()))]
    gifts = _gifts_within(rng, categories)
    prices = np.array([gift.price * 100 for gift in GIFTS], dtype=np.int64)
    return pl.DataFrame(
        {
            "order": order,
            "gift": gifts,
            "quantity": 1 + rng.binomial(3, 0.08, order.size),
            "price_minor": prices[gifts],
            "returned": rng.random(order.size) < _RETURNED,
            "days_until_return": rng.integers(5, 20, order.size),
        }
    )


def _gifts_within(rng: np.random.Generator, categories: Ints) -> Ints:
    """A gift of each category, the first ones of the catalogue more often than the last."""
    places = [np.array([i for i, gift in enumerate(GIFTS) if gift.category == name]) for name in CATEGORIES]
    chosen = np.empty(categories.size, dtype=np.int64)
    for number, gifts in enumerate(places):
        mask = categories == number
        popularity = 1.0 / np.arange(1, gifts.size + 1)
        chosen[mask] = rng.choice(gifts, size=int(mask.sum()), p=popularity / popularity.sum())
    return chosen


def _public_ids(rng: np.random.Generator, prefix: str, count: int) -> list[str]:
    """Ids of the shop's form, but from the seed: made-up orders have nothing to hide."""
    letters = np.frombuffer(_ALPHABET.encode(), dtype=np.uint8)
    text = letters[rng.integers(0, 32, 26 * count)].tobytes().decode()
    return [f"{prefix}_{text[i * 26 : (i + 1) * 26]}" for i in range(count)]
