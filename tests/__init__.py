"""All that runs the programs for you: the suite, the demo and the benchmark. See README.md."""
