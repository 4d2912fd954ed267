# make run: set up and do the main job.  make test: set up and test.  CORES=4 make run uses 4 cores.
SHELL := /bin/sh
CORES ?= all
RESULTS ?= results
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3.14 python3 python; do \
	if command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	then echo $$p; break; fi; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: run resume test test-slurm check bench bench-hyppo bench-slurm bench-gpu bench-pilot real-data report docs lock clean

run: .venv/run.stamp
	@$(BIN)/snakemake --cores $(CORES)
	@echo "Open results/report.html in a browser."

# After a run that died, also on a cluster: its orphaned jobs are cancelled, then its own command runs again.
resume: .venv/run.stamp
	@$(BIN)/ggmi resume --results $(RESULTS)

test: .venv/dev.stamp
	@sh tests/install_chromium.sh
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

# On a real SLURM of one node, from Debian's packages.
test-slurm: .venv/dev.stamp
	@sh tests/install_slurm.sh
	@$(BIN)/python -m pytest tests/slurm

check: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint

# What the locked environment suffices for; the targets below it need more.
bench: .venv/dev.stamp
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/theory.py
	$(BIN)/python benchmarks/slow_thinking.py
	$(BIN)/python benchmarks/data_quality.py
	$(BIN)/python benchmarks/synthesis.py
	$(BIN)/python benchmarks/students.py
	$(BIN)/python benchmarks/scale.py
	$(BIN)/python benchmarks/scheduling.py
	$(BIN)/python benchmarks/verdicts.py
	$(BIN)/python benchmarks/reading.py
	$(BIN)/python benchmarks/scaling.py
	for part in large clustering embedding calibration; do \
		$(BIN)/python benchmarks/information.py $$part || exit 1; done

# Against another library, which is in no lock; packages that are locked stay as they are.
bench-hyppo: .venv/dev.stamp
	$(PIP) --constraint requirements-dev.lock hyppo==0.5.2
	for part in hsic memory; do $(BIN)/python benchmarks/information.py $$part || exit 1; done

# Through a real SLURM of one node, from Debian's packages.
bench-slurm: .venv/dev.stamp
	@sh tests/install_slurm.sh
	$(BIN)/python benchmarks/cluster.py

# On a GPU, for which .venv must hold a build of torch.
bench-gpu: .venv/dev.stamp
	$(BIN)/python benchmarks/gpu.py

# On real models' answers, in SHARED_DATA or ../shared/data; goes on where it was stopped.
bench-pilot: .venv/dev.stamp
	$(BIN)/python benchmarks/pilot.py

# Real models' answers, from SHARED_DATA or ../shared/data, against their judged win rates and as training sets.
real-data: .venv/run.stamp
	$(BIN)/python benchmarks/real_data.py
	$(BIN)/python benchmarks/real_models.py
	$(BIN)/python benchmarks/real_students.py

# Snakemake's own report of the same results, with captions and provenance.
report: run
	$(BIN)/snakemake --report results/snakemake-report.zip

# The documentation as a site in site/html; what it needs is in no lock, and added to .venv.
docs: .venv/run.stamp
	@$(PIP) --constraint requirements.lock mkdocs-material "mkdocstrings[python]"
	@$(BIN)/python docs/site.py

# Exact versions for every platform, from the ranges in pyproject.toml. CUDA's libraries are left
# out: a build of torch that needs them names their exact versions itself.
lock: .venv/dev.stamp
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-annotate --no-header --no-emit-index-url \
		--extra build pyproject.toml --output-file requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-annotate --no-header --no-emit-index-url \
		--extra build --extra dev --constraint requirements.lock pyproject.toml --output-file requirements-dev.lock
	sed -i.full -E '/^(nvidia-|cuda-|triton)/d' requirements.lock requirements-dev.lock && rm -f requirements*.lock.full

clean:
	rm -rf results .snakemake .venv

.venv/run.stamp: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "ggmi needs Python 3.11 or newer; none was found. Name one: make run PYTHON=/path/to/python3" >&2; exit 2; }
	@echo "Setting up .venv (once, about a minute)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(PIP) --no-compile --requirement requirements.lock
	@# On all cores, as pip does not. Some files of libraries are templates, and no Python.
	@$(BIN)/python -m compileall -qq -j 0 .venv/lib || true
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev.stamp: .venv/run.stamp requirements-dev.lock
	@echo "Adding what the tests need to .venv"
	@$(PIP) --requirement requirements-dev.lock
	@touch $@
