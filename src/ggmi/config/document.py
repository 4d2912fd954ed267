"""Reading configuration files, and writing the default one and its schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from ggmi.config.tree import Config
from ggmi.errors import UserError

# A file with this key is a program: Snakemake hands it to the template engine YTE.
TEMPLATED = "__use_yte__"


def read_yaml(path: Path) -> dict[str, Any]:
    """Read one configuration file.

    Parameters
    ----------
    path
        A YAML file.

    Returns
    -------
    dict

    Raises
    ------
    UserError
        If the file is missing, is not UTF-8, is not YAML, or is not a mapping, with the line; if it
        asks Snakemake to evaluate the code in it.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is not UTF-8 (byte {error.start})") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise UserError(f"{path}: line {line}: is not YAML ({error.problem})") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path}: is not YAML ({str(error).splitlines()[0]})") from None
    except (ValueError, RecursionError) as error:  # such as the date 2024-13-01, or a thousand brackets
        raise UserError(f"{path}: holds a value that cannot be read ({error})") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise UserError(f"{path}: must be a mapping of keys to values, got {type(values).__name__}")
    if TEMPLATED in values:
        raise UserError(f"{path}: {TEMPLATED} makes Snakemake run the Python in a file; write plain values instead")
    return values


def default_yaml() -> str:
    """The text of ``config.yaml``: every default with its description as a comment.

    Returns
    -------
    str
        YAML. A second study shows only the keys in which it differs from the first.
    """
    config = Config()
    lines = [
        "# yaml-language-server: $schema=workflow/config.schema.json",
        "# The embedded default: offline, on a CPU, in minutes. Made by `ggmi defaults`.",
        "# Lay another file over it with `snakemake --configfile presets/smoke.yaml`.",
        "",
    ]
    for index, line in enumerate(_yaml_lines(config, 0)):
        if index and not line.startswith((" ", "#")):
            lines.append("")
        lines.append(line)
    return "\n".join(lines) + "\n"


def schema_json() -> str:
    """The text of ``config.schema.json``, for editors that check YAML as it is typed."""
    return json.dumps(Config.model_json_schema(), indent=2) + "\n"


def _yaml_lines(section: BaseModel, depth: int, only: set[str] | None = None) -> Iterator[str]:
    """Lines of YAML with comments for one section."""
    indent = "  " * depth
    for name, field in type(section).model_fields.items():
        if only is not None and name not in only:
            continue
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            yield f"{indent}{name}:  # {field.description}"
            yield from _yaml_lines(value, depth + 1)
        elif isinstance(value, dict) and any(isinstance(item, BaseModel) for item in value.values()):
            yield f"{indent}{name}:  # {field.description}"
            seen: set[type[BaseModel]] = set()
            for key, item in value.items():
                first = type(item) not in seen
                seen.add(type(item))
                yield f"{indent}  {key}:" + ("" if first else "  # keys not given here have the defaults above")
                yield from _yaml_lines(item, depth + 2, None if first else _own_keys(item))
        else:
            yield f"{indent}{name}: {_yaml_value(value)}  # {field.description}"


def _own_keys(section: BaseModel) -> set[str]:
    """Keys of a section that differ from their defaults, or are to be shown at any rate."""
    shown = set(getattr(section, "SHOWN", ()))
    fields = type(section).model_fields.items()
    return shown | {
        name for name, field in fields if getattr(section, name) != field.get_default(call_default_factory=True)
    }


def _yaml_value(value: Any) -> str:
    """A value as YAML 1.1 reads it back: 1e-06 without a point would be text."""
    text = json.dumps(value)
    return text.replace("e", ".0e") if isinstance(value, float) and "." not in text else text
