"""How long a search may go on, counted in steps and not in seconds: the same basket always gives the same answer."""

STEPS = 30_000
"""Looks at an offer or a set in a partial combination. Most baskets need some hundreds; all of these take 0.2 s."""


class Effort:
    """A search spends its steps, and then has to make do with the first legal choice that comes."""

    def __init__(self, steps: int = STEPS) -> None:
        self._left = steps
        self.exhausted = False
        """Whether a search had to give up: its best find is legal, but not proved to be the best."""

    def spend(self, steps: int) -> bool:
        """Take some steps; False where too few are left, and the search has to end with what it has."""
        if self.exhausted or self._left < steps:
            return self.give_up()
        self._left -= steps
        return True

    def give_up(self) -> bool:
        """End every search; always False."""
        self.exhausted = True
        return False
