# The slow poetry companion: everything to run, with nothing to install.
PYTHON ?= python3
DELAY ?= 0.1

help:
	@echo "make demo      the tutorial's session: three servers, one client, then the other (35 s)"
	@echo "make servers   the three servers in this terminal, on ports 10000 to 10002, until Ctrl-C"
	@echo "make test      the test suite (under 30 s)"
	@echo
	@echo "make demo DELAY=0.01 is faster; PYTHON=python3.9 takes that one."

demo:
	@$(PYTHON) tests/demo.py --delay $(DELAY)

servers:
	@$(PYTHON) tests/servers.py --delay $(DELAY)

test:
	@$(PYTHON) -m unittest discover -s tests

.PHONY: help demo servers test
