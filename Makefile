# The slow poetry companion: everything to run, with nothing to install.
PYTHON ?= python3
DELAY ?= 0.1
QUICK ?=

help:
	@echo "make demo      the tutorial's session: three servers, two clients (34 s)"
	@echo "make servers   the three servers, on ports 10000 to 10002, until Ctrl-C"
	@echo "make test      the test suite (under half a minute)"
	@echo "make bench     the timing experiments (100 s)"
	@echo
	@echo "make demo DELAY=0.01 is faster, make bench QUICK=1 shorter;"
	@echo "make test PYTHON=python3.14 takes that Python, and so do the others."

demo:
	@$(PYTHON) tests/demo.py --delay $(DELAY)

servers:
	@$(PYTHON) tests/servers.py --delay $(DELAY)

test:
	@$(PYTHON) -m unittest discover -s tests

bench:
	@$(PYTHON) tests/bench.py $(if $(QUICK),--quick)

.PHONY: help demo servers test bench
