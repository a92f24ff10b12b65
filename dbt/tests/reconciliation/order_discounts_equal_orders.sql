-- What offers took off an order's lines at its placement is what these lines carry, to the smallest unit. Lines that a
-- change set added later carry a discount of their own (an exchange is free). Orders of other shops (imported) and of
-- the time before discounts were kept rule by rule have no rows.
with kept as (
    select
        order_id,
        sum(case when discount_class = 'shipping' then 0 else amount end) as amount
    from {{ ref('fct_order_discounts') }}
    group by order_id
),

beginning as (
    select min(placed_at) as first_kept_at
    from {{ ref('fct_order_discounts') }}
),

placed as (
    select
        order_lines.order_id,
        sum(order_lines.line_discount_amount + order_lines.order_discount_amount) as amount
    from {{ ref('stg_order_lines') }} as order_lines
    left join {{ ref('int_added_lines') }} as added on order_lines.order_line_id = added.order_line_id
    where added.order_line_id is null
    group by order_lines.order_id
)

select
    orders.order_id,
    placed.amount,
    kept.amount as kept_amount
from {{ ref('fct_orders') }} as orders
cross join beginning
inner join placed on orders.order_id = placed.order_id
left join kept on orders.order_id = kept.order_id
where
    (kept.order_id is not null or (orders.source = 'shop' and orders.placed_at >= beginning.first_kept_at))
    and placed.amount <> coalesce(kept.amount, 0)
