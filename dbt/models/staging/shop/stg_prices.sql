select
    id as price_id,
    variant_id,
    channel,
    currency,
    {{ minor_to_amount('amount_minor', 'currency') }} as amount,
    valid_from,
    valid_to
from {{ source('raw', 'prices') }}
