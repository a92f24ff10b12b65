"""Reading a supplier's stock feed: CSV or JSON, refused as a whole with the place of the first fault.

CSV: a header with `supplier_sku`, `quantity` and `as_of`; without the column `as_of` the whole file has one moment,
said beside it. JSON: `{"supplier": code, "as_of": moment, "items": [{"supplier_sku", "quantity"}]}`; supplier and
moment may also be said beside it. Moments are ISO 8601 with a time zone: the supplier's own time of the figures.
"""

import csv
import hashlib
import io
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from transactional.core.errors import InvalidInput

MOST_ITEMS = 100_000
_QUANTITY = re.compile(r"[0-9]{1,9}", re.ASCII)
_SKU_LENGTH = 64


@dataclass(frozen=True, slots=True)
class FeedItem:
    """What a supplier says to have of an article, and since when."""

    supplier_sku: str
    quantity: int
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Feed:
    """A whole feed; `supplier` is the code that the file names, if it names one."""

    items: tuple[FeedItem, ...]
    supplier: str | None = None

    def checked(self) -> "Feed":
        """Itself; InvalidInput where an article is in it twice, or too many or none are."""
        if not self.items:
            raise InvalidInput("the feed has no items")
        if len(self.items) > MOST_ITEMS:
            raise InvalidInput(f"the feed has {len(self.items)} items, more than {MOST_ITEMS}")
        seen: set[str] = set()
        for item in self.items:
            if item.supplier_sku in seen:
                raise InvalidInput(f"{item.supplier_sku} is in the feed twice")
            seen.add(item.supplier_sku)
        return self

    @property
    def sha256(self) -> str:
        """Of what it says, whatever the format and the order of its items."""
        said = sorted((item.supplier_sku, item.quantity, item.as_of.isoformat()) for item in self.items)
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def read_csv(content: bytes, *, as_of: datetime | None = None) -> Feed:
    """A CSV feed. Raises InvalidInput with the line of the first fault."""
    rows = csv.DictReader(io.StringIO(_text(content), newline=""), strict=True)
    try:
        _check_header(rows.fieldnames or [], as_of)
        items = [_csv_item(row, rows.line_num, as_of) for row in rows]
    except csv.Error as error:
        raise InvalidInput(f"after line {rows.line_num}: this is no CSV: {error}") from error
    return Feed(tuple(items)).checked()


def read_json(content: bytes, *, as_of: datetime | None = None) -> Feed:
    """A JSON feed. Raises InvalidInput with the number of the first faulty item."""
    try:
        document = json.loads(_text(content))
    except ValueError as error:
        raise InvalidInput(f"this is no JSON: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("items"), list):
        raise InvalidInput("a feed is an object with a list `items`", field="items")
    supplier = document.get("supplier")
    if supplier is not None and not isinstance(supplier, str):
        raise InvalidInput("`supplier` is the supplier's code", field="supplier")
    moment = as_of if "as_of" not in document else parse_moment(document["as_of"], "as_of")
    items = [_json_item(item, f"item {number}", moment) for number, item in enumerate(document["items"], 1)]
    return Feed(tuple(items), supplier).checked()


def parse_moment(value: Any, place: str) -> datetime:
    """An ISO 8601 moment with its time zone, in UTC. Raises InvalidInput naming the place."""
    try:
        moment = datetime.fromisoformat(value.strip())
    except (AttributeError, ValueError):
        raise InvalidInput(f"{place}: {value!r} is no moment like 2026-01-15T10:00:00+05:30") from None
    if moment.tzinfo is None:
        raise InvalidInput(f"{place}: {value!r} has no time zone")
    return moment.astimezone(UTC)


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"byte {error.start + 1} is no UTF-8") from error


def _check_header(names: Any, as_of: datetime | None) -> None:
    needed = {"supplier_sku", "quantity"} | (set() if as_of else {"as_of"})
    missing = sorted(needed - set(names))
    if missing:
        raise InvalidInput(f"line 1: the header lacks {', '.join(missing)}")


def _csv_item(row: dict[Any, Any], line: int, as_of: datetime | None) -> FeedItem:
    place = f"line {line}"
    if None in row or None in row.values():
        raise InvalidInput(f"{place}: the number of columns is not that of the header")
    moment = parse_moment(row["as_of"], place) if "as_of" in row else as_of
    assert moment is not None
    return _item(row["supplier_sku"], row["quantity"], moment, place)


def _json_item(item: Any, place: str, as_of: datetime | None) -> FeedItem:
    if not isinstance(item, dict):
        raise InvalidInput(f"{place} is no object")
    moment = parse_moment(item["as_of"], place) if "as_of" in item else as_of
    if moment is None:
        raise InvalidInput(f"{place}: neither the item nor the feed says `as_of`")
    quantity = item.get("quantity")
    if isinstance(quantity, bool) or not isinstance(quantity, int | str):
        raise InvalidInput(f"{place}: {quantity!r} is no number of units")
    return _item(item.get("supplier_sku"), str(quantity), moment, place)


def _item(sku: Any, quantity: str, as_of: datetime, place: str) -> FeedItem:
    if not isinstance(sku, str) or not 1 <= len(sku.strip()) <= _SKU_LENGTH:
        raise InvalidInput(f"{place}: a supplier's SKU has 1 to {_SKU_LENGTH} characters")
    if not _QUANTITY.fullmatch(quantity.strip()):
        raise InvalidInput(f"{place}: {quantity!r} is no number of units")
    return FeedItem(sku.strip(), int(quantity), as_of)
