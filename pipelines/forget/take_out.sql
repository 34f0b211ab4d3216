-- The ledger without the deliveries in `gone`, whose removal counts as load $load_id.

-- A line that is a batch is removed if all of its deliveries are.
insert into raw.files by name
select files.* replace (files.lines - coalesce(gone_by_file.lines, 0) as lines)
from before.raw.files as files
left join (
    select file_id, count(distinct line_number) as lines
    from gone
    anti join (select file_id, line_number from raw.deliveries where position > 0) as batches using (file_id, line_number)
    group by file_id
) as gone_by_file
    on files.file_id = gone_by_file.file_id;

insert into raw.forgotten_lines by name
select gone.file_id, gone.line_number, gone.position, $load_id as load_id
from gone
inner join raw.files on gone.file_id = files.file_id
where not files.is_superseded;
