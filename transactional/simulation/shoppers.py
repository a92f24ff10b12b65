"""Who shops: people with tastes, budgets, somebody to give to, habits, and a day on which they stop coming.

Everything here is drawn from one random source, touches no database and is therefore the same for the same seed.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random

from transactional.simulation.feasts import Feast
from transactional.simulation.gifts import CATEGORIES, STYLES
from transactional.simulation.places import Place, draw_place

_FIRST_NAMES = (  # noqa: SIM905  a list of forty strings would fill a page
    "Aarav Aditi Ananya Arjun Asha Bhavna Chetan Deepika Devansh Diya Farhan Gauri Harish Isha Ishaan Jaya Kabir Kavya"
    " Kiran Lakshmi Manish Meera Mohit Naina Nandini Neha Nikhil Omkar Pooja Pranav Priya Rahul Riya Rohan Saanvi"
    " Sameer Sana Shreya Siddharth Sneha Sunita Tanvi Varun Vidya Vikram Yash Zara"
).split()
_LAST_NAMES = (  # noqa: SIM905
    "Agarwal Banerjee Bhat Chopra Das Deshpande Fernandes Ghosh Gupta Iyer Jain Joshi Kapoor Khan Kulkarni Kumar Mehta"
    " Menon Mukherjee Nair Patel Pillai Rao Reddy Sen Shah Sharma Singh Sinha Subramanian Thomas Verma"
).split()
_CHANNELS = (
    ("organic_search", 30),
    ("instagram", 25),
    ("direct", 15),
    ("referral", 12),
    ("paid_search", 12),
    ("email", 6),
)
_RELATIONS = ("mother", "father", "sister", "brother", "partner", "friend", "child", "colleague")
_LANGUAGES = (("english", 60), ("hinglish", 28), ("hindi", 12))


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody to give to, on a day of every year."""

    relation: str
    occasion: str
    month: int
    day: int

    def day_in(self, year: int) -> date:
        """The day in a year; who was born on 29 February celebrates on the 28th."""
        return date(year, self.month, min(self.day, 28) if self.month == 2 else self.day)


@dataclass(slots=True)
class Shopper:
    """A person, with what really drives them (`truth`), which no model may read."""

    number: int
    name: str
    email: str
    home: Place
    family: Place
    """Where the relatives live to whom some gifts go."""
    language: str
    channel: str
    consents: bool
    birthday: date
    is_guest: bool
    joined: datetime
    leaves: datetime
    orders_per_year: float
    budget: int
    """Rupees that they like to spend on one gift."""
    price_sensitivity: float
    styles: Mapping[str, float]
    categories: Mapping[str, float]
    recipients: tuple[Recipient, ...]
    feasts: frozenset[str]
    repeat_habit: float
    """How much more they like what they bought before."""
    likes_coupons: float
    likes_points: float
    customer_id: int | None = None
    bought: dict[str, int] = field(default_factory=dict)
    """Units bought so far, by SKU."""
    letter: str | None = None
    """A code of their own that the shop sent them."""
    is_friend: bool = False
    """Whether the shop counts them among the friends of the house."""

    @property
    def customer_id_for_cart(self) -> int | None:
        """Whose cart it is; a guest's belongs to nobody."""
        return None if self.is_guest else self.customer_id

    def address(self, place: Place) -> dict[str, str]:
        """Where a parcel for them, or for their relatives, goes."""
        return {
            "recipient": self.name,
            "phone": f"+91{9_000_000_000 + self.number * 7_919 % 999_999_999}",
            "line1": f"{self.number % 180 + 1}, Gandhi Road",
            "city": place.city,
            "state": place.state,
            "postal_code": place.postal_code,
            "country": "India",
        }


@dataclass(frozen=True, slots=True)
class Visit:
    """A shopper comes to the shop: to look around, or to buy (for an occasion, or just so)."""

    moment: datetime
    shopper: Shopper
    wants_to_buy: bool
    occasion: str | None = None


def make_shopper(rng: Random, number: int, *, start: datetime, end: datetime) -> Shopper:
    """Draw a person who joins between `start` and `end`; the first come soon, when the shop opens."""
    name = f"{rng.choice(_FIRST_NAMES)} {rng.choice(_LAST_NAMES)}"
    home, family = draw_place(rng), draw_place(rng)
    joined = max(start, _daytime(rng, start + (end - start) * (rng.random() ** 1.3) * 0.97))
    stays = timedelta(days=rng.expovariate(1 / 480.0)) if rng.random() < 0.7 else end - start
    return Shopper(
        number=number,
        name=name,
        email=f"{name.lower().replace(' ', '.')}.{number}@example.com",
        home=home,
        family=family,
        language=_weighted(rng, _LANGUAGES)[0],
        channel=_weighted(rng, _CHANNELS)[0],
        consents=rng.random() < 0.55,
        birthday=date(rng.randint(1960, 2004), rng.randint(1, 12), rng.randint(1, 28)),
        is_guest=rng.random() < 0.1,
        joined=joined,
        leaves=joined + stays,
        orders_per_year=rng.gammavariate(1.6, 1.0),
        budget=int(rng.lognormvariate(math.log(850), 0.5)),
        price_sensitivity=rng.gammavariate(3.0, 0.45),
        styles=_dirichlet(rng, STYLES, 0.45),
        categories=_dirichlet(rng, CATEGORIES, 0.35),
        recipients=_recipients(rng),
        feasts=frozenset(
            name
            for name, share in (
                ("diwali", 0.75),
                ("rakhi", 0.55),
                ("valentine", 0.35),
                ("mothers-day", 0.35),
                ("christmas", 0.25),
            )
            if rng.random() < share
        ),
        repeat_habit=rng.betavariate(1.2, 2.5) * 2.5,
        likes_coupons=rng.random(),
        likes_points=rng.random(),
    )


def plan_visits(rng: Random, shopper: Shopper, feasts: list[Feast], *, end: datetime) -> list[Visit]:
    """Every visit of a shopper from joining to leaving or `end`, in the order of time."""
    last = min(shopper.leaves, end)
    visits = [Visit(shopper.joined + timedelta(minutes=rng.randint(2, 40)), shopper, rng.random() < 0.55)]
    visits += _occasional(rng, shopper, feasts)
    for yearly, buys in ((shopper.orders_per_year * 0.5, True), (shopper.orders_per_year * 0.8 + 0.8, False)):
        moment = shopper.joined
        while (moment := moment + timedelta(days=rng.expovariate(yearly / 365.0))) < last:
            visits.append(Visit(_daytime(rng, moment), shopper, buys))
    inside = (visit for visit in visits if shopper.joined < visit.moment < last)
    return sorted(inside, key=lambda visit: (visit.moment, visit.wants_to_buy))


def _occasional(rng: Random, shopper: Shopper, feasts: list[Feast]) -> list[Visit]:
    """Gifts for days that matter: bought three to twelve days before, and not every year."""
    keenness = min(0.9, 0.2 + 0.15 * shopper.orders_per_year)
    days = [(feast.day, feast.occasion) for feast in feasts if feast.occasion in shopper.feasts]
    for year in range(shopper.joined.year, shopper.leaves.year + 1):
        days += [(recipient.day_in(year), recipient.occasion) for recipient in shopper.recipients]
    visits = []
    for day, occasion in sorted(days):
        if rng.random() < keenness:
            before = datetime(day.year, day.month, day.day, tzinfo=shopper.joined.tzinfo) - timedelta(
                days=rng.randint(3, 12)
            )
            visits.append(Visit(_daytime(rng, before), shopper, wants_to_buy=True, occasion=occasion))
    return visits


def _recipients(rng: Random) -> tuple[Recipient, ...]:
    people = []
    for relation in rng.sample(_RELATIONS, rng.choice((1, 2, 2, 3))):
        occasion = "anniversary" if relation == "partner" and rng.random() < 0.6 else "birthday"
        people.append(Recipient(relation, occasion, rng.randint(1, 12), rng.randint(1, 28)))
    return tuple(people)


def _dirichlet(rng: Random, keys: tuple[str, ...], alpha: float) -> dict[str, float]:
    draws = [rng.gammavariate(alpha, 1.0) + 1e-9 for _ in keys]
    whole = sum(draws)
    return {key: draw / whole for key, draw in zip(keys, draws, strict=True)}


def _weighted(rng: Random, table: tuple[tuple[object, ...], ...]) -> tuple[str, ...]:
    (row,) = rng.choices(table, weights=[float(str(row[-1])) for row in table])
    return tuple(str(cell) for cell in row)


def _daytime(rng: Random, moment: datetime) -> datetime:
    """The same day at a time when people shop: evenings most. India's clock runs 5½ hours ahead of UTC."""
    hour = rng.choices(range(24), weights=(2, 1, 1, 1, 1, 1, 2, 4, 5, 6, 7, 7, 7, 6, 6, 6, 7, 8, 10, 12, 13, 12, 8, 4))[
        0
    ]
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    local = midnight + timedelta(hours=hour, minutes=rng.randint(0, 59), seconds=rng.randint(0, 59))
    return local - timedelta(hours=5, minutes=30)
