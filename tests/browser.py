"""Where a real Chromium is, for tests that look at pages."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

VARIABLE = "GGMI_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> str:
    """Path of the browser; a clear sentence when there is none."""
    named = os.environ.get(VARIABLE)
    if named:
        if not shutil.which(named):
            raise RuntimeError(f"{VARIABLE} names {named!r}, which is no program; set it to a Chromium or Chrome.")
        return named
    for name in (*NAMES, *PLACES):
        found = shutil.which(name)
        if found:
            return str(Path(found))
    raise RuntimeError(
        "No Chromium or Chrome was found, and the report is tested in a real one: install Debian's package chromium "
        f"or Google Chrome, or set {VARIABLE} to the program."
    )


@contextmanager
def launched() -> Iterator[Browser]:
    """A running browser."""
    with sync_playwright() as play:
        program = play.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        yield program
        program.close()


if __name__ == "__main__":
    # What `install_chromium.sh` asks: there is one, or a sentence and exit code 1.
    sys.stdout.write(f"{chromium()}\n")
