{{ config(materialized='view') }}

-- Everything that lowers or raises what customers paid apart from the goods that came back: credits, and what a refund
-- was decided to hold besides its units. A coupon that was withheld from a refund is a discount that was taken back.
select
    credits.kind,
    credits.customer_id,
    credits.order_id,
    credits.amount,
    credits.occurred_at,
    credits.credit_day
from {{ ref('fct_credits') }} as credits

union all

select
    'shipping_refund' as kind,
    decisions.customer_id,
    decisions.order_id,
    decisions.shipping_amount as amount,
    decisions.decided_at as occurred_at,
    decisions.decision_day as credit_day
from {{ ref('fct_refund_decisions') }} as decisions
where decisions.is_sale and decisions.shipping_amount <> 0

union all

select
    'discount' as kind,
    decisions.customer_id,
    decisions.order_id,
    {{ as_money('-decisions.coupon_withheld_amount') }} as amount,
    decisions.decided_at as occurred_at,
    decisions.decision_day as credit_day
from {{ ref('fct_refund_decisions') }} as decisions
where decisions.is_sale and decisions.coupon_withheld_amount <> 0
