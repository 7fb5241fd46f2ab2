"""make demo and make servers: the session in one terminal, its figure, and nothing left running."""

import os
import re
import signal
import subprocess
from datetime import timedelta
from types import SimpleNamespace

from tests.case import Case, our_poem, read, read_all
from tests.demo.figure import draw
from tests.support import DEADLINE, ROOT, environment, python

FIRST = "blocking client, one task after the other"
SECOND = "async client, all tasks at once"


class Demo(Case):
    """At a terminal of its own, where Ctrl-C reaches every process."""

    def demo(self, delay, **options):
        """Start the demo."""
        return self.terminal(*python("-m", "tests.demo", "--delay", delay), **options)

    def test_it_shows_both_clients_and_draws_what_they_did(self):
        """It predicts their times first; the figure comes last and fits 80 columns."""
        demo = self.demo("0.002", env=environment(PYTHONIOENCODING="utf-8"))
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
                                 r".*^Task 1: 3003 bytes of poetry$.*^Got 3 poems in .*"
                                 rf"^{FIRST}: .*^{SECOND}: .* times as fast\.")
        self.assertLess(max(map(len, demo.stdout[-17:])), 80)

    def test_it_leaves_no_process_however_it_ends(self):
        """Ctrl-C, a kill, a terminal that is closed.

        It ends while the first client waits, whose first line is already there; no more is shown.
        """
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number):
                demo = self.demo("100")
                demo.wait_for("^Task 1: get poetry from: 127.0.0.1:[0-9]+$")
                self.assertEndedBy(number, demo)
                self.assertNotIn("async-client", "\n".join(demo.stdout))

    def test_a_client_that_is_killed(self):
        """The demo goes on with the other one, says that there is nothing to compare, and fails."""
        demo = self.demo("100")
        pid = demo.process.pid
        for first_line in ("^Task 1: get poetry", "^Task 2: got 10 bytes"):
            demo.wait_for(first_line)
            *_, client = read(f"/proc/{pid}/task/{pid}/children").split()  # the last one started
            os.kill(int(client), signal.SIGTERM)
        self.assertEqual(demo.wait(), 1, demo)
        self.assertEqual(demo.stdout[-1], "Not every poem came, so there is nothing to compare.")

    def test_servers_that_do_not_start(self):
        """The demo fails, and shows what they said."""
        demo = self.demo("-1")
        self.assertEqual(demo.wait(), 1, demo)
        self.assertRegex(demo.stdout[-1], "argument --delay: must be from 0")


class Servers(Case):
    """make servers."""

    def servers(self, *ports, prefix=()):
        """Start the servers on these ports."""
        return self.terminal(*prefix, *python("-m", "tests.demo.servers", "--delay", "0",
                                              "--ports", *ports))

    def test_all_three_run_until_ctrl_c(self):
        """Their lines come with the port in front, and their poems can be had.

        This is under nohup, so that closing the terminal does not end them.
        """
        servers = self.servers(0, 0, 0, prefix=["sh", "-c", 'trap "" HUP; exec "$@"', "sh"])
        for poem in ("ecstasy.txt", "fascination.txt", "science.txt"):
            port = servers.wait_for(f"^0: Serving poetry/{poem} on port ([0-9]+)\\.$")[1]
            servers.send_signal(signal.SIGHUP)
            self.assertEqual(read_all(self.call(port)), our_poem(poem))
        servers.wait_for("^0: Sending 30 bytes$", count=100)
        self.assertEndedBy(signal.SIGINT, servers)

    def test_a_port_that_is_taken(self):
        """It is said which server has ended, and why, and none of the others goes on."""
        _, taken = self.closed_port()
        servers = self.servers(0, taken, 0)
        self.assertEqual(servers.wait(), 1, servers)
        output = "\n".join(servers.stdout)
        self.assertIn(f"{taken}: slowpoetry.py: Address already in use", output)
        self.assertIn(f"{taken}: this server has ended, with status 1", output)
        self.assertNothingLeft(servers)

    def test_make_gives_them_three_ports(self):
        """From 10000 on, or from PORT on, which is not taken from the environment."""
        for arguments, ports in (([], "10000 10001 10002"), (["PORT=20000"], "20000 20001 20002")):
            shown = subprocess.check_output(["make", "-n", "servers", *arguments], cwd=ROOT,
                                            env=environment(PORT="5", MAKEFLAGS=""), timeout=DEADLINE)
            self.assertRegex(shown.decode(), f"--ports {ports}\n")


def client(total, computed, *lines):
    """Return a client that has ended after total seconds; lines is [(second, line), ...]."""
    lines = [*lines, (total, f"Got {len(lines)} poems in {timedelta(seconds=total)}")]
    return SimpleNamespace(moments=[5000.0 + second for second, _ in lines],
                           stdout=[line for _, line in lines], elapsed=total + computed,
                           usage=SimpleNamespace(ru_utime=computed, ru_stime=0))


def two_clients():
    """Return both clients, as draw() takes them, with the times of the picture in the README."""
    times, end, lines = (10.13, 6.33, 6.63), 0, []
    for task_num, seconds in enumerate(times, 1):
        end += seconds
        took = timedelta(seconds=seconds)
        lines.append((end, f"Task {task_num}: got 9 bytes of poetry from localhost:1 in {took}"))
    finished = [(10.13, "Task 1 finished"), (6.33, "Task 2 finished"), (6.63, "Task 3 finished")]
    return {FIRST: client(end, 0.08, *lines), SECOND: client(10.13, 0.10, *finished)}


class Figure(Case):
    """What is drawn from the lines of two clients and the moments at which they came."""

    def test_the_picture_in_the_readme(self):
        """It is drawn for these seconds, to the last character."""
        shown = re.search("^```text\n(What you have seen.*?)\n```$", read("README.md"),
                          re.MULTILINE | re.DOTALL)[1]
        self.assertEqual("\n".join(draw(two_clients(), 3, 80, "utf-8")), shown)

    def test_it_fits_wider_terminals_and_plainer_encodings(self):
        """The bars use the room there is; where there are no blocks they are plain ASCII."""
        lines = draw(two_clients(), 3, 100, "ascii")
        self.assertTrue(80 < max(map(len, lines)) < 100, lines)
        self.assertIn("###", lines[3])

    def test_a_poem_that_did_not_come(self):
        """Its row says so, and there is nothing to compare."""
        lines = draw({**two_clients(), SECOND: client(0, 0)}, 3, 80, "utf-8")
        self.assertEqual([line.split()[-2:] for line in lines if "  Task" in line],
                         [["10.1", "s"], ["6.33", "s"], ["6.63", "s"]] + [["no", "poem"]] * 3)
        self.assertEqual(lines[-1], "Not every poem came, so there is nothing to compare.")
