select
    shop_name as name,
    base_currency,
    time_zone,
    as_of,
    first_event_at,
    last_event_at,
    as_of_day,
    first_day,
    last_day
from {{ ref('int_shop') }}
