# The slow poetry companion: everything to run, with nothing to install.
PYTHON ?= python3

help:
	@echo "make test      the test suite"
	@echo
	@echo "PYTHON=python3.9 make test takes that interpreter."

test:
	@$(PYTHON) -m unittest discover -s tests

.PHONY: help test
