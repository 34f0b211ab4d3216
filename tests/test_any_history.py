"""Every table that an oracle has, row by row: of any history, as of any moment.

The oracles are tables of `oracle`; the modules named `…_against_oracle`, and `test_incidence`, say how each is compared. One
build serves them all, since building takes longer than comparing.
"""

from zoneinfo import ZoneInfo

import test_incidence as incidence
import test_marts_flow_against_oracle as flow
import test_marts_people_against_oracle as people
import test_models_against_oracle as changes_and_gaps
import test_trust_against_oracle as trust
from hypothesis import given
from hypothesis import strategies as st
from oracle.history import histories
from oracle.reference import DEFAULT_STATUSES
from oracle.workspace import Workspace
from product import Product
from strategies import as_ofs, first_days, study_infos, workspaces

MODELS = (
    *changes_and_gaps.names_of(changes_and_gaps.TABLES),
    *flow.MODELS,
    *people.MODELS,
    *trust.KEYS,
    "study_incidence",
)
# Days of other lengths than 24 hours, and offsets that are no whole hours.
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Asia/Kolkata", "Pacific/Apia")


@given(st.data())
def test_any_history_as_of_any_moment(product: Product, data: st.DataObject) -> None:
    """Lost, tied, handmade and contradictory changes, in any order and repeated; any studies, people and rules, any time zone.

    As of a change, just beside one, or long after.
    """
    changes = data.draw(workspaces(most=6))
    as_of = data.draw(as_ofs(changes))
    workspace = Workspace(
        histories(changes, as_of, DEFAULT_STATUSES),
        as_of,
        studies=data.draw(study_infos()),
        contact_flags=data.draw(people.contact_flags()),
        opt_outs=data.draw(people.opt_outs(changes)),
        report_timezone=ZoneInfo(data.draw(st.sampled_from(ZONES))),
        daily_tables_from=data.draw(first_days()),
    )
    limits = data.draw(people.limits())
    repeated = data.draw(st.lists(st.sampled_from(changes), max_size=4)) if changes else []
    deliveries = data.draw(st.permutations([*changes, *repeated]))
    with product.warehouse(
        deliveries,
        *MODELS,
        as_of=as_of,
        report_timezone=str(workspace.report_timezone),
        daily_tables_from=workspace.daily_tables_from,
        optional=people.optional(workspace, limits),
        other_events=people.opt_out_events(workspace),
    ) as connection:
        changes_and_gaps.compare(connection, deliveries, as_of, workspace.studies)
        flow.compare(connection, workspace)
        people.compare(connection, workspace, limits)
        trust.compare(connection, workspace)
        incidence.compare(connection, workspace)
