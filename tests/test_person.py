"""What the person at the terminal does: Ctrl-C, pipes, full disks, and file names of every kind."""

import os
import re
import signal

from tests.case import Case, read_all
from tests.support import SCRIPTS, SERVER, environment, python


class ControlC(Case):
    """Ctrl-C ends each program by the signal itself, without a word."""

    def test_at_a_terminal(self):
        """While the server listens, and while each client waits for more of a poem.

        In the background of a script sh starts them with Ctrl-C ignored; they end all the same.
        """
        ignored = ["sh", "-c", 'trap "" INT; exec "$@"', "sh"]
        for prefix in ([], ignored):
            for script in SCRIPTS:
                with self.subTest(script, prefix=prefix):
                    listener, port = self.listener()
                    argument = "poetry/science.txt" if script == SERVER else port
                    terminal = self.terminal(*prefix, *python(script, argument))
                    if script == SERVER:
                        terminal.wait_for("^Serving")
                    else:
                        self.accept(listener).sendall(b"half a poem")
                        terminal.wait_for("^Task 1: (get poetry from|got 11 bytes)")
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
                listener, port = self.listener()
                program = self.program(script, "poetry/science.txt" if script == SERVER else port,
                                       stdout=writer)
                os.close(writer)
                with open(reader) as pipe:
                    if script != SERVER:
                        sock = self.accept(listener)
                        sock.sendall(b"x")
                    line = pipe.readline()
                if script == SERVER:
                    self.call(re.search(r"([0-9]+)\.$", line)[1])
                else:
                    sock.close()
                self.assertEnded(program, 1, f"{os.path.basename(script)}: Broken pipe")

    def test_a_pipe_that_breaks_during_the_poem(self):
        """The server does not take it for the caller's fault, and ends, buffered or not."""
        for env in (environment(), environment(PYTHONUNBUFFERED="1")):
            with self.subTest(unbuffered="PYTHONUNBUFFERED" in env):
                reader, writer = os.pipe()
                server = self.program(SERVER, self.poem_file(1 << 25), "--num-bytes", "1048576",
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
                argument = "poetry/science.txt" if script == SERVER else self.quick_server()
                program = self.program(script, argument, stdout=full)
                self.assertEnded(program, 1,
                                 f"{os.path.basename(script)}: No space left on device")

    def test_file_names_of_every_kind(self):
        """Spaces, quotes, other letters, bytes that are not UTF-8: each is printed somehow."""
        for encoding in ("utf-8:strict", "ascii:strict"):
            for name in (b"two words", b"'\"`$x%s{0}", "über 詩".encode(), b"caf\xe9"):
                with self.subTest(encoding, name=name):
                    path = self.poem_file(b"poem", os.fsdecode(name))
                    server = self.server(path, env=environment(PYTHONIOENCODING=encoding))
                    self.assertEqual(self.call(server.port).recv(4), b"poem")
                    self.assertInterrupted(server)
