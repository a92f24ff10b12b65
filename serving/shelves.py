"""From a question to shelves: which model answers what, what may be shown, and what fills the gaps."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from types import MappingProxyType

from models_ml.recommend.protocol import Event, Query, Recommendation
from models_ml.recommend.reasons import Reason, ReasonKind
from serving.schemas import Answer, Because, EventKind, Item, Question, Shelf, Slot
from serving.snapshot import Snapshot
from serving.state import State

EVENT_WEIGHTS: Mapping[EventKind, float] = MappingProxyType({EventKind.VIEW: 0.2, EventKind.ADD_TO_CART: 0.5})
"""What a look or a cart is worth beside a purchase (1)."""

PURCHASE = 1.0

SURPLUS = 2
EXTRA = 10
"""The answer holds `SURPLUS` · k + `EXTRA` items: the shop drops what cannot be bought at this moment."""


class NothingPublished(Exception):
    """There is no snapshot yet, so nobody knows which products exist."""


def answer(state: State, question: Question) -> Answer:
    """All shelves of the question's slot; empty ones are left out. Raises NothingPublished."""
    snapshot = state.snapshot
    if snapshot is None:
        raise NothingPublished("no snapshot has been published yet")
    counter = _Counter(state, snapshot, question)
    shelves = (build(counter) for build in _SHELVES[question.slot])
    return Answer(
        slot=question.slot,
        customer_id=question.customer_id,
        product_id=question.product_id,
        k=question.k,
        build_id=snapshot.build_id,
        as_of=snapshot.as_of,
        shelves=[shelf for shelf in shelves if shelf.items],
    )


class _Counter:
    """One question at the counter: its query, and the means to fill a shelf for it."""

    def __init__(self, state: State, snapshot: Snapshot, question: Question) -> None:
        self._state = state
        self._snapshot = snapshot
        self._question = question
        self._count = SURPLUS * question.k + EXTRA
        self._query = _query(snapshot, question)
        self._bought = frozenset(event.item_id for event in self._query.history if event.weight >= PURCHASE)

    def discover(self) -> Shelf:
        """New things for this shopper, the end filled up with what is popular."""
        query = replace(self._query, basket=tuple(self._question.cart), new_only=True)
        own = self._from_model("discover", query)
        if own is None:
            return self._shelf("discover", "popularity", self._popular(query))
        if len(own) >= self._count:
            return self._shelf("discover", "discover", own)
        seen = {item.item_id for item in own}
        filled = [*own, *(item for item in self._popular(query) if item.item_id not in seen)]
        source = "model" if len(filled) == len(own) else "model+popularity"
        return self._shelf("discover", "discover", filled, source=source)

    def buy_again(self) -> Shelf:
        """What this shopper buys again and again; empty without a model or a history."""
        own = self._from_model("buy_again", self._query) if self._bought else None
        return self._shelf("buy_again", "buy_again", [item for item in own or () if item.item_id in self._bought])

    def similar(self) -> Shelf:
        """Alike to the page's product; without a model, what is popular, that of its category first."""
        query = replace(self._query, history=(), basket=self._page())
        own = self._from_model("similar", query)
        return self._shelf("similar", "popularity" if own is None else "similar", own or self._same_category(query))

    def bought_together(self) -> Shelf:
        """What goes with the page's product or the cart; empty without a model or anything to go with."""
        basket = self._page() or tuple(self._question.cart)
        query = replace(self._query, history=(), basket=basket)
        own = self._from_model("bought_together", query) if basket else None
        return self._shelf("bought_together", "bought_together", own or ())

    def rising(self) -> Shelf:
        """What sells more than usual."""
        return self._from_snapshot("rising", self._snapshot.popularity.rising)

    def best_sellers(self) -> Shelf:
        """What sells most; in a shop without a sale for a week, what is popular."""
        lists = self._snapshot.popularity
        return self._from_snapshot("best_sellers", lists.best_sellers or lists.popular)

    def _page(self) -> tuple[int, ...]:
        page = self._question.product_id
        return () if page is None else (page,)

    def _from_model(self, name: str, query: Query) -> list[Recommendation] | None:
        """The champion's list; None without a champion, or when it has nothing to say."""
        champion = self._state.champions.get(name)
        if champion is None:
            return None
        found = champion.model.recommend(query, self._count)
        # The query bans what is withdrawn; this holds also for what the model knows and the snapshot does not.
        return [item for item in found if item.item_id in self._snapshot.active] or None

    def _popular(self, query: Query) -> list[Recommendation]:
        """The champion of popularity, else the snapshot's own list."""
        plain = replace(query, history=query.history if query.new_only else ())
        return self._from_model("popularity", plain) or self._allowed(self._snapshot.popularity.popular, plain)

    def _same_category(self, query: Query) -> list[Recommendation]:
        """What is popular, that of the page's category first."""
        products = self._snapshot.products
        page = products.get(self._question.product_id or 0)
        popular = self._popular(query)
        if page is None:
            return popular
        alike = frozenset(i for i in self._snapshot.active if products[i].category == page.category)
        first = self._popular(replace(query, candidates=alike))
        return [*first, *(item for item in popular if item.item_id not in alike)]

    def _from_snapshot(self, shelf: str, ranked: Sequence[Recommendation]) -> Shelf:
        return self._shelf(shelf, shelf, self._allowed(ranked, self._query), source="snapshot")

    def _allowed(self, ranked: Iterable[Recommendation], query: Query) -> list[Recommendation]:
        banned = {*query.exclude, *query.basket}
        if query.new_only:
            banned |= {event.item_id for event in query.history}
        allowed = self._snapshot.active if query.candidates is None else query.candidates
        shown = (item for item in ranked if item.item_id in allowed and item.item_id not in banned)
        return list(islice(shown, self._count))

    def _shelf(self, shelf: str, model: str, ranked: Sequence[Recommendation], *, source: str | None = None) -> Shelf:
        champion = None if source == "snapshot" else self._state.champions.get(model)
        build_id = self._snapshot.build_id
        return Shelf(
            shelf=shelf,
            model=model,
            version=champion.version if champion else build_id,
            source=source or ("model" if champion else "snapshot"),
            build_id=build_id,
            items=[self._item(recommended) for recommended in ranked[: self._count]],
        )

    def _item(self, recommended: Recommendation) -> Item:
        reason = recommended.reason
        name = self._snapshot.name(reason.item_id)
        viewed = reason.kind is ReasonKind.BECAUSE_YOU_BOUGHT and reason.item_id not in self._bought
        return Item(
            product_id=recommended.item_id,
            name=self._snapshot.name(recommended.item_id),
            score=recommended.score,
            # A model takes looks and carts for weak purchases; the reason must not claim more than happened.
            reason=f"Because you looked at “{name}”" if viewed else reason.sentence(name),
            because=_because(reason, viewed=viewed),
        )


_SHELVES: Mapping[Slot, tuple[Callable[[_Counter], Shelf], ...]] = MappingProxyType(
    {
        Slot.HOME: (_Counter.discover, _Counter.buy_again, _Counter.rising, _Counter.best_sellers),
        Slot.PRODUCT: (_Counter.similar, _Counter.bought_together),
        Slot.SHOP: (_Counter.rising, _Counter.best_sellers),
        Slot.CART: (_Counter.bought_together, _Counter.discover),
    }
)


def _query(snapshot: Snapshot, question: Question) -> Query:
    events = [Event(event.product_id, _naive(event.at), EVENT_WEIGHTS[event.kind]) for event in question.events]
    history = (*_purchases(snapshot, question), *events)
    known = [event.at for event in history if event.at is not None]
    # Models look at each banned or each allowed product in turn: name the fewer.
    few_active = len(snapshot.active) < len(snapshot.inactive)
    return Query(
        history=history,
        basket=tuple(question.cart),
        at=_naive(question.at) or max([snapshot.as_of, *known]),
        exclude=frozenset((*question.exclude, *question.cart)).union(() if few_active else snapshot.inactive),
        candidates=snapshot.active if few_active else None,
    )


def _purchases(snapshot: Snapshot, question: Question) -> tuple[Event, ...]:
    if question.purchases is not None:
        return tuple(Event(bought.product_id, _naive(bought.at)) for bought in question.purchases)
    if question.customer_id is not None:
        return snapshot.purchases.history(question.customer_id)
    return ()


def _because(reason: Reason, *, viewed: bool) -> Because:
    return Because(
        kind="because_you_viewed" if viewed else reason.kind,
        product_id=reason.item_id,
        count=reason.count,
        total=reason.total,
        last_at=reason.last_at,
        days=reason.days,
    )


def _naive(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)
