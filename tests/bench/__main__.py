"""Measure the two clients: exercise 1 as a table, then unpaced poems, then many servers.

    python3 -m tests.bench
    python3 -m tests.bench --quick     a few seconds, too short to tell much
    python3 -m tests.bench --only many
"""

import argparse
import os
import platform

from tests.bench import tables
from tests.support import run, show


def main():
    """Print the tables, and return the exit status."""
    parser = argparse.ArgumentParser(description="Measure the two clients.")
    parser.add_argument("--quick", action="store_true", help="a short form, to see that it works")
    parser.add_argument("--only", choices=["exercise", "unpaced", "many"],
                        help="one of the three tables")
    args = parser.parse_args()
    show(f"Python {platform.python_version()}, {os.cpu_count()} processors, "
         f"{platform.system()} {platform.release()} {platform.machine()}")
    if args.quick:
        show("With pauses this short all else counts too: much more than expected is normal.")
    for table in (tables.exercise, tables.unpaced, tables.many):
        if args.only in (None, table.__name__):
            show()
            table(tables.QUICK if args.quick else tables.FULL)
    return 0


run(main)
