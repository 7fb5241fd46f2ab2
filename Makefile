# The slow poetry companion: everything to run, with nothing to install.
PYTHON ?= python3
DELAY ?= 0.1
QUICK ?=

help:
	@echo "make demo      the tutorial's session: three servers, one client, then the other (35 s)"
	@echo "make servers   the three servers in this terminal, on ports 10000 to 10002, until Ctrl-C"
	@echo "make test      the test suite (under half a minute)"
	@echo "make bench     the timing experiments (under 2 minutes)"
	@echo
	@echo "make demo DELAY=0.01 is faster, make bench QUICK=1 is shorter; PYTHON=python3.9 takes that one."

demo:
	@$(PYTHON) tests/demo.py --delay $(DELAY)

servers:
	@$(PYTHON) tests/servers.py --delay $(DELAY)

test:
	@$(PYTHON) -m unittest discover -s tests

bench:
	@$(PYTHON) tests/bench.py $(if $(QUICK),--quick)

.PHONY: help demo servers test bench
