"""What happens when: a queue of things to do, in the order of their moments, the same for the same seed."""

import heapq
import itertools
from collections.abc import Callable
from datetime import datetime

Action = Callable[[datetime], None]


class Agenda:
    """Actions by moment; ties keep the order in which they were added."""

    def __init__(self, until: datetime) -> None:
        self._until = until
        self._queue: list[tuple[datetime, int, Action]] = []
        self._count = itertools.count()

    def add(self, moment: datetime, action: Action) -> None:
        """Plan an action; what lies beyond the end never happens."""
        if moment < self._until:
            heapq.heappush(self._queue, (moment, next(self._count), action))

    def next(self) -> tuple[datetime, Action] | None:
        """The earliest action, or None when the time is over."""
        if not self._queue:
            return None
        moment, _, action = heapq.heappop(self._queue)
        return moment, action
