"""Public identifiers: prefixed, random, 128 bits, so that they cannot be guessed."""

import secrets

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no letters that look alike


def public_id(prefix: str) -> str:
    """`prefix_` and 26 characters (130 bits) of randomness."""
    return f"{prefix}_" + "".join(secrets.choice(_ALPHABET) for _ in range(26))
