with bought as (
    select
        customer_id,
        count(*) as orders,
        min(placed_at) as first_order_at,
        max(placed_at) as last_order_at,
        min(order_day) as first_order_day,
        sum(gross_merchandise) as gross_merchandise,
        sum(sold_merchandise) as sold_merchandise
    from {{ ref('int_customer_orders') }}
    group by customer_id
),

reduced as (
    select
        customer_id,
        sum(amount) as amount
    from {{ ref('int_customer_reductions') }}
    group by customer_id
)

select
    customers.customer_id,
    coalesce(bought.orders, 0) as orders,
    bought.first_order_at,
    bought.last_order_at,
    bought.first_order_day,
    {{ as_money('bought.gross_merchandise') }} as gross_merchandise,
    {{ as_money('coalesce(bought.sold_merchandise, 0) - coalesce(reduced.amount, 0)') }} as net_merchandise
from {{ ref('stg_customers') }} as customers
left join bought on customers.customer_id = bought.customer_id
left join reduced on customers.customer_id = reduced.customer_id
where not customers.is_guest or customers.has_email
