with positions as (
    select
        product_id,
        count(distinct variant_id) as variants,
        sum(on_hand) as on_hand,
        sum(reserved) as reserved,
        sum(available) as available,
        sum(on_order) as on_order,
        sum(daily_demand) as daily_demand,
        sum(reorder_point) as reorder_point,
        sum(suggested_order) as suggested_order,
        max(stock_out_risk) as stock_out_risk,
        count(distinct variant_id) - count(distinct case when not is_out_of_stock then variant_id end)
            as variants_out_of_stock,
        count(distinct case when is_low then variant_id end) as variants_low
    from {{ ref('stock_positions') }}
    group by product_id
)

select
    products.product_id,
    products.sku,
    products.name,
    products.category,
    positions.product_id is not null as is_stocked,
    cast(coalesce(positions.variants, 0) as bigint) as variants,
    cast(coalesce(positions.on_hand, 0) as bigint) as on_hand,
    cast(coalesce(positions.reserved, 0) as bigint) as reserved,
    cast(coalesce(positions.available, 0) as bigint) as available,
    cast(coalesce(positions.on_order, 0) as bigint) as on_order,
    cast(coalesce(positions.daily_demand, 0) as double) as daily_demand,
    {{ ratio('positions.available', 'positions.daily_demand') }} as days_of_cover,
    cast(coalesce(positions.reorder_point, 0) as bigint) as reorder_point,
    cast(coalesce(positions.suggested_order, 0) as bigint) as suggested_order,
    positions.stock_out_risk,
    cast(coalesce(positions.variants_out_of_stock, 0) as bigint) as variants_out_of_stock,
    cast(coalesce(positions.variants_low, 0) as bigint) as variants_low
from {{ ref('dim_products') }} as products
left join positions on products.product_id = positions.product_id
