"""Ids as the gateway makes them: a prefix and 14 case-sensitive alphanumerics, repeatable by seed."""

import random
import re
import string

_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 14


class IdGenerator:
    """Gives the same ids in the same order for the same seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._random = random.Random(seed)  # noqa: S311  repeatable on purpose: nothing here is secret

    def start_over(self, time: int) -> None:
        """Go on with other ids than before: the `time`-th start of a gateway that remembers the ones it gave."""
        self._random = random.Random(f"{self._seed}:{time}")  # noqa: S311

    def next(self, prefix: str) -> str:
        """A new id, such as `pay_29QQoUBi66xm2f`."""
        return f"{prefix}_{self.token()}"

    def token(self) -> str:
        """Fourteen alphanumerics without a prefix, as event ids are."""
        return "".join(self._random.choices(_ALPHABET, k=_LENGTH))

    def digits(self, count: int) -> str:
        """So many decimal digits, as bank references are."""
        return "".join(self._random.choices(string.digits, k=count))

    def shuffled(self, names: list[str]) -> list[str]:
        """The names in some order: bodies arrive with their keys in no fixed order."""
        return self._random.sample(names, len(names))

    def chance(self) -> bool:
        """Heads or tails."""
        return self._random.random() < 0.5


def is_well_formed(value: str, prefix: str) -> bool:
    """Whether a string has the shape of an id of this kind."""
    return re.fullmatch(rf"{prefix}_[A-Za-z0-9]{{{_LENGTH}}}", value) is not None
