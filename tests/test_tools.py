"""make demo, make servers and make bench do what the README shows, and leave nothing running."""

import os
import re
import signal
import sys

from tests import demo
from tests.support import POEMS, Case, read, read_all, send_group


def normal(text):
    """Return the text with N for each number, without bars, and with one space for many."""
    return re.sub("[█ ]+", " ", re.sub(r"[0-9]+(\.[0-9]+)*", "N", text))


def shown(begin):
    """Return the block in the README that begins like this."""
    return re.search(f"(?ms)^```text\n({begin}.*?)\n```$", read("README.md"))[1]


class Tools(Case):
    """Each is run by make, in a process group of its own, as a terminal does."""

    def make(self, *args):
        """Start make with these arguments, and with our Python."""
        return self.program(["make", f"PYTHON={sys.executable}", *args])

    def assertGone(self, program, error=""):
        """Check the one line on stderr, and that with make all that it had started has ended."""
        lines = [line for line in program.errors() if not line.startswith(("usage", "make"))]
        self.assertRegex("\n".join(lines), f"^.*{error}.*$" if error else "^$")
        with self.assertRaises(ProcessLookupError, msg=program):
            os.killpg(program.process.pid, 0)

    def test_the_demo_shows_both_clients_and_draws_what_they_did(self):
        """It predicts their times first, and the picture comes last, in the README's form."""
        program = self.make("demo", "DELAY=0.002")
        self.assertEqual(program.wait(), 0, program)
        self.assertGone(program)
        self.assertRegex("\n".join(program.printed), (
            f"(?s)Serving {POEMS[0]} on .*Serving {POEMS[1]} on .*Serving {POEMS[2]} on .*"
            "This takes about 0.7 s: the blocking client 0.5 s, the async one 0.2 s.\n.*"
            "\\$ python3 blocking-client/get-poetry.py( [0-9]+){3}\n.*Got 3 poems in .*"
            "\\$ python3 async-client/get-poetry.py( [0-9]+){3}\n.*Got 3 poems in "))
        self.assertEqual(normal("\n".join(program.printed[-13:])), normal(shown("blocking client")))

    def test_the_picture_in_the_readme(self):
        """These times are drawn like that, to the last character."""
        one_by_one = {"1": (0, 10.13), "2": (10.13, 16.45), "3": (16.45, 23.08)}
        together = {"1": (0, 10.13), "2": (0, 6.32), "3": (0, 6.63)}
        lines = demo.draw(("blocking client, one task after the other", 23.08, one_by_one, 0.07),
                          ("async client, all tasks at once", 10.13, together, 0.10))
        self.assertEqual("\n".join(lines), shown("blocking client"))

    def test_the_servers_print_their_lines_with_the_port_in_front(self):
        """Their poems can be had. If one ends, it is said which, and the others end, too."""
        program = self.make("servers", "PORT=0", "DELAY=0")
        ports = [program.wait_for(f"^([0-9]+): Serving {poem} on port \\1.$")[1] for poem in POEMS]
        self.assertEqual([len(read_all(self.call(port))) for port in ports], [3003, 623, 653])
        for _ in range(100):
            program.wait_for(f"^{ports[0]}: Sending 30 bytes$")
        tool = read(f"/proc/{program.process.pid}/task/{program.process.pid}/children").strip()
        second = read(f"/proc/{tool}/task/{tool}/children").split()[1]
        os.kill(int(second), signal.SIGTERM)
        self.assertEqual(program.wait(), 2, program)
        self.assertGone(program, f"{ports[1]}: this server has ended, with status -15; "
                                 "the others are stopped")

    def test_ctrl_c_and_sigterm_leave_nothing_running(self):
        """make gets SIGTERM alone; Ctrl-C reaches all that it has started."""
        for args, line in ((["demo", "DELAY=100"], "^Task 1: get poetry from"),
                           (["servers", "PORT=0"], f"Serving {POEMS[2]}"),
                           (["bench"], "took")):
            for number in (signal.SIGINT, signal.SIGTERM):
                with self.subTest(args, number=number):
                    program = self.make(*args)
                    program.wait_for(line)
                    if number == signal.SIGINT:
                        send_group(program, number)
                    else:
                        program.process.send_signal(number)
                    self.assertNotEqual(program.wait(), 0)
                    self.assertGone(program)

    def test_a_wrong_value_or_a_port_that_is_taken(self):
        """One line says so."""
        taken = self.closed_port()[1]
        for args, line in ((["servers", f"PORT={taken}"], f"Address already in use.* {taken}\\)"),
                           (["servers", "PORT=abc"], "argument --port: invalid int value"),
                           (["servers", "PORT=70000"], "argument --port: must be from 0 to 65533"),
                           (["demo", "DELAY=abc"], "argument --delay: invalid float value"),
                           (["demo", "DELAY=-1"], "argument --delay: must be from 0 to 1e9")):
            with self.subTest(args):
                program = self.make(*args)
                self.assertEqual(program.wait(), 2, program)
                self.assertGone(program, line)

    def test_the_benchmark(self):
        """Its rows are those in the README, and none of the expected times is undercut."""
        program = self.make("bench", "QUICK=1")
        self.assertEqual(program.wait(), 0, program)
        self.assertGone(program)
        rows = [[float(cell) for cell in line[36:].split()] for line in program.printed[-5:]]
        self.assertEqual([row[1::2] for row in rows], [
            [0.03, 0.03], [0.23, 0.10], [0.06, 0.01], [0.06, 0.03], [0, 0]])
        for blocking, expected, other, slowest, as_fast in rows:
            self.assertGreaterEqual(blocking, expected)
            self.assertGreaterEqual(other, slowest)
            self.assertGreaterEqual((blocking - other) * (as_fast - 1), 0)  # same sign
        self.assertEqual(normal("\n".join(program.printed)), normal(shown("Python")))

    def test_make_lists_all_targets(self):
        """make help says what there is, and the README names all of it, and nothing else."""
        program = self.make("help")
        self.assertEqual(program.wait(), 0, program)
        targets = set(re.findall("(?m)^([a-z]+):", read("Makefile")))
        for text in ("\n".join(program.printed), read("README.md")):
            named = set(re.findall("(?m)(?:`|^ *)make ([a-z]+)", text))
            self.assertEqual(named, targets - {"help"})
