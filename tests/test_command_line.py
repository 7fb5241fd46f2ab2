"""A wrong command line: usage and one line that names the argument and what it may be; status 2."""

import unittest

from case import CLIENTS, SCRIPTS, Case
from support import SERVER

POEM = "poetry/science.txt"
NO_PORT = "is not \\[hostname\\]:port with an ASCII hostname and a port from 1 to 65535"


class CommandLine(Case):
    """Each wrong argument is refused before anything else happens."""

    def assertRefused(self, program, message):
        """Check the usage and the error line; nothing was printed as a result."""
        self.assertEqual(program.wait(), 2, program)
        self.assertEqual(program.stdout, [])
        *usage, error = program.stderr
        self.assertRegex("\n".join(usage), r"(?s)^usage: [a-z-]+\.py \[-h\] .*"
                                           r"(poetry-file|\[hostname\]:port \.\.\.\])$")
        self.assertRegex(error, rf"^[a-z-]+\.py: error: {message}$")

    def test_the_servers_numbers(self):
        """--port takes 0 to 65535, --num-bytes 1 to 1 MiB, --delay 0 to 1e9 seconds."""
        for option, values, meaning in (
                ("--port", ["-1", "65536"], "must be from 0 to 65535"),
                ("--port", ["", "ten", "1.5"], "invalid int value: .*"),
                ("--num-bytes", ["-1", "0", "1048577"], "must be from 1 to 1048576"),
                ("--num-bytes", ["1e3"], "invalid int value: .*"),
                ("--delay", ["-0.1", "nan", "inf", "1.1e9"], "must be from 0 to 1e9 seconds"),
                ("--delay", ["", "ten"], "invalid float value: .*")):
            for value in values:
                with self.subTest(option, value=value):
                    self.assertRefused(self.program(SERVER, f"{option}={value}", POEM),
                                       f"argument {option}: {meaning}")

    def test_every_number_in_range_will_do(self):
        """The edges, and what int() and float() make of other spellings."""
        for options in (["--num-bytes", "1048576", "--delay", "0"], ["--delay", "5E-1"],
                        ["--delay", "1e9"], ["--num-bytes", "1", "--delay", "1e+1"],
                        ["--port", "0"]):
            with self.subTest(options):
                server = self.server(POEM, *options)
                self.assertEqual(self.call(server.port).recv(1), b"S")

    def test_an_empty_interface_is_none(self):
        """An empty name would mean every interface."""
        self.assertRefused(self.program(SERVER, "--iface", "", POEM),
                           "argument --iface: must be a name or an address of this machine")

    def test_the_server_takes_one_regular_file(self):
        """Not none, two, a missing one, a directory, or a device."""
        self.assertRefused(self.program(SERVER),
                           "the following arguments are required: poetry-file")
        self.assertRefused(self.program(SERVER, POEM, POEM), f"unrecognized arguments: {POEM}")
        self.assertRefused(self.program(SERVER, "--prot", "10000", POEM),
                           f"unrecognized arguments: --prot {POEM}")
        for path in ("poetry/none.txt", "", "poetry", "/dev/null"):
            with self.subTest(path):
                self.assertRefused(self.program(SERVER, path), f"argument poetry-file: '{path}' "
                                   "must be an existing regular file")

    def test_the_clients_addresses(self):
        """One wrong address among good ones, and no server is called."""
        for kind in CLIENTS:
            peer, port = self.peer()
            for address in ("", "0", "65536", "ten", "9" * 5000, "localhost", "localhost:", ":",
                            "localhost:10000/", "[::1]", "\u00fcber:10000"):
                with self.subTest(kind, address=address[:20]):
                    self.assertRefused(self.client(kind, port, address),
                                       rf"argument \[hostname\]:port: '.*' {NO_PORT}")
            with self.subTest(kind, address=None):
                self.assertRefused(self.client(kind),
                                   r"the following arguments are required: \[hostname\]:port")
            peer.settimeout(0)
            with self.assertRaises(BlockingIOError):
                peer.accept()

    def test_the_clients_take_every_port(self):
        """From 1 to 65535: whether somebody is there is another matter."""
        for kind in CLIENTS:
            with self.subTest(kind):
                client = self.client(kind, "1", "65535")
                client.wait()
                self.assertRegex(client.stdout[-1], "^Got [0-2] poems in ")

    def test_help(self):
        """--help works at any width, and tells the defaults."""
        for script in SCRIPTS:
            for columns in ("20", "80"):
                with self.subTest(script, columns=columns):
                    program = self.program(script, "--help", prefix=("env", f"COLUMNS={columns}"))
                    self.assertEnded(program, 0)
                    printed = " ".join(" ".join(program.stdout).split())
                    self.assertRegex(printed, "^usage: ")
                    if script == SERVER and columns == "80":
                        for default in ("(default: localhost)", "(default: 10)", "(default: 0.1)"):
                            self.assertIn(default, printed)


if __name__ == "__main__":
    unittest.main()
