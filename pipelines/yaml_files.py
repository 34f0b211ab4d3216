"""Reads the YAML files of the dbt project."""

from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from pipelines.errors import StudyflowError

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C loader, if available, is ten times as fast


def read_yaml(file: Path) -> dict[str, Any]:
    """The content of a file whose top level is a mapping.

    Raises:
        StudyflowError: the file cannot be read, is not YAML, or has no mapping. The message names file and line.
    """
    try:
        content = yaml.load(file.read_text(encoding="utf-8"), LOADER)  # noqa: S506 - LOADER is a safe loader
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
    if not isinstance(content, dict):
        msg = f"{file}: is empty. Restore it from version control."
        raise StudyflowError(msg)
    return content


def lines_of_keys(file: Path, *keys: str) -> dict[str, int]:
    """The line of each entry under these nested keys. The file must be valid YAML."""
    nodes = [yaml.compose(file.read_text(encoding="utf-8"), LOADER)]
    for key in keys:
        nodes = [
            value
            for node in nodes
            if isinstance(node, yaml.MappingNode)
            for name, value in node.value
            if name.value == key
        ]
    mappings = [node for node in nodes if isinstance(node, yaml.MappingNode)]
    return {str(name.value): name.start_mark.line + 1 for node in mappings for name, _ in node.value}
