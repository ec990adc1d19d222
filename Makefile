# demo test integration prism flink lint bench: each sets up .venv first, from nothing but Python 3.11.
PYTHON ?= python3.11
VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/.ready
SOURCES := beam_jobs flink inference privacy transforms tests benchmarks examples templates setup.py

# Modules are compiled once, not at every start; imports are absolute, from the checkout.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPATH := $(CURDIR)

.PHONY: demo test integration prism image-rehearsal flink flink-jars flink-stop lint bench metadata lock clean
.DEFAULT_GOAL := test

demo: $(READY)
	$(RUN) -m examples.demo

test: $(READY)
	$(RUN) -m pytest -q -n 2 --dist loadfile -m "not integration"

# Whole processes: emulators of Cloud Storage and Pub/Sub, jobs killed at random moments.
integration: $(READY)
	$(RUN) -m pytest -q -m integration

# Beam's local runner for unbounded input, of the Beam that is installed; needs Go, and a minute or two.
BEAM := github.com/apache/beam/sdks/v2
prism: $(VENV)/bin/prism
$(VENV)/bin/prism: $(READY)
	GOBIN=$(CURDIR)/$(VENV)/bin go install \
		$(BEAM)/go/cmd/prism@v$$($(RUN) -c "import importlib.metadata as m; print(m.version('apache-beam'))")

# A Flink cluster of this machine, which goes on until `make flink-stop`; needs Java 17 and Maven.
# The first time 150 MB of jars are fetched.
FLINK := .cache/flink/.ready
flink: $(READY) $(FLINK)
	$(RUN) -m flink.cluster start
flink-jars: $(FLINK)
flink-stop: $(READY)
	$(RUN) -m flink.cluster stop
$(FLINK): flink/assemble flink/pom.xml flink/jars.sha256
	flink/assemble .cache/flink

# Every step of templates/Dockerfile, with stand-ins for the images that it pulls; as root, minutes.
image-rehearsal: $(READY)
	templates/rehearse-image.sh .image-rehearsal

lint: $(READY)
	$(VENV)/bin/ruff check $(SOURCES)
	$(VENV)/bin/ruff format --check $(SOURCES)
	$(VENV)/bin/mypy
	$(VENV)/bin/hadolint templates/Dockerfile
	$(RUN) -m beam_jobs.metadata --check

bench: $(READY)
	$(RUN) -m benchmarks.score

metadata: $(READY)
	$(RUN) -m beam_jobs.metadata

$(READY): requirements/install requirements/uv.txt requirements/build.txt requirements/dev.txt pyproject.toml
	@echo "setting up $(VENV): some 3 GB, a minute or several"
	@requirements/install $(PYTHON) $(VENV)
	@touch $@

# Locks anew, to the newest versions that pyproject.toml allows.
COMPILE := $(VENV)/bin/uv pip compile -q --upgrade --generate-hashes --python-version 3.11 \
	--python-platform x86_64-manylinux_2_28 --custom-compile-command "make lock"
lock: $(READY)
	$(COMPILE) requirements/uv.in -o requirements/uv.txt
	$(COMPILE) requirements/build.in -o requirements/build.txt
	$(COMPILE) pyproject.toml -o requirements/run.txt
	$(COMPILE) requirements/cuda.in -c requirements/run.txt -o requirements/cuda.txt
	$(COMPILE) pyproject.toml --extra dev -c requirements/run.txt -o requirements/dev.txt

clean:
	rm -rf $(VENV) .image-rehearsal build dist demo .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info
