"""The one source of defaults, types, ranges and descriptions of every configuration key."""

from ggmi.config.document import default_yaml, read_yaml, schema_json
from ggmi.config.mixtures import MixtureStudy, Sweeps
from ggmi.config.tree import Config, check_files, load, resolved

__all__ = [
    "Config",
    "MixtureStudy",
    "Sweeps",
    "check_files",
    "default_yaml",
    "load",
    "read_yaml",
    "resolved",
    "schema_json",
]
