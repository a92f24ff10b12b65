select
    credits.credit_id,
    credits.credit_kind as kind,
    {{ counted_customer('credits.customer_id', 'customers') }} as customer_id,
    credits.order_id,
    credits.currency,
    credits.amount,
    credits.occurred_at,
    {{ shop_day('credits.occurred_at', 'shop.time_zone') }} as credit_day
from {{ ref('stg_order_credits') }} as credits
cross join {{ ref('int_shop') }} as shop
left join {{ ref('stg_customers') }} as customers on credits.customer_id = customers.customer_id
