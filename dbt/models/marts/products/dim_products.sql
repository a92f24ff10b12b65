with default_variants as (
    select
        product_id,
        variant_id,
        sku
    from {{ ref('stg_product_variants') }}
    qualify row_number() over (partition by product_id order by is_default desc, is_active desc, variant_id) = 1
),

open_prices as (
    select
        prices.variant_id,
        prices.amount
    from {{ ref('stg_prices') }} as prices
    inner join {{ ref('int_shop') }} as shop on prices.currency = shop.base_currency
    where prices.valid_to is null
    qualify row_number() over (
        partition by prices.variant_id
        order by (prices.channel = 'web') desc, prices.price_id
    ) = 1
),

occasions as (
    select
        product_occasions.product_id,
        {{ dbt.listagg('occasions.occasion_key', "', '", 'order by occasions.occasion_key') }} as occasions
    from {{ ref('stg_product_occasions') }} as product_occasions
    inner join {{ ref('stg_occasions') }} as occasions on product_occasions.occasion_id = occasions.occasion_id
    group by product_occasions.product_id
)

select
    products.product_id,
    default_variants.sku,
    products.product_name as name,
    categories.category_name as category,
    products.category_id,
    products.gift_tier,
    occasions.occasions,
    open_prices.amount as price,
    products.is_active,
    products.is_customisable,
    products.created_at
from {{ ref('stg_products') }} as products
left join {{ ref('stg_categories') }} as categories on products.category_id = categories.category_id
left join default_variants on products.product_id = default_variants.product_id
left join open_prices on default_variants.variant_id = open_prices.variant_id
left join occasions on products.product_id = occasions.product_id
