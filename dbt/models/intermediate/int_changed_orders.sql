-- Orders whose row in a fact may differ from the last build's: they, their lines, returns, refunds, steps, changes,
-- units or their customer changed. A deleted child no longer says which order it belonged to, so every order is looked
-- at again.
with changed as (
    select changed_orders.row_id as order_id
    from ({{ touched_ids('orders') }}) as changed_orders

    union all

    select order_lines.order_id
    from {{ ref('stg_order_lines') }} as order_lines
    where order_lines.order_line_id in ({{ touched_ids('order_lines') }})

    union all

    select status_changes.order_id
    from {{ ref('stg_order_status_changes') }} as status_changes
    where status_changes.status_change_id in ({{ touched_ids('order_status_changes') }})

    union all

    select refunds.order_id
    from {{ ref('stg_refunds') }} as refunds
    where refunds.refund_id in ({{ touched_ids('refunds') }})

    union all

    select returns.order_id
    from {{ ref('stg_returns') }} as returns
    where returns.return_id in ({{ touched_ids('returns') }})

    union all

    select returns.order_id
    from {{ ref('stg_return_lines') }} as return_lines
    inner join {{ ref('stg_returns') }} as returns on return_lines.return_id = returns.return_id
    where return_lines.return_line_id in ({{ touched_ids('return_lines') }})

    union all

    select changes.order_id
    from {{ ref('stg_order_changes') }} as changes
    where changes.change_id in ({{ touched_ids('order_changes') }})

    union all

    select unit_moves.order_id
    from {{ ref('stg_order_unit_moves') }} as unit_moves
    where unit_moves.unit_move_id in ({{ touched_ids('order_unit_moves') }})

    union all

    select orders.order_id
    from {{ ref('stg_orders') }} as orders
    where
        orders.customer_id in ({{ touched_ids('customers') }})
        or {{ everything_changed() }}
        or {{ some_vanished('order_lines') }}
        or {{ some_vanished('order_status_changes') }}
        or {{ some_vanished('refunds') }}
        or {{ some_vanished('returns') }}
        or {{ some_vanished('return_lines') }}
        or {{ some_vanished('order_changes') }}
        or {{ some_vanished('order_unit_moves') }}
)

select distinct order_id
from changed
where order_id is not null
