# What stands behind ## is what `make help` prints.
PYTHON ?= python3
PRESET ?= demo
TORCH ?=
TORCH_INDEX ?= https://download.pytorch.org/whl
READY := .venv/ready
PIP = "$(PYTHON)" -m pip --python .venv/bin/python install --disable-pip-version-check
# Another build of PyTorch than that of .venv, asked for by name, replaces it.
OTHER := $(shell [ -z "$(TORCH)" ] || [ ! -e $(READY) ] || grep -qx "$(TORCH)" $(READY) || echo other)

.PHONY: help setup figures report gallery archive docs test quick check golden bench gpu faults \
  stability variance rates published verdicts estimate store other
.DELETE_ON_ERROR:

help: ## this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' Makefile
	@echo 'PRESET=poster names another size, OPTIONS="--configfile FILE" goes on to Snakemake.'

setup: $(READY) ## install everything into .venv, once; TORCH=cpu: the build without CUDA

figures: setup ## draw the study and test the claims; the demo takes 6 to 18 minutes
	.venv/bin/snakemake figures claims --config preset=$(PRESET) $(OPTIONS)

# Snakemake's own report, of a study that is finished: OPTIONS="--report FILE.html".
report: setup ## the same and everything else in one file, results/demo/report.html
	.venv/bin/snakemake study --config preset=$(PRESET) $(OPTIONS)

test: setup ## all tests, minutes
	.venv/bin/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

quick: setup ## the tests that take no time
	.venv/bin/python -m pytest -m "not slow"

check: setup ## format, lint, which room uses which, and whether the table of settings is up to date
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/snakefmt --check Snakefile rules
	PYTHONPATH=workflow_scripts .venv/bin/lint-imports --no-logo --no-cache
	PYTHONPATH=workflow_scripts .venv/bin/python workflow_scripts/document_settings.py --check
	.venv/bin/snakemake --lint

docs: setup ## write the table of settings, docs/settings.md, from the schema and config.yaml
	PYTHONPATH=workflow_scripts .venv/bin/python workflow_scripts/document_settings.py

gallery: setup ## copy figures, numbers, verdicts and the report of results/ into docs/
	.venv/bin/snakemake figures gallery --config preset=$(PRESET) $(OPTIONS)
	mkdir -p docs/$(PRESET)/figures docs/$(PRESET)/metrics
	cp results/$(PRESET)/figures/*.png docs/$(PRESET)/figures/
	cp results/$(PRESET)/metrics/*.nc docs/$(PRESET)/metrics/
	cp results/$(PRESET)/gallery.md results/$(PRESET)/claims.md results/$(PRESET)/claims.nc \
	  results/$(PRESET)/paper.md docs/$(PRESET)/
ifeq ($(PRESET),demo) # the poster shows the one figure on CIFAR-10 and the other on MNIST
	.venv/bin/python docs/own_figure.py results/demo docs/demo/own_figure.png
endif

# Snakemake computes what is missing, and nothing of a study that is finished.
archive: setup ## all of a study but its runs in one file for a DOI, results/demo/rote-demo.crate.zip
	.venv/bin/snakemake figures claims gallery --config preset=$(PRESET) $(OPTIONS)
	@PYTHONPATH=workflow_scripts .venv/bin/python workflow_scripts/write_archive.py --preset $(PRESET)

golden: setup ## after an edit of code that trains: compare frozen numbers, and keep finished models
	.venv/bin/python -m pytest tests/runs/test_golden.py || { echo "Its numbers differ: if that is\
	 meant, raise versions.py, freeze the new ones in tests/runs/test_golden.py, and try again."; exit 1; }
	PYTHONPATH=workflow_scripts .venv/bin/python workflow_scripts/record_code.py

bench: setup ## time rote against the usual way of doing it
	for benchmark in tests/benchmarks/*.py; do .venv/bin/python $$benchmark || exit 1; done

# The least costly figures first: each is drawn before the next one begins.
gpu: setup ## what only a GPU can show: benchmarks, TF32 against float32, the poster preset; hours
	$(MAKE) bench
	for precision in float32 tf32; do \
	  .venv/bin/snakemake claims --directory bench/gpu/$$precision \
	    --config preset=demo device=cuda precision=$$precision || exit 1; done
	for precision in float32 tf32; do \
	  grep '^| [0-9] |' bench/gpu/$$precision/results/demo/claims.md > bench/gpu/$$precision.md; done
	@if diff bench/gpu/float32.md bench/gpu/tf32.md; then echo 'TF32 gives the verdicts of float32.'; \
	 else echo 'TF32 gives other verdicts than float32, see above.'; fi
	for figure in fig3_1 fig3_2 fig3_3 fig2 fig4_1 fig5_2 fig1 fig4_2 fig5_1; do \
	  date "+$$figure begins at %c" | tee -a bench/gpu/times.txt; \
	  .venv/bin/snakemake $$figure --workflow-profile profiles/gpu \
	    --config preset=poster device=cuda || exit 1; done
	date "+all are drawn at %c" | tee -a bench/gpu/times.txt
	$(MAKE) gallery PRESET=poster OPTIONS="--workflow-profile profiles/gpu"

faults: setup ## damage files, try wrong settings, kill the study and edit its code, at random
	.venv/bin/python tests/faults/flip_anywhere.py
	.venv/bin/python tests/faults/fuzz_config.py
	.venv/bin/python tests/faults/kill_anywhere.py
	.venv/bin/python tests/faults/edit_anywhere.py

# Each variant that is finished is in the table at once: both may be stopped, and go on.
stability: setup ## verdicts over seeds, learning rates, widths and products, into docs/stability; hours
	PYTHONPATH=workflow_scripts .venv/bin/python workflow_scripts/measure_stability.py docs/stability $(OPTIONS)

variance: setup ## what replicates differ by, into docs/variance; half an hour
	PYTHONPATH=workflow_scripts .venv/bin/python workflow_scripts/measure_stability.py docs/variance $(OPTIONS)

rates: setup ## how often verdicts are wrong, by resampling 48 replicates, into docs/error-rates
	.venv/bin/snakemake figures --directory bench/error-rates --configfile docs/error-rates/larger.yaml \
	  --config preset=larger $(OPTIONS)
	PYTHONPATH=workflow_scripts .venv/bin/python workflow_scripts/measure_error_rates.py \
	  bench/error-rates/results/larger
	.venv/bin/snakemake fig5_1 fig5_2 --directory bench/error-rates \
	  --configfile docs/error-rates/regularization.yaml --config preset=larger_regularization $(OPTIONS)
	PYTHONPATH=workflow_scripts .venv/bin/python workflow_scripts/measure_error_rates.py \
	  bench/error-rates/results/larger_regularization --seeds 8 --page regularization.md \
	  --settings regularization.yaml
	PYTHONPATH=workflow_scripts .venv/bin/python workflow_scripts/measure_coverage.py

# Each group of lines is in the table once it is there: it may be stopped, and goes on.
published: setup ## numbers that others printed beside ours, into docs/published; hours; OPTIONS=GROUP
	PYTHONPATH=workflow_scripts .venv/bin/python workflow_scripts/compare_published.py $(OPTIONS)

verdicts: setup ## which claim holds in which study, into docs/verdicts; OPTIONS=FILE...: of other claims.nc
	@PYTHONPATH=workflow_scripts .venv/bin/python workflow_scripts/compare_verdicts.py $(OPTIONS)

estimate: setup ## how long the poster takes here; OPTIONS="--configfile FILE": the preset of a file
	@PYTHONPATH=workflow_scripts .venv/bin/python workflow_scripts/estimate.py $(OPTIONS)

store: setup ## how much the store of finished models holds; OPTIONS=--prune: remove what is not asked for
	@PYTHONPATH=workflow_scripts .venv/bin/python workflow_scripts/manage_store.py $(OPTIONS)

# Without pip inside, the environment needs no ensurepip, which Debian packs separately.
$(READY): envs/requirements.txt $(OTHER)
	@case "$$(pwd -P)" in *[\"\$$\`\\:{}]*) echo 'The path of this folder holds one of " $$ ` \ : { },\
	 which cannot be passed on to jobs: rename the folder or choose another.'; exit 1;; esac
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 6))' 2> /dev/null || { echo "Error:\
	 $(PYTHON) is missing or too old: install Python 3.11, 3.12 or 3.13, or name it, such as:\
	 make setup PYTHON=/usr/bin/python3.12"; exit 1; }
	@[ ! -L .venv ] || { echo "Error: .venv is a link, and setting it up would empty the folder that it leads\
	 to: remove the link (rm .venv), and try again."; exit 1; }
	@"$(PYTHON)" envs/preflight.py $(TORCH)
	@"$(PYTHON)" -m venv --clear --without-pip .venv
	@{ [ -z "$(TORCH)" ] || grep '^torch' envs/requirements.txt | $(PIP) --no-deps \
	   --index-url $(TORCH_INDEX)/$(TORCH) -r /dev/stdin; } && $(PIP) -r envs/requirements.txt || { echo \
	  "Error: not all packages could be installed, for the reason above. Without a network, connect and\
	 call the same command again (behind a proxy or with a mirror: HTTPS_PROXY, PIP_INDEX_URL)." >&2; exit 1; }
	@echo "$(TORCH)" > $@
