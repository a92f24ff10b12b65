-- Every transaction of the ledger is balanced in every currency, and every posting has its transaction.
select
    postings.transaction_id,
    postings.currency,
    sum(postings.amount) as remainder
from {{ ref('stg_ledger_postings') }} as postings
left join {{ ref('stg_ledger_transactions') }} as transactions
    on postings.transaction_id = transactions.transaction_id
group by postings.transaction_id, postings.currency
having sum(postings.amount) <> 0 or count(transactions.transaction_id) <> count(*)
