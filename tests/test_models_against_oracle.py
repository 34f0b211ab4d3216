"""All tables of the sample, row by row as the oracle has them. `test_any_history` compares those of any history."""

import against_oracle
from inbox import Inbox
from oracle.marts_incidence import study_incidence
from sample import sample_files, sample_workspace

from pipelines.load.loader import load
from pipelines.settings import SAMPLE


def test_the_sample(box: Inbox) -> None:
    """A thousand participants: groups large enough for medians, percentiles and curves."""
    workspace = sample_workspace()
    assert any(row["completed_low"] is not None for row in study_incidence(workspace))
    assert load(box.connection, [SAMPLE]).problems == ()
    box.check(sample_files())
    box.product.build(box.connection, *box.product.names, **against_oracle.settings_of(workspace))
    against_oracle.compare(box.connection, workspace)
