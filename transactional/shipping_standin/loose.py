"""The carrier's loose types: the same number comes as text or as number, nothing comes in many shapes."""

import random
from typing import Any

_LEFT_ALONE = {"token", "awb", "awb_code", "status_code", "awbs", "channel_order_id", "pincode", "postcode"}
_DATE_WORDS = ("date", "etd", "edd")


class Loosener:
    """Spoils answers in a repeatable way."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311  repeatable on purpose: nothing here is secret

    def spoil(self, value: Any, name: str = "") -> Any:
        """The answer with some numbers as text, some text as numbers, and other words for nothing."""
        if isinstance(value, dict):
            return {key: self.spoil(inner, key) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.spoil(inner, name) for inner in value]
        if name in _LEFT_ALONE or isinstance(value, bool):
            return value
        if value is None:
            return self._nothing(name)
        return self._scalar(value)

    def _nothing(self, name: str) -> Any:
        choices: list[Any] = [None, "", "NA"]
        if any(word in name for word in _DATE_WORDS):
            choices.append("0000-00-00 00:00:00")
        return self._random.choice(choices)

    def _scalar(self, value: Any) -> Any:
        if self._random.random() < 0.5:
            return value
        if isinstance(value, int | float):
            return str(value)
        if isinstance(value, str) and value.isascii() and value.isdecimal() and not value.startswith("0"):
            return int(value)
        return value
