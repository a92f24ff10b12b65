"""What is going to happen, in the order of time."""

import heapq
from collections.abc import Callable, Iterator
from datetime import datetime

Action = Callable[[datetime], object]


class Agenda:
    """Actions at moments. What happens at one moment happens in the order in which it was planned."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int, Action]] = []
        self._planned = 0

    def at(self, moment: datetime, action: Action) -> None:
        """Plan an action; it is called with its moment."""
        heapq.heappush(self._heap, (moment, self._planned, action))
        self._planned += 1

    def until(self, end: datetime) -> Iterator[tuple[datetime, Action]]:
        """Everything before `end`, also what is planned meanwhile."""
        while self._heap and self._heap[0][0] < end:
            moment, _, action = heapq.heappop(self._heap)
            yield moment, action
