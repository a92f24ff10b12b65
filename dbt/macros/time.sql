{#- The shop's wall clock at a UTC timestamp; days are the shop's days, so the zone comes before any truncation. -#}
{% macro shop_time(utc, time_zone) -%}
    {%- if target.type == 'spark' -%}
    from_utc_timestamp({{ utc }}, {{ time_zone }})
    {%- else -%}
    timezone({{ time_zone }}, timezone('UTC', {{ utc }}))
    {%- endif -%}
{%- endmacro %}


{#- The shop's day of a UTC timestamp. -#}
{% macro shop_day(utc, time_zone) -%}
    cast({{ shop_time(utc, time_zone) }} as date)
{%- endmacro %}


{#- The first day of the period that a day lies in; weeks start on Monday. -#}
{% macro period_start(period_grain, day) -%}
    cast(date_trunc('{{ period_grain }}', {{ day }}) as date)
{%- endmacro %}


{#-
  The start of the period that a period is compared with a year later.

  A week has no date of its own in another year: it is compared with the week 52 weeks before, weekday on weekday.
  29 February is compared with 28 February.
-#}
{% macro same_period_last_year(period_grain, period_start) -%}
    {%- if period_grain == 'week' -%}
    cast({{ period_start }} - interval 364 day as date)
    {%- else -%}
    cast({{ period_start }} - interval 1 year as date)
    {%- endif -%}
{%- endmacro %}


{#- Whole days (24 hours) from one timestamp to another; NULL in, NULL out. -#}
{% macro whole_days_between(earlier, later) -%}
    cast(floor(epoch({{ later }} - {{ earlier }}) / 86400) as bigint)
{%- endmacro %}


{#- Hours from one timestamp to another as DOUBLE; NULL in, NULL out. -#}
{% macro hours_between(earlier, later) -%}
    epoch({{ later }} - {{ earlier }}) / 3600.0
{%- endmacro %}


{#- Whole months between the first days of two months. -#}
{% macro months_between(earlier_month, later_month) -%}
    cast(
        (extract(year from {{ later_month }}) - extract(year from {{ earlier_month }})) * 12
        + extract(month from {{ later_month }}) - extract(month from {{ earlier_month }})
        as bigint
    )
{%- endmacro %}


{#- One row a step from the first to the last day, both within; `step` is an interval such as '1 day'. -#}
{% macro spine(first_day, last_day, step) -%}
    {%- if target.type == 'spark' -%}
    explode(sequence({{ first_day }}, {{ last_day }}, interval {{ step }}))
    {%- else -%}
    unnest(generate_series(
        cast({{ first_day }} as timestamp), cast({{ last_day }} as timestamp), interval {{ step }}
    ))
    {%- endif -%}
{%- endmacro %}


{#- The values of a group as one text in a stated order: an aggregate whose result does not depend on chance. -#}
{% macro joined_text(expression, separator, order_by) -%}
    {%- if target.type == 'spark' -%}
    array_join(array_sort(collect_list({{ expression }})), {{ separator }})
    {%- else -%}
    string_agg({{ expression }}, {{ separator }} order by {{ order_by }})
    {%- endif -%}
{%- endmacro %}
