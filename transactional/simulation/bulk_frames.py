"""The rows of a bulk history: drawn once as arrays, written part by part."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from transactional.importing import ledger
from transactional.importing.bulk import BulkWriter
from transactional.simulation.feasts import feasts_between
from transactional.simulation.gifts import CATEGORIES, GIFTS

_CURRENCY = "INR"
_FREE_SHIPPING_FROM = 149_900
_SHIPPING = 9_900
_RETURNED = 0.03
_SOURCE = "simulation"
_CITIES = ("Mumbai", "Delhi", "Bengaluru", "Hyderabad", "Chennai", "Pune", "Kolkata", "Jaipur")
_CHANNELS = ("organic_search", "instagram", "direct", "referral", "paid_search", "email")
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Drawn:
    """Everything that chance decided. Times are UTC without zone, ids are counted from 1 in each frame's order.

    `orders`: order (number), customer, placed_at, public_id, financial_year. `lines`: order, gift (place in GIFTS),
    quantity, price_minor, returned (bool), days_until_return. `customers`: customer, created_at, city, channel.
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
            pl.lit(_SOURCE).alias("source"),
            pl.format("{}", number).alias("external_ref"),
            "created_at",
        ),
    )


def insert_orders(writer: BulkWriter, drawn: Drawn, orders: pl.DataFrame, shelf: pl.DataFrame) -> None:
    """Write a part of the orders with everything that hangs on them.

    `shelf` has gift, variant_id, product_id, location_id, sku and title.
    """
    lines = lines_of(drawn, orders).join(shelf, on="gift", maintain_order="left")
    lines = writer.numbered("order_lines", lines).rename({"id": "line_id"})
    sums = lines.group_by("order").agg(pl.col("gross_minor").sum())
    shipping = pl.when(pl.col("gross_minor") >= _FREE_SHIPPING_FROM).then(0).otherwise(_SHIPPING)
    whole = orders.join(sums, on="order", maintain_order="left").with_columns(shipping.alias("shipping_minor"))
    whole = whole.with_columns((pl.col("gross_minor") + pl.col("shipping_minor")).alias("total_minor"))
    whole = whole.join(drawn.customers.select("customer", "city"), on="customer", maintain_order="left")
    back = returned_lines(lines, drawn.end)
    _write_orders(writer, whole, drawn.end)
    _write_lines(writer, lines, back, drawn.end)
    payments = _write_payments(writer, whole, back)
    _write_returns(writer, back, payments)


def lines_of(drawn: Drawn, orders: pl.DataFrame) -> pl.DataFrame:
    """The lines of some consecutive orders, with customer and placed_at."""
    first, last = orders["order"][0], orders["order"][-1]
    own = drawn.lines.filter(pl.col("order").is_between(first, last))
    return own.join(orders.select("order", "customer", "placed_at"), on="order", maintain_order="left").with_columns(
        (pl.col("quantity") * pl.col("price_minor")).alias("gross_minor")
    )


def returned_lines(lines: pl.DataFrame, end: datetime) -> pl.DataFrame:
    """Lines that come back whole before the end of the history, with the day on which they do."""
    day = pl.col("placed_at") + pl.duration(days=pl.col("days_until_return"))
    back = lines.filter(pl.col("returned")).with_columns(day.alias("returned_at"))
    return back.filter(pl.col("returned_at") < end.replace(tzinfo=None))


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
    return pl.DataFrame(
        {
            "customer": np.arange(1, count + 1),
            "created_at": _timestamps(start, joined),
            "city": np.array(_CITIES)[rng.integers(0, len(_CITIES), count)],
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


def _delivery(end: datetime) -> tuple[pl.Expr, pl.Expr]:
    """When something placed at `placed_at` is delivered, and whether that lies before the `end`."""
    delivered = pl.col("placed_at") + pl.duration(days=4)
    return delivered, delivered < end.replace(tzinfo=None)


def _write_orders(writer: BulkWriter, orders: pl.DataFrame, end: datetime) -> None:
    delivered, arrived = _delivery(end)
    placed = orders.with_columns(
        pl.when(arrived).then(delivered).alias("delivered_at"),
        pl.when(arrived).then(pl.lit("delivered")).otherwise(pl.lit("paid")).alias("status"),
    )
    writer.insert(
        "orders",
        placed.select(
            pl.col("order").alias("id"),
            "public_id",
            "order_number",
            pl.col("customer").alias("customer_id"),
            pl.format("shopper-{}@example.com", "customer").alias("email"),
            "status",
            pl.lit(_CURRENCY).alias("currency"),
            "gross_minor",
            "shipping_minor",
            "total_minor",
            pl.struct(pl.col("city"), pl.lit("India").alias("country")).struct.json_encode().alias("ship_to"),
            pl.lit("India").alias("ship_country"),
            pl.col("city").alias("ship_city"),
            "placed_at",
            pl.col("placed_at").alias("paid_at"),
            "delivered_at",
        ),
    )
    steps = [
        placed.select(
            "order",
            pl.lit(before).cast(pl.String).alias("from_status"),
            pl.lit(after).alias("to_status"),
            pl.col(moment).alias("occurred_at"),
        )
        for before, after, moment in ((None, "paid", "placed_at"), ("paid", "delivered", "delivered_at"))
    ]
    writer.insert(
        "order_status_changes",
        pl.concat(steps)
        .filter(pl.col("occurred_at").is_not_null())
        .select(
            pl.col("order").alias("order_id"),
            "from_status",
            "to_status",
            pl.lit(_SOURCE).alias("actor"),
            "occurred_at",
        ),
    )


def _write_lines(writer: BulkWriter, lines: pl.DataFrame, back: pl.DataFrame, end: datetime) -> None:
    arrived = pl.when(_delivery(end)[1]).then("quantity").otherwise(0)
    is_back = pl.col("line_id").is_in(back["line_id"].implode())
    writer.insert(
        "order_lines",
        lines.select(
            pl.col("line_id").alias("id"),
            pl.col("order").alias("order_id"),
            "variant_id",
            "product_id",
            "sku",
            "title",
            "quantity",
            pl.col("price_minor").alias("unit_price_minor"),
            "gross_minor",
            pl.col("gross_minor").alias("net_minor"),
            arrived.alias("shipped_quantity"),
            arrived.alias("delivered_quantity"),
            pl.when(is_back).then("quantity").otherwise(0).alias("returned_quantity"),
            pl.when(is_back).then("gross_minor").otherwise(0).alias("refunded_minor"),
        ),
    )
    writer.insert(
        "stock_movements",
        lines.select(
            "variant_id",
            "location_id",
            pl.lit("sale").alias("kind"),
            (-pl.col("quantity")).alias("quantity"),
            pl.col("line_id").alias("order_line_id"),
            pl.col("placed_at").alias("occurred_at"),
        ),
    )


def _write_payments(writer: BulkWriter, orders: pl.DataFrame, back: pl.DataFrame) -> pl.DataFrame:
    refunds = back.group_by("order").agg(pl.col("gross_minor").sum().alias("refunded_minor"))
    paid = orders.join(refunds, on="order", how="left", maintain_order="left").with_columns(
        pl.col("refunded_minor").fill_null(0)
    )
    paid = writer.numbered("payments", paid)
    whole = pl.col("refunded_minor") == pl.col("total_minor")
    writer.insert(
        "payments",
        paid.select(
            "id",
            pl.col("order").alias("order_id"),
            pl.lit(_SOURCE).alias("gateway"),
            pl.format("pay_sim{}", "order").alias("gateway_payment_id"),
            pl.lit("upi").alias("method"),
            pl.when(whole).then(pl.lit("refunded")).otherwise(pl.lit("captured")).alias("status"),
            pl.lit(_CURRENCY).alias("currency"),
            pl.col("total_minor").alias("amount_minor"),
            pl.col("total_minor").alias("captured_minor"),
            "refunded_minor",
            pl.col("placed_at").alias("created_at"),
            pl.col("placed_at").alias("authorized_at"),
            pl.col("placed_at").alias("captured_at"),
        ),
    )
    captures = paid.select(
        pl.format("capture:pay_sim{}", "order").alias("business_key"),
        pl.col("order").alias("order_id"),
        pl.col("total_minor").alias("amount_minor"),
        pl.col("placed_at").alias("occurred_at"),
    )
    ledger.post(writer, captures, kind="capture", currency=_CURRENCY)
    return paid.select("order", pl.col("id").alias("payment_id"))


def _write_returns(writer: BulkWriter, back: pl.DataFrame, payments: pl.DataFrame) -> None:
    """A return and a refund for every line that comes back."""
    numbered = writer.numbered("returns", back).rename({"id": "return_id"})
    numbered = numbered.join(payments, on="order", maintain_order="left")
    writer.insert(
        "returns",
        numbered.select(
            pl.col("return_id").alias("id"),
            pl.format("ret_sim{}", "return_id").alias("public_id"),
            pl.col("order").alias("order_id"),
            pl.col("customer").alias("customer_id"),
            pl.lit("processed").alias("status"),
            pl.lit("not as expected").alias("reason"),
            pl.col("gross_minor").alias("refund_minor"),
            pl.lit(_CURRENCY).alias("currency"),
            pl.col("returned_at").alias("requested_at"),
            pl.col("returned_at").alias("processed_at"),
        ),
    )
    lines = writer.numbered("return_lines", numbered)
    writer.insert(
        "return_lines",
        lines.select(
            "id",
            "return_id",
            pl.col("line_id").alias("order_line_id"),
            "variant_id",
            "product_id",
            "quantity",
            pl.col("gross_minor").alias("refund_minor"),
        ),
    )
    writer.insert(
        "stock_movements",
        lines.select(
            "variant_id",
            "location_id",
            pl.lit("return").alias("kind"),
            "quantity",
            pl.col("id").alias("return_line_id"),
            pl.col("returned_at").alias("occurred_at"),
        ),
    )
    _write_refunds(writer, numbered)


def _write_refunds(writer: BulkWriter, returns: pl.DataFrame) -> None:
    writer.insert(
        "refunds",
        returns.select(
            "payment_id",
            pl.col("order").alias("order_id"),
            "return_id",
            pl.format("sim:{}", "return_id").alias("idempotency_key"),
            pl.lit("processed").alias("status"),
            pl.col("gross_minor").alias("amount_minor"),
            pl.lit(_CURRENCY).alias("currency"),
            pl.lit("return").alias("reason"),
            pl.col("returned_at").alias("created_at"),
            pl.col("returned_at").alias("processed_at"),
        ),
    )
    refunds = returns.select(
        pl.format("refund:sim{}", "return_id").alias("business_key"),
        pl.col("order").alias("order_id"),
        (-pl.col("gross_minor")).alias("amount_minor"),
        pl.col("returned_at").alias("occurred_at"),
    )
    ledger.post(writer, refunds, kind="refund", currency=_CURRENCY)
