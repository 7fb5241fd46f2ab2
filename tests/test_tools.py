"""make demo, make servers and make bench show what they should, and leave nothing running."""

import contextlib
import errno
import io
import math
import os
import re
import shutil
import signal
import sys
from unittest import mock

from tests import bench, demo
from tests.support import ASYNC, BLOCKING, DELAY, PORT, SCIENCE, SERVER, SESSION
from tests.support import Case, ToolError, load, predict, read_text, receive_all, serving
from tests.support import signal_group

POEMS = [poem for poem, _ in SESSION]
CHUNKS = [predict(poem, num_bytes, 1) for poem, num_bytes in SESSION]  # how many each poem has
TASKS = {str(task_num) for task_num, _ in enumerate(SESSION, 1)}


def block_in_readme(begin):
    """Return the block of text in the README whose first line begins like this."""
    match = re.search(f"(?ms)^```text\n({begin}.*?)\n```$", read_text("README.md"))
    if not match:
        raise AssertionError(f"README.md has no block of text that begins with {begin!r}")
    return match[1]


def processes_below(pid):
    """Return the numbers of the processes that this one has started, oldest first."""
    try:
        return [int(child) for child in read_text(f"/proc/{pid}/task/{pid}/children").split()]
    except FileNotFoundError:
        return []


class ToolCase(Case):
    """A tool is run by make, in a process group of its own, as a terminal does."""

    def setUp(self):
        super().setUp()
        if not shutil.which("make"):
            self.skipTest("make is not installed")

    def start_make(self, *args):
        """Start make with these arguments, and with our Python."""
        return self.start(["make", f"PYTHON={sys.executable}", *args])

    def assertToolEnded(self, program, status, error=""):
        """Check make's status, the one line on stderr, and that all it had started has ended."""
        self.assertEqual(program.wait(), status, program)
        lines = [line for line in program.errors()
                 if not re.match(r"make: \*\*\*|usage: |  +\[", line)]
        self.assertRegex("\n".join(lines), f"^.*{error}.*$" if error else "^$", program)
        with self.assertRaises(ProcessLookupError, msg=f"something is still running: {program}"):
            os.killpg(program.process.pid, 0)

    def tool_of(self, program):
        """Return the process number of the tool that make has started."""
        if not os.path.exists(f"/proc/self/task/{os.getpid()}/children"):
            self.skipTest("this system has no /proc that lists the children of a process")
        return processes_below(program.process.pid)[0]


class Demo(ToolCase):
    """make demo shows both clients, and draws what they did."""

    def test_it_shows_the_session_and_ends_with_the_picture(self):
        """Digits for all chunks of the blocking client; those of the async one may be joined."""
        program = self.start_make("demo", "DELAY=0.002")
        self.assertToolEnded(program, 0)
        text = "\n".join(program.printed)
        self.assertLessEqual(max(map(len, program.printed)), 80)
        self.assertRegex(text, (
            r"(?s)^\$ python3 blocking-server/.*"
            + "".join(serving(poem) + "\n.*" for poem in POEMS)
            + f"This takes about {0.002 * (sum(CHUNKS) + max(CHUNKS)):.1f} s: "
            f"the blocking client {0.002 * sum(CHUNKS):.1f} s, "
            f"the async one {0.002 * max(CHUNKS):.1f} s.\n"))
        blocking_text, async_text = re.findall(
            r"(?s)\n\$ python3 [a-z]+-client/.*?Got [0-9]+ poems in ", text)
        self.check_digits_of_blocking_client(blocking_text)
        self.check_digits_of_async_client(async_text)
        self.check_picture("blocking client, " + text.partition("\nblocking client, ")[2])

    def check_digits_of_blocking_client(self, text):
        """All digits of a task stand between its line "get" and its line "got"."""
        for task, count in enumerate(CHUNKS, 1):
            rows = re.search(f"(?s)\nTask {task}: get [^\n]*\n(.*?)\nTask {task}: got ", text)
            self.assertEqual(rows[1].replace("\n", ""), str(task) * count)

    def check_digits_of_async_client(self, text):
        """Each task has one at least, and none after it has finished."""
        finished = set()
        seen = set()
        for line in text.splitlines():
            if re.fullmatch("[0-9]+", line):
                self.assertLessEqual(set(line), TASKS - finished)
                seen |= set(line)
            elif task := re.fullmatch("Task ([0-9]) finished", line):
                finished.add(task[1])
        self.assertEqual(seen, TASKS)

    def check_picture(self, picture):
        """It has the README's form, and each task of the blocking client begins after the last."""
        def form(text):
            text = re.sub("first digits: [1-9]+", "first digits", text)
            text = re.sub(r"[0-9]+\.[0-9]+", "N", text)
            return re.sub("[ ░]+", " ", text)

        self.assertEqual(form(picture), form(block_in_readme("blocking client")),
                         f"Copy this picture into README.md:\n{picture}")
        times = [(float(begin), float(end))
                 for begin, end in re.findall(r"([0-9.]+) to ([0-9.]+) s", picture)]
        blocking_times = times[:len(SESSION)]
        async_times = times[len(SESSION):]
        for (_, end), (next_begin, _) in zip(blocking_times, blocking_times[1:]):
            self.assertGreaterEqual(next_begin, end)
        self.assertEqual({begin for begin, _ in async_times}, {0})

    def test_the_picture_in_the_readme(self):
        """It is what draw() makes of these times and digits, to the last character."""
        blocking_run = demo.Run("blocking client, one task after another")
        blocking_run.begins = {"1": 0, "2": 10.14, "3": 16.47}
        blocking_run.ends = {"1": 10.14, "2": 16.47, "3": 23.10}
        blocking_run.total = 23.10
        blocking_run.computed = 0.06
        blocking_run.digits = "1" * 101 + "2" * 63 + "3" * 66
        async_run = demo.Run("async client, tasks taking turns")
        async_run.begins = {"1": 0, "2": 0, "3": 0}
        async_run.ends = {"1": 10.14, "2": 6.33, "3": 6.63}
        async_run.total = 10.14
        async_run.computed = 0.09
        async_run.digits = "132132312213123123123123123132"
        picture = "\n".join(demo.draw(blocking_run, async_run))
        self.assertEqual(picture, block_in_readme("blocking client"),
                         f"The picture in README.md and the one drawn here differ:\n{picture}")

    def test_a_client_that_computed_for_longer_than_it_took(self):
        """The clocks differ a little. No time is negative, not even -0.0."""
        run = demo.Run("a client")
        run.begins = {"1": 0}
        run.ends = {"1": 0.1}
        run.total = 0.1
        run.computed = 0.101
        self.assertIn("  computed for 0.10 s, waited for 0.0 s", demo.draw(run, run))

    def show(self, script, lines):
        """Return what show() prints for these lines, and the Run."""
        shown = io.StringIO()
        run = demo.Run("a client")
        with contextlib.redirect_stdout(shown):
            demo.show(iter(lines), run, script)
        return shown.getvalue(), run

    def test_digits_of_the_blocking_client_are_the_chunks_that_servers_send(self):
        """In rows of 76; the client's own lines stand between them."""
        text, run = self.show(BLOCKING, [
            (None, "Task 1: get poetry from: 127.0.0.1:10000"),
            (1, "Somebody at ('127.0.0.1', 50412) wants poetry!"),
            *[(1, "Sending 30 bytes")] * 78,
            (None, "Task 1: got 2340 bytes of poetry from 127.0.0.1:10000 in 0:00:10.1"),
            (2, "Sending 10 bytes"),
            (None, "Got 1 poems in 0:00:23.5")])
        self.assertEqual(text, (
            "Task 1: get poetry from: 127.0.0.1:10000\n"
            f"{'1' * 76}\n11\n"
            "Task 1: got 2340 bytes of poetry from 127.0.0.1:10000 in 0:00:10.1\n"
            "2\n"
            "Got 1 poems in 0:00:23.5\n"))
        self.assertEqual(run.digits, "1" * 78 + "2")
        self.assertEqual(run.total, 23.5)

    def test_digits_of_the_async_client_are_what_it_reads(self):
        """In place of its lines "got"; what the servers print is not shown."""
        text, run = self.show(ASYNC, [
            (None, "Task 1: got 30 bytes of poetry from 127.0.0.1:10000"),
            (2, "Sending 10 bytes"),
            (None, "Task 2: got 10 bytes of poetry from 127.0.0.1:10001"),
            (None, "Task 1: got 30 bytes of poetry from 127.0.0.1:10000"),
            (None, "Task 2 finished"),
            (None, "Task 1: got 30 bytes of poetry from 127.0.0.1:10000")])
        self.assertEqual(text, "121\nTask 2 finished\n1")
        self.assertEqual(run.digits, "1211")
        self.assertEqual(list(run.ends), ["2"])

    def test_a_client_that_fails(self):
        """There is nothing to compare, and one line says so."""
        server = self.start_server(SCIENCE)
        _, server.port = self.hold_port("127.0.0.1")
        for script in (BLOCKING, ASYNC):
            with self.subTest(script), contextlib.redirect_stdout(io.StringIO()), \
                    self.assertRaisesRegex(ToolError, "not all poems came, so there is nothing"):
                demo.run_client("a client", script, [server])

    def test_a_server_that_ends(self):
        """One line says so."""
        program = self.start_make("demo", "DELAY=100")
        program.wait_for("Task 1: get poetry from: .*")
        os.kill(processes_below(self.tool_of(program))[1], signal.SIGKILL)
        self.assertToolEnded(program, 2, "the server on port [0-9]+ has ended")

    def test_its_default_delay_is_the_tutorials(self):
        """It predicts how long it takes, and then it is stopped."""
        program = self.start_make("demo")
        line = program.wait_for("This takes about ([0-9.]+) s: .*")
        self.assertEqual(line[1], f"{DELAY * (sum(CHUNKS) + max(CHUNKS)):.1f}")
        signal_group(program, signal.SIGINT)
        program.wait()


class Servers(ToolCase):
    """make servers runs the tutorial's servers in one terminal."""

    def start_servers(self, *args):
        """Start it on free ports, and return the program and the ports."""
        program = self.start_make("servers", "PORT=0", *args)
        ports = []
        for poem in POEMS:
            line = program.expect(f"([0-9]+): {serving(poem)}")
            self.assertEqual(line[1], line[2])
            ports.append(int(line[1]))
        return program, ports

    def test_each_line_has_the_port_of_its_server_in_front(self):
        """If one server ends, it is said which, and the others end, too."""
        program, ports = self.start_servers("DELAY=0")
        for port, poem in zip(ports, POEMS):
            self.assertEqual(receive_all(self.call(port)).decode(), read_text(poem))
        for _ in range(CHUNKS[0] - 1):
            program.wait_for(f"{ports[0]}: Sending 30 bytes")
        tool = self.tool_of(program)
        os.kill(processes_below(tool)[1], signal.SIGTERM)
        self.assertToolEnded(program, 2, f"{ports[1]}: this server has ended, with status -15; "
                                         "the others are stopped")

    def test_no_line_is_late_or_lost(self):
        """The tool is stopped while three poems are sent. Then all the lines come."""
        program, ports = self.start_servers("DELAY=0")
        tool = self.tool_of(program)
        os.kill(tool, signal.SIGSTOP)
        for port in ports:
            receive_all(self.call(port))
        os.kill(tool, signal.SIGCONT)
        expected = {port: 1 + count for port, count in zip(ports, CHUNKS)}
        for _ in range(sum(expected.values())):
            line = program.expect("([0-9]+): (Somebody|Sending) .*")
            expected[int(line[1])] -= 1
        self.assertEqual(set(expected.values()), {0})

    def test_sigterm_ends_it_although_nobody_reads_its_output(self):
        """It is writing into a pipe that is full when the signal comes."""
        program, ports = self.start_servers("DELAY=0")
        for _ in range(40):  # these lines are about 100,000 bytes, and a pipe takes 65,536
            receive_all(self.call(ports[0]))
        program.process.send_signal(signal.SIGTERM)
        self.assertEqual(program.process.wait(), -signal.SIGTERM)
        self.assertToolEnded(program, -signal.SIGTERM)


class AllTools(ToolCase):
    """How they begin and end."""

    def assertStops(self, args, line):
        """Check that Ctrl-C, and SIGTERM to make alone, end a tool that has printed this line."""
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(args, number=number):
                program = self.start_make(*args)
                program.wait_for(line)
                if number == signal.SIGINT:
                    signal_group(program, number)
                else:
                    program.process.send_signal(number)
                # make says 2 for a program that ended with 130, or dies of the signal itself.
                status = program.wait()
                self.assertIn(status, [2, -number], program)
                self.assertToolEnded(program, status)

    def test_ctrl_c_and_sigterm_end_the_demo(self):
        self.assertStops(["demo", "DELAY=100"], "Task 1: get poetry from: .*")

    def test_ctrl_c_and_sigterm_end_the_servers(self):
        self.assertStops(["servers", "PORT=0"], f".*: {serving(POEMS[-1])}")

    def test_ctrl_c_and_sigterm_end_the_benchmark(self):
        """Right after its heading it starts a server."""
        self.assertStops(["bench"], ".* took .*")

    def test_the_status_of_a_tool_without_make(self):
        """130 after Ctrl-C, 143 after SIGTERM."""
        for number in (signal.SIGINT, signal.SIGTERM):
            program = self.start([sys.executable, "-m", "tests.servers", "--port", "0"])
            program.expect(f".*: {serving()}")
            program.process.send_signal(number)
            self.assertEqual(program.wait(), 128 + number, program)

    def assertRefused(self, *args, error):
        """Check that make says this in one line."""
        with self.subTest(args):
            self.assertToolEnded(self.start_make(*args), 2, error)

    def test_wrong_values(self):
        """One line says so."""
        self.assertRefused("servers", "PORT=abc", error="argument --port: invalid int value")
        self.assertRefused("servers", "PORT=70000",
                           error=f"argument --port: must be from 0 to {65536 - len(SESSION)}")
        self.assertRefused("demo", "DELAY=abc", error="argument --delay: invalid float value")
        self.assertRefused("demo", "DELAY=-1", error="argument --delay: must be from 0 to 1e9")

    def test_a_port_that_is_taken(self):
        """The server's own line says so."""
        _, port = self.listen()
        self.assertRefused("servers", f"PORT={port}",
                           error=f"{os.strerror(errno.EADDRINUSE)} .* {port}\\)")

    def test_a_tool_says_when_a_server_does_not_start(self):
        """Here the poem is missing: argparse's error is the one line that is shown."""
        code = ("from tests import support; support.run(lambda: "
                "support.start_server('poetry/none.txt', 10, 0))")
        program = self.start([sys.executable, "-c", code])
        self.assertEnded(program, 1, ".*argument poetry-file: 'poetry/none.txt' must be .*")


class Benchmark(ToolCase):
    """make bench measures both clients."""

    def test_its_table_has_the_form_of_the_one_in_the_readme(self):
        """No expected time is undercut. The quotient is above 1 if the async client was faster."""
        program = self.start_make("bench", "QUICK=1")
        self.assertToolEnded(program, 0)
        self.assertLessEqual(max(map(len, program.printed)), 80)
        rows = [[float(cell) for cell in line[35:].split()] for line in program.printed[-5:]]
        session = [round(DELAY / 100 * times, 2) for times in (sum(CHUNKS), max(CHUNKS))]
        self.assertEqual([row[1::2] for row in rows], [
            [0.03, 0.03], session, [0.06, 0.01], [0.06, 0.03], [0, 0]])
        for blocking_time, expected, async_time, longest, as_fast in rows:
            self.assertGreaterEqual(blocking_time, expected)
            self.assertGreaterEqual(async_time, longest)
            self.assertGreaterEqual((blocking_time - async_time) * (as_fast - 1), 0)  # same sign

        def form(text):
            text = text.replace("Every sleep is a hundred times shorter than the table says.\n", "")
            return re.sub(" +", " ", re.sub(r"[0-9]+(\.[0-9]+)*", "N", text))

        self.assertEqual(form("\n".join(program.printed)), form(block_in_readme("Python")))

    def test_a_client_that_fails(self):
        """One line says so."""
        server = self.start_server(SCIENCE)
        _, server.port = self.hold_port("127.0.0.1")
        for script in (BLOCKING, ASYNC):
            with self.subTest(script), \
                    self.assertRaisesRegex(ToolError, "not all poems came. Task 1: no poetry"):
                bench.measure(script, [server])


class Help(ToolCase):
    """make help and the README say what there is."""

    def test_all_targets_are_named(self):
        """And nothing else."""
        program = self.start_make("help")
        self.assertToolEnded(program, 0)
        targets = set(re.findall("(?m)^([a-z]+):", read_text("Makefile")))
        for text in ("\n".join(program.printed), read_text("README.md")):
            named = set(re.findall(r"(?m)(?:`|^)make ([a-z]+)", text))
            self.assertEqual(named, targets - {"help"})

    def test_make_passes_only_what_was_asked_for(self):
        """So the defaults are those of the tools and of the server."""
        for target in ("demo", "servers"):
            program = self.start_make("--dry-run", target)
            self.assertEqual(program.wait(), 0, program)
            self.assertNotIn("--", " ".join(program.printed).replace("--dry-run", ""))
        program = self.start_make("--dry-run", "servers", "DELAY=1", "PORT=2")
        program.expect('exec .* -m tests.servers --delay "1" --port "2"')

    def test_the_defaults_in_the_texts(self):
        """These say the server's own defaults, the times that follow from them, and the ports."""
        with mock.patch("sys.argv", [SERVER, SCIENCE]):
            args = load(SERVER).parse_args()
        ports = f"ports {PORT} to {PORT + len(SESSION) - 1},"
        blocking_time = args.delay * sum(CHUNKS)
        async_time = args.delay * max(CHUNKS)
        session = math.ceil(blocking_time + async_time)
        for path, text in (("Makefile", ports),
                           ("Makefile", f"after each chunk, not {args.delay}"),
                           ("Makefile", f"({session} s)"),
                           ("README.md", ports),
                           ("README.md", f"sends {args.num_bytes} bytes and then sleeps "
                                         f"for {args.delay} seconds"),
                           ("README.md", f"after {session} seconds"),
                           (BLOCKING, f"about {blocking_time:.0f} seconds"),
                           (ASYNC, f"about {async_time:.0f} seconds")):
            with self.subTest(path, text=text):
                if text not in " ".join(read_text(path).split()):
                    self.fail(f"{path} should say {text!r}; look for more that is out of date")
