with on_order as (
    select
        variant_id,
        location_id,
        sum(outstanding_quantity) as quantity,
        min(case when outstanding_quantity > 0 then expected_at end) as next_expected_at
    from {{ ref('fct_purchase_order_lines') }}
    group by variant_id, location_id
),

-- Whom the shop asks first.
articles as (
    select
        articles.variant_id,
        articles.supplier_id,
        suppliers.supplier_name,
        articles.supplier_sku,
        articles.pack_size,
        articles.minimum_quantity,
        articles.lead_time_days,
        articles.cost_amount,
        row_number() over (
            partition by articles.variant_id
            order by
                articles.is_preferred desc,
                articles.cost_amount asc,
                articles.lead_time_days asc,
                articles.supplier_product_id asc
        ) as article_rank
    from {{ ref('stg_supplier_products') }} as articles
    inner join {{ ref('stg_suppliers') }} as suppliers on articles.supplier_id = suppliers.supplier_id
    where articles.is_active and suppliers.is_active
),

alerts as (
    select
        variant_id,
        location_id,
        min(opened_at) as alert_open_since
    from {{ ref('stg_stock_alerts') }}
    where closed_at is null
    group by variant_id, location_id
),

inputs as (
    select
        levels.*,
        variants.product_id,
        variants.sku,
        levels.on_hand - levels.reserved as available,
        coalesce(on_order.quantity, 0) as on_order,
        levels.on_hand - levels.reserved + coalesce(on_order.quantity, 0) as projected,
        on_order.next_expected_at,
        coalesce(demand.demand_days, 0) as demand_days,
        coalesce(demand.demand_units, 0) as demand_units,
        coalesce(demand.daily_demand, 0.0) as daily_demand,
        coalesce(demand.daily_variance, 0.0) as daily_variance,
        coalesce(articles.lead_time_days, 0) as lead_time_days,
        levels.service_level_bp / cast(10000 as double) as service_level,
        articles.supplier_id,
        articles.supplier_name,
        articles.supplier_sku,
        coalesce(articles.pack_size, 1) as pack_size,
        coalesce(articles.minimum_quantity, 1) as minimum_quantity,
        articles.cost_amount,
        alerts.alert_open_since
    from {{ ref('stg_stock_levels') }} as levels
    inner join {{ ref('stg_product_variants') }} as variants on levels.variant_id = variants.variant_id
    left join on_order on levels.variant_id = on_order.variant_id and levels.location_id = on_order.location_id
    left join {{ ref('int_stock_demand') }} as demand
        on levels.variant_id = demand.variant_id and levels.location_id = demand.location_id
    left join articles on levels.variant_id = articles.variant_id and articles.article_rank = 1
    left join alerts on levels.variant_id = alerts.variant_id and levels.location_id = alerts.location_id
    where variants.inventory_policy in ('deny', 'backorder')
),

formula as (
    select
        *,
        daily_demand * lead_time_days as lead_time_demand,
        greatest({{ normal_quantile('service_level') }} * sqrt(daily_variance * lead_time_days), 0.0) as safety_stock,
        -- The horizon of the risk: until an order of today would come, or two weeks where nobody supplies it.
        daily_demand * coalesce(nullif(lead_time_days, 0), {{ var('default_lead_time_days') }}) as risk_demand,
        sqrt(
            greatest(daily_variance, daily_demand)
            * coalesce(nullif(lead_time_days, 0), {{ var('default_lead_time_days') }})
        ) as risk_deviation
    from inputs
),

points as (
    select
        *,
        case
            when reorder_policy = 'fixed' then reorder_point
            -- A figure that is whole but for the last bits of a float is whole.
            else ceil(lead_time_demand + safety_stock - 1e-9)
        end as wanted
    from formula
)

select
    level_id,
    variant_id,
    location_id,
    product_id,
    sku,
    on_hand,
    reserved,
    available,
    cast(on_order as bigint) as on_order,
    next_expected_at,
    demand_days,
    demand_units,
    daily_demand,
    sqrt(daily_variance) as daily_deviation,
    {{ ratio('available', 'daily_demand') }} as days_of_cover,
    reorder_policy,
    lead_time_days,
    service_level,
    lead_time_demand,
    safety_stock,
    cast(wanted as bigint) as reorder_point,
    cast(
        case
            when reorder_policy <> 'off' and wanted > projected
                then ceil(greatest(wanted - projected, minimum_quantity) / cast(pack_size as double)) * pack_size
            else 0
        end
        as bigint
    ) as suggested_order,
    case
        when daily_demand = 0 then 0.0
        else {{ normal_cdf('(risk_demand - projected) / risk_deviation') }}
    end as stock_out_risk,
    available <= threshold as is_out_of_stock,
    low_stock_level > 0 and available - threshold < low_stock_level as is_low,
    alert_open_since,
    supplier_id,
    supplier_name,
    supplier_sku,
    pack_size,
    minimum_quantity,
    cost_amount
from points
