-- Tables in schemas with studyflow's names that are not studyflow's. In every format, raw.files has these columns.
with

tables as (
    select
        table_schema || '.' || table_name as name,
        list(column_name) as columns
    from information_schema.columns
    where
        table_catalog = current_database()
        and table_schema in ('raw', 'reference', 'staging', 'intermediate', 'marts', 'audit', 'state', 'delta')
    group by all
)

select name
from tables
where not exists (
    select *
    from tables as ours
    where ours.name = 'raw.files' and list_has_all(ours.columns, ['file_id', 'source_file', 'next_offset', 'fingerprint'])
)
order by name
limit 3
