"""What the person at the terminal does: Ctrl-C, pipes, full disks, and file names of every kind."""

import contextlib
import os
import re
import unittest

from case import CLIENTS, Case, read_all
from support import SERVER, environment


class ControlC(Case):
    """Ctrl-C in every state: no traceback, nothing on stderr at all, status 130."""

    def assertInterrupted(self, program):
        """Press Ctrl-C."""
        self.assertEqual(program.interrupt(), 130, program)
        self.assertEqual(program.stderr, [])

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
        server = self.server(self.poem(bytes(1 << 26)), "--num-bytes", str(1 << 26))
        self.call(server.port).recv(1)
        self.assertInterrupted(server)

    def test_the_clients_while_they_receive(self):
        """In recv() and in select()."""
        for kind in CLIENTS:
            with self.subTest(kind):
                peer, port = self.peer()
                client = self.client(kind, port)
                self.accept(peer).sendall(b"half a poem")
                client.wait_for("^Task 1: (get poetry from|got 11 bytes)")
                self.assertInterrupted(client)

    def test_the_clients_while_they_connect(self):
        """To a server that does not answer."""
        for kind in CLIENTS:
            with self.subTest(kind):
                port = self.full_peer()
                client = self.client(kind, port)
                self.wait_until_connecting(port)
                self.assertInterrupted(client)


class Output(Case):
    """Where the lines go."""

    def test_a_pipe_that_nobody_reads_any_more(self):
        """As with head -1: one line is read, and what comes after it ends the program without a traceback."""
        for script in (SERVER, *CLIENTS.values()):
            with self.subTest(script):
                reader, writer = os.pipe()
                peer, port = self.peer()
                program = self.program(script, "poetry/science.txt" if script == SERVER else port, stdout=writer)
                os.close(writer)
                with open(reader) as pipe:
                    if script == CLIENTS["async"]:
                        sock = self.accept(peer)
                        sock.sendall(b"x")
                    line = pipe.readline()
                if script == SERVER:
                    self.call(re.search(r"([0-9]+)\.$", line)[1])
                elif script == CLIENTS["blocking"]:
                    self.accept(peer).close()
                else:
                    sock.close()
                self.assertEnded(program, 1, r".*\.py: .*Broken pipe")

    def test_a_full_disk(self):
        """/dev/full takes nothing: one line says so."""
        for script in (SERVER, *CLIENTS.values()):
            with self.subTest(script), open("/dev/full", "wb") as full:
                argument = "poetry/science.txt" if script == SERVER else self.poet()
                program = self.program(script, argument, stdout=full)
                self.assertEnded(program, 1, r".*\.py: .*No space left on device")

    def test_a_closed_output(self):
        """Started with >&- the programs have nowhere to print, and work all the same."""
        closed = ("sh", "-c", 'exec "$@" >&-', "sh")
        for kind in CLIENTS:
            with self.subTest(kind):
                self.assertEnded(self.client(kind, self.poet(), prefix=closed), 0)
        sock, port = self.peer()
        sock.close()
        server = self.program(SERVER, "--port", str(port), "poetry/science.txt", prefix=closed)
        while server.process.poll() is None:
            with contextlib.suppress(ConnectionRefusedError):
                self.assertEqual(len(self.call(port).recv(10)), 10)
                break
        self.assertEqual(server.interrupt(), 130, server)


class FileNames(Case):
    """A poem may have any name, in any locale: it is served, and its name is printed somehow."""

    def test_names_of_every_kind(self):
        """Spaces, quotes, other letters, and bytes that are not UTF-8."""
        locales = {
            "UTF-8": {"LC_ALL": "C.UTF-8"},
            "C": {"LC_ALL": "C"},
            "C without UTF-8 mode": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
            "strict": {"PYTHONIOENCODING": "utf-8:strict"},
        }
        for name in (b"two words", b"'\"`$x%s{0}", "\u00fcber \u8a69 \U0001f40c".encode(), b"caf\xe9 \xff"):
            path = self.poem(b"poem", os.fsdecode(name))
            programs = {locale: self.program(SERVER, path, "--delay", "0", env=environment(**variables))
                        for locale, variables in locales.items()}
            ports = {locale: program.wait_for(r"^Serving .* on port ([0-9]+)\.$")[1]
                     for locale, program in programs.items()}
            for port in ports.values():
                self.assertEqual(read_all(self.call(port)), b"poem")
            os.rename(path, path + ".away")
            for locale, program in programs.items():
                with self.subTest(locale, name=name):
                    self.assertEqual(read_all(self.call(ports[locale])), b"")
                    program.wait_for("^No poetry for .*: .*No such file", stream="stderr")
                    self.assertEqual(len(program.stderr), 1, program)

    def test_host_names_of_every_kind(self):
        """The clients print them too."""
        for kind in CLIENTS:
            for host in ("\u00fc\u00fc..", "\udcff"):
                with self.subTest(kind, host=ascii(host)):
                    client = self.client(kind, f"{host}:10000", env=environment(PYTHONIOENCODING="utf-8:strict"))
                    self.assertEnded(client, 1, "Task 1: no poetry from .*:10000: .*")


if __name__ == "__main__":
    unittest.main()
