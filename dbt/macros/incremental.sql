{#-
  Incremental building by changed keys.

  Extraction leaves in `raw_ops.changed_keys` which rows of which shop table this build touched (deleted ones
  included), and in `raw_ops.extract_state` whether it copied everything. A model built with the strategy
  `replace_changed` selects every row that may differ, and the strategy deletes what they replace and what has vanished.
-#}

{#-
  Whether everything has to be taken as changed: a full copy, a build that extraction said nothing about, or another
  time zone or currency of the shop itself.
-#}
{% macro everything_changed() -%}
    (
        select
            coalesce(bool_or(state."full"), true)
            or exists (
                select 1 from {{ source('raw_ops', 'changed_keys') }} as profile_keys
                where profile_keys.table_name = 'shop_profile'
            )
        from {{ source('raw_ops', 'extract_state') }} as state
    )
{%- endmacro %}


{#- Whether a row of a shop table was deleted: what it belonged to can no longer be asked. -#}
{% macro some_vanished(table_name) -%}
    exists (
        select 1
        from {{ source('raw_ops', 'changed_keys') }} as keys
        left join {{ source('raw', table_name) }} as living on keys.row_id = living.id
        where keys.table_name = '{{ table_name }}' and living.id is null
    )
{%- endmacro %}


{#- The ids of one shop table that this build touched. -#}
{% macro changed_ids(table_name) -%}
    select keys.row_id
    from {{ source('raw_ops', 'changed_keys') }} as keys
    where keys.table_name = '{{ table_name }}'
    union all
    select everything.id
    from {{ source('raw', table_name) }} as everything
    where {{ everything_changed() }}
{%- endmacro %}


{#-
  Custom strategy of the incremental materialisation.

  `meta.changed_table` names the shop table whose ids are the model's unique key; with `meta.follows_orders` a changed
  order takes all its rows with it. The deletion runs in the same transaction as the insertion, so a killed run leaves
  the table as it was.
-#}
{% macro get_incremental_replace_changed_sql(arg_dict) %}
    {%- set key = arg_dict['unique_key'] -%}
    {%- set meta = config.get('meta') -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}
    delete from {{ arg_dict['target_relation'] }}
    where
        {{ everything_changed() }}
        or {{ key }} in (select replacement.{{ key }} from {{ arg_dict['temp_relation'] }} as replacement)
        or {{ key }} in (
            select keys.row_id from {{ source('raw_ops', 'changed_keys') }} as keys
            where keys.table_name = '{{ meta['changed_table'] }}'
        )
        {% if meta.get('follows_orders') -%}
            or order_id in (select changed.order_id from {{ ref('int_changed_orders') }} as changed)
        {%- endif %};
    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }}
{% endmacro %}
