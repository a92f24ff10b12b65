-- Payable commission = approved − reversed − paid and never below zero; the ledger's entries give the same.
with entries as (
    select
        affiliate_id,
        currency,
        sum(pending_amount) as pending,
        sum(payable_amount) as payable,
        sum(owed_amount) as owed
    from {{ ref('fct_commissions') }}
    group by affiliate_id, currency
),

balances as (
    select
        affiliate_id,
        currency,
        pending_amount as pending,
        approved_amount - reversed_amount - paid_amount as payable,
        owed_amount as owed
    from {{ ref('stg_commission_balances') }}
)

select
    coalesce(entries.affiliate_id, balances.affiliate_id) as affiliate_id,
    entries.pending,
    balances.pending as pending_by_balance,
    entries.payable,
    balances.payable as payable_by_balance,
    entries.owed,
    balances.owed as owed_by_balance
from entries
full outer join balances
    on entries.affiliate_id = balances.affiliate_id and entries.currency = balances.currency
where
    coalesce(entries.payable, 0) < 0
    or coalesce(entries.pending, 0) <> coalesce(balances.pending, 0)
    or coalesce(entries.payable, 0) <> coalesce(balances.payable, 0)
    or coalesce(entries.owed, 0) <> coalesce(balances.owed, 0)
