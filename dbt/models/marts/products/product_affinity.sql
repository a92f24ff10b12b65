-- Each order and product once, whatever the number of lines.
with baskets as (
    select distinct
        order_id,
        product_id
    from {{ ref('fct_order_lines') }}
    where is_sale
),

order_count as (
    select count(distinct order_id) as orders
    from baskets
),

product_orders as (
    select
        product_id,
        count(*) as orders
    from baskets
    group by product_id
),

pairs as (
    select
        first_product.product_id as low_product_id,
        second_product.product_id as high_product_id,
        count(*) as orders_together
    from baskets as first_product
    inner join baskets as second_product
        on
            first_product.order_id = second_product.order_id
            and first_product.product_id < second_product.product_id
    group by first_product.product_id, second_product.product_id
    having count(*) >= {{ var('affinity_min_orders') }}
),

ordered_pairs as (
    select
        low_product_id as product_id,
        high_product_id as other_product_id,
        orders_together
    from pairs
    union all
    select
        high_product_id as product_id,
        low_product_id as other_product_id,
        orders_together
    from pairs
),

measured as (
    select
        ordered_pairs.product_id,
        ordered_pairs.other_product_id,
        ordered_pairs.orders_together,
        {{ ratio('ordered_pairs.orders_together', 'order_count.orders') }} as support,
        {{ ratio('ordered_pairs.orders_together', 'own.orders') }} as confidence,
        cast(ordered_pairs.orders_together as double) * order_count.orders / (own.orders * other.orders) as lift
    from ordered_pairs
    cross join order_count
    inner join product_orders as own on ordered_pairs.product_id = own.product_id
    inner join product_orders as other on ordered_pairs.other_product_id = other.product_id
),

ranked as (
    select
        measured.*,
        row_number() over (
            partition by measured.product_id
            order by measured.confidence desc, measured.lift desc, measured.other_product_id
        ) as rank
    from measured
)

select
    product_id,
    other_product_id,
    orders_together,
    support,
    confidence,
    lift,
    rank
from ranked
where rank <= {{ var('affinity_max_partners') }}
