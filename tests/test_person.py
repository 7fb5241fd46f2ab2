"""What the person at the terminal does: the command line, Ctrl-C, pipes, full disks, file names."""

import os
import signal

from tests.support import ASYNC, BLOCKING, SCIENCE, SCRIPTS, SERVER, Case, load


class CommandLine(Case):
    """Each wrong argument is refused before anything else happens."""

    def assertRefused(self, program, message):
        """Check that nothing is printed but usage and error line, and the status."""
        self.assertIsNone(next(program.lines(), None), program)
        self.assertEqual(program.wait(), 2, program)
        *usage, error = program.errors()
        self.assertRegex("\n".join(usage), r"(?s)^usage: [a-z-]+\.py \[-h\] .*"
                                           r"(poetry-file|\[hostname\]:port \.\.\.\])$")
        self.assertRegex(error, rf"^[a-z-]+\.py: error: {message}$")

    def test_the_options_of_the_server(self):
        """An empty --iface would mean every interface; one that is not ASCII was a traceback."""
        for option, values, meaning in (
                ("--port", ["-1", "65536"], "must be from 0 to 65535"),
                ("--port", ["ten"], "invalid int value: .*"),
                ("--num-bytes", ["0", "1048577"], "must be from 1 to 1048576"),
                ("--num-bytes", ["1e3"], "invalid int value: .*"),
                ("--delay", ["-0.1", "nan", "1.1e9"], "must be from 0 to 1e9 seconds"),
                ("--delay", ["ten"], "invalid float value: .*"),
                ("--iface", ["", "ä..b", os.fsdecode(b"caf\xe9")],
                 "must be an ASCII name or an address of this machine")):
            for value in values:
                with self.subTest(option, value=value):
                    self.assertRefused(self.script(SERVER, f"{option}={value}", SCIENCE),
                                       f"argument {option}: {meaning}")

    def test_the_largest_numbers_are_accepted(self):
        """The server sends with them; test_server has port 65535, and the smallest ones."""
        server = self.server(SCIENCE, "--num-bytes", "1048576", "--delay", "1e9")
        self.assertEqual(self.call(server.port).recv(1), b"S")

    def test_the_server_takes_one_regular_file(self):
        """It refuses no file, two files, a missing file, a directory, and a device."""
        self.assertRefused(self.script(SERVER), "the following arguments are required: poetry-file")
        self.assertRefused(self.script(SERVER, SCIENCE, SCIENCE),
                           f"unrecognized arguments: {SCIENCE}")
        for path in ("poetry/none.txt", "", "poetry", "/dev/null"):
            with self.subTest(path):
                self.assertRefused(self.script(SERVER, path), f"argument poetry-file: '{path}' "
                                   "must be an existing regular file")

    def test_the_addresses_of_the_clients(self):
        """One wrong address among good ones."""
        for address in ("", "0", "65536", "ten", "9" * 5000, "localhost", "localhost:", ":",
                        "localhost:10000/", "[::1]", "über:10000"):
            with self.subTest(address[:20]):
                self.assertRefused(self.script(BLOCKING, "1", address),
                                   r"argument \[hostname\]:port: '.*' is not \[hostname\]:port "
                                   "with an ASCII hostname and a port from 1 to 65535")
        self.assertRefused(self.script(BLOCKING),
                           r"the following arguments are required: \[hostname\]:port")
        self.assertEqual([*map(load(BLOCKING).parse_address, ["1", "host:65535"])],
                         [("127.0.0.1", 1), ("host", 65535)])

    def test_help_tells_the_defaults(self):
        """Those of the server's options, and of the clients' hostname."""
        for script, defaults in ((SERVER, ["localhost", "10", "0.1"]), (BLOCKING, ["127.0.0.1"])):
            program = self.script(script, "--help")
            self.assertEnded(program, 0)
            for default in defaults:
                self.assertRegex("\n".join(program.printed), rf"(default: |means ){default}\b")


class AllScripts(Case):
    """The server with a poem, and each client with a server that the test plays."""

    def start(self, script, **options):
        """Start a script, and return it with the listener that a client calls."""
        listener, port = self.listener()
        return self.script(script, SCIENCE if script == SERVER else port, **options), listener

    def test_ctrl_c_ends_each_by_the_signal_itself(self):
        """Without a word, even if sh has started it in the background, with Ctrl-C ignored."""
        for prefix in [], ["sh", "-c", 'trap "" INT; exec "$@"', "sh"]:
            for script in SCRIPTS:
                with self.subTest(script, prefix=prefix):
                    program, listener = self.start(script, prefix=prefix)
                    if script != SERVER:
                        self.accept(listener).sendall(b"half a poem")
                    program.wait_for("^Serving|^Task 1: (get poetry from|got 11 bytes)")
                    program.process.send_signal(signal.SIGINT)
                    self.assertEnded(program, -signal.SIGINT)

    def test_a_pipe_that_nobody_reads_any_more(self):
        """As with head: the next line ends the program, and one on stderr says why."""
        for script in SCRIPTS:
            with self.subTest(script):
                program, listener = self.start(script)
                if script == SERVER:
                    self.call(program.wait_for_port())
                    program.wait_for("^Somebody")
                    program.process.stdout.close()
                else:
                    sock = self.accept(listener)
                    sock.sendall(b"half a poem")
                    program.wait_for("^Task 1: ")
                    program.process.stdout.close()
                    sock.close()
                self.assertEnded(program, 1, f"{os.path.basename(script)}: Broken pipe")

    def test_a_full_disk(self):
        """/dev/full takes nothing: one line says so."""
        for script in SCRIPTS:
            with self.subTest(script), open("/dev/full", "wb") as full:
                program, listener = self.start(script, stdout=full)
                if script == ASYNC:  # the blocking client prints before it connects
                    self.serve(listener)
                name = os.path.basename(script)
                self.assertEnded(program, 1, f"{name}: No space left on device")

    def test_file_names_of_every_kind(self):
        """Spaces, quotes, other letters, bytes that are not UTF-8: each is printed somehow."""
        for name in (b"two words", b"'\"`$x%s{0}", "über 詩".encode(), b"caf\xe9"):
            with self.subTest(name):
                path = self.poem_file(b"poem", os.fsdecode(name))
                server = self.server(path, prefix=["env", "PYTHONIOENCODING=ascii:strict"])
                self.assertEqual(self.call(server.port).recv(4), b"poem")
