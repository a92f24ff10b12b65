"""Item ids and their positions in a model's arrays."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from models_ml.arrays import BoolArray, IntArray


class ItemIndex:
    """The items of a model: sorted unique ids, and where each stands."""

    def __init__(self, ids: npt.ArrayLike) -> None:
        self.ids: IntArray = np.unique(np.asarray(ids, dtype=np.int64))
        self._position = {item: position for position, item in enumerate(self.ids.tolist())}
        self._last_mask: tuple[frozenset[int], BoolArray] | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._position

    def position(self, item_id: int) -> int | None:
        """Where the item stands, or None if the model does not know it."""
        return self._position.get(item_id)

    def known_positions(self, item_ids: Iterable[int]) -> IntArray:
        """Positions of those of the given items that the model knows, in the order given."""
        found = (self._position.get(item) for item in item_ids)
        return np.fromiter((p for p in found if p is not None), dtype=np.int64)

    def mask_of(self, item_ids: frozenset[int]) -> BoolArray:
        """True where an item is among the given ones; not to be written to.

        The last answer is kept: what can be bought is thousands of ids, and the same set for many queries.
        """
        last = self._last_mask
        if last is None or last[0] is not item_ids:
            mask = np.zeros(len(self.ids), dtype=np.bool_)
            mask[self.known_positions(item_ids)] = True
            last = self._last_mask = (item_ids, mask)
        return last[1]

    def positions_of(self, item_ids: npt.ArrayLike) -> IntArray:
        """Positions of many items at once; -1 for unknown ones."""
        wanted = np.asarray(item_ids, dtype=np.int64)
        if not len(self.ids):
            return np.full(len(wanted), -1, dtype=np.int64)
        at = np.minimum(np.searchsorted(self.ids, wanted), len(self.ids) - 1)
        return np.where(self.ids[at] == wanted, at, -1)
