{% set order_dimensions = {
    'country': 'country',
    'channel': 'channel',
    'occasion': 'occasion',
    'coupon': 'coupon_code',
} %}

with products as (
    select
        product_id,
        sku,
        name,
        category
    from {{ ref('dim_products') }}
),

orders as (
    select
        orders.order_id,
        orders.is_sale,
        {{ period_start('month', 'orders.order_day') }} as month_start,
        coalesce(orders.ship_country, customers.country, 'unknown') as country,
        orders.channel,
        coalesce(orders.occasion, 'none') as occasion,
        coalesce(orders.coupon_code, 'none') as coupon_code,
        orders.units,
        orders.gross_merchandise,
        orders.sold_merchandise
    from {{ ref('fct_orders') }} as orders
    left join {{ ref('dim_customers') }} as customers on orders.customer_id = customers.customer_id
),

returned as (
    select
        {{ period_start('month', 'returned.returned_day') }} as month_start,
        returned.product_id,
        returned.returned_amount,
        coalesce(orders.country, customers.country, 'unknown') as country,
        coalesce(orders.channel, 'unknown') as channel,
        coalesce(orders.occasion, 'none') as occasion,
        coalesce(orders.coupon_code, 'none') as coupon_code
    from {{ ref('fct_returned_lines') }} as returned
    left join orders on returned.order_id = orders.order_id
    left join {{ ref('dim_customers') }} as customers on returned.customer_id = customers.customer_id
),

-- A discount credited later names no product; it is kept apart, so that every dimension sums to the month.
credited as (
    select
        {{ period_start('month', 'credits.credit_day') }} as month_start,
        credits.amount,
        coalesce(orders.country, customers.country, 'unknown') as country,
        coalesce(orders.channel, 'unknown') as channel,
        coalesce(orders.occasion, 'none') as occasion,
        coalesce(orders.coupon_code, 'none') as coupon_code
    from {{ ref('int_credits') }} as credits
    left join orders on credits.order_id = orders.order_id
    left join {{ ref('dim_customers') }} as customers on credits.customer_id = customers.customer_id
    where credits.kind = 'discount'
),

-- Lines that came into an order later are sold later, under the order's own country, channel and so on.
added as (
    select
        {{ period_start('month', 'later.sale_day') }} as month_start,
        later.product_id,
        later.units,
        later.gross_merchandise,
        later.sold_merchandise,
        orders.country,
        orders.channel,
        orders.occasion,
        orders.coupon_code
    from {{ ref('int_later_sales') }} as later
    inner join orders on later.order_id = orders.order_id
),

product_months as (
    select
        {{ period_start('month', 'order_day') }} as month_start,
        product_id,
        count(*) as orders,
        sum(units) as units,
        sum(gross_merchandise) as gross_merchandise,
        sum(sold_merchandise) as net_merchandise
    from {{ ref('int_order_products') }}
    group by {{ period_start('month', 'order_day') }}, product_id
),

category_orders as (
    select
        {{ period_start('month', 'sold.order_day') }} as month_start,
        products.category,
        count(distinct sold.order_id) as orders
    from {{ ref('int_order_products') }} as sold
    inner join products on sold.product_id = products.product_id
    group by {{ period_start('month', 'sold.order_day') }}, products.category
),

parts as (
    select
        product_months.month_start,
        'product' as dimension,
        products.sku as dimension_value,
        product_months.orders,
        product_months.units,
        product_months.gross_merchandise,
        product_months.net_merchandise
    from product_months
    inner join products on product_months.product_id = products.product_id

    union all

    select
        product_months.month_start,
        'category' as dimension,
        products.category as dimension_value,
        0 as orders,
        product_months.units,
        product_months.gross_merchandise,
        product_months.net_merchandise
    from product_months
    inner join products on product_months.product_id = products.product_id

    union all

    select
        month_start,
        'category' as dimension,
        category as dimension_value,
        orders,
        0 as units,
        0 as gross_merchandise,
        0 as net_merchandise
    from category_orders

    {% for dimension, column in {'product': 'sku', 'category': 'category'}.items() %}
        union all

        select
            added.month_start,
            '{{ dimension }}' as dimension,
            products.{{ column }} as dimension_value,
            0 as orders,
            added.units,
            added.gross_merchandise,
            added.sold_merchandise as net_merchandise
        from added
        inner join products on added.product_id = products.product_id

        union all

        select
            returned.month_start,
            '{{ dimension }}' as dimension,
            products.{{ column }} as dimension_value,
            0 as orders,
            0 as units,
            0 as gross_merchandise,
            -returned.returned_amount as net_merchandise
        from returned
        inner join products on returned.product_id = products.product_id

        union all

        select
            month_start,
            '{{ dimension }}' as dimension,
            'not assigned' as dimension_value,
            0 as orders,
            0 as units,
            0 as gross_merchandise,
            -amount as net_merchandise
        from credited
    {% endfor %}

    {% for dimension, column in order_dimensions.items() %}
        union all

        select
            month_start,
            '{{ dimension }}' as dimension,
            {{ column }} as dimension_value,
            count(*) as orders,
            sum(units) as units,
            sum(gross_merchandise) as gross_merchandise,
            sum(sold_merchandise) as net_merchandise
        from orders
        where is_sale
        group by month_start, {{ column }}

        union all

        select
            month_start,
            '{{ dimension }}' as dimension,
            {{ column }} as dimension_value,
            0 as orders,
            units,
            gross_merchandise,
            sold_merchandise as net_merchandise
        from added

        union all

        select
            month_start,
            '{{ dimension }}' as dimension,
            {{ column }} as dimension_value,
            0 as orders,
            0 as units,
            0 as gross_merchandise,
            -returned_amount as net_merchandise
        from returned

        union all

        select
            month_start,
            '{{ dimension }}' as dimension,
            {{ column }} as dimension_value,
            0 as orders,
            0 as units,
            0 as gross_merchandise,
            -amount as net_merchandise
        from credited
    {% endfor %}
),

months as (
    select distinct {{ period_start('month', 'date_day') }} as month_start
    from {{ ref('int_days') }}
),

known as (
    select distinct
        dimension,
        dimension_value
    from parts
),

cells as (
    select
        months.month_start,
        known.dimension,
        known.dimension_value
    from months
    cross join known
),

summed as (
    select
        month_start,
        dimension,
        dimension_value,
        sum(orders) as orders,
        sum(units) as units,
        sum(gross_merchandise) as gross_merchandise,
        sum(net_merchandise) as net_merchandise
    from parts
    group by month_start, dimension, dimension_value
)

select
    cells.month_start,
    cells.dimension,
    cells.dimension_value,
    coalesce(products.name, cells.dimension_value) as label,
    cast(coalesce(summed.orders, 0) as bigint) as orders,
    cast(coalesce(summed.units, 0) as bigint) as units,
    {{ as_money('summed.gross_merchandise') }} as gross_merchandise,
    {{ as_money('summed.net_merchandise') }} as net_merchandise
from cells
left join summed
    on
        cells.month_start = summed.month_start
        and cells.dimension = summed.dimension
        and cells.dimension_value = summed.dimension_value
left join products on cells.dimension = 'product' and cells.dimension_value = products.sku
