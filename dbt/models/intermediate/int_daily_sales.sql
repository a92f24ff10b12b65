with placed as (
    select
        order_day,
        count(*) as orders,
        sum(units) as units,
        sum(gross_merchandise) as gross_merchandise,
        sum(discounts) as order_discounts,
        sum(points_redeemed_value) as points_redeemed_value,
        sum(shipping_charged) as shipping_charged,
        sum(wrap_charged) as wrap_charged,
        sum(tax) as tax
    from {{ ref('fct_orders') }}
    where is_sale
    group by order_day
),

-- Lines that came into an order later are sold later.
added as (
    select
        sale_day,
        sum(units) as units,
        sum(gross_merchandise) as gross_merchandise,
        sum(discounts) as discounts,
        sum(points_redeemed_value) as points_redeemed_value,
        sum(tax) as tax
    from {{ ref('int_later_sales') }}
    group by sale_day
),

returned as (
    select
        returned_day,
        sum(quantity) as returned_units,
        sum(returned_amount) as returned_amount
    from {{ ref('fct_returned_lines') }}
    group by returned_day
),

credited as (
    select
        credit_day,
        sum(case when kind = 'discount' then amount end) as credited_discounts,
        sum(case when kind = 'shipping_refund' then amount end) as shipping_refunded,
        sum(case when kind = 'goodwill' then amount end) as goodwill
    from {{ ref('int_credits') }}
    group by credit_day
),

days as (
    select
        days.date_day,
        cast(coalesce(placed.orders, 0) as bigint) as orders,
        cast(coalesce(placed.units, 0) + coalesce(added.units, 0) as bigint) as units,
        cast(coalesce(returned.returned_units, 0) as bigint) as returned_units,
        {{ as_money('coalesce(placed.gross_merchandise, 0) + coalesce(added.gross_merchandise, 0)') }}
            as gross_merchandise,
        {{ as_money('coalesce(placed.order_discounts, 0) + coalesce(added.discounts, 0)') }}
            as order_discounts,
        {{ as_money('coalesce(placed.points_redeemed_value, 0) + coalesce(added.points_redeemed_value, 0)') }}
            as points_redeemed_value,
        {{ as_money('credited.credited_discounts') }} as credited_discounts,
        {{ as_money('returned.returned_amount') }} as returned_amount,
        {{ as_money('placed.shipping_charged') }} as shipping_charged,
        {{ as_money('credited.shipping_refunded') }} as shipping_refunded,
        {{ as_money('placed.wrap_charged') }} as wrap_charged,
        {{ as_money('coalesce(placed.tax, 0) + coalesce(added.tax, 0)') }}
            as tax,
        {{ as_money('credited.goodwill') }} as goodwill
    from {{ ref('int_days') }} as days
    left join placed on days.date_day = placed.order_day
    left join added on days.date_day = added.sale_day
    left join returned on days.date_day = returned.returned_day
    left join credited on days.date_day = credited.credit_day
)

select
    date_day,
    orders,
    units,
    returned_units,
    gross_merchandise,
    order_discounts,
    points_redeemed_value,
    credited_discounts,
    {{ as_money('order_discounts + points_redeemed_value + credited_discounts') }} as discounts,
    returned_amount,
    {{ as_money('gross_merchandise - order_discounts - points_redeemed_value - credited_discounts - returned_amount') }}
        as net_merchandise,
    shipping_charged,
    shipping_refunded,
    wrap_charged,
    tax,
    goodwill
from days
