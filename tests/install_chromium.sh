#!/bin/sh
# Make sure that the report's tests find a real browser; see tests/browser.py for where they look.
set -eu
if .venv/bin/python tests/browser.py >/dev/null 2>&1; then exit 0; fi
echo "Installing Chromium for the tests of the report"
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null
else
    .venv/bin/python -m playwright install chromium
fi
.venv/bin/python tests/browser.py
