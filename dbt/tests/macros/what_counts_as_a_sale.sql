-- is_sale and counted_customer, case by case.
with orders as (
    select
        status,
        payment_mode,
        cast(paid_at as timestamp) as paid_at,
        expected
    from (
        values
        ('awaiting_payment', 'online', null, false),
        ('expired', 'online', null, false),
        ('cancelled', 'online', null, false),
        ('paid', 'online', '2026-01-01', true),
        ('cancelled', 'online', '2026-01-01', true),
        ('shipped', 'on_delivery', null, true),
        ('cancelled', 'on_delivery', null, false),
        ('delivered', 'external', null, true),
        ('draft', 'on_delivery', null, false)
    ) as listed (status, payment_mode, paid_at, expected)
),

customers as (
    select
        customer_id,
        is_guest,
        has_email,
        expected
    from (
        values
        (1, false, true, 1),
        (2, true, true, 2),
        (3, true, false, null),
        (4, false, false, 4)
    ) as listed (customer_id, is_guest, has_email, expected)
)

select 'sale ' || status || ' ' || payment_mode as failure
from orders
where {{ is_sale('status', 'payment_mode', 'paid_at') }} <> expected

union all

select 'customer ' || cast(customer_id as varchar) as failure
from customers
where {{ counted_customer('customer_id', 'customers') }} is distinct from expected
