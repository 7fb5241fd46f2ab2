"""make bench: its three tables come whole, and it leaves nothing running."""

import re
import signal

from tests.bench.tables import BARE_LOOP, STREAMS_CLIENT, measure
from tests.case import Case, limited, read
from tests.support import ASYNC, BLOCKING, python

NUMBER = r"[0-9]+(?:\.[0-9]+)?"


class Bench(Case):
    """A whole quick run, or the beginning of a full one, at a terminal of its own."""

    def bench(self, *args, prefix=(), **options):
        """Start the benchmark."""
        return self.terminal(*prefix, *python("-m", "tests.bench", *args), **options)

    def rows(self, bench, label, count):
        """Return the numbers of each row that has this label (a pattern) and count numbers."""
        rows = (re.fullmatch(f" *{label}((?: +{NUMBER}){{{count}}})", line)
                for line in bench.stdout)
        return [[float(number) for number in row[1].split()] for row in rows if row]

    def normal(self, text):
        """Return the text with single spaces, and with N for each number."""
        return re.sub(r"[0-9][-0-9.e]*", "N", " ".join(text.split()))

    def test_the_quick_form_measures_everything(self):
        """All rows of the three tables, in 80 columns; it raises the soft limit on open files.

        The expected times are exact, and no measured time is below them. Except for its numbers,
        the first table is the one in the README.
        """
        bench = self.bench("--quick", prefix=limited("-S -n 80"))
        self.assertEqual(bench.wait(45), 0, bench)  # its own waits end first, and say more
        self.assertNothingLeft(bench)
        self.assertLessEqual(max(map(len, bench.stdout)), 80)
        self.assertRegex(bench.stdout[0], r"^Python 3\.\S+, [0-9]+ processors, .")
        shown = re.search("^```text\nPython .*?(\n.*?)\n```$", read("README.md"),
                          re.MULTILINE | re.DOTALL)[1]
        self.assertIn(self.normal(shown), self.normal("\n".join(bench.stdout)))
        exercise = self.rows(bench, " {20}", 5)
        self.assertEqual([row[1:4:2] for row in exercise], [
            [0.03, 0.03], [0.23, 0.10], [0.06, 0.01], [0.06, 0.03]])
        for blocking, expected, asynchronous, slowest, as_fast in exercise:
            self.assertGreaterEqual(blocking, expected)
            self.assertGreaterEqual(asynchronous, slowest)
            self.assertGreaterEqual((blocking - asynchronous) * (as_fast - 1), 0)  # same sign
        for row in ("median, MB/s", "peak memory, MiB"):
            self.assertEqual(len(self.rows(bench, row, 4)), 1, bench)
        for connections in ("10", "100"):
            (took, _, other, _), = self.rows(bench, connections, 4)
            self.assertGreaterEqual(min(took, other), 0.05)

    def test_it_leaves_no_process_however_it_ends(self):
        """Ctrl-C while its servers start or its clients run, and a kill."""
        for table, number in (("exercise", signal.SIGINT), ("many", signal.SIGTERM)):
            with self.subTest(table, signal=number):
                bench = self.bench("--only", table)
                bench.wait_for("took, s")
                self.assertEndedBy(number, bench)

    def test_a_failed_measurement_is_not_shown_as_one(self):
        """A client that gets no poem: the benchmark fails, and says what the client said."""
        _, port = self.closed_port()
        for client in (ASYNC, BLOCKING, STREAMS_CLIENT, BARE_LOOP):
            with self.subTest(client), self.assertRaisesRegex(AssertionError, "(?is)^not.*refused"):
                measure(client, [str(port)])
