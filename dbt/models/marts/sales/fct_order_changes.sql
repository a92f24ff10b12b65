with lines as (
    select
        change_id,
        sum(case when change_action = 'add' then quantity end) as units_added,
        sum(case when change_action = 'remove' then quantity end) as units_removed
    from {{ ref('stg_order_change_lines') }}
    group by change_id
)

select
    changes.change_id,
    changes.order_id,
    changes.change_kind as kind,
    changes.change_status as status,
    changes.change_reason as reason,
    changes.currency,
    cast(coalesce(lines.units_added, 0) as bigint) as units_added,
    cast(coalesce(lines.units_removed, 0) as bigint) as units_removed,
    changes.added_amount,
    changes.given_up_amount,
    changes.difference_amount,
    changes.created_at,
    changes.expires_at,
    changes.applied_at,
    changes.declined_at
from {{ ref('stg_order_changes') }} as changes
left join lines on changes.change_id = lines.change_id
