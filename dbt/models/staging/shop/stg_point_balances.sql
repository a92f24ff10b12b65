select
    id as balance_id,
    customer_id,
    active,
    pending,
    held,
    owed,
    spent,
    expired,
    reversed as reversed_points,
    shortfall
from {{ source('raw', 'point_balances') }}
