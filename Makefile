# make figures: set up once in .venv, then draw the demo study.   make test: set up, then all tests.
# make quick: the tests that take no time.
# make bench: ours against the usual way of doing it.             make check: format and lint.
# make faults: damage its files, try 2,000 configurations, kill it at 50 random moments, and compare it after 200
# random edits with one made from nothing.
# make estimate: how long the poster preset takes on this machine; OPTIONS="--help": what else.
# make store: how much the store of finished models holds; OPTIONS="--prune" removes what is not asked for.
# make gallery: the figures of results/, with their numbers, into docs/.
# PRESET=poster names another size; OPTIONS="--configfile FILE" goes on to Snakemake.
PYTHON ?= python3
PRESET ?= demo
READY := .venv/ready

.PHONY: figures report gallery test quick bench faults estimate store golden check setup
.DELETE_ON_ERROR:

figures: setup
	.venv/bin/snakemake figures claims --config preset=$(PRESET) $(OPTIONS)

# Into one file, report.html. Snakemake's own, of a study that is finished: OPTIONS="--report FILE.html".
report: setup
	.venv/bin/snakemake study --config preset=$(PRESET) $(OPTIONS)

gallery: setup
	.venv/bin/snakemake figures gallery --config preset=$(PRESET) $(OPTIONS)
	mkdir -p docs/$(PRESET)/figures docs/$(PRESET)/metrics
	cp results/$(PRESET)/figures/*.png docs/$(PRESET)/figures/
	cp results/$(PRESET)/metrics/*.nc docs/$(PRESET)/metrics/
	cp results/$(PRESET)/gallery.md results/$(PRESET)/claims.md results/$(PRESET)/claims.nc docs/$(PRESET)/
ifeq ($(PRESET),demo) # the poster shows the one figure on CIFAR-10 and the other on MNIST
	.venv/bin/python docs/own_figure.py results/demo docs/demo/own_figure.png
endif

test: setup
	.venv/bin/python -m pytest

quick: setup
	.venv/bin/python -m pytest -m "not slow"

bench: setup
	for benchmark in tests/benchmarks/*.py; do .venv/bin/python $$benchmark || exit 1; done

faults: setup
	.venv/bin/python tests/faults/flip_anywhere.py
	.venv/bin/python tests/faults/fuzz_config.py
	.venv/bin/python tests/faults/kill_anywhere.py
	.venv/bin/python tests/faults/edit_anywhere.py

estimate: setup
	@PYTHONPATH=workflow_scripts .venv/bin/python workflow_scripts/estimate.py $(OPTIONS)

store: setup
	@PYTHONPATH=workflow_scripts .venv/bin/python workflow_scripts/manage_store.py $(OPTIONS)

# The code as it is computes the frozen numbers: what it computed before stays valid.
golden: setup
	.venv/bin/python -m pytest tests/runs/test_golden.py || { echo "Its numbers differ: if that is\
	 meant, raise versions.py, freeze the new ones in tests/runs/test_golden.py, and try again."; exit 1; }
	PYTHONPATH=workflow_scripts .venv/bin/python workflow_scripts/record_code.py

check: setup
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/snakefmt --check Snakefile rules
	PYTHONPATH=workflow_scripts .venv/bin/lint-imports --no-logo --no-cache
	.venv/bin/snakemake --lint

setup: $(READY)

# Without pip inside, the environment needs no ensurepip, which Debian packs separately.
$(READY): envs/requirements.txt
	@case "$$(pwd -P)" in *[\"\$$\`\\:{}]*) echo 'The path of this folder holds one of " $$ ` \\ : { },\
	 which cannot be passed on to jobs: rename the folder or choose another.'; exit 1;; esac
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "rote needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv --clear --without-pip .venv
	$(PYTHON) -m pip --python .venv/bin/python install --quiet --disable-pip-version-check -r $<
	@touch $@
