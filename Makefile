# Everything a stranger needs: `make demo` shows it, `make test` proves it, `make check` reads it.
# Only `make demo` is promised to work with nothing but make and Python 3.11 or newer (with venv).

VENV ?= .venv
MARK ?= not root and not long
PYTEST_ARGS ?=
SECONDS_OF_DEMO ?= 40
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	if $$p -c 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; \
	then echo $$p; break; fi; done)
BIN := $(VENV)/bin

.PHONY: help venv demo test check bench lab long deb image image-test tools clean
help:
	@echo "make demo    the whole road on this machine, with an account at the end ($(SECONDS_OF_DEMO) s)"
	@echo "make test    the tests (MARK=root: those that need root; make long: those that need time)"
	@echo "make check   style, types, and who may import whom"
	@echo "make bench   what it costs, beside the targets"
	@echo "make lab     drivers and daemon on Debian's kernel in QEMU (root; Debian on x86-64)"
	@echo "make deb     Debian packages for arm64 and amd64, of Debian 12 and 13, in build/deb"
	@echo "make image   the image of a node's card, in build/image (root; Debian on x86-64)"
	@echo "make image-test  that image, booted in QEMU, provisioned, killed and updated (root)"

$(VENV)/.demo: pyproject.toml
	@test -n "$(PYTHON)" || { echo "no Python 3.11 to 3.13 with venv found:" \
		"install python3 and python3-venv, or name one: make PYTHON=/path/to/python"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[demo]'
	@touch $@

$(VENV)/.dev: $(VENV)/.demo .ci/oracles
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	.ci/oracles $(BIN)/python
	@touch $@

venv: $(VENV)/.dev

demo: $(VENV)/.demo
	$(BIN)/edgenode demo --seconds $(SECONDS_OF_DEMO)

tools:
	@.ci/need mosquitto:mosquitto node:nodejs systemd-analyze:systemd ip:iproute2 \
		initdb:postgresql nats-server:nats-server rabbitmq-server:rabbitmq-server chromium:chromium \
		openssl:openssl mcopy:mtools sfdisk:fdisk mkfs.vfat:dosfstools zbarimg:zbar-tools \
		busybox:busybox-static

test: $(VENV)/.dev tools
	$(BIN)/pytest -m "$(MARK)" $(PYTEST_ARGS)

long: $(VENV)/.dev tools
	$(BIN)/pytest -m long $(PYTEST_ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

lab: $(VENV)/.dev
	.ci/lab >/dev/null
	$(BIN)/pytest tests/lab -m root $(PYTEST_ARGS)

deb: $(VENV)/.demo
	$(BIN)/python -m deploy.deb

image: $(VENV)/.demo
	$(BIN)/python -m deploy.deb --debian 12 --arch arm64
	$(BIN)/python -m deploy.image --deb build/deb/edgenode_*~deb12*_arm64.deb $(IMAGE_ARGS)

image-test: $(VENV)/.dev tools
	.ci/need qemu-system-aarch64:qemu-system-arm rauc:rauc ssh:openssh-client
	$(BIN)/python -m deploy.deb --debian 12 --arch arm64
	EDGENODE_EVIDENCE=docs/evidence/image.md \
		$(BIN)/pytest tests/image/claims.py tests/image/claims_updates.py $(PYTEST_ARGS)

bench: $(VENV)/.dev tools
	$(BIN)/python -m bench

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
