"""What the README shows is what its commands print, and what it names is there."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import zlib

from tests.support import ASYNC, BLOCKING, DELAY, FASCINATION, NUM_BYTES, ROOT, SERVER
from tests.support import Case, predict, read_lines, read_text, receive_all

README = read_text("README.md")
BLOCK = re.compile("(?ms)^```(console|python)\n(.*?)^```$")
STOPPED = "Task 1: 960 bytes of poetry"  # what a client shows whose server is stopped meanwhile

# What a reader changes by hand: {copy of a file: (the text, what to write in its place)}
EDITS = {
    "async-client/without.py": ("sock.setblocking(False)", "# sock.setblocking(False)"),
    "async-client/shown.py": ("        pass\n    return received, False",
                              '        print("EWOULDBLOCK")\n    return received, False'),
}


def made_files():
    """Return the files that a reader makes: copies, outputs, and blocks that name a file."""
    made = re.findall(r"(?m)^\$ cp \S+ (\S+)$", README)
    made += re.findall(r"(?m)^\$ .* > (\S+)$", README)
    made += re.findall("(?m)^```python\n# (\\S+)$", README)
    return made


def normal(line):
    """Return a line without what differs from run to run: times, ports, sizes of what came."""
    line = re.sub(r"in [0-9]+:[0-9:.]+$", "in TIME", line.replace("192.168.1.20", "127.0.0.1"))
    line = re.sub(r"got [0-9]+ (bytes of poetry from \S+)$", r"got N \1", line)
    return re.sub(r"(port |:|', )[1-9][0-9]{3,4}\b", r"\1PORT", line)


class Session(Case):
    """The README's blocks, from the first to the last, in a copy of the directories.

    The servers get free ports in place of those in the README, and a hundredth of its delays.
    """

    def setUp(self):
        super().setUp()
        self.folder = os.path.dirname(self.write_poem(b""))
        for path in (SERVER, BLOCKING, ASYNC, FASCINATION):
            name = os.path.dirname(path)
            shutil.copytree(os.path.join(ROOT, name), os.path.join(self.folder, name))
        self.servers = {}  # {port in the README: our server in its place}
        self.commands = {}  # {port in the README: the command of this server}

    def path(self, name):
        """Return the path of a file in the copy of the directories."""
        return os.path.join(self.folder, name)

    def test_all_commands_show_what_the_readme_shows(self):
        """A block of Python that names its file is written there before the next command."""
        blocks = BLOCK.findall(README)
        self.assertGreater(len(blocks), 25)
        for kind, block in blocks:
            self.start_deadline()
            with self.subTest(block[:75]):
                if kind == "console":
                    self.check(*block.splitlines())
                elif name := re.match(r"# (\S+)\n", block):
                    with open(self.path(name[1]), "w", encoding="utf-8") as file:
                        file.write(block)

    def check(self, command, *expected):
        """Run a command, and compare what it prints; lines alone are those of the first server."""
        expected = list(expected)
        if not command.startswith("$ "):
            self.compare(self.lines_about_callers(self.servers["10000"]), [command, *expected])
            return
        command = command[2:]
        if command.startswith("cp "):
            self.copy(*command.split()[1:])
        elif "slowpoetry.py" in command or "silent.py" in command:
            self.compare(self.serve(command, stop=expected[-1:] == ["^C"]),
                         [line for line in expected if line != "^C"])
        elif command.startswith("netcat "):
            self.netcat(command, expected)
        elif "exercise4.py" in command:
            self.exercise_4(command, expected)
        elif "exercise3.py" in command:  # which poem comes first is up to the servers
            self.compare(sorted(self.run_client(command, expected)), sorted(expected))
        elif "grep -c EWOULDBLOCK" in command:
            self.compare([self.count_ewouldblock(command)], expected)
        else:
            self.compare(self.run_client(command, expected), expected)

    # What is done for a command:

    def copy(self, source, target):
        """Copy a file as cp does, and then edit the copy as the README says."""
        text = read_text(source)
        if target in EDITS:
            old, new = EDITS[target]
            self.assertEqual(text.count(old), 1, f"{old!r} has to be in {source} once")
            text = text.replace(old, new)
        if "exercise4" in target:
            answer = re.search("(?ms)^```python\n(def connect.*?)^```$", README)[1]
            text = re.sub(r"(?s)def connect.*?(?=\n\ndef main)", lambda _: answer, text)
        with open(self.path(target), "w", encoding="utf-8") as file:
            file.write(text)

    def serve(self, command, stop=False):
        """Start a server on a free port, and return its lines. With stop, Ctrl-C ends it."""
        _, script, *args = command.split()
        port = "0"
        if "silent.py" in script:
            port, args = args[0], ["0"]
        elif "--port" in args:
            position = args.index("--port")
            port = args[position + 1]
            del args[position:position + 2]
        if "slowpoetry.py" in script:
            delay = DELAY
            if "--delay" in args:
                delay = float(args[args.index("--delay") + 1])
            args += ["--delay", str(delay / 100)]
        args = ["127.0.0.1" if arg == "192.168.1.20" else arg for arg in args]
        if port in self.servers:
            self.servers[port].end()
        server = self.start([sys.executable, script, *args], cwd=self.folder)
        server.port = int(server.expect(".* on port ([0-9]+)[.]")[1])
        if stop:
            server.process.send_signal(signal.SIGINT)
            self.assertEqual(server.wait(), -signal.SIGINT, server)
        elif port != "0":
            self.servers[port] = server
            self.commands[port] = command
        return list(server.printed)

    def lines_about_callers(self, server):
        """Return the lines about a server's callers. They are complete when it has another one."""
        caller = self.call(server.port)
        server.wait_for(re.escape(f"Somebody at {caller.getsockname()} wants poetry!"))
        return server.printed[1:-1]

    def netcat(self, command, expected):
        """Get a poem as netcat does, without netcat, which may be called otherwise here."""
        port = re.search("localhost ([0-9]+)", command)[1]
        poem = receive_all(self.call(self.servers[port].port))
        if target := re.search(r"> (\S+)$", command):
            with open(self.path(target[1]), "wb") as file:
                file.write(poem)
        else:
            self.compare(poem.decode().splitlines(), expected)

    def translate(self, command):
        """Return a command with our Python, our addresses and our ports."""
        command = re.sub(r"\b1[0-9]{4}\b", lambda port: str(self.servers[port[0]].port), command)
        return command.replace("192.168.1.20", "127.0.0.1").replace("python3", sys.executable)

    def run_client(self, command, expected):
        """Run a client, and return what it prints. Servers that are missing end before."""
        text = "\n".join(expected)
        for port, server in list(self.servers.items()):
            if f":{port}: Connection refused" in text:
                server.end()
                server.port = self.hold_port("127.0.0.1")[1]
            elif server.process.poll() is not None and port in command:
                self.serve(self.commands[port])  # it was stopped before, and is started again
        server = self.servers["10000"]
        for _ in read_lines([server], timeout=0):
            pass  # lines about earlier clients
        client = self.start(["sh", "-c", self.translate(command)], cwd=self.folder,
                            stderr=subprocess.STDOUT)
        if STOPPED in expected:
            for _ in range(960 // 30):
                server.wait_for("Sending 30 bytes")
            server.process.send_signal(signal.SIGINT)
        self.assertEqual(client.wait(), 0, client)
        return client.printed

    def exercise_4(self, command, expected):
        """Run the answer until the last line that is shown, as it does not end soon by itself.

        The silent server has to be silent, and a connection that is refused has to be told.
        """
        with self.assertRaises(OSError):
            socket.create_connection(("127.0.0.1", self.servers["10003"].port), timeout=0.2)
        _, port = self.hold_port("127.0.0.1")
        client = self.start([sys.executable, "async-client/exercise4.py", str(port)],
                            cwd=self.folder, stderr=subprocess.STDOUT)
        client.expect("Task 1: no poetry from .*: Connection refused")
        self.assertEqual(expected[1], "...")
        client = self.start(["sh", "-c", f"exec {self.translate(command)}"], cwd=self.folder)
        self.assertEqual(normal(client.expect(".*")[0]), normal(expected[0].replace(
            "10001", str(self.servers["10001"].port))))
        client.wait_for(re.escape(expected[2]))

    def count_ewouldblock(self, command):
        """Return how often the edited copy prints it for the poem by Yeats, as grep -c does.

        The test is the server, and sends a chunk when the client has found nothing any more.
        """
        listener, port = self.listen()
        client = self.start([sys.executable, command.split()[1], str(port)], cwd=self.folder)
        sock = self.accept(listener)
        for _ in range(predict(FASCINATION, NUM_BYTES, 1)):
            sock.sendall(bytes(NUM_BYTES))
            client.wait_for("Task 1: got 10 bytes .*")
        sock.close()
        self.assertEqual(client.wait(), 0, client)
        return str(sum("EWOULDBLOCK" in line for line in client.printed))

    # How lines are compared:

    def compare(self, printed, expected):
        """Compare lines in their order; a line of dots stands for any lines.

        Only the order in which the tasks of an async client get on is up to the servers. So lines
        like "Task 1: got" and "Task 1 finished" may come in any order, before all others.
        """
        def progress(line):
            return re.match("Task [0-9](: got [0-9]+ bytes of poetry from [^ ]+$| finished$)", line)

        shown = {normal(line) for line in printed if progress(line)}
        wanted = {normal(line) for line in expected if progress(line)}
        dots = "..." in expected
        if wanted == shown or (dots and wanted < shown):
            pattern = ""
            for line in expected:
                if line == "...":
                    pattern += "(?:.*\n)*?"
                elif line == STOPPED:
                    pattern += "Task 1: [0-9]+ bytes of poetry\n"
                elif not progress(line):
                    pattern += re.escape(normal(line)) + "\n"
            rest = "".join(normal(line) + "\n" for line in printed if not progress(line))
            if re.fullmatch(pattern, rest):
                return
        if len(printed) > 40:
            printed = [*printed[:20], "(and so on)", *printed[-20:]]
        self.fail("\n".join(["The README shows this:", *expected, "The command shows this:",
                             *printed, "Change README.md or the script."]))


class Names(Case):
    """What the README names is there."""

    def test_what_it_links_to(self):
        """Files of the clone, and headings of the page."""
        headings = {re.sub("[^a-z -]", "", heading.lower()).replace(" ", "-")
                    for heading in re.findall("(?m)^#+ (.*)$", README)}
        for target in re.findall(r"\]\(([^)\s]+)\)", README):
            if target.startswith("#"):
                self.assertIn(target[1:], headings)
            elif "://" not in target:
                self.assertTrue(read_text(target))

    def test_files_in_its_commands(self):
        """They are in the clone, or the page makes them."""
        made = made_files()
        for path in re.findall(r"(?<![\w/.])(?:[a-z-]+/)+[\w-]+\.(?:py|txt|md)\b", README):
            if path not in made:
                self.assertTrue(read_text(path))

    def test_files_that_a_reader_makes_are_ignored_by_git(self):
        """Each has a line in .gitignore."""
        made = made_files()
        self.assertGreater(len(made), 8)
        self.assertEqual(set(made) - set(read_text(".gitignore").splitlines()), set())

    def test_lines_of_the_async_client(self):
        """They are in the function that is named with them."""
        lines = re.findall(r"`([^`\n]+)`\s+in\s+`(\w+)\(\)`", README)
        self.assertGreaterEqual(len(lines), 5)
        for text, function in lines:
            self.assertIn(text, re.search(rf"(?ms)^def {function}\(.*?^def ", read_text(ASYNC))[0])

    def test_lines_that_a_reader_edits(self):
        """Each is named on the page, and is in the source once."""
        for text in ("sock.setblocking(False)", "except BlockingIOError:"):
            self.assertIn(f"`{text}`", README)
            self.assertEqual(read_text(ASYNC).count(text), 1, text)


class Poems(Case):
    """Donne, Yeats and Poe, as the servers send them."""

    def test_the_poems_are_as_the_tutorial_has_them(self):
        """3003, 623 and 653 bytes, and a sum of the bytes, for misprints."""
        for name, size, checksum in (("ecstasy", 3003, 3392608533), ("science", 653, 2380871296),
                                     ("fascination", 623, 2030058835)):
            with open(os.path.join(ROOT, "poetry", f"{name}.txt"), "rb") as file:
                poem = file.read()
            self.assertEqual((len(poem), zlib.crc32(poem)), (size, checksum), name)
