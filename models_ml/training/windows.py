"""Where a training run cuts time: train | validation | hold-out | as_of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Windows:
    """Two windows of equal length before `as_of`: settings are chosen in the first, judged in the second."""

    validation_start: datetime
    holdout_start: datetime
    as_of: datetime
    days: float

    @classmethod
    def before(cls, as_of: datetime, first: datetime, days: float) -> Windows:
        """Windows of `days`, shortened to a quarter of the history where that is shorter."""
        history = (as_of - first).total_seconds() / 86_400
        length = float(int(min(days, history / 4)))
        hold = as_of - timedelta(days=length)
        return cls(hold - timedelta(days=length), hold, as_of, length)
