"""Affiliates and referrals: who sent a shopper, what it earns them and how they are paid."""
