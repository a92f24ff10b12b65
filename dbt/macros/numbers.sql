{#- A share as DOUBLE; NULL where there is nothing to divide by. -#}
{% macro ratio(numerator, denominator) -%}
    case
        when {{ denominator }} > 0 then cast({{ numerator }} as double) / cast({{ denominator }} as double)
    end
{%- endmacro %}


{#- A whole count: sums of BIGINT become HUGEINT in DuckDB, which the contracts refuse. -#}
{% macro sum_count(quantity) -%}
    cast(coalesce(sum({{ quantity }}), 0) as bigint)
{%- endmacro %}


{#-
  Which of `parts` equal parts a row falls into (1 lowest): 1 + whole parts of the rows that are strictly lower.

  Unlike ntile, equal values always share their score. The row with the lowest value scores 1.
-#}
{% macro part_of(order_by, parts) -%}
    cast(
        1 + (rank() over (order by {{ order_by }}) - 1) * {{ parts }} // count(*) over ()
        as integer
    )
{%- endmacro %}
