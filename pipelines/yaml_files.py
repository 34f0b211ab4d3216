"""The YAML files of the dbt project."""

from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from pipelines.errors import StudyflowError

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where PyYAML was built with it


def read_yaml(file: Path) -> dict[str, Any]:
    """What the file says.

    Raises:
        StudyflowError: it cannot be read, or says nothing by name. The message names file and line.
    """
    try:
        said = yaml.load(file.read_text(encoding="utf-8"), LOADER)  # noqa: S506 - a safe one
    except OSError as error:
        msg = f"{file}: cannot be read ({error.strerror}). Restore it from version control."
        raise StudyflowError(msg) from error
    except UnicodeDecodeError as error:
        msg = f"{file}: is not in UTF-8. Save it in UTF-8."
        raise StudyflowError(msg) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{file}, line {mark.line + 1}" if mark else str(file)
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "unreadable"
        msg = f"{place}: is not valid YAML ({problem}). Correct it, or restore it from version control."
        raise StudyflowError(msg) from error
    if not isinstance(said, dict):
        msg = f"{file}: is empty. Restore it from version control."
        raise StudyflowError(msg)
    return said


def lines_of_keys(file: Path, *keys: str) -> dict[str, int]:
    """On which line each key stands under these keys of the file, one in the other. The file can be read."""
    found = [yaml.compose(file.read_text(encoding="utf-8"), LOADER)]
    for key in keys:
        found = [
            value
            for node in found
            if isinstance(node, yaml.MappingNode)
            for name, value in node.value
            if name.value == key
        ]
    under = [node for node in found if isinstance(node, yaml.MappingNode)]
    return {str(name.value): name.start_mark.line + 1 for node in under for name, _ in node.value}
