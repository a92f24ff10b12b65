-- What customers paid by the ledger is, order by order, what was captured less what was refunded by the payments.
with postings as (
    select
        transactions.order_id,
        -sum(postings.amount) as amount
    from {{ ref('stg_ledger_postings') }} as postings
    inner join {{ ref('stg_ledger_transactions') }} as transactions
        on postings.transaction_id = transactions.transaction_id
    where postings.account = 'customer_payments' and transactions.order_id is not null
    group by transactions.order_id
),

payments as (
    select
        order_id,
        sum(captured_amount - refunded_amount) as amount
    from {{ ref('fct_payments') }}
    group by order_id
)

select
    coalesce(postings.order_id, payments.order_id) as order_id,
    postings.amount as ledger_amount,
    payments.amount as payments_amount
from postings
full outer join payments on postings.order_id = payments.order_id
where coalesce(postings.amount, 0) <> coalesce(payments.amount, 0)
