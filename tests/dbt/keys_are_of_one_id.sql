-- No two ids share a key.
-- Why: models join by keys of 64 bits that stand for ids. Should two ids ever share one, two people would become one
-- without anybody noticing. Among ten million ids that happens in one of 370,000 warehouses.
-- Remedy: No number about these two ids is right. Tell the authors of studyflow; to go on, take the lines of one of the
-- two out of the raw files.
-- Key: kind, id_key
-- Rules of staging.stg_identities:
--   is_shared: no two ids share a key (one_id, another_id)
{%- set kinds = ['participant', 'person', 'study'] %}
with

identities as (
    select * from {{ ref('stg_identities') }}
),

ids as (
    {%- for kind in kinds %}
        select
            '{{ kind }}' as kind,
            {{ kind }}_key as id_key,
            {{ kind }}_id as id
        from identities
        {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select
    kind,
    id_key,
    min(id) as one_id,
    max(id) as another_id,
    true as is_shared
from ids
group by kind, id_key
having min(id) <> max(id)
