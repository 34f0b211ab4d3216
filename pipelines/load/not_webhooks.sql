-- Descriptions of lines that are not webhooks, by their first characters, with advice on what to change.
create or replace temp macro shape_of(text) as
    case
        when regexp_matches(text, '^\s*\[\s*[{\[]') then 'an array that has no webhooks or is not valid JSON'
        when regexp_matches(text, '^\s*([{}\[\]]\s*,?\s*$|[{}\]]\s*,|"[^"]*"\s*:)') then 'JSON over several lines (pretty-printed)'
        when regexp_matches(text, '^\s*\{.*\}\s*,?\s*\{') and not regexp_matches(text, '^\s*\{"?(\w*"\s*:\s*[\[{]|\s*$)')
            then 'objects one after another that are cut off or not valid JSON'
        when regexp_matches(text, '^\s*\{.*"\w+"\s*:\s*"\s*\{\s*\\"') then 'an envelope around text that is not an event'
        when regexp_matches(text, '^[^{}\[\]]*[,;\t][^{}\[\]]*$') then 'CSV'
        when regexp_matches(text, '^\s*\{') then 'JSON objects that are not events'
        else 'text that is not JSON'
    end;
