"""make bench: its three tables come whole, and it leaves nothing running."""

import re
import signal

from tests.bench.tables import BARE_LOOP, STREAMS_CLIENT, measure
from tests.case import Case, limited, read
from tests.support import ASYNC, BLOCKING, python

NUMBER = r"[0-9]+(?:\.[0-9]+)?"


class Bench(Case):
    """The quick form, or the beginning of the full one, at a terminal of its own."""

    def bench(self, *args, prefix=(), **options):
        """Start the benchmark."""
        return self.terminal(*prefix, *python("-m", "tests.bench", *args), **options)

    def rows(self, bench, label, count):
        """Return the numbers of each row that has this label and so many numbers."""
        rows = (re.fullmatch(f" *{label}((?: +{NUMBER}){{{count}}})", line)
                for line in bench.stdout)
        return [[float(number) for number in row[1].split()] for row in rows if row]

    def normal(self, text):
        """Return the text without its numbers, and without what is between the words."""
        return re.sub(r"[0-9][-0-9.e]*", "N", " ".join(text.split()))

    def test_the_quick_form_measures_everything(self):
        """All rows of the three tables, in 80 columns; it raises a soft limit of files itself.

        What is expected is exact; what is measured is not below it. But for its numbers, the first
        table is the one in the README.
        """
        bench = self.bench("--quick", prefix=limited("-S -n 80"))
        self.assertEqual(bench.wait(), 0, bench)
        self.assertNothingLeft(bench)
        self.assertLessEqual(max(map(len, bench.stdout)), 80)
        self.assertRegex(bench.stdout[0], r"^Python 3\.\S+, [0-9]+ processors, .")
        shown = re.search("^```text\nPython .*?(\n.*?)\n```$", read("README.md"),
                          re.MULTILINE | re.DOTALL)[1]
        self.assertIn(self.normal(shown), self.normal("\n".join(bench.stdout)))
        exercise = self.rows(bench, " {20}", 5)
        self.assertEqual([row[1:4:2] for row in exercise], [
            [0.03, 0.03], [0.23, 0.10], [0.06, 0.01], [0.06, 0.03], [0.05, 0.02]])
        for blocking, expected, asynchronous, slowest, _ in exercise:
            self.assertGreaterEqual(blocking, expected)
            self.assertGreaterEqual(asynchronous, slowest)
        self.assertEqual(len(self.rows(bench, "median, MB/s", 4)), 1, bench)
        self.assertGreater(min(*self.rows(bench, "peak memory, MiB", 4)), 8)  # two poems of 4 MiB
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
