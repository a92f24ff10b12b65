"""E-mail addresses: kept as typed for display, normalised once for comparison."""

from email_validator import EmailNotValidError, validate_email

from transactional.core.errors import InvalidInput

_DOTLESS_PROVIDERS = {"gmail.com", "googlemail.com"}


def normalise_email(email: str) -> str:
    """The key that accounts are compared by: valid, Unicode-normalised, lower case. InvalidInput otherwise.

    Dots and tags stay: whether a provider ignores them is its own affair (`identity_key` is for limits).
    """
    try:
        valid = validate_email(email.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise InvalidInput(f"not an e-mail address: {error}", field="email") from None
    return valid.normalized.lower()


def identity_key(email: str) -> str:
    """Whose mailbox it is, for limits per person: the +tag dropped, and the dots where Gmail ignores them."""
    local, _, domain = normalise_email(email).rpartition("@")
    local = local.partition("+")[0] or local
    if domain in _DOTLESS_PROVIDERS:
        return f"{local.replace('.', '')}@gmail.com"
    return f"{local}@{domain}"
