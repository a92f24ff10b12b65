"""Who somebody is for an offer: one person under several keys, with or without an account."""

import hashlib
from dataclasses import dataclass

from transactional.accounts.service import identity_key
from transactional.core.errors import InvalidInput

_HOME_PREFIX = "+91"
_HOME_DIGITS = 10
_MIN_DIGITS = 7
_MAX_DIGITS = 15
"""The longest number of ITU-T E.164."""
_BUCKETS = 10_000


@dataclass(frozen=True, slots=True)
class Person:
    """A shopper. Whoever shares one of the keys is the same person for every limit.

    The phone is the buyer's own: a gift's recipient has another one, and is nobody's alias.
    """

    customer_id: int | None = None
    email: str | None = None
    phone: str | None = None
    is_staff: bool = False

    @property
    def main_key(self) -> str | None:
        """The key that they are known by: the un-aliased e-mail, else the customer; None for somebody unknown yet."""
        if self.email:
            return identity_key(self.email)
        return None if self.customer_id is None else f"customer:{self.customer_id}"

    @property
    def keys(self) -> tuple[str, ...]:
        """Every key, sorted, so that all who write them take them in the same order."""
        found = {self.main_key, self.phone_key and f"phone:{self.phone_key}"}
        if self.customer_id is not None:
            found.add(f"customer:{self.customer_id}")
        return tuple(sorted(key for key in found if key))

    @property
    def phone_key(self) -> str | None:
        """The phone as it is compared; None where there is none, or none that could be called."""
        try:
            return normalise_phone(self.phone) if self.phone else None
        except InvalidInput:
            return None

    @property
    def is_known(self) -> bool:
        """Whether limits per person can be asked."""
        return self.main_key is not None


NOBODY = Person()
"""A guest who has not said yet who they are."""


def normalise_phone(phone: str) -> str:
    """A number as it is compared: `+` and digits, `+919812345678` for `098123 45678`. Raises InvalidInput.

    A number without a country is one at home; `00` before a country counts as `+`.
    """
    typed = phone.strip()
    digits = "".join(char for char in typed if char.isascii() and char.isdigit())
    international = typed.startswith("+")
    if not international and digits.startswith("00"):
        international, digits = True, digits[2:]
    if not international:
        national = digits.lstrip("0")
        if len(national) == _HOME_DIGITS:
            digits = f"{_HOME_PREFIX[1:]}{national}"
    if not _MIN_DIGITS <= len(digits) <= _MAX_DIGITS:
        raise InvalidInput("a phone number has 7 to 15 digits", field="phone")
    return f"+{digits}"


def person_hash(promotion_id: int, person_key: str) -> str:
    """Tells people apart within a promotion and names nobody; another promotion's hashes are unrelated."""
    return hashlib.sha256(f"{promotion_id}:{person_key}".encode()).hexdigest()


def is_held_out(promotion_id: int, person_key: str, holdout_bp: int) -> bool:
    """Whether a promotion leaves this person out: always the same answer, in `holdout_bp` of 10,000 people."""
    return int(person_hash(promotion_id, person_key)[:15], 16) % _BUCKETS < holdout_bp
