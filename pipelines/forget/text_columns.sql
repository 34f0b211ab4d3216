-- Relation, as SQL, and name of each column of a $kind of relation that can hold text.
select
    '"' || replace(table_schema, '"', '""') || '"."' || replace(table_name, '"', '""') || '"' as relation,
    column_name
from information_schema.columns
inner join information_schema.tables using (table_catalog, table_schema, table_name)
where
    table_type = $kind
    and table_catalog = current_database()
    and regexp_matches(data_type, 'VARCHAR|BLOB|JSON')
order by relation, ordinal_position
