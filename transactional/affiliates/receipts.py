"""Receipts: SHA-256 over the facts of click, attribution and lot, each naming the hash before it.

A hash is SHA-256 of the facts as JSON in UTF-8 with sorted keys and without spaces, so that whoever has the facts can
compute it in any language. Facts name nobody but the affiliate.
"""

import hashlib
import json
from datetime import datetime
from typing import Any

from transactional.affiliates.models import AffiliateClick, CommissionLot, OrderAttribution

Facts = dict[str, Any]


def digest(facts: Facts) -> str:
    """The hash of facts, in hexadecimal."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def click_facts(click: AffiliateClick, *, affiliate: str, link: str) -> Facts:
    """The facts of a click; `affiliate` and `link` are public ids."""
    return {
        "click": click.public_id,
        "affiliate": affiliate,
        "link": link,
        "landing": click.landing,
        "visitor": click.visitor_id,
        "browser": click.browser_hash,
        "consent": click.consent,
        "clicked_at": _moment(click.clicked_at),
    }


def attribution_facts(
    attribution: OrderAttribution, *, affiliate: str, version: str, evidence: str, evidence_sha256: str | None
) -> Facts:
    """The facts of an attribution.

    `version` is `<programme>/<number>`; `evidence` is the public id of the click, the code, or the public id of the
    attribution that bound the buyer; `evidence_sha256` is the hash of that click or attribution, None for a code.
    """
    return {
        "receipt": attribution.public_id,
        "affiliate": affiliate,
        "number": attribution.number,
        "version": version,
        "outcome": attribution.outcome.value,
        "reason": None if attribution.reason is None else attribution.reason.value,
        "decided_by": attribution.decided_by.value,
        "evidence": evidence,
        "evidence_sha256": evidence_sha256,
        "placed_at": _moment(attribution.placed_at),
        "decided_at": _moment(attribution.decided_at),
        "previous_sha256": attribution.previous_sha256,
    }


def lot_facts(lot: CommissionLot, *, attribution_sha256: str) -> Facts:
    """The facts of a lot as it was earned; what became of it is in the ledger."""
    return {
        "line": lot.order_line_id,
        "quantity": lot.quantity,
        "net_minor": lot.net_minor,
        "currency": lot.currency,
        "rate_bp": lot.rate_bp,
        "commission_minor": lot.amount_minor,
        "earned_at": _moment(lot.earned_at),
        "attribution_sha256": attribution_sha256,
    }


def _moment(at: datetime) -> str:
    return at.isoformat()
