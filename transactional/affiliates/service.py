"""Affiliates and referrals, as other domains use them."""

from transactional.affiliates.referring import bind_order

__all__ = ["bind_order"]
