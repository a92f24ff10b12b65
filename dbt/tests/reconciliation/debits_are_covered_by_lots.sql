-- Every entry that takes points says from which lots, to the point; only a reversal may still wait to be paid for.
with taken as (
    select
        entry_id,
        sum(points) as points
    from {{ ref('stg_point_consumptions') }}
    group by entry_id
)

select
    entries.entry_id,
    entries.kind,
    entries.points,
    taken.points as taken
from {{ ref('fct_points') }} as entries
left join taken on entries.entry_id = taken.entry_id
where
    entries.points < 0
    and case
        when entries.kind = 'reverse' then coalesce(taken.points, 0) > -entries.points
        else coalesce(taken.points, 0) <> -entries.points
    end
