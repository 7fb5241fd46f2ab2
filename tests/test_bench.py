"""make bench: its three tables come whole, say what they could not measure, and leave nothing running."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import unittest
from unittest import mock

from bench import STREAMS_CLIENT, measure, measure_netcat, wait
from case import Case
from support import ASYNC_CLIENT, DEADLINE, ROOT, environment

BENCH = os.path.join(ROOT, "tests", "bench.py")


class Bench(Case):
    """Each runs the quick form, or the beginning of the full one, in a session of its own."""

    def row(self, bench, label, count):
        """Return the numbers in the one row that has this label and so many numbers."""
        row = re.compile(f" *{label}((?: +(?:< )?[0-9]+(?:\\.[0-9]+)?){{{count}}})(?: +missing)?")
        found = [match[1] for match in map(row.fullmatch, bench.stdout) if match]
        self.assertEqual(len(found), 1, f"{label}: {bench}")
        return [float(number) for number in found[0].replace("<", "").split()]

    def test_the_quick_form_measures_everything(self):
        """All rows of the three tables, in 80 columns, also where 80 files are allowed until it asks for more."""
        few_files = ("sh", "-c", 'ulimit -S -n 80; exec "$@"', "sh")
        bench = self.in_terminal(BENCH, "--quick", prefix=few_files)
        self.assertEqual((bench.wait(), bench.stderr), (0, []), bench)
        self.assertNothingLeft(bench)
        self.assertLessEqual(max(map(len, bench.stdout)), 80)
        version = ".".join(map(str, sys.version_info[:3]))
        self.assertRegex(bench.stdout[0], f"^Python {re.escape(version)}\\S*, {os.cpu_count()} processors, .")
        self.assertRegex(bench.stdout[1], r"^This takes about [0-9] s\.$")
        self.check_exercise(bench)
        self.check_unpaced(bench)
        self.check_many(bench)

    def check_exercise(self, bench):
        """What is predicted is exact; what is measured is not below it, and not far above."""
        expected = {"one server": (0.03, 0.03), "the tutorial's three": (0.23, 0.10),
                    "three alike": (0.06, 0.02), "ten alike": (0.06, 0.01),
                    "nine fast, one slow": (0.06, 0.03), "chunks of 10, 20, 40": (0.05, 0.02)}
        sums = [0, 0]
        for label, (everything, slowest) in expected.items():
            with self.subTest(label):
                numbers = self.row(bench, label, 7)
                self.assertEqual((numbers[0], numbers[3]), (everything, slowest))
                for predicted, took, ratio in (numbers[:3], numbers[3:6]):
                    self.assertGreater(took, predicted - 0.01)  # both are rounded
                    self.assertAlmostEqual(took / predicted, ratio, delta=0.01 / predicted * (1 + ratio))
                self.assertAlmostEqual(numbers[1] / numbers[4], numbers[6],
                                       delta=0.01 / numbers[4] * (1 + numbers[6]))
                sums = [sums[0] + numbers[1], sums[1] + numbers[4]]
        self.assertGreater(*sums)

    def check_unpaced(self, bench):
        """Each peer's speed, its ratio to the streams client's, and a peak that holds a poem of 4 MiB."""
        speeds = self.row(bench, "round 1, MB/s", 5 if shutil.which("netcat") or shutil.which("nc") else 4)
        self.assertEqual(self.row(bench, "median, MB/s", len(speeds)), speeds)
        for speed, ratio in zip(speeds, self.row(bench, "times streams", len(speeds))):
            self.assertGreater(speed, 1)
            self.assertAlmostEqual(ratio, speed / speeds[2], delta=0.01 + (1 + ratio) / speeds[2])
        for peak in self.row(bench, "peak memory, MiB", len(speeds)):
            self.assertTrue(4 < peak < 200, bench)

    def check_many(self, bench):
        """10 and 100 connections take no less than the limit, 0.1 s, and some CPU."""
        for connections in (10, 100):
            numbers = self.row(bench, connections, 6)
            for took, ratio, cpu in (numbers[:3], numbers[3:]):
                self.assertGreater(took, 0.09)
                self.assertAlmostEqual(ratio, took / 0.1, delta=0.1)
                self.assertTrue(0 < cpu < 10, bench)

    def test_a_missing_netcat_is_said_to_be_missing(self):
        """The other peers are measured all the same."""
        bench = self.in_terminal(BENCH, "--quick", "--only", "unpaced", env=environment(PATH=""))
        self.assertEqual((bench.wait(), bench.stderr), (0, []), bench)
        self.row(bench, "round 1, MB/s", 4)
        self.assertEqual(sum(line.endswith(" missing") for line in bench.stdout), 4)

    def test_too_few_files_are_said_to_be_too_few(self):
        """Where a process may have no more than 80 files there is a row for 10 connections, but none for 100."""
        few_files = ("sh", "-c", 'ulimit -n 80; exec "$@"', "sh")
        bench = self.in_terminal(BENCH, "--quick", "--only", "many", prefix=few_files)
        self.assertEqual((bench.wait(), bench.stderr), (0, []), bench)
        self.row(bench, "10", 6)
        self.assertEqual(bench.stdout[-1],
                         "        100  not run: a process may have no more than 80 files here (ulimit -n)")

    def test_it_leaves_no_process_however_it_ends(self):
        """Ctrl-C while servers start, Ctrl-C while a client runs, and a kill: all it has started ends with it."""
        with self.subTest("servers start"):
            bench = self.in_terminal(BENCH, "--only", "exercise")
            bench.wait_for("^servers ")
            os.killpg(bench.process.pid, signal.SIGINT)
            self.assertEqual((bench.wait(), bench.stderr), (130, []), bench)
            self.assertNothingLeft(bench)
        for press, status in ((os.killpg, signal.SIGINT), 130), ((os.kill, signal.SIGTERM), 143):
            with self.subTest(status):
                bench = self.with_netcat(b"echo calling >&2; exec sleep 100")
                bench.wait_for("^calling$", stream="stderr")
                press[0](bench.process.pid, press[1])
                self.assertEqual((bench.wait(), bench.stderr), (status, ["calling"]), bench)
                self.assertNothingLeft(bench)

    def test_a_process_is_ended_even_if_a_signal_comes_while_it_starts(self):
        """The signal waits until the process just started is known."""
        def interrupted(*args, **options):
            signal.raise_signal(signal.SIGINT)
            return mock.DEFAULT
        for name, begin, end in (("bench.Program", lambda: measure(ASYNC_CLIENT, ["1"]), "__exit__"),
                                 ("subprocess.Popen", lambda: measure_netcat(["1"]), "kill")):
            with self.subTest(name), mock.patch(name, side_effect=interrupted) as started:
                with self.assertRaises(KeyboardInterrupt):
                    begin()
                self.assertEqual(getattr(started.return_value, end).call_count, 1)

    def test_a_signal_may_come_just_when_a_process_has_ended(self):
        """It is known to have ended all the same, and not killed once more."""
        def interrupted(pid, options):
            os.waitpid(pid, options)
            raise KeyboardInterrupt
        process = subprocess.Popen([sys.executable, "-S", "-c", ""])
        with mock.patch("os.wait4", interrupted), self.assertRaises(KeyboardInterrupt):
            wait(process, DEADLINE)
        self.assertIsNotNone(process.returncode)

    def with_netcat(self, script):
        """Start the unpaced part with a netcat of our own, a shell script."""
        path = self.poem(b"#!/bin/sh\n" + script, name="netcat")
        os.chmod(path, 0o755)
        search = os.pathsep.join([os.path.dirname(path), os.defpath])
        return self.in_terminal(BENCH, "--quick", "--only", "unpaced", env=environment(PATH=search))

    def test_a_failed_measurement_is_not_shown_as_one(self):
        """A client that brings no poem, or does not end, and a netcat that fails: the program says so, and fails."""
        taken = self.enter(socket.socket())
        taken.bind(("127.0.0.1", 0))  # and does not listen
        for client in (ASYNC_CLIENT, STREAMS_CLIENT):
            with self.assertRaisesRegex(AssertionError, "(?si)client.* did not get its poems.*refused"):
                measure(client, [str(taken.getsockname()[1])])
        _, silent = self.peer()
        with mock.patch("bench.DEADLINE", 0.1), self.assertRaisesRegex(AssertionError, "did not get its poems"):
            measure(ASYNC_CLIENT, [str(silent)])
        bench = self.with_netcat(b"exit 1")
        self.assertEqual(bench.wait(), 1, bench)
        self.assertRegex("\n".join(bench.stderr), "netcat 127.0.0.1 [0-9]+ failed$")
        self.assertNothingLeft(bench)


if __name__ == "__main__":
    unittest.main()
