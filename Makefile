# The slow poetry companion: everything to run, with nothing to install.
PYTHON ?= python3
DELAY ?=
PORT =
QUICK ?=
TEST =

# Where PYTHONSAFEPATH is set, Python does not look for modules in this directory.
export PYTHONSAFEPATH =

help:
	@echo "make demo       run the tutorial's session: three servers, two clients (34 s)"
	@echo "make servers    run the three servers on ports 10000 to 10002, until Ctrl-C"
	@echo "make bench      measure both clients: exercise 1 as a table (a minute)"
	@echo "make test       run the tests (under half a minute)"
	@echo
	@echo "With make demo and make servers:"
	@echo "  DELAY=0.01    let the servers sleep so many seconds after each chunk, not 0.1"
	@echo "With make servers:"
	@echo "  PORT=20000    use the ports 20000 to 20002"
	@echo "With make bench:"
	@echo "  QUICK=1       make all pauses a hundredth"
	@echo "With make test:"
	@echo "  TEST=tests.test_clients.AsyncClient    run only this file, class or test"
	@echo "With all of them:"
	@echo "  PYTHON=python3.14                      use this Python"

# With exec, make becomes the program, so a signal that ends make also reaches the program.
demo:
	@exec "$(PYTHON)" -m tests.demo $(if $(DELAY),--delay "$(DELAY)")

servers:
	@exec "$(PYTHON)" -m tests.servers $(if $(DELAY),--delay "$(DELAY)") $(if $(PORT),--port "$(PORT)")

bench:
	@exec "$(PYTHON)" -m tests.bench $(if $(filter-out 0,$(QUICK)),--quick)

test:
	@exec "$(PYTHON)" -m unittest $(TEST)

.PHONY: help demo servers test bench
