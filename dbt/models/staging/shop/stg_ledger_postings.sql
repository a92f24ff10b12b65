select
    id as posting_id,
    transaction_id,
    account,
    {{ minor_to_amount('amount_minor', 'currency') }} as amount,
    currency
from {{ source('raw', 'ledger_postings') }}
