"""GSTIN, the number under which India's tax office knows a business: 2 digits state, 10 PAN, entity, Z, check digit."""

import re

_SHAPE = re.compile(r"[0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][1-9A-Z][0-9A-Z][0-9A-Z]")
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BASE = len(_DIGITS)


def normalise_gstin(text: str) -> str:
    """Upper-case, without blanks and dashes."""
    return re.sub(r"[\s-]", "", text).upper()


def check_digit(first14: str) -> str:
    """The fifteenth character: Luhn's rule modulo 36, every second digit doubled, the digits of each product summed."""
    total = 0
    for position, character in enumerate(first14):
        product = _DIGITS.index(character) * (1 + position % 2)
        total += product // _BASE + product % _BASE
    return _DIGITS[-total % _BASE]


def checked_gstin(text: str) -> str:
    """The number in its normal form. Raises ValueError that says what is wrong with it."""
    number = normalise_gstin(text)
    if not _SHAPE.fullmatch(number):
        raise ValueError(f"{text!r} has not the shape of a GSTIN, like 27AAPFU0939F1ZV")
    expected = check_digit(number[:-1])
    if number[-1] != expected:
        raise ValueError(f"{text!r} is mistyped: its check digit should be {expected}, not {number[-1]}")
    return number
