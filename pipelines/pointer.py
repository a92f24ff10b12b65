"""`var/published/CURRENT.json`: which snapshot readers follow, and the same card beside every snapshot."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from pipelines import durable
from pipelines.errors import NothingPublished, PipelineError

SCHEMA_VERSION = 1
_LOCK_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of a published snapshot. `path` is relative to the pointer; times are UTC."""

    path: str
    build_id: str
    parent: str | None
    published_at: datetime
    as_of: datetime
    bytes: int
    sha256: str
    horizon: int
    schema_version: int
    duckdb_version: str

    def as_json(self) -> dict[str, Any]:
        """The card as it lies on disk."""
        return asdict(self) | {"published_at": self.published_at.isoformat(), "as_of": self.as_of.isoformat()}

    @classmethod
    def read(cls, path: Path) -> "Card":
        """The card in a file. Raises `PipelineError` where it is unreadable."""
        try:
            content = json.loads(path.read_text("utf-8"))
            times = {key: datetime.fromisoformat(content[key]) for key in ("published_at", "as_of")}
            return cls(**{**content, **times})
        except (KeyError, TypeError, ValueError) as error:
            raise PipelineError(f"{path} is no card of a published snapshot: {error}") from error


def current(published: Path) -> Card | None:
    """The snapshot that readers follow; None before the first publication."""
    path = published / "CURRENT.json"
    return Card.read(path) if path.exists() else None


def require_current(published: Path) -> Card:
    """As `current`; raises `NothingPublished` before the first publication."""
    card = current(published)
    if card is None:
        raise NothingPublished(f"nothing is published under {published} yet; run `python -m pipelines refresh`.")
    return card


def point_at(published: Path, card: Card) -> None:
    """Let readers follow this snapshot from now on. The caller holds the lock."""
    durable.write_json(published / "CURRENT.json", card.as_json())


@contextmanager
def locked(published: Path) -> Iterator[None]:
    """Nobody else moves the pointer meanwhile; the lock dies with its process."""
    published.mkdir(parents=True, exist_ok=True)
    with FileLock(published / ".pointer.lock", timeout=_LOCK_SECONDS):
        yield


def cards(published: Path) -> list[Card]:
    """Every snapshot that still lies here, the latest published first."""
    found = [Card.read(path) for path in published.glob("*.json") if path.name != "CURRENT.json"]
    present = [card for card in found if (published / card.path).exists()]
    return sorted(present, key=lambda card: (card.published_at, card.build_id), reverse=True)
