with variants as (
    select
        product_id,
        variant_id,
        sku,
        row_number() over (
            partition by product_id
            order by is_default desc, is_active desc, variant_id asc
        ) as variant_rank
    from {{ ref('stg_product_variants') }}
),

-- The web's price where the variant is sold on several channels.
open_prices as (
    select
        prices.variant_id,
        prices.amount,
        row_number() over (
            partition by prices.variant_id
            order by case prices.channel when 'web' then 0 else 1 end, prices.price_id
        ) as price_rank
    from {{ ref('stg_prices') }} as prices
    inner join {{ ref('int_shop') }} as shop on prices.currency = shop.base_currency
    where prices.valid_to is null
),

occasions as (
    select
        product_occasions.product_id,
        {{ joined_text('occasions.occasion_key', "', '", 'occasions.occasion_key') }} as occasions
    from {{ ref('stg_product_occasions') }} as product_occasions
    inner join {{ ref('stg_occasions') }} as occasions on product_occasions.occasion_id = occasions.occasion_id
    group by product_occasions.product_id
)

select
    products.product_id,
    variants.sku,
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
left join variants on products.product_id = variants.product_id and variants.variant_rank = 1
left join open_prices on variants.variant_id = open_prices.variant_id and open_prices.price_rank = 1
left join occasions on products.product_id = occasions.product_id
