"""make demo and make servers: the session in one terminal, its figure, and nothing left running."""

import os
import re
import signal
import unittest
from datetime import timedelta
from types import SimpleNamespace

from case import Case, poem_bytes, read, read_all
from figures import draw, format_seconds, parse_duration
from support import ROOT, environment, python

DEMO = os.path.join(ROOT, "tests", "demo.py")
SERVERS = os.path.join(ROOT, "tests", "servers.py")


class Demo(Case):
    """Each at a terminal of its own, where Ctrl-C reaches every process."""

    def test_it_shows_both_clients_and_draws_what_they_did(self):
        """It predicts their times first; the figure fits 80 columns and is the last it shows."""
        demo = self.terminal(*python(DEMO, "--delay", "0.002"),
                             env=environment(PYTHONIOENCODING="utf-8"))
        self.assertEqual(demo.wait(), 0, demo)
        self.assertNothingLeft(demo)
        output = "\n".join(demo.stdout)
        for poem in ("ecstasy", "fascination", "science"):
            self.assertRegex(output, f"(?m)^Serving poetry/{poem}.txt on port [0-9]+\\.$")
        self.assertIn("\n\nThis takes about 0.662 s: the blocking client 0.460 s, the async one "
                      "0.202 s.\n\n", output)
        self.assertRegex(output, r"(?ms)^\$ python3 blocking-client/get-poetry.py( [0-9]+){3}\n"
                                 r"Task 1: get poetry from.*^Got 3 poems in .*"
                                 r"^\$ python3 async-client/get-poetry.py( [0-9]+){3}\nTask "
                                 r".*^Task 1: 3003 bytes of poetry$.*^Got 3 poems in ")
        figure = demo.stdout[-17:]
        self.assertLess(max(map(len, figure)), 80)
        rows = (r"(  Task [1-3] +█+ [0-9.]+ s\n){3}"
                r"  computed for [0-9.]+ s, waited for [0-9.]+ s\n")
        self.assertRegex("\n".join(figure),
                         rf"\A.*█: .*\n\nblocking client, .*: [0-9.]+ s\n{rows}"
                         rf"\nasync client, .*: [0-9.]+ s\n{rows}"
                         r" +\+-.*\+.*\n +0 s .*\n\n[0-9.]+ times as fast\.")

    def test_it_shows_lines_as_they_come(self):
        """The first client's first line is there while that client waits for its first poem."""
        demo = self.terminal(*python(DEMO, "--delay", "100"))
        demo.wait_for("^Task 1: get poetry from: 127.0.0.1:[0-9]+$")
        self.assertIsNone(demo.poll())

    def test_it_leaves_no_process_however_it_ends(self):
        """Ctrl-C, a kill, a terminal that is closed; and it does not show what comes next."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number):
                demo = self.terminal(*python(DEMO, "--delay", "100"))
                demo.wait_for("^Task 1: get poetry")
                self.assertEndedBy(number, demo)
                self.assertNotIn("async-client", "\n".join(demo.stdout))

    def test_a_server_that_does_not_start(self):
        """Its reason is shown, and nothing goes on."""
        demo = self.terminal(*python(DEMO, "--delay", "nan"))
        self.assertEqual(demo.wait(), 1, demo)
        self.assertIn("error: argument --delay: must be from", "\n".join(demo.stdout))
        self.assertNothingLeft(demo)

    def test_an_output_that_nobody_reads(self):
        """As with head -1: it ends, and everything with it."""
        demo = self.terminal("sh", "-c", '"$@" | head -n 1', "sh",
                             *python(DEMO, "--delay", "100"))
        demo.wait()
        self.assertNothingLeft(demo)
        self.assertRegex(demo.stdout[0], r"^\$ python3 blocking-server")
        self.assertNotIn("Traceback", "\n".join(demo.stdout))


class Servers(Case):
    """make servers."""

    def test_all_three_run_until_ctrl_c(self):
        """Their lines come with the port in front, and their poems can be had."""
        servers = self.terminal(*python(SERVERS, "--delay", "0", "--ports", "0", "0", "0"))
        for poem in ("ecstasy.txt", "fascination.txt", "science.txt"):
            port = servers.wait_for(f"^0: Serving poetry/{poem} on port ([0-9]+)\\.$")[1]
            self.assertEqual(read_all(self.call(port)), poem_bytes(poem))
        servers.wait_for("^0: Sending 30 bytes$", count=100)
        self.assertEndedBy(signal.SIGINT, servers)

    def test_a_port_that_is_taken(self):
        """A line names it, and none of the servers goes on."""
        _, taken = self.closed_port()
        servers = self.terminal(*python(SERVERS, "--ports", "0", str(taken), "0"))
        self.assertEqual(servers.wait(), 1, servers)
        self.assertIn(f"{taken}: slowpoetry.py: Address already in use", "\n".join(servers.stdout))
        self.assertNothingLeft(servers)


def client(total, *lines):
    """Return a client that has ended after total seconds; lines is [(second, line), ...]."""
    lines = [*lines, (total, f"Got {len(lines)} poems in {timedelta(seconds=total)}")]
    return SimpleNamespace(moments=[5000.0 + second for second, _ in lines],
                           stdout=[line for _, line in lines], elapsed=total + 0.5,
                           usage=SimpleNamespace(ru_utime=0.25, ru_stime=0.05))


def blocking(*times):
    """Return a blocking client whose tasks take these seconds."""
    lines = [(sum(times[:task_num]), f"Task {task_num}: got 9 bytes of poetry from localhost:1 in "
              f"{timedelta(seconds=seconds)}") for task_num, seconds in enumerate(times, 1)]
    return client(sum(times), *lines)


def asynchronous(*times):
    """Return an async client whose tasks take these seconds."""
    return client(max(times), *((seconds, f"Task {task_num} finished")
                                for task_num, seconds in enumerate(times, 1)))


class Figure(unittest.TestCase):
    """What is drawn from the lines of two clients and the moments at which they came."""

    def draw(self, one, other, width=80, encoding="utf-8"):
        """Return the figure's lines, and [(column of the first mark, marks, words), ...]."""
        lines = draw({"blocking client": one, "async client": other}, 3, width, encoding)
        rows = (re.fullmatch("  Task [1-3] ( *)([█#]*) ?(.*)", line) for line in lines)
        return lines, [(len(row[1]), len(row[2]), row[3]) for row in rows if row]

    def test_blocking_tasks_are_stairs_and_async_ones_lie_side_by_side(self):
        """Each of the first begins where the one above has ended; the others all begin at once."""
        lines, rows = self.draw(blocking(10, 6, 7), asynchronous(10, 6, 7))
        end = 0
        for begin, length, _ in rows[:3]:
            self.assertEqual(begin, end)
            end += length
        self.assertGreater(end, 50)
        self.assertEqual([begin for begin, _, _ in rows[3:]], [0, 0, 0])
        for one, other in zip(rows[:3], rows[3:]):  # on the same scale
            self.assertAlmostEqual(one[1], other[1], delta=1)
        self.assertEqual([words for _, _, words in rows], ["10.0 s", "6.00 s", "7.00 s"] * 2)
        self.assertEqual(lines[2], "blocking client: 23.0 s")
        self.assertEqual(lines[6], "  computed for 0.30 s, waited for 23.2 s")
        self.assertEqual(lines[-1],
                         "2.3 times as fast. At best: sum 23.0 s / slowest 10.0 s = 2.3.")

    def test_the_picture_in_the_readme_is_such_a_one(self):
        """It is what is drawn for those times, apart from the seconds computed and waited."""
        lines, _ = self.draw(blocking(10.13, 6.33, 6.63), asynchronous(10.13, 6.32, 6.63))
        shown = re.search("^```text\n(What you have seen.*?)\n```$", read("README.md"), re.M | re.S)
        differing = re.compile("computed .*|, one task after the other|, all tasks at once")
        self.assertEqual(*(differing.sub("", text) for text in (shown[1], "\n".join(lines))))

    def test_the_axis_tells_the_scale(self):
        """Its labels stand at their ticks, and are round numbers in equal steps from 0."""
        for factor in (0.0003, 0.01, 1, 60, 3600):
            with self.subTest(factor):
                times = [factor * seconds for seconds in (10, 6, 7)]
                lines, rows = self.draw(blocking(*times), asynchronous(*times))
                ticks, labels = (line[9:] for line in lines if line.startswith(" " * 9))
                marks = list(re.finditer("([0-9.e-]+) s", labels))
                self.assertGreater(len(marks), 2)
                for count, label in enumerate(marks):
                    self.assertEqual(ticks[label.start()], "+")
                    self.assertAlmostEqual(float(label[1]), count * float(marks[1][1]))
                    self.assertAlmostEqual(label.start(), float(label[1]) * rows[0][1] / times[0],
                                           delta=2)

    def test_it_fits_the_terminal(self):
        """80 columns, and wider ones."""
        clients = blocking(10, 6, 7), asynchronous(10, 6, 7)
        widest = [max(map(len, self.draw(*clients, width=width)[0])) for width in (80, 100)]
        self.assertLess(widest[0], 80)
        self.assertTrue(80 < widest[1] < 100, widest)

    def test_marks_can_be_shown_in_any_encoding(self):
        """Blocks where the encoding has them, otherwise plain ASCII."""
        clients = blocking(10, 6, 7), asynchronous(10, 6, 7)
        for encoding, mark in (("utf-8", "█"), ("cp437", "█"), ("ascii", "#")):
            self.assertIn(mark * 3, self.draw(*clients, encoding=encoding)[0][3])

    def test_a_poem_that_did_not_come(self):
        """Its row says so, and there is nothing to compare."""
        lines, rows = self.draw(blocking(10, 6), client(0))
        self.assertEqual([words for _, _, words in rows], ["10.0 s", "6.00 s"] + ["no poem"] * 4)
        self.assertEqual(lines[-1], "Not every poem came, so there is nothing to compare.")

    def test_durations(self):
        """The clients print timedeltas, also those without a fraction and of more than a day."""
        for seconds in (0, 10.126361, 3600, 86400 + 7200.5, 3 * 86400):
            printed = str(timedelta(seconds=seconds))
            self.assertAlmostEqual(parse_duration(printed), seconds, places=5)
        self.assertEqual([format_seconds(seconds) for seconds in (23.06, 0.2544, 2310.4, 99.97)],
                         ["23.1 s", "0.254 s", "2310 s", "100 s"])


if __name__ == "__main__":
    unittest.main()
