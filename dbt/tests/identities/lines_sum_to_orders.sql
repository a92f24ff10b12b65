-- The lines of an order sum to its merchandise, discounts and units, to the minor unit.
-- depends_on: {{ ref('int_changed_orders') }}
with lines as (
    select
        order_id,
        sum(gross_amount) as gross_amount,
        sum(net_amount) as net_amount,
        sum(quantity) as units
    from {{ ref('fct_order_lines') }}
    where {{ rows_under_audit('order_id', none) }}
    group by order_id
)

select orders.order_id
from {{ ref('fct_orders') }} as orders
left join lines on orders.order_id = lines.order_id
where
    {{ rows_under_audit('orders.order_id', none) }}
    and (
        orders.gross_merchandise <> coalesce(lines.gross_amount, 0)
        or orders.sold_merchandise <> coalesce(lines.net_amount, 0)
        or orders.units <> coalesce(lines.units, 0)
    )
