"""A wrong command line: one line on stderr that names the argument and what it may be, and nothing started."""

import os
import select
import unittest

from case import CLIENTS, Case, read_all
from support import SERVER

POEM = "poetry/science.txt"
NOT_WHOLE = ["", "ten", "-1", "+1", "1.5", "0x10", "1_0", " 10", "10\n", "٣", "１０", "²", "9" * 5000]
WITHOUT_ROOT = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")


class CommandLine(Case):
    """Each wrong argument is refused with status 2 before anything else happens."""

    def assertRefused(self, program, argument, meaning):
        """Check the usage line and the error line; nothing was printed as a result."""
        self.assertEqual(program.wait(), 2, program)
        self.assertEqual(program.stdout, [])
        self.assertEqual(len(program.stderr), 2, program)
        self.assertRegex(program.stderr[0], "^usage: ")
        self.assertRegex(program.stderr[1], rf"^[a-z-]+\.py: error: .*{argument}.*{meaning}")

    def test_the_server_refuses_what_is_no_number(self):
        """--port takes 0 to 65535, --num-bytes 1 and up, --delay what time.sleep() takes."""
        not_seconds = ["", "ten", "nan", "inf", "-inf", "infinity", "1e10", "1e999", "1e+1", ".", "1.2.3", "-0.1", "+1",
                       "0x10", "1_0", " 10", "10\n", "٣.٣"]
        for option, values, meaning in (
                ("--port", NOT_WHOLE + ["65536", "100000"], "is not a whole number from 0 to 65535"),
                ("--num-bytes", ["", "ten", "-1", "1.5", "0", "1" + "0" * 30], "is not a whole number from 1 to [0-9]+"),
                ("--delay", not_seconds, "is not a number of seconds from 0 to 9e9")):
            programs = {value: self.program(SERVER, f"{option}={value}", POEM) for value in values}
            for value, program in programs.items():
                with self.subTest(option, value=value[:10]):
                    self.assertRefused(program, f"argument {option}", meaning)

    def test_the_server_refuses_an_empty_interface(self):
        """The empty name would mean every interface."""
        self.assertRefused(self.program(SERVER, "--iface", "", POEM),
                           "argument --iface: ", "'' is not a host name or address of this machine$")

    def test_the_server_takes_exactly_one_readable_regular_file(self):
        """Not none, two, a missing one, a directory, a device, a named pipe, or one it may not read."""
        fifo, secret = self.poem(b"", "fifo"), self.poem(b"", "secret")
        os.remove(fifo)
        os.mkfifo(fifo)
        os.chmod(secret, 0)
        self.assertRefused(self.program(SERVER), "poetry-file", "")
        self.assertRefused(self.program(SERVER, POEM, POEM), "", "unrecognized arguments: poetry/science.txt")
        for path in ("poetry/none.txt", "", "poetry", "/dev/null", fifo, f"{POEM}/x", secret):
            with self.subTest(path):
                prefix = WITHOUT_ROOT if path == secret and os.geteuid() == 0 else ()
                self.assertRefused(self.program(SERVER, path, prefix=prefix),
                                   "argument poetry-file", "not a readable regular file")

    def test_the_server_takes_every_number_in_range(self):
        """A byte count beyond the poem is one send and takes no memory; a delay may be as short or long as can be."""
        bounded = ("sh", "-c", 'ulimit -v 1000000; exec "$@"', "sh")
        for num_bytes in ("4000000000", "9223372036854775807"):
            server = self.server(POEM, "--num-bytes", num_bytes, "--delay", "0", prefix=bounded)
            self.assertEqual(len(read_all(self.call(server.port))), 653)
            server.interrupt()
            self.assertEqual(server.stdout[2:], ["Sending 653 bytes"])
        for delay in ("0", "0.", "1e-3", "1029384756.", "1029384756.1029384756", ".1029384756", "5e-1029384756"):
            with self.subTest(delay):
                server = self.server(POEM, "--delay", delay)
                self.assertEqual(self.call(server.port).recv(10), b"Sonnet - T")
        server = self.server(POEM, "--delay", "9e9")
        caller = self.call(server.port)
        self.assertEqual(len(caller.recv(100)), 10)
        self.assertEqual(select.select([caller], [], [], 0.2)[0], [])
        self.assertEqual(server.interrupt(), 130)

    def test_the_clients_refuse_what_is_no_address(self):
        """One wrong address among good ones, and no server is called."""
        ports = NOT_WHOLE + ["0", "65536"]
        wrong = ports + [f"localhost:{port}" for port in ("", "0", "+1", "65536")] + [
            "localhost", "a b:10000", "http://localhost:10000", "::1:10000", "[::1]:10000", "localhost:10000/", "-"]
        for kind, wrong in (("blocking", wrong), ("async", wrong[-4:])):  # the function is the same in both
            peer, port = self.peer()
            programs = {address: self.client(kind, "--", port, address) for address in wrong}
            for address, program in programs.items():
                with self.subTest(kind, address=address[:20]):
                    self.assertRefused(program, r"argument \[hostname\]:port",
                                       r"is not \[hostname\]:port with a port from 1 to 65535")
            self.assertEqual(select.select([peer], [], [], 0)[0], [])

    def test_the_clients_take_every_port(self):
        """From 1 to 65535, both included: nobody is there, but that is another matter."""
        for kind in CLIENTS:
            with self.subTest(kind):
                client = self.client(kind, "1", "65535")
                self.assertNotEqual(client.wait(), 2, client)
                self.assertRegex(client.stdout[-1], "^Got [0-2] poems in ")

    def test_the_clients_need_an_address(self):
        """Without one there is nothing to do."""
        for kind in CLIENTS:
            with self.subTest(kind):
                self.assertRefused(self.client(kind), "", r"required: \[hostname\]:port")

    def test_help_fits_a_narrow_terminal(self):
        """--help works at any width and shows the command line."""
        for script in (SERVER, *CLIENTS.values()):
            for columns in ("20", "80"):
                with self.subTest(script, columns=columns):
                    program = self.program(script, "--help", prefix=("env", f"COLUMNS={columns}"))
                    self.assertEqual(program.wait(), 0, program)
                    self.assertRegex(program.stdout[0], r"^usage: .*\.py .*(poetry-file|\[hostname\]:port \.\.\.)$")


if __name__ == "__main__":
    unittest.main()
