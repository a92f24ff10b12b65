-- Returns count on the day they were processed, units that were called off or came back undelivered on the day of that.
-- A paid order that was cancelled afterwards is a sale and a return of whatever had not come back yet.
with processed_lines as (
    select
        return_lines.return_line_id,
        return_lines.return_id,
        returns.order_id,
        return_lines.order_line_id,
        return_lines.product_id,
        returns.customer_id,
        returns.processed_at,
        return_lines.quantity,
        return_lines.refund_amount
    from {{ ref('stg_return_lines') }} as return_lines
    inner join {{ ref('stg_returns') }} as returns on return_lines.return_id = returns.return_id
    where returns.return_status = 'processed' and returns.processed_at is not null
),

given_up_units as (
    select
        unit_moves.unit_move_id,
        unit_moves.order_id,
        unit_moves.order_line_id,
        order_lines.product_id,
        unit_moves.move_kind,
        unit_moves.occurred_at,
        unit_moves.quantity,
        unit_moves.refund_amount
    from {{ ref('stg_order_unit_moves') }} as unit_moves
    inner join {{ ref('stg_order_lines') }} as order_lines on unit_moves.order_line_id = order_lines.order_line_id
    where unit_moves.move_kind in ('cancelled', 'came_back')
),

returned_orders as (
    select
        orders.order_id,
        orders.customer_id,
        orders.paid_at
    from {{ ref('stg_orders') }} as orders
    where
        (
            orders.order_id in (select processed_lines.order_id from processed_lines)
            or orders.order_id in (select given_up_units.order_id from given_up_units)
        )
        and not orders.is_test
        and {{ is_sale('orders.status', 'orders.payment_mode', 'orders.paid_at') }}
),

cancelled_orders as (
    select
        order_id,
        customer_id,
        greatest(paid_at, coalesce(cancelled_at, paid_at)) as taken_back_at
    from {{ ref('stg_orders') }}
    where status in ('cancelled', 'expired') and paid_at is not null and not is_test
),

returned as (
    select
        'return:' || cast(processed_lines.return_line_id as varchar) as returned_line_key,
        'return' as return_kind,
        processed_lines.return_id,
        processed_lines.order_id,
        processed_lines.order_line_id,
        processed_lines.product_id,
        coalesce(processed_lines.customer_id, returned_orders.customer_id) as customer_id,
        processed_lines.processed_at as returned_at,
        processed_lines.quantity,
        processed_lines.refund_amount as returned_amount
    from processed_lines
    left join returned_orders on processed_lines.order_id = returned_orders.order_id
    where processed_lines.order_id is null or returned_orders.order_id is not null

    union all

    -- Units called off before the payment are still a sale and a return: the order's frozen sums hold them.
    select
        'units:' || cast(given_up_units.unit_move_id as varchar) as returned_line_key,
        case given_up_units.move_kind when 'cancelled' then 'cancellation' else 'came_back' end as return_kind,
        cast(null as bigint) as return_id,
        given_up_units.order_id,
        given_up_units.order_line_id,
        given_up_units.product_id,
        returned_orders.customer_id,
        greatest(given_up_units.occurred_at, coalesce(returned_orders.paid_at, given_up_units.occurred_at))
            as returned_at,
        given_up_units.quantity,
        given_up_units.refund_amount as returned_amount
    from given_up_units
    inner join returned_orders on given_up_units.order_id = returned_orders.order_id
),

returned_before as (
    select
        order_line_id,
        sum(quantity) as quantity,
        sum(returned_amount) as returned_amount
    from returned
    where order_line_id is not null
    group by order_line_id
),

cancelled as (
    select
        'cancellation:' || cast(order_lines.order_line_id as varchar) as returned_line_key,
        'cancellation' as return_kind,
        cast(null as bigint) as return_id,
        order_lines.order_id,
        order_lines.order_line_id,
        order_lines.product_id,
        cancelled_orders.customer_id,
        cancelled_orders.taken_back_at as returned_at,
        order_lines.quantity - coalesce(returned_before.quantity, 0) as quantity,
        order_lines.net_amount - coalesce(returned_before.returned_amount, 0) as returned_amount
    from {{ ref('stg_order_lines') }} as order_lines
    inner join cancelled_orders on order_lines.order_id = cancelled_orders.order_id
    left join returned_before on order_lines.order_line_id = returned_before.order_line_id
),

all_returned as (
    select * from returned
    union all
    select * from cancelled
    where quantity > 0 or returned_amount <> 0
)

select
    all_returned.returned_line_key,
    all_returned.return_kind,
    all_returned.return_id,
    all_returned.order_id,
    all_returned.order_line_id,
    all_returned.product_id,
    {{ counted_customer('all_returned.customer_id', 'customers') }} as customer_id,
    all_returned.returned_at,
    {{ shop_day('all_returned.returned_at', 'shop.time_zone') }} as returned_day,
    cast(all_returned.quantity as bigint) as quantity,
    {{ as_money('all_returned.returned_amount') }} as returned_amount
from all_returned
cross join {{ ref('int_shop') }} as shop
left join {{ ref('stg_customers') }} as customers on all_returned.customer_id = customers.customer_id
