-- ratio has no value where there is nothing to divide by; part_of gives equal values equal parts.
with numbers as (
    select
        value,
        {{ part_of('value', 5) }} as part
    from (
        select unnest([1, 1, 1, 1, 1, 1, 2, 3, 4, 5]) as value
    ) as drawn
)

select 'ratio' as failure
from (select 1 as one) as single
where
    {{ ratio('3', '4') }} <> 0.75
    or {{ ratio('3', '0') }} is not null
    or {{ ratio('3', 'cast(null as bigint)') }} is not null
    or {{ ratio('0', '4') }} <> 0

union all

-- Six of ten share the lowest value; the next starts where six of ten are lower.
select 'part_of' as failure
from numbers
where part <> case value when 1 then 1 when 2 then 4 when 3 then 4 else 5 end

union all

select 'sum_count' as failure
from numbers
having {{ sum_count('value') }} <> 20
