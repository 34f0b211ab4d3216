-- The ledger without the deliveries in `removed_deliveries`, whose removal counts as load $load_id.

-- A line that is a batch is removed if all of its deliveries are.
insert into raw.files by name
select files.* replace (files.lines - coalesce(removed_by_file.lines, 0) as lines)
from before.raw.files as files
left join (
    select file_id, count(distinct line_number) as lines
    from removed_deliveries
    anti join (select file_id, line_number from raw.deliveries where position > 0) as batches using (file_id, line_number)
    group by file_id
) as removed_by_file
    on files.file_id = removed_by_file.file_id;

insert into raw.forgotten_lines by name
select removed_deliveries.file_id, removed_deliveries.line_number, removed_deliveries.position, $load_id as load_id
from removed_deliveries
inner join raw.files on removed_deliveries.file_id = files.file_id
where not files.is_superseded;
