-- What a payment says went back, and is on its way back, is the sum of its refunds.
with refunds as (
    select
        payment_id,
        sum(case when status = 'processed' then amount else 0 end) as processed,
        sum(case when status = 'pending' then amount else 0 end) as pending
    from {{ ref('fct_refunds') }}
    where payment_id is not null
    group by payment_id
)

select
    payments.payment_id,
    payments.refunded_amount,
    refunds.processed,
    payments.refund_pending_amount,
    refunds.pending
from {{ ref('fct_payments') }} as payments
left join refunds on payments.payment_id = refunds.payment_id
where
    payments.refunded_amount <> coalesce(refunds.processed, 0)
    or payments.refund_pending_amount <> coalesce(refunds.pending, 0)
