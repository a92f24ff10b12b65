select
    entries.commission_entry_id,
    entries.affiliate_id,
    entries.lot_id,
    lots.order_id,
    lots.order_line_id,
    entries.entry_kind as kind,
    entries.currency,
    entries.pending_amount,
    entries.payable_amount,
    entries.owed_amount,
    entries.pending_minor,
    entries.payable_minor,
    entries.owed_minor,
    entries.payout_id,
    entries.occurred_at,
    {{ shop_day('entries.occurred_at', 'shop.time_zone') }} as occurred_day
from {{ ref('stg_commission_entries') }} as entries
cross join {{ ref('int_shop') }} as shop
left join {{ ref('stg_commission_lots') }} as lots on entries.lot_id = lots.commission_lot_id
