select
    id as commission_entry_id,
    affiliate_id,
    lot_id,
    kind as entry_kind,
    currency,
    {{ minor_to_amount('pending_minor', 'currency') }} as pending_amount,
    {{ minor_to_amount('payable_minor', 'currency') }} as payable_amount,
    {{ minor_to_amount('owed_minor', 'currency') }} as owed_amount,
    pending_minor,
    payable_minor,
    owed_minor,
    covers_id,
    payout_id,
    occurred_at
from {{ source('raw', 'commission_entries') }}
