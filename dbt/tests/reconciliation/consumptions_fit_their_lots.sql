-- No lot gives more than came into it, and what it still has is what nobody took.
with taken as (
    select
        lot_id,
        sum(points) as points
    from {{ ref('stg_point_consumptions') }}
    group by lot_id
)

select
    coalesce(lots.lot_id, taken.lot_id) as lot_id,
    lots.amount,
    lots.remaining,
    taken.points as taken
from {{ ref('stg_point_lots') }} as lots
full outer join taken on lots.lot_id = taken.lot_id
where
    lots.lot_id is null
    or coalesce(taken.points, 0) > lots.amount
    or lots.remaining <> lots.amount - coalesce(taken.points, 0)
