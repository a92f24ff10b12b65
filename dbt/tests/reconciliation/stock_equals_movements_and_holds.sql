-- Of every variant at every place: on hand = sum of the movements, reserved = sum of the live holds.
with movements as (
    select
        variant_id,
        location_id,
        sum(quantity) as quantity
    from {{ ref('fct_inventory_movements') }}
    group by variant_id, location_id
),

holds as (
    select
        variant_id,
        location_id,
        sum(quantity) as quantity
    from {{ ref('stg_stock_holds') }}
    where hold_state = 'live'
    group by variant_id, location_id
)

select
    levels.variant_id,
    levels.location_id,
    levels.on_hand,
    movements.quantity as moved,
    levels.reserved,
    holds.quantity as held
from {{ ref('stg_stock_levels') }} as levels
left join movements
    on levels.variant_id = movements.variant_id and levels.location_id = movements.location_id
left join holds
    on levels.variant_id = holds.variant_id and levels.location_id = holds.location_id
where
    levels.on_hand <> coalesce(movements.quantity, 0)
    or levels.reserved <> coalesce(holds.quantity, 0)
