-- is_sale and counted_customer, case by case.
with orders (status, payment_mode, paid_at, expected) as (
    values
    ('awaiting_payment', 'online', null, false),
    ('expired', 'online', null, false),
    ('cancelled', 'online', null, false),
    ('paid', 'online', timestamp '2026-01-01 00:00:00', true),
    ('cancelled', 'online', timestamp '2026-01-01 00:00:00', true),
    ('shipped', 'on_delivery', null, true),
    ('cancelled', 'on_delivery', null, false),
    ('delivered', 'external', null, true),
    ('draft', 'on_delivery', null, false)
),

customers (customer_id, is_guest, has_email, expected) as (
    values
    (1, false, true, 1),
    (2, true, true, 2),
    (3, true, false, null),
    (4, false, false, 4)
)

select 'sale ' || status || ' ' || payment_mode as failure
from orders
where {{ is_sale('status', 'payment_mode', 'paid_at') }} <> expected

union all

select 'customer ' || cast(customer_id as varchar) as failure
from customers
where {{ counted_customer('customer_id', 'customers') }} is distinct from expected
