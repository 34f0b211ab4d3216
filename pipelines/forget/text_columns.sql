-- Each column of a $kind of relation that can hold text: relation and name, as SQL, and whether it can tell of people.
select
    '"' || replace(table_schema, '"', '""') || '"."' || replace(table_name, '"', '""') || '"' as relation,
    '"' || replace(column_name, '"', '""') || '"' as name,
    -- ids of something else: a study can have the id that a person has
    column_name not in ('study_id', 'study_name') and table_schema <> 'reference' as is_of_people
from information_schema.columns
inner join information_schema.tables using (table_catalog, table_schema, table_name)
where
    table_type = $kind
    and table_catalog = current_database()
    and regexp_matches(data_type, 'VARCHAR|BLOB|JSON')
order by relation, ordinal_position
