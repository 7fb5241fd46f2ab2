"""make demo and make servers: the tutorial's session in one terminal, with nothing left running."""

import contextlib
import os
import signal
import socket
import unittest

from case import Case, poem_bytes, read_all
from support import ROOT

DEMO = os.path.join(ROOT, "tests", "demo.py")
SERVERS = os.path.join(ROOT, "tests", "servers.py")


class OneTerminal(Case):
    """Each runs in a session of its own, as in a terminal of its own, where Ctrl-C reaches every process."""

    def test_the_demo_shows_both_clients(self):
        """It needs none of the tutorial's ports, shows each client's lines, and succeeds."""
        for port in (10000, 10001, 10002):
            with contextlib.suppress(OSError):  # if taken, then all the better
                self.enter(socket.create_server(("localhost", port)))
        demo = self.in_terminal(DEMO, "--delay", "0.002")
        self.assertEqual(demo.wait(), 0, demo)
        self.assertEqual(demo.stderr, [])
        output = "\n".join(demo.stdout)
        for poem in ("ecstasy", "fascination", "science"):
            self.assertRegex(output, f"(?m)^Serving poetry/{poem}.txt on port [0-9]+\\.$")
        self.assertRegex(output, r"(?ms)^\$ python3 blocking-client/get-poetry.py( [0-9]+){3}\nTask 1: get poetry from"
                                 r".*^Got 3 poems in .*^\$ python3 async-client/get-poetry.py( [0-9]+){3}\nTask "
                                 r".*^Task 1: 3003 bytes of poetry$.*^Got 3 poems in ")
        self.assertNothingLeft(demo)

    def test_the_demo_shows_lines_as_they_come(self):
        """The first client's first line is there while that client waits for its first poem."""
        demo = self.in_terminal(DEMO, "--delay", "100")
        demo.wait_for("^Task 1: get poetry from: 127.0.0.1:[0-9]+$")

    def test_the_demo_leaves_no_process_however_it_ends(self):
        """Ctrl-C, a kill, a closed terminal, an output nobody reads, a server that does not start."""
        for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)):
            with self.subTest(number):
                demo = self.in_terminal(DEMO, "--delay", "100")
                demo.wait_for("^Task 1: get poetry")
                if number == signal.SIGINT:
                    os.killpg(demo.process.pid, number)
                else:
                    demo.process.send_signal(number)
                self.assertEqual(demo.wait(), status, demo)
                self.assertNotIn("Traceback", "\n".join(demo.stderr))
                self.assertNothingLeft(demo)
        with self.subTest("an output nobody reads"):
            unread, output = os.pipe()
            demo = self.in_terminal(DEMO, "--delay", "100", stdout=output)
            os.close(output)
            os.close(unread)
            self.assertEqual(demo.wait(), 1, demo)
            self.assertEqual(demo.stderr, [])
            self.assertNothingLeft(demo)
        with self.subTest("a server that does not start"):
            demo = self.in_terminal(DEMO, "--delay", "nan")
            self.assertEqual(demo.wait(), 1, demo)
            self.assertIn("'nan' is not a number of seconds", "\n".join(demo.stderr))
            self.assertNothingLeft(demo)

    def test_make_servers_runs_all_three_until_ctrl_c(self):
        """Their lines come with the port in front, and their poems can be had."""
        servers = self.in_terminal(SERVERS, "--delay", "0", "--ports", "0", "0", "0")
        for poem in ("ecstasy.txt", "fascination.txt", "science.txt"):
            port = int(servers.wait_for(f"^0: Serving poetry/{poem} on port ([0-9]+)\\.$")[1])
            self.assertEqual(read_all(self.call(port)), poem_bytes(poem))
        servers.wait_for("^0: Sending 30 bytes$", count=100)
        os.killpg(servers.process.pid, signal.SIGINT)
        self.assertEqual(servers.wait(), 130, servers)
        self.assertEqual(servers.stderr, [])
        self.assertNothingLeft(servers)

    def test_make_servers_says_which_port_is_taken(self):
        """One taken port: a line that names it, and none of the servers goes on."""
        _, taken = self.peer()
        servers = self.in_terminal(SERVERS, "--ports", "0", str(taken), "0")
        self.assertEqual(servers.wait(), 1, servers)
        self.assertIn(f"{taken}: slowpoetry.py: cannot listen on localhost:{taken}: Address already in use",
                      "\n".join(servers.stdout))
        self.assertNothingLeft(servers)


if __name__ == "__main__":
    unittest.main()
