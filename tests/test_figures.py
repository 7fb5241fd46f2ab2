"""The figures that make demo draws: stairs for the blocking client, rows side by side for the async one."""

import os
import re
import unittest
from datetime import timedelta

from case import Case
from figures import WIDEST, draw, format_seconds, parse_duration
from support import ROOT, environment

DEMO = os.path.join(ROOT, "tests", "demo.py")
START = 5000.0  # on the clock of the moments


def blocking(*times):
    """Return (lines, moments) of a blocking client whose tasks take these seconds; None: it fails after 1 s."""
    now, printed = START, []
    for task_num, seconds in enumerate(times, 1):
        printed.append((f"Task {task_num}: get poetry from: localhost:{task_num}", now))
        now += seconds or 1
        if seconds:
            duration = timedelta(seconds=seconds)
            printed.append((f"Task {task_num}: got 9 bytes of poetry from localhost:{task_num} in {duration}", now))
    printed.append((f"Got {len(times)} poems in {timedelta(seconds=now - START)}", now))
    return tuple(zip(*printed))


def asynchronous(total, *tasks):
    """Return (lines, moments) of an async client; a task is (the seconds at which bytes came, at which it finished)."""
    printed = [(f"Got {len(tasks)} poems in {timedelta(seconds=total)}", total)]
    for task_num, (arrivals, end) in enumerate(tasks, 1):
        printed += [(f"Task {task_num}: got 9 bytes of poetry from localhost:{task_num}", when) for when in arrivals]
        if end:
            printed += [(f"Task {task_num} finished", end), (f"Task {task_num}: 9 bytes of poetry", total)]
    printed.sort(key=lambda line: (line[1], line[0].startswith("Got")))
    return tuple(zip(*((line, START + when) for line, when in printed)))


def steady(end, steps=200):
    """Return an async task that gets bytes all the time, until it ends."""
    return [end * step / steps for step in range(steps)], end


class Figures(unittest.TestCase):
    """What is drawn from the lines of two clients and the moments at which they came."""

    def draw(self, one, other, width=80, encoding="utf-8"):
        """Return the figure's lines, and [(column of the first mark, marks and gaps, note), ...] of its rows."""
        lines = draw({"blocking client": one, "async client": other}, width, encoding)
        rows = (re.fullmatch("  Task ([0-9]+) +?( *)([█#](?:[█# ]*[█#])?|) (.*)", line) for line in lines)
        return lines, [(len(row[2]), row[3], row[4]) for row in rows if row]

    def test_blocking_tasks_are_stairs_and_async_ones_lie_side_by_side(self):
        """Each task of the first begins where the one above has ended; the second's all begin at once."""
        _, rows = self.draw(blocking(10, 6, 7), asynchronous(10, steady(10), steady(6), steady(7)))
        (begin, marks, _), *later = rows[:3]
        self.assertEqual(begin, 0)
        for row in later:
            begin += len(marks)
            self.assertEqual(row[0], begin, rows)
            marks = row[1]
        self.assertGreater(begin + len(marks), 50)
        self.assertEqual([row[0] for row in rows[3:]], [0, 0, 0])

    def test_both_clients_have_the_same_scale(self):
        """A poem that takes as long is as wide; the axis says how long that is; each row ends with its seconds."""
        lines, rows = self.draw(blocking(10, 6, 7), asynchronous(10, steady(10), steady(6), steady(7)))
        for one, other in zip(rows[:3], rows[3:]):
            self.assertAlmostEqual(len(one[1]), len(other[1]), delta=1)
            self.assertEqual(one[2], other[2])
        self.assertEqual([row[2] for row in rows[:3]], ["10.0 s", "6.00 s", "7.00 s"])
        ticks, labels = (line[9:] for line in lines if line.startswith(" " * 9))
        self.assertEqual(labels.replace(" s", "").split(), ["0", "5", "10", "15", "20"])
        for label in re.finditer("([0-9.]+) s", labels):
            self.assertEqual(ticks[label.start()], "+")
            self.assertAlmostEqual(label.start(), float(label[1]) * len(rows[0][1]) / 10, delta=2)

    def test_an_async_row_is_marked_only_where_bytes_came(self):
        """A task that hears nothing for a while has a gap there, and only there."""
        arrivals = [second / 10 for second in [*range(0, 30), *range(70, 100)]]
        _, rows = self.draw(blocking(10, 6), asynchronous(10, (arrivals, 10), steady(6)))
        self.assertRegex(rows[2][1], "^█+ +█+$")
        self.assertAlmostEqual(rows[2][1].count(" "), 0.4 * len(rows[0][1]), delta=2)

    def test_it_says_how_much_faster_and_what_the_limit_is(self):
        """The limit is the sum of the blocking client's tasks against the slowest of them, 23 s against 10 s."""
        lines, _ = self.draw(blocking(10, 6, 7), asynchronous(11, steady(10), steady(6), steady(7)))
        self.assertIn("blocking client: 23.0 s", lines)
        self.assertIn("async client: 11.0 s", lines)
        self.assertEqual(lines[-1], "2.1 times as fast. The limit: sum 23.0 s / slowest 10.0 s = 2.3.")

    def test_it_fits_the_terminal(self):
        """80 columns, and wider ones up to a limit, whatever the times and however many the tasks."""
        for factor in (0.0003, 0.001, 0.0377, 1, 60, 3600):
            tasks = [factor * seconds for seconds in (10, 6, 7, *[1.1] * 9)]
            clients = blocking(*tasks), asynchronous(tasks[0], *map(steady, tasks))
            widest = {}
            for width in (20, 80, 100, 140):
                lines, _ = self.draw(*clients, width=width)
                widest[width] = max(map(len, lines))
                rows = [line for line in lines if line.startswith("  Task ")]
                self.assertEqual(len(rows), 24)
                self.assertEqual({row.index("█") for row in rows[12:]}, {10})
            self.assertLess(widest[80], 80)
            self.assertLess(widest[80], widest[100])
            self.assertLess(widest[100], 100)
            self.assertLess(widest[100], widest[140])
            self.assertLessEqual(widest[140], WIDEST)

    def test_the_axis_makes_sense_however_short_the_run(self):
        """Its labels are all different, rise in equal steps from 0, and stand apart."""
        for total in (0.003, 0.04, 0.23, 1, 9.99, 23, 600, 23000):
            lines, _ = self.draw(blocking(total), asynchronous(total, steady(total)))
            numbers = [float(number) for number in re.findall("([0-9.]+) s(?: |$)", lines[-3])]
            self.assertGreater(len(numbers), 2, lines)
            for count, number in enumerate(numbers):
                self.assertAlmostEqual(number, count * numbers[1])
            self.assertTrue(0.6 * total < numbers[-1] <= total, lines)

    def test_marks_can_be_shown_in_any_encoding(self):
        """Blocks where the encoding has them, otherwise plain ASCII."""
        clients = blocking(10, 6), asynchronous(10, steady(10), steady(6))
        for encoding, mark in (("utf-8", "█"), ("cp437", "█"), ("ascii", "#"), ("latin-1", "#"), (None, "#")):
            lines, rows = self.draw(*clients, encoding=encoding)
            "\n".join(lines).encode(encoding or "ascii")
            self.assertEqual(set(rows[0][1]), {mark})

    def test_a_failed_task_is_drawn_as_one(self):
        """Its row says so, it leaves the other tasks where they are, and there is nothing to compare."""
        lines, rows = self.draw(blocking(10, None, 7), asynchronous(10, steady(10), ([1, 2], None), steady(7)))
        self.assertEqual([row[2] for row in rows], ["10.0 s", "no poem", "7.00 s"] * 2)
        self.assertEqual(rows[1][1], "")
        self.assertGreater(rows[2][0], len(rows[0][1]))
        self.assertRegex(rows[4][1], "^ *█ +█$")
        self.assertEqual(lines[-1], "Not every poem came, so there is nothing to compare.")

    def test_what_did_not_even_begin_is_drawn(self):
        """An async task that was refused prints no line; a client that was killed no last one, or none at all."""
        _, rows = self.draw(blocking(10, None), asynchronous(10, steady(10)))
        self.assertEqual(rows[3], (0, "", "no poem"))
        killed = [part[:3] for part in blocking(10, 6)]
        both = asynchronous(10, steady(10), steady(6))
        for one, other, total in ((killed, both, "10.0 s"), (((), ()), ((), ()), "0.00 s"),
                                  (blocking(10), ((), ()), "10.0 s"), (blocking(10, None), both, "11.0 s")):
            lines, _ = self.draw(one, other)
            self.assertEqual(lines[2], f"blocking client: {total}")
            self.assertEqual(lines[-1], "Not every poem came, so there is nothing to compare.")

    def test_durations(self):
        """The clients print timedeltas, also those without a fraction and of more than a day."""
        for seconds in (0, 10.126361, 3600, 86400 + 7200.5, 3 * 86400):
            self.assertAlmostEqual(parse_duration(str(timedelta(seconds=seconds))), seconds, places=5)
        self.assertEqual([format_seconds(seconds) for seconds in (23.06, 0.2544, 2310.4, 99.97)],
                         ["23.1 s", "0.254 s", "2310 s", "100 s"])


class FiguresInTheDemo(Case):
    """make demo, with real servers and clients."""

    def test_the_demo_ends_with_the_figure_of_its_own_run(self):
        """It says before the clients start how long they will take, and afterwards draws how long they took."""
        demo = self.program(DEMO, "--delay", "0.001", env=environment(COLUMNS="80", PYTHONIOENCODING="utf-8"))
        self.assertEqual((demo.wait(), demo.stderr), (0, []), demo)
        said = demo.stdout.index("This takes about 0.331 s: the blocking client 0.230 s, the async one 0.101 s.")
        self.assertRegex(demo.stdout[said + 2], r"^\$ python3 blocking-client")
        figure = demo.stdout[-15:]
        self.assertLess(max(map(len, figure)), 80)
        row = "  Task [1-3] +█[█ ]* [0-9.]+ s\n"
        self.assertRegex("\n".join(figure), fr"\n\nblocking client, .*: [0-9.]+ s\n({row}){{3}}"
                                            fr"\nasync client, .*: [0-9.]+ s\n({row}){{3}}"
                                            r" +\+-.*\+.*\n +0 s .*\n\n[0-9.]+ times as fast\.")

    def test_the_demo_draws_in_ascii_where_it_must(self):
        """A terminal that cannot show blocks gets the same figure."""
        demo = self.program(DEMO, "--delay", "0", env=environment(COLUMNS="80", PYTHONIOENCODING="ascii"))
        self.assertEqual((demo.wait(), demo.stderr), (0, []), demo)
        self.assertRegex("\n".join(demo.stdout[-15:]), r"(?s)\n  Task 1 +#.*\n  Task 1 +#.*times as fast")


if __name__ == "__main__":
    unittest.main()
