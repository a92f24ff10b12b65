-- minor_to_amount, as_money and sum_money on amounts that a DOUBLE would spoil.
with cases (minor, currency, expected) as (
    values
    (cast(1 as bigint), 'INR', '0.01'),
    (900719925474099312, 'GBP', '9007199254740993.12'),
    (-2551, 'INR', '-25.51'),
    (1250, 'JPY', '1250'),
    (1250, 'KWD', '1.25'),
    (null, 'INR', null)
),

summed as (
    select
        {{ sum_money(minor_to_amount('minor', "'INR'")) }} as total,
        {{ as_money('cast(null as decimal(18, 2))') }} as of_nothing
    from cases
    where expected is null
)

select 'amount' as failure
from cases
where {{ minor_to_amount('minor', 'currency') }} is distinct from cast(expected as decimal(18, 2))

union all

select 'sum of nothing' as failure
from summed
where total <> 0 or of_nothing <> 0
