"""A wrong command line: usage and one line that names the argument and what it may be; status 2."""

import os

from tests.case import Case, load
from tests.support import BLOCKING, SERVER

POEM = "poetry/science.txt"


class CommandLine(Case):
    """Each wrong argument is refused before anything else happens."""

    def assertRefused(self, program, message):
        """Check the usage and the error line, and that there is nothing on stdout."""
        self.assertEqual(program.wait(), 2, program)
        self.assertEqual(program.stdout, [])
        *usage, error = program.stderr
        self.assertRegex("\n".join(usage), r"(?s)^usage: [a-z-]+\.py \[-h\] .*"
                                           r"(poetry-file|\[hostname\]:port \.\.\.\])$")
        self.assertRegex(error, rf"^[a-z-]+\.py: error: {message}$")

    def test_the_numbers_of_the_server(self):
        """--port takes 0 to 65535, --num-bytes 1 to 1 MiB, --delay 0 to 1e9 seconds."""
        for option, values, meaning in (
                ("--port", ["-1", "65536"], "must be from 0 to 65535"),
                ("--port", ["ten"], "invalid int value: .*"),
                ("--num-bytes", ["0", "1048577"], "must be from 1 to 1048576"),
                ("--num-bytes", ["1e3"], "invalid int value: .*"),
                ("--delay", ["-0.1", "nan", "1.1e9"], "must be from 0 to 1e9 seconds"),
                ("--delay", ["ten"], "invalid float value: .*")):
            for value in values:
                with self.subTest(option, value=value):
                    self.assertRefused(self.program(SERVER, f"{option}={value}", POEM),
                                       f"argument {option}: {meaning}")

    def test_the_smallest_and_largest_numbers_are_accepted(self):
        """The server starts and sends with them; test_server_faults has port 65535."""
        for options in (["--num-bytes", "1048576", "--delay", "0"], ["--delay", "1e9"],
                        ["--num-bytes", "1"], ["--port", "0"]):
            server = self.server(POEM, *options)
            self.assertEqual(self.call(server.port).recv(1), b"S")

    def test_an_interface_that_is_no_ascii_name_is_refused(self):
        """The empty name would mean every interface; others make create_server() a traceback."""
        for iface in ("", "ä..b", os.fsdecode(b"caf\xe9")):
            with self.subTest(iface):
                self.assertRefused(self.program(SERVER, "--iface", iface, POEM), "argument --iface: "
                                   "must be an ASCII name or an address of this machine")

    def test_the_server_takes_one_regular_file(self):
        """It refuses no file, two files, a missing file, a directory, and a device."""
        self.assertRefused(self.program(SERVER),
                           "the following arguments are required: poetry-file")
        self.assertRefused(self.program(SERVER, POEM, POEM), f"unrecognized arguments: {POEM}")
        for path in ("poetry/none.txt", "", "poetry", "/dev/null"):
            with self.subTest(path):
                self.assertRefused(self.program(SERVER, path), f"argument poetry-file: '{path}' "
                                   "must be an existing regular file")

    def test_the_addresses_of_the_clients(self):
        """One wrong address among good ones, and no server is called."""
        listener, port = self.listener()
        for address in ("", "0", "65536", "ten", "9" * 5000, "localhost", "localhost:", ":",
                        "localhost:10000/", "[::1]", "über:10000"):
            with self.subTest(address[:20]):
                self.assertRefused(self.program(BLOCKING, port, address),
                                   r"argument \[hostname\]:port: '.*' is not \[hostname\]:port "
                                   "with an ASCII hostname and a port from 1 to 65535")
        self.assertRefused(self.program(BLOCKING),
                           r"the following arguments are required: \[hostname\]:port")
        listener.settimeout(0)
        with self.assertRaises(BlockingIOError):
            listener.accept()

    def test_the_clients_take_every_port(self):
        """From 1 to 65535."""
        self.assertEqual([*map(load(BLOCKING).parse_address, ["1", "host:65535"])],
                         [("127.0.0.1", 1), ("host", 65535)])

    def test_help_tells_the_defaults(self):
        """Those of the server's options, and of the clients' hostname."""
        for script, defaults in ((SERVER, ["localhost", "10", "0.1"]), (BLOCKING, ["127.0.0.1"])):
            program = self.program(script, "--help")
            self.assertEnded(program, 0)
            for default in defaults:
                self.assertRegex("\n".join(program.stdout), rf"(default: |means ){default}\b")
