"""make bench: its three tables come whole, and it leaves nothing running."""

import os
import re
import signal
import sys
import unittest

from bench import BARE_LOOP, NETCAT, STREAMS_CLIENT, measure
from case import Case, limited, read
from support import ASYNC_CLIENT, BLOCKING_CLIENT, ROOT, python

BENCH = os.path.join(ROOT, "tests", "bench.py")
NUMBER = r"[0-9]+(?:\.[0-9]+)?"


class Bench(Case):
    """The quick form, or the beginning of the full one, at a terminal of its own."""

    def bench(self, *args, prefix=(), **options):
        """Start the benchmark."""
        return self.terminal(*prefix, *python(BENCH, *args), **options)

    def rows(self, bench, label, count):
        """Return the numbers of each row that has this label and so many numbers."""
        rows = (re.fullmatch(f" *{label}((?: +{NUMBER}){{{count}}})(?: +-)?", line)
                for line in bench.stdout)
        return [[float(number) for number in row[1].split()] for row in rows if row]

    def test_the_quick_form_measures_everything(self):
        """All rows of the three tables, in 80 columns; it raises a soft limit of files itself."""
        bench = self.bench("--quick", prefix=limited("-S -n 80"))
        self.assertEqual(bench.wait(), 0, bench)
        self.assertNothingLeft(bench)
        self.assertLessEqual(max(map(len, bench.stdout)), 80)
        version = ".".join(map(str, sys.version_info[:3]))
        self.assertRegex(bench.stdout[0], f"^Python {re.escape(version)}\\S*, .* processors, .")
        self.check_readme(bench)
        exercise = self.rows(bench, " {20}", 7)
        self.assertEqual(len(exercise), 6, bench)
        self.check_exercise(exercise)
        num_peers = 6 if NETCAT else 5
        (medians,), (ratios,), (peaks,) = (self.rows(bench, *row) for row in (
            ("median, MB/s", num_peers), ("speed / streams", num_peers), ("peak memory, MiB", 5)))
        for speed, ratio in zip(medians, ratios):
            self.assertRatio(ratio, speed, medians[3], 1)
        self.assertGreater(min(peaks), 8)  # two poems of 4 MiB at least
        for connections in ("10", "100"):
            (took, ratio, _, other, other_ratio, _), = self.rows(bench, connections, 6)
            for seconds, to_limit in ((took, ratio), (other, other_ratio)):
                self.assertGreaterEqual(seconds, 0.05)
                self.assertAlmostEqual(to_limit, seconds / 0.05, delta=0.11)

    def assertRatio(self, ratio, one, other, unit):
        """Check the ratio of two numbers. All three are rounded, the two to this unit.

        So it is off by at most 0.005 + (1 + ratio) * unit / 2 / other, however slow the machine.
        """
        self.assertAlmostEqual(ratio, one / other, delta=0.006 + (1.01 + ratio) * unit / 2 / other)

    def check_readme(self, bench):
        """Its tables are such tables: the same lines, but for the numbers in them."""
        def normal(line):
            return re.sub(r"( N)+ ?$", " N", re.sub(r"(?<![a-z])[0-9][-0-9.e]*|(?<= )-$", "N",
                                                   " ".join(line.split())))

        shown = re.search("^```text\n(Python .*?)\n```$", read("README.md"), re.M | re.S)[1]
        _, *lines = map(normal, shown.split("\n"))  # the first line is about the machine
        self.assertLessEqual(set(lines), set(map(normal, bench.stdout)))

    def check_exercise(self, rows):
        """What is predicted is exact; what is measured is not below it."""
        expected = [(0.03, 0.03), (0.23, 0.10), (0.06, 0.02), (0.06, 0.01), (0.06, 0.03),
                    (0.05, 0.02)]
        for row, predicted in zip(rows, expected):
            self.assertEqual((row[0], row[3]), predicted)
            for client, seconds in zip((row[1:3], row[4:6]), predicted):
                self.assertGreaterEqual(client[0], seconds)
                self.assertGreaterEqual(client[1], 1)
            self.assertRatio(row[6], row[1], row[4], 0.01)

    def test_too_few_files_are_said_to_be_too_few(self):
        """Where 80 files may be open there is a row for 10 connections, but none for 100."""
        bench = self.bench("--quick", "--only", "many", prefix=limited("-n 80"))
        self.assertEqual(bench.wait(), 0, bench)
        self.assertEqual(len(self.rows(bench, "10", 6)), 1, bench)
        self.assertEqual(bench.stdout[-1],
                         "        100  not run: only 80 files may be open here (ulimit -n)")

    def test_it_leaves_no_process_however_it_ends(self):
        """Ctrl-C while servers start and while a client runs, a kill, a terminal that is closed."""
        for table, begun, number in (("exercise", "sum, s", signal.SIGINT),
                                     ("many", "connections", signal.SIGINT),
                                     ("unpaced", "blocking", signal.SIGTERM),
                                     ("many", "connections", signal.SIGHUP)):
            with self.subTest(table, signal=number):
                bench = self.bench("--only", table)
                bench.wait_for(begun)
                self.assertEndedBy(number, bench)

    def test_a_failed_measurement_is_not_shown_as_one(self):
        """A client that gets no poem: the benchmark fails, and says what the client said."""
        _, port = self.closed_port()
        for client in (ASYNC_CLIENT, BLOCKING_CLIENT, STREAMS_CLIENT, BARE_LOOP):
            with self.subTest(client), self.assertRaisesRegex(AssertionError, "(?is)^not.*refused"):
                measure(client, [str(port)])


if __name__ == "__main__":
    unittest.main()
