with shop as (
    select
        as_of,
        cast(as_of - interval {{ var('trend_days') }} day as timestamp) as recent_from,
        cast(as_of - interval {{ var('trend_days') + var('trend_base_days') }} day as timestamp) as base_from
    from {{ ref('int_shop') }}
),

views as (
    select
        product_id,
        sum(case when kind = 'view' then 1 else 0 end) as views,
        sum(case when kind = 'add_to_cart' then 1 else 0 end) as carts,
        count(distinct case when kind = 'view' then session_id end) as viewing_sessions
    from {{ ref('fct_behaviour_events') }}
    where product_id is not null and not is_bot
    group by product_id
),

-- Sales of a time when nobody counted views say nothing about conversion.
watched_from as (
    select min(occurred_at) as first_event_at
    from {{ ref('fct_behaviour_events') }}
),

sales as (
    select
        sold.product_id,
        count(*) as orders,
        count(distinct sold.customer_id) as customers,
        sum(case when sold.placed_at >= watched_from.first_event_at then 1 else 0 end) as watched_orders,
        sum(sold.units) as units,
        sum(sold.returned_units) as returned_units,
        sum(sold.sold_merchandise) as sold_merchandise,
        sum(
            case when sold.placed_at > shop.recent_from and sold.placed_at <= shop.as_of then 1 else 0 end
        ) as recent_orders,
        sum(
            case when sold.placed_at > shop.base_from and sold.placed_at <= shop.recent_from then 1 else 0 end
        ) as base_orders
    from {{ ref('int_order_products') }} as sold
    cross join shop
    cross join watched_from
    group by sold.product_id
),

returned as (
    select
        product_id,
        sum(returned_amount) as returned_amount
    from {{ ref('fct_returned_lines') }}
    group by product_id
),

reviews as (
    select
        product_id,
        count(*) as reviews,
        avg(score) as average_rating,
        avg(case sentiment when 'positive' then 1 when 'neutral' then 0 when 'negative' then -1 end) as review_sentiment
    from {{ ref('fct_reviews') }}
    where status = 'approved'
    group by product_id
),

figures as (
    select
        products.product_id,
        products.sku,
        products.name,
        products.category,
        coalesce(sales.orders, 0) as orders,
        coalesce(sales.customers, 0) as customers,
        cast(coalesce(sales.units, 0) as bigint) as units,
        {{ as_money('coalesce(sales.sold_merchandise, 0) - coalesce(returned.returned_amount, 0)') }}
            as net_merchandise,
        {{ ratio('sales.returned_units', 'sales.units') }} as return_rate,
        cast(coalesce(views.views, 0) as bigint) as views,
        cast(coalesce(views.carts, 0) as bigint) as carts,
        case
            when views.viewing_sessions > 0
                then least(cast(coalesce(sales.watched_orders, 0) as double) / views.viewing_sessions, 1.0)
        end as conversion_rate,
        coalesce(reviews.reviews, 0) as reviews,
        reviews.average_rating,
        reviews.review_sentiment,
        cast(coalesce(sales.recent_orders, 0) as bigint) as recent_orders,
        coalesce(sales.base_orders, 0) * {{ var('trend_days') }} / cast({{ var('trend_base_days') }} as double)
            as usual_orders
    from {{ ref('dim_products') }} as products
    left join sales on products.product_id = sales.product_id
    left join returned on products.product_id = returned.product_id
    left join views on products.product_id = views.product_id
    left join reviews on products.product_id = reviews.product_id
)

select
    product_id,
    sku,
    name,
    category,
    orders,
    customers,
    units,
    net_merchandise,
    return_rate,
    views,
    carts,
    conversion_rate,
    reviews,
    average_rating,
    review_sentiment,
    recent_orders,
    usual_orders,
    (recent_orders + {{ var('trend_smoothing') }}) / (usual_orders + {{ var('trend_smoothing') }}) as trend_score,
    row_number() over (order by net_merchandise desc, product_id asc) as rank
from figures
