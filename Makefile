# The slow poetry companion: everything to run, with nothing to install.
PYTHON ?= python3
# These are taken from the command line alone, because many a shell has a variable PORT.
DELAY =
PORT =
QUICK =
TEST =

# Where PYTHONSAFEPATH is set, Python does not look for modules in this directory.
export PYTHONSAFEPATH =

help:
	@echo "Type one of these commands. README.md explains what you will see."
	@echo
	@echo "make demo       run the servers and both clients, and draw how they wait (34 s)"
	@echo "make servers    run the three servers on ports 10000 to 10002, until Ctrl-C"
	@echo "make bench      time both clients for exercise 1 of the tutorial (a minute)"
	@echo "make test       run the tests (20 s)"
	@echo
	@echo "You can add settings, for example: make servers DELAY=0.5 PORT=20000"
	@echo
	@echo "DELAY=0.01      with demo and servers: sleep 0.01 s after each chunk, not 0.1"
	@echo "PORT=20000      with servers: use the ports 20000 to 20002"
	@echo "QUICK=1         with bench: make every sleep a hundred times shorter"
	@echo "TEST=tests.test_clients.AsyncClient"
	@echo "                with test: run only this file, class or test"
	@echo "TEST=\"-k word\"  with test: run only the tests whose names contain this word"
	@echo "PYTHON=python3.14"
	@echo "                with all of them: use this Python"

# With exec, the shell becomes the program, so a signal that make passes on reaches the program.
demo:
	@exec "$(PYTHON)" -m tests.demo $(if $(DELAY),--delay "$(DELAY)")

servers:
	@exec "$(PYTHON)" -m tests.servers $(if $(DELAY),--delay "$(DELAY)") $(if $(PORT),--port "$(PORT)")

bench:
	@exec "$(PYTHON)" -m tests.bench $(if $(filter-out 0,$(QUICK)),--quick)

test:
	@exec "$(PYTHON)" -m unittest $(TEST)

.PHONY: help demo servers test bench
