-- What lines look like that are no webhooks, by the first of their characters, in words that say what to change.
create or replace temp macro shape_of(text) as
    case
        when regexp_matches(text, '^\s*\[\s*[{\[]') then 'an array without webhooks or that is not valid JSON'
        when regexp_matches(text, '^\s*([{}\[\]]\s*,?\s*$|[{}\]]\s*,|"[^"]*"\s*:)') then 'JSON over several lines (pretty-printed)'
        when regexp_matches(text, '^\s*\{.*\}\s*,?\s*\{') and not regexp_matches(text, '^\s*\{"?(\w*"\s*:\s*[\[{]|\s*$)')
            then 'objects one after another that are cut off or not valid JSON'
        when regexp_matches(text, '^\s*\{.*"\w+"\s*:\s*"\s*\{\s*\\"') then 'an envelope around text that is no event'
        when regexp_matches(text, '^[^{}\[\]]*[,;\t][^{}\[\]]*$') then 'CSV'
        when regexp_matches(text, '^\s*\{') then 'JSON objects that are no events'
        else 'text that is no JSON'
    end;
