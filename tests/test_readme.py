"""What the README says is so: its commands show what it shows, and what it names is there."""

import inspect
import os
import re
import shlex
import sys

from tests.case import Case, load, read
from tests.support import ASYNC, SCRIPTS, SERVER, environment, python, wait_until

README = read("README.md")

# As OpenBSD's netcat it stays after the server's end, until its own input ends or Ctrl-C.
STAND_IN = """#!/bin/sh
exec python3 -c '
import signal, socket, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
sock = socket.create_connection((sys.argv[1], sys.argv[2]))
for chunk in iter(lambda: sock.recv(4096), b""):
    sys.stdout.buffer.write(chunk)
    sys.stdout.flush()
sys.stdin.readline()
' "$@"
"""


def normal(text):
    """Return the text without what differs from run to run: ports and times."""
    text = re.sub(r"\b0:00:[0-9]{2}\.[0-9]{6}", "TIME", text)
    return re.sub(r"(port |:|', )[1-9][0-9]{3,4}\b", r"\1PORT", text)


def split_progress(text):
    """Return (the text without the async client's progress lines, the kinds of those lines).

    Their order and sizes are up to the servers.
    """
    progress = re.compile(r"^Task [0-9]+(: got )[0-9]+ bytes of poetry from [^ \n]+\n"
                          r"|^Task [0-9]+( finished)\n|^(EWOULDBLOCK)\n", re.MULTILINE)
    return progress.sub("", text), {"".join(filter(None, match.groups()))
                                    for match in progress.finditer(text)}


class Session(Case):
    """The console blocks, in their order and at a terminal, with delays divided by 100."""

    def setUp(self):
        self.servers = {}  # {the port in the README: our server in its place}
        self.python = self.command("python3", f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
        self.stand_in = self.command("netcat", STAND_IN)
        self.tmp = os.path.dirname(self.poem_file(b""))  # in the place of /tmp

    def command(self, name, script):
        """Write a command, and return the directory that it is in."""
        path = self.poem_file(script.encode(), name)
        os.chmod(path, 0o755)
        return os.path.dirname(path)

    def test_commands_show_what_the_readme_shows(self):
        """A line of three dots stands for any lines; a block without a command is a server's."""
        blocks = re.findall(r"(.*?)^```console\n(\$ .*?\n)?(.*?)^```$", README,
                            re.MULTILINE | re.DOTALL)
        self.assertGreater(len(blocks), 15)
        for text, command, expected in blocks:
            with self.subTest(command or expected):
                self.edit(text)
                if not command:
                    self.wait_for_screen(self.servers["10000"], expected)
                elif expected.startswith("Serving"):
                    self.serve(command[2:].strip(), expected)
                else:
                    self.run_command(command[2:].strip(), expected)

    def edit(self, text):
        """Do to the copy that was made last what the text before a command asks for."""
        for line in re.findall(r"put a `#` before `(.+?)`", text):
            self.change(re.escape(line), "# " + line)
        for new, old, above in re.findall(r"write `(.+?)` instead of the `(.+?)` below `(.+?)`", text):
            self.change(rf"(?<={re.escape(above)}:)(.*\n +){old}", rf"\1{new}")

    def change(self, pattern, new):
        """Change the one place in the copy that matches the pattern."""
        with open(self.copy) as file:
            source, count = re.subn(pattern, new, file.read())
        self.assertEqual(count, 1, pattern)
        with open(self.copy, "w") as file:
            file.write(source)

    def wait_for_screen(self, terminal, expected):
        """Wait until a terminal shows what the README shows; for a server, of its last caller."""
        text, kinds = split_progress(normal(expected))
        pattern = re.compile("".join("(?:.*\n)*?" if line == "...\n" else re.escape(line)
                                     for line in text.splitlines(True)))

        def shown():
            ended = not terminal.pipes
            printed = normal("".join(line + "\n" for line in terminal.stdout))
            if expected.startswith("Somebody"):
                printed = printed[printed.rindex("Somebody"):]
            printed, printed_kinds = split_progress(printed)
            good = pattern.fullmatch(printed) and kinds <= printed_kinds
            return self.fail(failure()) if ended and not good else good

        def failure():
            return f"it does not show {text}; {terminal}"

        wait_until(shown, failure)

    def serve(self, command, expected):
        """Start a server on a free port, in the place of the one in the README; ^C ends it."""
        asked = re.search("--port ([0-9]+)", command)
        if asked and asked[1] in self.servers:
            self.servers.pop(asked[1]).press(b"\x03")
        args = re.sub("--port [0-9]+", "", command).split()
        self.assertEqual(args[:2], ["python3", "blocking-server/slowpoetry.py"])
        delay = float(args[args.index("--delay") + 1] if "--delay" in args else 0.1)
        server = self.terminal(*python(SERVER, *args[2:], "--delay", delay / 100))
        self.wait_for_screen(server, expected.replace("^C\n", ""))
        if expected.endswith("^C\n"):
            server.press(b"\x03")
            self.assertEqual(server.wait(), -2, server)
        elif asked:
            server.port = re.search("port ([0-9]+)", server.stdout[0])[1]
            self.servers[asked[1]] = server

    def run_command(self, command, expected):
        """Run a command with our ports and our /tmp; netcat twice, our own and the machine's."""
        copied = re.fullmatch("cp .* /tmp/(.+)", command)
        if copied:
            self.copy = os.path.join(self.tmp, copied[1])
        elif "/tmp/" in command and ".py" in command:
            self.assertNotEqual(read(self.copy), read(ASYNC))  # it has been edited
        ports = {port: server.port for port, server in self.servers.items()}
        refused = re.search(":([0-9]+): Connection refused", expected)
        if refused:
            ports[refused[1]] = self.closed_port()[1]
        if expected.startswith("EWOULDBLOCK"):  # a server of ours is the clock
            listener, ports["10001"] = self.listener()
        for port, ours in ports.items():
            command = re.sub(rf"\b{port}\b", str(ours), command)
        command = command.replace("/tmp/", shlex.quote(self.tmp) + "/")
        for first in [[self.stand_in], []] if command.startswith("netcat") else [[]]:
            path = os.pathsep.join([self.python, *first, os.environ["PATH"], self.stand_in])
            terminal = self.terminal("sh", "-c", command, env=environment(PATH=path))
            if expected.startswith("EWOULDBLOCK"):
                sock = self.accept(listener)
                sock.sendall(b"ten bytes.")
                terminal.wait_for("got 10 bytes")
                sock.close()
            if command.startswith("netcat") and expected:  # at a terminal it may stay
                self.wait_for_screen(terminal, expected)
                terminal.press(b"\x03")
            terminal.wait()
            if not command.startswith("netcat"):
                self.wait_for_screen(terminal, expected)


class Names(Case):
    """What the README names is there."""

    def test_each_difference_names_a_line_of_a_function(self):
        """The text stands in that function of the async client."""
        client = load(ASYNC)
        lines = re.findall(r"^[1-4]\. .*`(.+)` in `(\w+)\(\)`\.$", README, re.MULTILINE)
        self.assertEqual(len(lines), 4)
        for text, function in lines:
            self.assertIn(text, inspect.getsource(getattr(client, function)))

    def test_every_name_with_parentheses_is_called_in_a_script(self):
        """In the text and in the diagram. The loop has the comments # 1., # 2. and # 3."""
        sources = "".join(map(read, SCRIPTS))
        for name in set(re.findall(r"(\w+)\(\)", README)) - {"getsockopt"}:
            self.assertTrue(f"{name}(" in sources, name)
        self.assertEqual(re.findall(r"# ([0-9])\. ", sources), ["1", "2", "3"])

    def test_the_lines_that_block_are_named(self):
        """The calls on the lines that are marked in the server and in the blocking client."""
        marked = re.findall(r"\.(\w+)\(.*  # blocks", "".join(map(read, SCRIPTS[:2])))
        named = re.search("marked `# blocks`(.*?)\n\n", README, re.DOTALL)[1]
        self.assertEqual(re.findall(r"`(\w+)\(\)`", named), marked)

    def test_every_file_is_there(self):
        """Those it links to and those in its commands."""
        links = re.findall(r"\]\(([^):#]+)\)", README)
        for path in links + re.findall(r"(?<![\w/.])[a-z-]+/[a-z_-]+\.(?:py|txt)\b", README):
            self.assertTrue(read(path))

    def test_make_has_the_targets_it_names(self):
        """Every make command in the README is one that the Makefile knows, and lists."""
        makefile = read("Makefile")
        targets = set(re.findall(r"(?:`|^    )make ([a-z]+)", README, re.MULTILINE))
        self.assertEqual(targets | {"help"}, set(re.findall("^([a-z]+):", makefile, re.MULTILINE)))
        for target in targets:
            self.assertIn(f'"make {target} ', makefile)
