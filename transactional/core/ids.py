"""Public identifiers: prefixed, random, 128 bits, so that they cannot be guessed."""

import secrets

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no letters that look alike
_LETTERS, _BITS = 26, 5


def public_id(prefix: str) -> str:
    """`prefix_` and 26 characters (130 bits) of randomness."""
    random = secrets.randbits(_LETTERS * _BITS)
    return f"{prefix}_" + "".join(_ALPHABET[random >> shift & 31] for shift in range(0, _LETTERS * _BITS, _BITS))
