-- minor_to_amount, as_money and sum_money on amounts that a DOUBLE would spoil.
with cases as (
    select
        cast(1 as bigint) as minor,
        'INR' as currency,
        cast(0.01 as decimal(18, 2)) as expected
    union all
    select 900719925474099312, 'GBP', cast(9007199254740993.12 as decimal(18, 2))
    union all
    select -2551, 'INR', cast(-25.51 as decimal(18, 2))
    union all
    select 1250, 'JPY', cast(1250 as decimal(18, 2))
    union all
    select 1250, 'KWD', cast(1.25 as decimal(18, 2))
    union all
    select null, 'INR', null
),

summed as (
    select
        {{ sum_money(minor_to_amount('minor', "'INR'")) }} as total,
        {{ as_money('cast(null as decimal(18, 2))') }} as nothing
    from cases
    where expected is null
)

select 'amount' as failure
from cases
where {{ minor_to_amount('minor', 'currency') }} is distinct from expected

union all

select 'sum of nothing' as failure
from summed
where total <> 0 or nothing <> 0
