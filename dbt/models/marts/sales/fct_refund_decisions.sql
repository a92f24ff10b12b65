select
    decisions.decision_id,
    decisions.order_id,
    decisions.decision_kind as kind,
    {{ counted_customer('orders.customer_id', 'customers') }} as customer_id,
    not orders.is_test
    and {{ is_sale('orders.status', 'orders.payment_mode', 'orders.paid_at') }} as is_sale,
    decisions.currency,
    decisions.units_amount,
    decisions.shipping_amount,
    decisions.coupon_withheld_amount,
    decisions.refund_amount,
    decisions.decided_at,
    {{ shop_day('decisions.decided_at', 'shop.time_zone') }} as decision_day
from {{ ref('stg_order_refund_decisions') }} as decisions
inner join {{ ref('stg_orders') }} as orders on decisions.order_id = orders.order_id
left join {{ ref('stg_customers') }} as customers on orders.customer_id = customers.customer_id
cross join {{ ref('int_shop') }} as shop
