"""Is generated data what it claims to be? The oracle, which knows nothing of the generator, reads the lines."""

import gzip
import json
import tracemalloc
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest
from oracle.lines import Delivery, accounting, deliveries, read_lines

from pipelines.generate import Compression, Recipe, generate
from pipelines.generate import batches as batching
from pipelines.generate.damage import REASONS
from pipelines.generate.recipe import Tally
from pipelines.generate.sample import SAMPLE, write_sample

SAMPLE_FOLDER = Path(__file__).parents[1] / "data" / "sample"
STATUSES = frozenset(
    {
        "NOT_STARTED",
        "NOT_ELIGIBLE",
        "INVITE_SENT",
        "SCREENER_STARTED",
        "SCREENER_COMPLETED",
        "SCREENER_DISQUALIFIED",
        "SCREENER_QUALIFIED",
        "INTERVIEW_INVITE_SENT",
        "INTERVIEW_SCHEDULED",
        "INTERVIEW_COMPLETED",
        "INTERVIEW_CANCELLED",
        "INTERVIEW_NO_SHOWED",
        "SURVEY_STARTED",
        "SURVEY_COMPLETED",
        "INCENTIVE_SENT",
        "INCENTIVE_CLAIMED",
        "INCENTIVE_SKIPPED",
        "UNMODERATED_TEST_INVITE_SENT",
        "UNMODERATED_TEST_STARTED",
        "UNMODERATED_TEST_COMPLETED",
        "COMPLETED_STUDY",
        "CANCELLED",
        "OPTED_OUT",
        "EMAIL_SOFT_BOUNCED",
        "EMAIL_HARD_BOUNCED",
    }
)
DIRTY = Recipe(participants=1_500, studies=10, duplicates=0.2, late=0.15, lost=0.1, malformed=0.1)
CLEAN = Recipe(participants=3_000, studies=9, duplicates=0, late=0, lost=0, malformed=0)


def made(recipe: Recipe) -> tuple[bytes, Tally]:
    """All lines of a recipe, and the generator's own counts."""
    tally = Tally()
    lines = [text for batch in batching.batches(recipe, tally) for _, text in batch.lines]
    return "".join(f"{line}\n" for line in lines).encode("latin-1"), tally


def read(content: bytes) -> list[Delivery]:
    """The accepted deliveries, as the oracle reads them."""
    return deliveries(read_lines({"events.jsonl": content}, STATUSES))


def by_participant(changes: Iterable[Delivery]) -> dict[str, list[Delivery]]:
    """Deliveries by participant, in the order given."""
    journeys = defaultdict(list)
    for change in changes:
        journeys[change.participant_id].append(change)
    return journeys


@pytest.fixture(scope="module")
def clean() -> list[Delivery]:
    """Deliveries of a clean recipe, as they arrive."""
    return read(made(CLEAN)[0])


def test_a_recipe_always_makes_the_same_bytes_and_a_seed_others() -> None:
    """Reports of a bug in generated data must be reproducible from the recipe alone."""
    again = Recipe(participants=1_500, studies=10, duplicates=0.2, late=0.15, lost=0.1, malformed=0.1)
    other = Recipe(participants=1_500, studies=10, duplicates=0.2, late=0.15, lost=0.1, malformed=0.1, seed=2)
    assert made(DIRTY)[0] == made(again)[0]
    assert made(DIRTY)[0] != made(other)[0]


def test_counts_are_what_an_independent_reader_counts() -> None:
    """Load tests compare with these counts, so they must not be the generator's wishful thinking."""
    content, tally = made(DIRTY)
    assert accounting(read_lines({"events.jsonl": content}, STATUSES)) == {
        "lines": tally.lines,
        "blank": tally.blank,
        "accepted": tally.changes - tally.lost + tally.repeated,
        "other_events": tally.other_events,
        "rejected": tally.rejected,
        "distinct_changes": tally.changes - tally.lost,
        "repeated_deliveries": tally.repeated,
        "batch_lines": 0,
        "batch_deliveries": 0,
    }


def test_shares_are_about_as_asked_and_every_reason_occurs() -> None:
    """About: chance decides, and a participant's last change cannot be late."""
    _, tally = made(DIRTY)
    assert tally.lost / tally.changes == pytest.approx(DIRTY.lost, rel=0.15)
    assert tally.repeated / (tally.changes - tally.lost) == pytest.approx(DIRTY.duplicates, rel=0.15)
    assert sum(tally.rejected.values()) / (tally.changes - tally.lost) == pytest.approx(DIRTY.malformed, rel=0.15)
    assert tally.late / (tally.changes - DIRTY.participants) == pytest.approx(DIRTY.late, rel=0.25)
    assert min(tally.rejected.values()) > 0
    assert len(tally.rejected) == len(REASONS)


def test_all_shares_can_be_all_or_nothing() -> None:
    """The ends of the range are where a comparison with the wrong sign shows."""
    assert read(made(Recipe(participants=50, lost=1))[0]) == []
    _, tally = made(Recipe(participants=50, lost=0, duplicates=1, late=1, malformed=1))
    assert tally.repeated == tally.changes == sum(tally.rejected.values())


def test_nothing_asked_for_gives_linked_journeys_in_order(clean: list[Delivery]) -> None:
    """Without losses each change names the status before it: a gap in a mart would be the pipeline's own."""
    for journey in by_participant(clean).values():
        assert journey[0].prior_status is None
        assert all(after.prior_status == before.status for before, after in pairwise(journey))
        assert all(after.updated_at >= before.updated_at for before, after in pairwise(journey))
        assert len({(change.person_id, change.study_id) for change in journey}) == 1
    assert len(by_participant(clean)) == CLEAN.participants


def test_changes_stay_within_the_days_asked_for(clean: list[Delivery]) -> None:
    """An as-of at the end of the days sees everything."""
    start = datetime(CLEAN.start.year, CLEAN.start.month, CLEAN.start.day, tzinfo=UTC)
    moments = [change.updated_at for change in clean]
    assert start <= min(moments) <= max(moments) < start + timedelta(days=CLEAN.days)


@pytest.mark.parametrize(
    "path",
    [
        "INVITE_SENT INVITE_SENT",  # sent again
        "NOT_STARTED INTERVIEW_INVITE_SENT",  # direct invitation
        "INTERVIEW_SCHEDULED INTERVIEW_NO_SHOWED INTERVIEW_SCHEDULED",
        "INTERVIEW_SCHEDULED INTERVIEW_CANCELLED INTERVIEW_SCHEDULED",
        "INTERVIEW_COMPLETED INTERVIEW_NO_SHOWED INTERVIEW_SCHEDULED",  # corrected, then booked again
        "SCREENER_COMPLETED SCREENER_QUALIFIED",
        "SCREENER_COMPLETED INTERVIEW_INVITE_SENT",  # neither qualified nor disqualified by itself
        "SURVEY_COMPLETED OPTED_OUT",  # still owed an incentive
        "INCENTIVE_SENT EMAIL_SOFT_BOUNCED INCENTIVE_SENT",
        "INCENTIVE_SENT INCENTIVE_SENT",
        "INCENTIVE_SENT INCENTIVE_CLAIMED COMPLETED_STUDY",
        "INVITE_SENT EMAIL_HARD_BOUNCED",
    ],
)
def test_journeys_take_the_turns_that_real_ones_take(clean: list[Delivery], path: str) -> None:
    """Each of these once broke someone's funnel or backlog."""
    journeys = (" ".join(change.status for change in journey) for journey in by_participant(clean).values())
    assert any(f" {path} " in f" {journey} " for journey in journeys)


def test_every_status_occurs_and_people_are_in_several_studies(clean: list[Delivery]) -> None:
    """A status that never occurs is one that no test of the marts meets."""
    assert {change.status for change in clean} == STATUSES
    assert len({change.study_id for change in clean}) == CLEAN.studies
    assert len({change.person_id for change in clean}) < CLEAN.participants
    assert Counter(Counter((c.person_id, c.study_id) for c in clean if c.prior_status is None).values()).keys() == {1}


def test_some_changes_share_an_instant_and_bulk_edits_a_second(clean: list[Delivery]) -> None:
    """Ties within a participant need the order of spec section 3; ties between them need total orders in SQL."""
    assert any(a.updated_at == b.updated_at for journey in by_participant(clean).values() for a, b in pairwise(journey))
    moved = Counter(
        (change.study_id, change.status, change.updated_at.replace(microsecond=0))
        for change in clean
        if change.status in {"SURVEY_COMPLETED", "CANCELLED", "INCENTIVE_SKIPPED"}
    )
    assert max(moved.values()) >= 10


def test_late_lines_arrive_after_changes_that_followed_them() -> None:
    """Late is about arrival. Where the next change is late too, the line may still be in time."""
    content, tally = made(Recipe(participants=2_000, duplicates=0, late=0.1, lost=0, malformed=0))
    overtaken = sum(
        any(later.updated_at > change.updated_at for later in journey[:number])
        for journey in by_participant(read(content)).values()
        for number, change in enumerate(journey)
    )
    assert 0.8 * tally.late < overtaken <= tally.late


def test_memory_does_not_grow_with_the_number_of_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten million lines must need no more than a hundred thousand. 30,000 more lines are 7 MB of text alone."""
    monkeypatch.setattr(batching, "PENDING", 1_000)

    def peak(participants: int) -> int:
        tracemalloc.start()
        for _ in batching.batches(Recipe(participants=participants), Tally()):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(8_000) - peak(2_000) < 2_000_000


def test_the_bound_on_memory_changes_only_the_order_between_participants(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else large recipes would have other duplicates and late lines than small ones."""
    whole, _ = made(DIRTY)
    monkeypatch.setattr(batching, "PENDING", 500)
    piecewise, _ = made(DIRTY)
    assert sorted(whole.splitlines()) == sorted(piecewise.splitlines())
    assert by_participant(read(whole)) == by_participant(read(piecewise))


def test_files_share_the_lines_in_order_of_arrival(tmp_path: Path) -> None:
    """Files one after another are the same stream, whether the lines fit in one batch or not."""
    told: list[int] = []
    result = generate(DIRTY, tmp_path / "raw", files=4, progress=told.append)
    assert [path.name for path in result.files] == [f"events-{n:04d}.jsonl" for n in (1, 2, 3, 4)]
    contents = [path.read_bytes() for path in result.files]
    assert b"".join(contents) == made(DIRTY)[0]
    counts = [content.count(b"\n") for content in contents]
    assert sum(counts) == result.lines
    assert max(counts) - min(counts) <= 1
    assert told[-1] == DIRTY.participants


@pytest.mark.parametrize(
    ("name", "compression"),
    [("a.jsonl", "none"), ("a.ndjson.gz", "none"), ("a.jsonl.zst", "zstd"), ("folder", "gzip"), ("folder", "zstd")],
)
def test_compressed_files_hold_the_same_lines(tmp_path: Path, name: str, compression: Compression) -> None:
    """The name of a single file decides; a folder is told."""
    recipe = Recipe(participants=40)
    [path] = generate(recipe, tmp_path / name, compression=compression).files
    with pa.input_stream(str(path), compression="detect") as stream:
        assert stream.read() == made(recipe)[0]
    assert path.suffix == {"none": path.suffix, "gzip": ".gz", "zstd": ".zst"}[compression]


def test_gzip_holds_no_time_and_no_name(tmp_path: Path) -> None:
    """Both would make each run's bytes differ."""
    [one] = generate(Recipe(participants=10), tmp_path / "one.jsonl.gz").files
    [two] = generate(Recipe(participants=10), tmp_path / "two.jsonl.gz").files
    assert one.read_bytes() == two.read_bytes()


def test_more_files_than_lines_are_still_that_many(tmp_path: Path) -> None:
    """A script that counts on a number of files gets it."""
    result = generate(Recipe(participants=1, studies=1), tmp_path, files=40)
    assert sum(path.read_bytes().count(b"\n") for path in result.files) == result.lines
    assert len(list(tmp_path.iterdir())) == 40


def test_files_are_only_overwritten_when_asked_and_none_linger(tmp_path: Path) -> None:
    """A file of an earlier, larger run would mix two recipes into one load."""
    generate(Recipe(participants=10), tmp_path, files=3, compression="gzip")
    (tmp_path / "notes.txt").write_text("keep me")
    with pytest.raises(FileExistsError, match=r"events-0001\.jsonl\.gz exists\. .*--overwrite"):
        generate(Recipe(participants=10), tmp_path)
    generate(Recipe(participants=10), tmp_path, overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["events-0001.jsonl", "notes.txt"]


def test_an_interrupted_run_leaves_what_was_there(tmp_path: Path) -> None:
    """Half a recipe looks like a whole one."""

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    generate(Recipe(participants=10), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(KeyboardInterrupt):
        generate(Recipe(participants=10, seed=2), tmp_path, files=2, overwrite=True, progress=interrupt)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"participants": 3, "studies": 5}, "at least one participant for each study"),
        ({"studies": 0}, "at least 1"),
        ({"days": 0}, "from 1 to"),
        ({"seed": -1}, "0 or a positive"),
        ({"start": date(1969, 12, 31)}, "choose a day from"),
        ({"late": 5}, "share from 0 to 1"),
        ({"lost": float("nan")}, "share from 0 to 1"),
    ],
)
def test_impossible_recipes_say_what_is_possible(values: dict[str, int], problem: str) -> None:
    """The message is what the command shows."""
    with pytest.raises(ValueError, match=problem):
        Recipe(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "files", "compression", "problem"),
    [
        ("a.jsonl", 2, "none", "name a folder"),
        ("a.jsonl", 1, "gzip", r"end the name in \.jsonl\.gz"),
        ("folder", 0, "none", "from 1 to"),
        ("taken.txt", 1, "none", "is a file"),
    ],
)
def test_impossible_places_are_refused(
    tmp_path: Path, name: str, files: int, compression: Compression, problem: str
) -> None:
    """Before anything is made."""
    (tmp_path / "taken.txt").touch()
    with pytest.raises(ValueError, match=problem):
        generate(Recipe(), tmp_path / name, files=files, compression=compression)


@pytest.mark.parametrize("start", [date(1970, 1, 5), date(2026, 6, 6), date(2199, 12, 31)])
def test_a_recipe_can_be_one_day_long(start: date) -> None:
    """Also on a Saturday, when nobody is at work until the days are over."""
    changes = read(made(Recipe(participants=20, studies=20, days=1, start=start))[0])
    assert {change.updated_at.date() for change in changes} == {start}


def unpacked(path: Path) -> bytes:
    """A file's content without its compression."""
    content = path.read_bytes()
    return gzip.decompress(content) if path.suffix == ".gz" else content


def test_the_sample_is_what_its_recipe_makes(tmp_path: Path) -> None:
    """Unpacked, as versions of zlib differ in how they compress."""
    write_sample(tmp_path)
    fresh = {path.name: unpacked(path) for path in tmp_path.iterdir()}
    by_hand = {"README.md", ".gitattributes", "as_of.txt", "studies.csv"}
    kept = {path.name: unpacked(path) for path in SAMPLE_FOLDER.iterdir() if path.name not in by_hand}
    assert fresh == kept


def test_the_studies_of_the_sample_are_in_its_webhooks() -> None:
    """studies.csv is written by hand, and its ids are the recipe's. One study is in no row of it."""
    files = {path.name: unpacked(path) for path in sorted(SAMPLE_FOLDER.glob("events-*"))}
    in_webhooks = {delivery.study_id for delivery in deliveries(read_lines(files, STATUSES))}
    described = {line.partition(",")[0] for line in (SAMPLE_FOLDER / "studies.csv").read_text().splitlines()[1:]}
    assert described < in_webhooks
    assert len(in_webhooks - described) == 1


def test_the_sample_shows_every_kind_of_trouble() -> None:
    """It is what newcomers see, and what `studyflow run` proves itself on."""
    files = {path.name: unpacked(path) for path in sorted(SAMPLE_FOLDER.glob("events-*"))}
    lines = read_lines(files, STATUSES)
    counts = accounting(lines)
    assert set(counts["rejected"]) == set(REASONS)
    assert min(counts["blank"], counts["other_events"], counts["repeated_deliveries"]) > 0
    journeys = by_participant(dict.fromkeys(deliveries(lines)))
    assert len(journeys) == SAMPLE.participants
    arrived = [journey for journey in journeys.values() if journey != sorted(journey, key=lambda c: c.updated_at)]
    assert arrived, "some changes are late"
    last = max(change.updated_at for journey in journeys.values() for change in journey)
    as_of = datetime.fromisoformat((SAMPLE_FOLDER / "as_of.txt").read_text().strip())
    assert as_of == datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1)


def test_the_sample_shows_every_form_of_file() -> None:
    """Line ends, byte-order mark, envelopes and gzip are what loaders trip over."""
    windows = (SAMPLE_FOLDER / "events-0002.jsonl").read_bytes()
    assert windows.startswith(b"\xef\xbb\xbf{")
    assert windows.count(b"\n") == windows.count(b"\r\n") > 0
    wrapped = (SAMPLE_FOLDER / "events-0004.jsonl").read_bytes().splitlines()
    assert sum(line.startswith(b'{"svix_id"') for line in wrapped) > len(wrapped) * 0.98
    assert json.loads(wrapped[0]).keys() == {"svix_id", "received_at", "payload"}
    assert (SAMPLE_FOLDER / "events-0006.jsonl.gz").read_bytes().startswith(b"\x1f\x8b")
    assert sum(path.stat().st_size for path in SAMPLE_FOLDER.iterdir()) < 1_500_000


def test_drift_and_bursts() -> None:
    """What a backtest of forecasts is tried on: people who answer less and less, and invitations all at once."""
    base = Recipe(participants=600, studies=3, duplicates=0, late=0, lost=0, malformed=0)
    added = [change.updated_at for change in read(made(replace(base, burst_days=7))[0]) if change.prior_status is None]
    assert {moment.weekday() for moment in added} == {0}, "the recipe starts on a Monday"
    (_, before), (_, after) = made(base), made(replace(base, drift=0.8))
    assert after.changes < 0.8 * before.changes
    with pytest.raises(ValueError, match="burst_days is 99"):
        replace(base, burst_days=99)
