select
    id as commission_balance_id,
    affiliate_id,
    currency,
    {{ minor_to_amount('pending_minor', 'currency') }} as pending_amount,
    {{ minor_to_amount('approved_minor', 'currency') }} as approved_amount,
    {{ minor_to_amount('reversed_minor', 'currency') }} as reversed_amount,
    {{ minor_to_amount('paid_minor', 'currency') }} as paid_amount,
    {{ minor_to_amount('owed_minor', 'currency') }} as owed_amount
from {{ source('raw', 'commission_balances') }}
