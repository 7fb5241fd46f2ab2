"""What the person at the terminal does: the command line, Ctrl-C, pipes, full disks, file names."""

import errno
import os
import signal

from tests.support import ASYNC, BLOCKING, DELAY, NUM_BYTES, SCIENCE, SERVER
from tests.support import Case, load, serving


class CommandLine(Case):
    """Each wrong argument is refused before anything else happens."""

    def assertRefused(self, program, message):
        """Check that nothing is printed but the usage and one line with the error; status 2."""
        self.assertEqual(program.wait(), 2, program)
        self.assertEqual(program.printed, [], program)
        *usage, error = program.errors()
        self.assertRegex(" ".join(usage), r"^usage: (slowpoetry|get-poetry)\.py \[-h\] .*"
                                          r"(poetry-file|\[hostname\]:port \.\.\.\])$")
        self.assertRegex(error, rf"^(slowpoetry|get-poetry)\.py: error: {message}$")

    def assertOptionRefused(self, option, value, meaning):
        """Check that the server refuses this value, and says which values it takes."""
        with self.subTest(option, value=value):
            self.assertRefused(self.start_script(SERVER, f"{option}={value}", SCIENCE),
                               f"argument {option}: {meaning}")

    def test_a_port_is_a_number_up_to_65535(self):
        """0 means any free one; test_server has 65535."""
        for value in ("-1", "65536"):
            self.assertOptionRefused("--port", value, "must be from 0 to 65535")
        self.assertOptionRefused("--port", "ten", "invalid int value: 'ten'")

    def test_a_chunk_has_from_one_byte_to_a_mebibyte(self):
        """Both ends are accepted elsewhere in the tests."""
        for value in ("0", "1048577"):
            self.assertOptionRefused("--num-bytes", value, "must be from 1 to 1048576")
        self.assertOptionRefused("--num-bytes", "1e3", "invalid int value: '1e3'")

    def test_a_delay_is_a_number_of_seconds(self):
        """0 is accepted elsewhere in the tests."""
        for value in ("-0.1", "nan", "1.1e9"):
            self.assertOptionRefused("--delay", value, "must be from 0 to 1e9 seconds")
        self.assertOptionRefused("--delay", "ten", "invalid float value: 'ten'")

    def test_an_interface_is_not_empty_and_is_ascii(self):
        """Empty would mean every interface; other letters were a traceback."""
        for value in ("", "ä..b", os.fsdecode(b"caf\xe9")):
            self.assertOptionRefused("--iface", value,
                                     "must be an ASCII name or an address of this machine")

    def test_the_largest_numbers_are_accepted(self):
        """The server sends with them."""
        server = self.start_server(SCIENCE, "--num-bytes", "1048576", "--delay", "1e9")
        self.assertEqual(self.call(server.port).recv(1), b"S")

    def test_the_server_takes_one_regular_file(self):
        """It refuses no file, two files, a missing file, a directory and a device."""
        self.assertRefused(self.start_script(SERVER),
                           "the following arguments are required: poetry-file")
        self.assertRefused(self.start_script(SERVER, SCIENCE, SCIENCE),
                           f"unrecognized arguments: {SCIENCE}")
        for path in ("poetry/none.txt", "", "poetry", "/dev/null"):
            with self.subTest(path):
                self.assertRefused(
                    self.start_script(SERVER, path),
                    f"argument poetry-file: '{path}' must be an existing regular file")

    def test_the_clients_take_addresses(self):
        """One wrong address among good ones is enough; none at all is refused as well."""
        for address in ("", "0", "65536", "ten", "9" * 5000, "localhost", "localhost:", ":",
                        "localhost:10000/", "[::1]", "über:10000"):
            with self.subTest(address[:20]):
                self.assertRefused(self.start_script(BLOCKING, "1", address),
                                   r"argument \[hostname\]:port: '.*' is not \[hostname\]:port "
                                   "with an ASCII hostname and a port from 1 to 65535")
        self.assertRefused(self.start_script(BLOCKING),
                           r"the following arguments are required: \[hostname\]:port")

    def test_the_first_and_the_last_port(self):
        """Both are accepted in an address."""
        parse_address = load(BLOCKING).parse_address
        self.assertEqual(parse_address("1"), ("127.0.0.1", 1))
        self.assertEqual(parse_address("host:65535"), ("host", 65535))

    def test_an_option_that_does_not_exist(self):
        """It is named, and not ignored."""
        for script, argument in ((SERVER, SCIENCE), (BLOCKING, "1"), (ASYNC, "1")):
            with self.subTest(script):
                self.assertRefused(self.start_script(script, "--quite", argument),
                                   "unrecognized arguments: --quite")

    def assertHelp(self, script, *defaults):
        """Check that --help names these."""
        program = self.start_script(script, "--help")
        self.assertEnded(program, 0)
        text = " ".join(" ".join(program.printed).split())
        for default in defaults:
            self.assertIn(default, text)

    def test_help_tells_the_defaults(self):
        """Those of the server's options, and of the clients' hostname."""
        self.assertHelp(SERVER, *[f"(default: {default})"
                                  for default in (0, "localhost", NUM_BYTES, DELAY)])
        self.assertHelp(BLOCKING, "127.0.0.1")
        self.assertHelp(ASYNC, "127.0.0.1")


class CtrlC(Case):
    """It ends each script by the signal itself, without a word.

    So it does in the background of a shell script, where the shell has Ctrl-C ignored.
    """

    SETUPS = ["true", "trap '' INT"]

    def assertEndsByCtrlC(self, program):
        """Send it the signal, and check how it ends."""
        program.process.send_signal(signal.SIGINT)
        self.assertEnded(program, -signal.SIGINT)

    def test_the_server(self):
        """While it waits for a caller."""
        for setup in self.SETUPS:
            with self.subTest(setup):
                program = self.start_in_shell(setup, SERVER, SCIENCE)
                program.expect(serving())
                self.assertEndsByCtrlC(program)

    def test_the_blocking_client(self):
        """While it waits for the rest of a poem."""
        for setup in self.SETUPS:
            with self.subTest(setup):
                listener, port = self.listen()
                program = self.start_in_shell(setup, BLOCKING, port)
                program.expect("Task 1: get poetry from: .*")
                self.accept(listener).sendall(b"half a poem")
                self.assertEndsByCtrlC(program)

    def test_the_async_client(self):
        """While it waits for the rest of a poem."""
        for setup in self.SETUPS:
            with self.subTest(setup):
                listener, port = self.listen()
                program = self.start_in_shell(setup, ASYNC, port)
                self.accept(listener).sendall(b"half a poem")
                program.expect("Task 1: got 11 bytes .*")
                self.assertEndsByCtrlC(program)


class Output(Case):
    """Where the lines go."""

    def test_a_server_whose_output_nobody_reads_any_more(self):
        """As with head: its next line ends it, and one on stderr says why."""
        server = self.start_server(SCIENCE)
        self.call(server.port)
        server.expect("Somebody .*")
        server.process.stdout.close()
        self.assertEnded(server, 1, f"slowpoetry.py: {os.strerror(errno.EPIPE)}")

    def test_a_client_whose_output_nobody_reads_any_more(self):
        """The same."""
        for script, line in ((BLOCKING, "Task 1: get .*"), (ASYNC, "Task 1: got .*")):
            with self.subTest(script):
                listener, port = self.listen()
                client = self.start_script(script, port)
                sock = self.accept(listener)
                sock.sendall(b"half a poem")
                client.expect(line)
                client.process.stdout.close()
                sock.close()
                self.assertEnded(client, 1, f"get-poetry.py: {os.strerror(errno.EPIPE)}")

    def test_a_full_disk(self):
        """/dev/full takes nothing: one line says so."""
        if not os.path.exists("/dev/full"):
            self.skipTest("this system has no /dev/full")
        _, port = self.hold_port("127.0.0.1")
        full = self.stack.enter_context(open("/dev/full", "wb"))
        reason = os.strerror(errno.ENOSPC)
        self.assertEnded(self.start_script(SERVER, SCIENCE, stdout=full), 1,
                         f"slowpoetry.py: {reason}")
        self.assertEnded(self.start_script(BLOCKING, port, stdout=full), 1,
                         f"get-poetry.py: {reason}")
        self.assertEnded(self.start_script(ASYNC, port, stdout=full), 1,
                         "Task 1: no poetry from .*", f"get-poetry.py: {reason}")

    def test_file_names_of_every_kind(self):
        """Spaces, quotes, other letters, bytes that are not UTF-8: as they are, or as an escape."""
        for name in (b"two words", b"'\"`$x%s{0}", "über 詩".encode(), b"caf\xe9"):
            with self.subTest(name):
                path = self.write_poem(b"poem", os.fsdecode(name))
                server = self.start_in_shell("export PYTHONIOENCODING=ascii:strict", SERVER, path)
                port = int(server.expect(serving())[1])
                self.assertEqual(self.call(port).recv(4), b"poem")
                shown = path.encode("ascii", "backslashreplace").decode()
                self.assertIn(f" {shown} on port ", server.printed[0])
