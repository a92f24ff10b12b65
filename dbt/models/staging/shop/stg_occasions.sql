select
    id as occasion_id,
    key as occasion_key,
    name as occasion_name
from {{ source('raw', 'occasions') }}
