"""A clock that runs on and can be moved forward: three days pass in one call of the control API."""

from datetime import datetime, timedelta

from transactional.core.clock import Clock


class ShiftedClock:
    """Another clock's time plus what it was moved by."""

    def __init__(self, base: Clock) -> None:
        self._base = base
        self._shift = timedelta(0)

    def now(self) -> datetime:
        """The moment at which the gateway believes to be."""
        return self._base.now() + self._shift

    @property
    def shift(self) -> timedelta:
        """By how much it was moved."""
        return self._shift

    def advance(self, by: timedelta) -> datetime:
        """Move forward and give the new moment. Raises ValueError for a step back."""
        if by < timedelta(0):
            raise ValueError("time does not run backwards")
        self._shift += by
        return self.now()
