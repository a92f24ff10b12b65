"""The steps a ticket may take, and the reasons it may be resolved for."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

from transactional.tickets.models import TicketStatus

REOPEN_WITHIN = timedelta(days=7)
"""So long after a resolution the customer's reply opens the ticket again; later it takes a new one."""


class ResolutionCode(StrEnum):
    """Why a ticket counts as resolved."""

    ANSWERED = "answered"
    REFUNDED = "refunded"
    REPLACED = "replaced"
    FIXED = "fixed"
    NOT_POSSIBLE = "not_possible"
    NO_REPLY = "no_reply"
    DUPLICATE = "duplicate"


_S = TicketStatus

TRANSITIONS: Mapping[TicketStatus, frozenset[TicketStatus]] = MappingProxyType(
    {
        _S.NEW: frozenset({_S.OPEN, _S.PENDING_CUSTOMER, _S.PENDING_THIRD, _S.RESOLVED}),
        _S.OPEN: frozenset({_S.PENDING_CUSTOMER, _S.PENDING_THIRD, _S.RESOLVED}),
        _S.PENDING_CUSTOMER: frozenset({_S.OPEN, _S.PENDING_THIRD, _S.RESOLVED}),
        _S.PENDING_THIRD: frozenset({_S.OPEN, _S.PENDING_CUSTOMER, _S.RESOLVED}),
        _S.RESOLVED: frozenset({_S.OPEN, _S.CLOSED}),
        _S.CLOSED: frozenset(),
    }
)
