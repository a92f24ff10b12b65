with levels as (
    select
        variant_id,
        sum(on_hand) as on_hand,
        sum(reserved) as reserved,
        sum(threshold) as threshold,
        sum(low_stock_level) as low_stock_level,
        sum(case when reorder_policy = 'fixed' then reorder_point end) as fixed_reorder_point,
        max(service_level_bp) as service_level_bp,
        count(*) as locations
    from {{ ref('stg_stock_levels') }}
    group by variant_id
),

on_order as (
    select
        variant_id,
        sum(outstanding_quantity) as quantity,
        min(case when outstanding_quantity > 0 then expected_at end) as next_expected_at
    from {{ ref('fct_purchase_order_lines') }}
    group by variant_id
),

-- Whom the shop would ask first.
articles as (
    select
        variant_id,
        supplier_id,
        supplier_sku,
        pack_size,
        minimum_quantity,
        lead_time_days,
        cost_amount,
        row_number() over (
            partition by variant_id
            order by is_preferred desc, lead_time_days asc, supplier_product_id asc
        ) as article_rank
    from {{ ref('stg_supplier_products') }}
    where is_active
),

alerts as (
    select
        variant_id,
        min(opened_at) as alert_open_since
    from {{ ref('stg_stock_alerts') }}
    where closed_at is null
    group by variant_id
),

inputs as (
    select
        variants.variant_id,
        variants.product_id,
        variants.sku,
        levels.locations,
        levels.on_hand,
        levels.reserved,
        levels.threshold,
        levels.low_stock_level,
        levels.fixed_reorder_point,
        coalesce(on_order.quantity, 0) as on_order,
        on_order.next_expected_at,
        coalesce(demand.daily_demand, 0) as daily_demand,
        coalesce(demand.daily_deviation, 0) as daily_deviation,
        greatest(coalesce(articles.lead_time_days, {{ var('default_lead_time_days') }}), 1) as lead_time_days,
        levels.service_level_bp / 10000.0 as service_level,
        articles.supplier_id,
        articles.supplier_sku,
        coalesce(articles.pack_size, 1) as pack_size,
        coalesce(articles.minimum_quantity, 1) as minimum_quantity,
        articles.cost_amount,
        alerts.alert_open_since
    from {{ ref('stg_product_variants') }} as variants
    inner join levels on variants.variant_id = levels.variant_id
    left join on_order on variants.variant_id = on_order.variant_id
    left join {{ ref('int_variant_demand') }} as demand on variants.variant_id = demand.variant_id
    left join articles on variants.variant_id = articles.variant_id and articles.article_rank = 1
    left join alerts on variants.variant_id = alerts.variant_id
    where variants.inventory_policy in ('deny', 'backorder')
),

formula as (
    select
        *,
        on_hand - reserved as available,
        on_hand - reserved + on_order as position,
        daily_demand * lead_time_days as lead_time_demand,
        daily_deviation * sqrt(lead_time_days) as lead_time_deviation,
        {{ normal_quantile('service_level') }} * daily_deviation * sqrt(lead_time_days) as safety_stock
    from inputs
),

points as (
    select
        *,
        coalesce(fixed_reorder_point, ceil(lead_time_demand + greatest(safety_stock, 0))) as reorder_point
    from formula
)

select
    points.variant_id,
    points.product_id,
    points.sku,
    points.locations,
    cast(points.on_hand as bigint) as on_hand,
    cast(points.reserved as bigint) as reserved,
    cast(points.available as bigint) as available,
    cast(points.on_order as bigint) as on_order,
    points.next_expected_at,
    points.daily_demand,
    points.daily_deviation,
    {{ ratio('points.available', 'points.daily_demand') }} as days_of_cover,
    cast(points.lead_time_days as bigint) as lead_time_days,
    cast(points.service_level as double) as service_level,
    points.lead_time_demand,
    points.safety_stock,
    cast(points.reorder_point as bigint) as reorder_point,
    points.fixed_reorder_point is not null as is_reorder_point_fixed,
    cast(
        case
            when points.reorder_point > points.position
                then ceil(
                        greatest(points.reorder_point - points.position, points.minimum_quantity)
                        / cast(points.pack_size as double)
                    ) * points.pack_size
            else 0
        end
        as bigint
    ) as suggested_order,
    case
        when points.daily_demand = 0 then 0.0
        else {{ normal_cdf('(points.lead_time_demand - points.position) / points.lead_time_deviation') }}
    end as stock_out_risk,
    points.available <= points.threshold as is_out_of_stock,
    points.available - points.threshold < points.low_stock_level as is_low,
    points.alert_open_since,
    points.supplier_id,
    suppliers.supplier_name,
    points.supplier_sku,
    points.pack_size,
    points.minimum_quantity,
    points.cost_amount
from points
left join {{ ref('stg_suppliers') }} as suppliers on points.supplier_id = suppliers.supplier_id
