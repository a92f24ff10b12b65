with baskets as (
    select
        order_id,
        product_id
    from {{ ref('int_order_products') }}
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

-- Orders of one product meet nobody.
shared_orders as (
    select order_id
    from baskets
    group by order_id
    having count(*) > 1
),

shared_baskets as (
    select
        baskets.order_id,
        baskets.product_id
    from baskets
    inner join shared_orders on baskets.order_id = shared_orders.order_id
),

pairs as (
    select
        first_product.product_id as low_product_id,
        second_product.product_id as high_product_id,
        count(*) as orders_together
    from shared_baskets as first_product
    inner join shared_baskets as second_product
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
            order by measured.confidence desc, measured.lift desc, measured.other_product_id asc
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
