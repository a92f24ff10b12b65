{{ config(materialized='view') }}

-- What was taken off a known customer's purchases after the sale, up to `as_of`: returns and discounts credited later.
select
    returned.customer_id,
    returned.returned_day as reduction_day,
    returned.returned_amount as amount
from {{ ref('fct_returned_lines') }} as returned
cross join {{ ref('int_shop') }} as shop
where returned.customer_id is not null and returned.returned_at <= shop.as_of

union all

select
    credits.customer_id,
    credits.credit_day as reduction_day,
    credits.amount
from {{ ref('int_credits') }} as credits
cross join {{ ref('int_shop') }} as shop
where credits.customer_id is not null and credits.kind = 'discount' and credits.occurred_at <= shop.as_of
