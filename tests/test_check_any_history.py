"""The checks raise no false alarm: whatever the pipeline builds passes."""

from dataclasses import asdict

from check_warehouse import models_checked
from hypothesis import given, settings
from hypothesis import strategies as st
from product import Product
from strategies import as_ofs, study_infos, workspaces

from pipelines.check import check
from pipelines.check.remedies import WRONG_CLOCK

LEDGER = """
create or replace table raw.files as
select 1 as file_id, 'a.jsonl' as source_file, false as is_superseded, 0::bigint as pending_bytes,
    count(*) + 2 as lines, 2::bigint as blank_lines, count(*) + 3 as next_line, 0 as open_line_bytes
from raw.deliveries
"""


@settings(max_examples=settings().max_examples // 3)
@given(st.data())
def test_whatever_is_built_passes(product: Product, data: st.DataObject) -> None:
    """Lost, repeated, tied and contradictory changes, at any moment: the tables made of them keep every rule."""
    changes = data.draw(workspaces())
    repeated = data.draw(st.lists(st.sampled_from(changes), max_size=4)) if changes else []
    as_of = data.draw(as_ofs(changes))
    described = [{"study_id": study_id} | asdict(study) for study_id, study in data.draw(study_infos()).items()]
    with product.warehouse([*changes, *repeated]) as connection:
        connection.execute(LEDGER)
        product.build(connection, *models_checked(product), as_of=as_of, optional={"stg_studies": described})
        report = check(connection, as_of, strict=True)
    assert [finding for finding in report.failures if finding.meaning != WRONG_CLOCK] == []
    assert not report.warnings
