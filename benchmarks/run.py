"""Runs the benchmarks: studyflow, a hand-written DuckDB script and other tools on the same lines.

    make benchmarks
    .venv/bin/python benchmarks/run.py --sizes 0.1M,1M --runs 3

Makes seeded data, checks on the smallest size that all results are equal, measures the contestants in turn, and writes
benchmarks/results.json, docs/benchmarks.md and its charts. `--draw` only writes the page and the charts again.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

from contestants import CONTESTANTS, FLOOR, HERE, OURS, PROJECT, Place, floor_run, full_run
from dataset import NEW_LINES, Data
from measure import GB, Limits, Measured, measure
from page import AS_THEY_ARRIVE, NOTHING, SPREAD

RESULTS = HERE / "results.json"
PEERS = PROJECT / ".venv-benchmarks"
CHECKS_FAILED = 3  # studyflow's exit code if only data checks failed


class Benchmark:
    """One run of the benchmarks: folders, limits, and the results so far."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.data_folder: Path = (options.folder / "data").resolve()
        self.place = Place(PEERS / "bin" / "python", (options.folder / "scratch").resolve())
        self.place.scratch.mkdir(parents=True, exist_ok=True)
        self.limits = Limits(options.timeout, options.memory * GB)
        self.environment = self._environment()
        self.runs = 1
        self.batches = 0
        self.stopped: dict[str, str] = {}
        self.results: dict[str, Any] = {
            "measured_on": datetime.now(UTC).date().isoformat(),
            "machine": _machine(),
            "versions": self._versions(),
            "limits": {"seconds": options.timeout, "memory_gb": options.memory},
            "new_lines": NEW_LINES,
            "peers_up_to": options.peers_up_to,
            "verified": {},
            "full": [],
            "incremental": [],
        }

    def _environment(self) -> dict[str, str]:
        """The environment of every contestant: the caller's, without variables that configure a contestant."""
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("STUDYFLOW_", "DBT_", "DLT_"))
        }
        return inherited | {
            "DBT_TARGET_PATH": str(self.place.scratch / "target"),
            "DBT_LOG_PATH": str(self.place.scratch / "logs"),
            "DO_NOT_TRACK": "1",
            "RUNTIME__DLTHUB_TELEMETRY": "false",
        }

    def _versions(self) -> dict[str, str]:
        packages = ("duckdb", "dbt-core", "dlt", "polars", "pandas", "sqlite-utils")
        script = "import json, sys; from importlib.metadata import version as v; print(json.dumps({p: v(p) for p in sys.argv[1:]}))"
        found: dict[str, str] = json.loads(self._output_of([str(self.place.peers_python), "-c", script, *packages]))
        return {"studyflow": version("studyflow"), **found}

    def _output_of(self, command: list[str]) -> str:
        """The output of a command that is not measured. It runs in its own process to keep this one small."""
        finished = subprocess.run(command, cwd=PROJECT, check=False, capture_output=True, text=True)
        if finished.returncode:
            sys.exit(f"{' '.join(command[:3])} failed:\n{finished.stdout}{finished.stderr}")
        return finished.stdout

    def run(self) -> None:
        """Measure all sizes, the smallest first, and write the results after each."""
        sizes = sorted(self.options.sizes)
        for number, lines in enumerate(sizes):
            self.runs = self.options.runs[min(number, len(self.options.runs) - 1)]
            self.batches = max(2, self.runs) if lines <= self.options.new_lines_up_to else 0
            data = self._data(lines)
            raw = data.folder / "raw"
            shutil.rmtree(raw, ignore_errors=True)
            raw.mkdir()
            (raw / "events.jsonl").hardlink_to(data.events)
            if lines == sizes[0]:
                self._verify(data, raw)
            self._measure_full(data, raw)
            if self.options.verify and lines != sizes[0]:
                self._verify_last(data)
            if self.batches:
                self._measure_incremental(data, raw)
                if lines == sizes[0]:
                    self._verify_incremental(data, raw)
            RESULTS.write_text(json.dumps(self.results, indent=1) + "\n", encoding="utf-8")

    def _data(self, lines: int) -> Data:
        print(f"{lines:,} lines: making the data", flush=True)
        self._output_of(
            [sys.executable, str(HERE / "dataset.py"), str(self.data_folder), str(lines), str(self.batches)]
        )
        return Data(self.data_folder / str(lines), lines)

    def _verify(self, data: Data, raw: Path) -> None:
        """Run every contestant once and compare the results. This also fills caches: files, bytecode, parsed models."""
        print("  do all compute the same?", flush=True)
        self._measure(OURS, data, raw)
        for name in self.options.contestants:
            if CONTESTANTS[name].is_compared:
                self._measure(name, data, raw)
                self._compare(name, name)

    def _verify_last(self, data: Data) -> None:
        """Compare the results of the last runs."""
        print("  did all compute the same?", flush=True)
        for name in self.options.contestants:
            if CONTESTANTS[name].is_compared and not self.stopped.keys() & {name, OURS}:
                self._compare(name, f"{name}, {data.lines:,} lines")

    def _compare(self, name: str, title: str) -> None:
        command = [str(HERE / "verify.py"), str(self.place.result_of(OURS)), name, str(self.place.result_of(name))]
        self.results["verified"][title] = json.loads(self._output_of([sys.executable, *command]))

    def _measure_full(self, data: Data, raw: Path) -> None:
        with_peers = data.lines <= self.options.peers_up_to
        runs_of: dict[str, list[dict[str, Any]]] = {
            name: [] for name in self.options.contestants if with_peers or name in {OURS, FLOOR}
        }
        for number in range(1, self.runs + 1):
            for name, runs in runs_of.items():
                if name in self.stopped:
                    continue
                try:
                    measured = self._measure(name, data, raw)
                except RuntimeError as error:
                    # Go on with the others; the table will say that this one failed.
                    print(error, file=sys.stderr)
                    measured = Measured(0, 0, 0, 0, "", "failed")
                if measured.stopped:
                    self.stopped[name] = measured.stopped
                runs.append(measured.as_dict() | _steps(name, measured))
                print(f"  {name}, run {number}: {measured.stopped or f'{measured.seconds:.1f} s'}", flush=True)
        size = data.events.stat().st_size
        for name, runs in runs_of.items():
            row = {"contestant": name, "lines": data.lines, "bytes": size, "runs": runs}
            self.results["full"].append(row | ({} if runs else {"left_out": self.stopped[name]}))

    def _measure(self, name: str, data: Data, raw: Path) -> Measured:
        """Measure a run after removing the previous result."""
        result = self.place.result_of(name)
        for path in (result, result.with_name(result.name + ".wal")):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        return self._run(CONTESTANTS[name].command(self.place, data, raw))

    def _run(self, command: list[str]) -> Measured:
        return measure(command, self.environment, self.limits, self.place.scratch, may_exit=CHECKS_FAILED)

    def _measure_incremental(self, data: Data, raw: Path) -> None:
        """Measure runs with new lines, each with a new file and a later as-of time, then runs without new lines."""
        if OURS in self.stopped:
            return
        if OURS not in self.options.contestants:
            self._measure(OURS, data, raw)
        number = 0
        for new, files in ((AS_THEY_ARRIVE, data.arrivals), (SPREAD, data.spread)):
            runs = []
            for file in files[: self.batches]:
                number += 1
                (raw / file.name).hardlink_to(file)
                runs.append(self._measure_again(data, raw, number))
            self._add_incremental(data, new, runs)
        self._add_incremental(data, NOTHING, [self._measure_again(data, raw, number) for _ in range(self.runs)])

    def _add_incremental(self, data: Data, new: str, runs: list[dict[str, Any]]) -> None:
        self.results["incremental"].append({"lines": data.lines, "new": new, "runs": runs})

    def _measure_again(self, data: Data, raw: Path, number: int) -> dict[str, Any]:
        """Measure `studyflow run` as of `number` quarters of an hour later."""
        measured = self._run(full_run(self.place, raw, _later_as_of(data, number)))
        new_lines = "" if measured.stopped else f", {json.loads(measured.output)['loaded']['lines_read']:,} new lines"
        print(f"  again, run {number}: {measured.stopped or f'{measured.seconds:.1f} s'}{new_lines}", flush=True)
        return measured.as_dict() | _steps(OURS, measured)

    def _verify_incremental(self, data: Data, raw: Path) -> None:
        """Compare the warehouse after incremental runs with the floor's result from all files."""
        self.place.result_of(FLOOR).unlink(missing_ok=True)
        self._run(floor_run(self.place, raw, _later_as_of(data, 2 * self.batches)))
        self._compare(FLOOR, "floor, after new lines")


def _later_as_of(data: Data, number: int) -> str:
    return (data.as_of + number * timedelta(minutes=15)).isoformat()


def _steps(name: str, measured: Measured) -> dict[str, Any]:
    """The seconds of studyflow's steps, from its own output."""
    return {"steps": json.loads(measured.output)["seconds"]} if name == OURS and not measured.stopped else {}


def _machine() -> dict[str, Any]:
    """A description of the machine in general terms."""
    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30),
        "system": platform.system(),
        "python": ".".join(platform.python_version_tuple()[:2]),
    }


def number_of_lines(text: str) -> int:
    """The number in a text like 100000, 100_000, 100k or 0.1M."""
    factors = {"k": 1_000, "m": 1_000_000}
    factor = factors.get(text[-1:].lower(), 1)
    return round(float(text.rstrip("kKmM")) * factor)


def main() -> None:
    """Parse the arguments, measure (unless --draw), and write the page."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument(
        "--sizes",
        type=lambda text: [number_of_lines(size) for size in text.split(",")],
        default="0.1M,1M,10M,30M,50M",
        help="Lines, like 0.1M,1M. Default: %(default)s.",
    )
    arguments.add_argument(
        "--runs",
        type=lambda text: [int(number) for number in text.split(",")],
        default="3,3,1",
        help="Runs of each contestant, by size from the smallest; the last number also counts for all larger sizes. Default: %(default)s.",
    )
    arguments.add_argument(
        "--contestants",
        type=lambda text: text.split(","),
        default=list(CONTESTANTS),
        help=f"Contestants that take part: {','.join(CONTESTANTS)}. Default: all.",
    )
    arguments.add_argument(
        "--folder",
        type=Path,
        default=PROJECT / "target" / "benchmarks",
        help="For data and scratch. Default: %(default)s.",
    )
    arguments.add_argument(
        "--timeout", type=float, default=1200, help="Seconds; after these, a run is stopped. Default: 1200."
    )
    arguments.add_argument("--memory", type=float, default=16, help="GB; beyond this, a run is stopped. Default: 16.")
    arguments.add_argument(
        "--new-lines-up-to",
        type=number_of_lines,
        default="30M",
        help="The largest size on which new lines are measured; 0 for none. Default: %(default)s.",
    )
    arguments.add_argument(
        "--peers-up-to",
        type=number_of_lines,
        default="10M",
        help="The largest size of contestants other than studyflow and the floor. Default: %(default)s.",
    )
    arguments.add_argument(
        "--verify", action="store_true", help="Compare results on every size, not only the smallest."
    )
    arguments.add_argument("--draw", action="store_true", help="Only draw again what has been measured.")
    options = arguments.parse_args()
    if unknown := set(options.contestants) - set(CONTESTANTS):
        arguments.error(f"no such contestant: {', '.join(sorted(unknown))}")
    if options.verify and OURS not in options.contestants:
        arguments.error(f"--verify compares with {OURS}, which must take part")
    if not options.draw:
        Benchmark(options).run()
    subprocess.run(
        [str(PEERS / "bin" / "python"), str(HERE / "draw.py"), str(RESULTS), str(PROJECT / "docs")], check=True
    )


if __name__ == "__main__":
    main()
