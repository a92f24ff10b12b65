"""How long a search may go on, counted in steps and not in seconds: the same basket always gives the same answer."""

STEPS = 3_000
"""Looks at one partial combination. Everyday baskets need a few dozen; this many take some hundredths of a second."""


class Effort:
    """A search spends one step for each partial combination that it looks at."""

    def __init__(self, steps: int = STEPS) -> None:
        self._left = steps
        self.exhausted = False
        """Whether a search had to give up: its best find is legal, but not proved to be the best."""

    def spend(self) -> bool:
        """Take one step; False where none is left, and the search has to end with what it has."""
        if self._left == 0:
            self.exhausted = True
            return False
        self._left -= 1
        return True
