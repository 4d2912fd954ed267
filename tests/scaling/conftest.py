import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("SHARED_DATA", ROOT.parent / "shared" / "data")) / "gsm8k"


@pytest.fixture(scope="session")
def gsm8k_files():
    """The folder of GSM8K's files."""
    if not (DATA / "example_model_solutions.jsonl").is_file():
        sys.__stderr__.write(f"\nREAL DATA NOT FOUND in {DATA}: extraction was not tried on them\n")
        pytest.skip(f"no real data in {DATA}")
    return DATA
