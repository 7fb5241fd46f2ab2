# The slow poetry companion: everything to run, with nothing to install.
PYTHON ?= python3
DELAY ?= 0.1
QUICK ?=
PORT = 10000
TEST =

# Where PYTHONSAFEPATH is set, Python does not look for modules in this directory.
export PYTHONSAFEPATH =

help:
	@echo "make demo      the tutorial's session: three servers, two clients (34 s)"
	@echo "make servers   the three servers, on ports 10000 to 10002, until Ctrl-C"
	@echo "make test      the test suite (under half a minute)"
	@echo "make bench     exercise 1 as a table (a minute)"
	@echo
	@echo "make demo DELAY=0.01 is faster, make bench QUICK=1 shorter;"
	@echo "make servers PORT=20000 takes the ports 20000 to 20002;"
	@echo "make test TEST=tests.test_clients.AsyncClient runs a part of the suite;"
	@echo "make test PYTHON=python3.14 takes that Python, and so do the others."

# exec: so a signal that ends make also reaches what it runs.
demo:
	@exec "$(PYTHON)" -m tests.demo --delay "$(DELAY)"

servers:
	@exec "$(PYTHON)" -m tests.servers --delay "$(DELAY)" --port "$(PORT)"

test:
	@exec "$(PYTHON)" -m unittest $(TEST)

bench:
	@exec "$(PYTHON)" -m tests.bench $(if $(filter-out 0,$(QUICK)),--quick)

.PHONY: help demo servers test bench
