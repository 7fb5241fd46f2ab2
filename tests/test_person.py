"""What the person at the terminal does: Ctrl-C, pipes, full disks, and names of every kind."""

import os
import re
import signal
import unittest

from case import CLIENTS, SCRIPTS, Case, read_all
from support import ASYNC_CLIENT, BLOCKING_CLIENT, SERVER, environment, python


class ControlC(Case):
    """Ctrl-C in every state: the program dies of the signal at once, without a word."""

    def receiving(self, kind, **options):
        """Start a client and let it receive half a poem."""
        peer, port = self.peer()
        client = self.client(kind, port, **options)
        self.accept(peer).sendall(b"half a poem")
        client.wait_for("^Task 1: (get poetry from|got 11 bytes)")
        return client

    def test_the_server_while_it_listens(self):
        """The state that looks like hanging."""
        self.assertInterrupted(self.server("poetry/science.txt"))

    def test_the_server_while_it_sleeps(self):
        """Between two sends."""
        server = self.server("poetry/science.txt", "--delay", "100")
        self.assertEqual(len(self.call(server.port).recv(100)), 10)
        self.assertInterrupted(server)

    def test_the_server_while_it_sends(self):
        """To a caller who does not read."""
        server = self.server(self.poem(1 << 26), "--num-bytes", "1048576", "--delay", "0")
        self.call(server.port).recv(1)
        self.assertInterrupted(server)

    def test_the_clients_while_they_receive(self):
        """In recv() and in select()."""
        for kind in CLIENTS:
            with self.subTest(kind):
                self.assertInterrupted(self.receiving(kind))

    def test_in_the_background_of_a_script(self):
        """There sh starts a program with Ctrl-C ignored; these three end by it all the same."""
        ignored = ["sh", "-c", 'trap "" INT; exec "$@"', "sh"]
        server = self.program(SERVER, "poetry/science.txt", prefix=ignored)
        server.wait_for("^Serving")
        for program in (server, *(self.receiving(kind, prefix=ignored) for kind in CLIENTS)):
            with self.subTest(program):
                self.assertInterrupted(program)

    def test_at_a_terminal(self):
        """It dies of the signal there, too, so that a loop of bash's around it ends with it."""
        for script in SCRIPTS:
            with self.subTest(script):
                peer, port = self.peer()
                terminal = self.terminal(*python(script, "poetry/science.txt" if script == SERVER
                                                 else port))
                if script == SERVER:
                    terminal.wait_for("^Serving")
                else:
                    self.accept(peer)
                terminal.press(b"\x03")
                self.assertEqual(terminal.wait(), -signal.SIGINT, terminal)
                self.assertNotIn("Traceback", "\n".join(terminal.stdout))


class Output(Case):
    """Where the lines go."""

    def test_a_pipe_that_nobody_reads_any_more(self):
        """As with head -1: a line is read, and the next ends the program without a traceback."""
        for script in SCRIPTS:
            with self.subTest(script):
                reader, writer = os.pipe()
                peer, port = self.peer()
                program = self.program(script, "poetry/science.txt" if script == SERVER else port,
                                       stdout=writer)
                os.close(writer)
                with open(reader) as pipe:
                    if script == ASYNC_CLIENT:
                        sock = self.accept(peer)
                        sock.sendall(b"x")
                    line = pipe.readline()
                if script == SERVER:
                    self.call(re.search(r"([0-9]+)\.$", line)[1])
                elif script == BLOCKING_CLIENT:
                    self.accept(peer).close()
                else:
                    sock.close()
                self.assertEnded(program, 1, f"{os.path.basename(script)}: Broken pipe")

    def test_a_pipe_that_breaks_during_the_poem(self):
        """The server does not take it for a caller's fault, and ends, buffered or not."""
        for env in (environment(), environment(PYTHONUNBUFFERED="1")):
            with self.subTest(unbuffered="PYTHONUNBUFFERED" in env):
                reader, writer = os.pipe()
                server = self.program(SERVER, self.poem(1 << 25), "--num-bytes", "1048576",
                                      "--delay", "0", stdout=writer, env=env)
                os.close(writer)
                with open(reader) as pipe:
                    port = re.search(r"([0-9]+)\.$", pipe.readline())[1]
                    caller = self.call(port)
                    self.assertRegex(pipe.readline(), "^Somebody")
                read_all(caller)
                self.assertEnded(server, 1, "slowpoetry.py: Broken pipe")

    def test_a_full_disk(self):
        """/dev/full takes nothing: one line says so."""
        for script in SCRIPTS:
            with self.subTest(script), open("/dev/full", "wb") as full:
                argument = "poetry/science.txt" if script == SERVER else self.poet()
                program = self.program(script, argument, stdout=full)
                self.assertEnded(program, 1,
                                 f"{os.path.basename(script)}: No space left on device")


class Names(Case):
    """A poem may have any name, in any locale, and it is printed somehow."""

    def test_poems(self):
        """Spaces, quotes, other letters, and bytes that are not UTF-8."""
        plain_c = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
        for encoding, locale in (("utf-8:strict", {}), ("ascii:strict", plain_c)):
            env = environment(PYTHONIOENCODING=encoding, **locale)
            for name in (b"two words", b"'\"`$x%s{0}", "\u00fcber \u8a69".encode(), b"caf\xe9"):
                with self.subTest(encoding, name=name):
                    path = self.poem(b"poem", os.fsdecode(name))
                    server = self.server(path, "--delay", "0", env=env)
                    self.assertEqual(read_all(self.call(server.port)), b"poem")
                    self.assertInterrupted(server)


if __name__ == "__main__":
    unittest.main()
