select
    id as transaction_id,
    kind as transaction_kind,
    business_key,
    order_id,
    occurred_at
from {{ source('raw', 'ledger_transactions') }}
