"""Affiliates and referrals, as other domains use them.

`bind_order` is checkout's word about who sent the buyer; `settle` brings commission and referral of a paid order in
line with what the order is now, in any order of news and any number of times. Each idea has a module of its own.
"""

from transactional.affiliates.attribution import attribution_of
from transactional.affiliates.clicks import Browser, Followed, follow
from transactional.affiliates.dashboard import (
    Figures,
    attributions_page,
    clicks_page,
    figures,
    lots_of_attributions,
    payouts_page,
)
from transactional.affiliates.invites import add_terms, invite_of, invited_by, list_terms, terms_at
from transactional.affiliates.ledger import discrepancies
from transactional.affiliates.members import (
    add_code,
    add_link,
    affiliate_of_customer,
    apply,
    approve,
    codes_of,
    deactivate,
    find_affiliate,
    get_affiliate,
    links_of,
    page_of_affiliates,
    reject,
)
from transactional.affiliates.models import (
    Affiliate,
    AffiliateStatus,
    AttributionOutcome,
    ClickRule,
    CommissionBalance,
    CommissionEntry,
    CommissionKind,
    CommissionLot,
    CommissionState,
    DecidedBy,
    OrderAttribution,
    PayoutBatch,
    Referral,
    ReferralState,
    RefusalReason,
    RewardKind,
    Winner,
)
from transactional.affiliates.payouts import create_batch, export, find_batch, page_of_batches
from transactional.affiliates.programmes import (
    add_version,
    create_programme,
    get_programme,
    list_programmes,
    programme_by_key,
    published_text,
    version_at,
    versions_of,
)
from transactional.affiliates.rates import RateRow
from transactional.affiliates.receipting import chain, follows_on, is_unbroken
from transactional.affiliates.referring import bind_order
from transactional.affiliates.settlement import may_concern, settle

__all__ = [
    "Affiliate",
    "AffiliateStatus",
    "AttributionOutcome",
    "Browser",
    "ClickRule",
    "CommissionBalance",
    "CommissionEntry",
    "CommissionKind",
    "CommissionLot",
    "CommissionState",
    "DecidedBy",
    "Figures",
    "Followed",
    "OrderAttribution",
    "PayoutBatch",
    "RateRow",
    "Referral",
    "ReferralState",
    "RefusalReason",
    "RewardKind",
    "Winner",
    "add_code",
    "add_link",
    "add_terms",
    "add_version",
    "affiliate_of_customer",
    "apply",
    "approve",
    "attribution_of",
    "attributions_page",
    "bind_order",
    "chain",
    "clicks_page",
    "codes_of",
    "create_batch",
    "create_programme",
    "deactivate",
    "discrepancies",
    "export",
    "figures",
    "find_affiliate",
    "find_batch",
    "follow",
    "follows_on",
    "get_affiliate",
    "get_programme",
    "invite_of",
    "invited_by",
    "is_unbroken",
    "links_of",
    "list_programmes",
    "list_terms",
    "lots_of_attributions",
    "may_concern",
    "page_of_affiliates",
    "page_of_batches",
    "payouts_page",
    "programme_by_key",
    "published_text",
    "reject",
    "settle",
    "terms_at",
    "version_at",
    "versions_of",
]
