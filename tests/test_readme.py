"""What the README says is so: its commands show what it shows, and what it names is there."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import zlib
from collections import Counter

from tests.support import ASYNC, BLOCKING, ROOT, SERVER, Case
from tests.support import read_text, receive_all

SCRIPTS = [SERVER, BLOCKING, ASYNC]
README = read_text("README.md")


def normal(line):
    """Return the line without what differs from run to run: ports, times, sizes of async chunks."""
    line = re.sub(r" in [0-9]+:[0-9:.]+$", " in TIME", line)
    line = re.sub(r"got [0-9]+ (bytes of poetry from \S+)$", r"got N \1", line)
    return re.sub(r"(port |:|', )[1-9][0-9]{3,4}\b", r"\1PORT", line)


class Session(Case):
    """The blocks of commands and of code, in their order, with delays divided by 100."""

    def test_commands_show_what_the_readme_shows(self):
        """netcat is not run: we call the server. A block that begins with "# /tmp/" is a file."""
        self.servers = {}  # {the port in the README: our server in its place}
        self.tmp, self.written = os.path.dirname(self.write_poem(b"")), set()
        blocks = re.findall("(?ms)^```(console|python)\n(.*?)^```$", README)
        self.assertGreater(len(blocks), 15)
        for kind, block in blocks:
            with self.subTest(block):
                if kind == "console":
                    command, *expected = block.replace("\\\n", "").splitlines()
                    self.check(command, expected)
                elif path := re.match("# (/tmp/.+)\n", block):
                    self.written.add(path[1])
                    with open(path[1].replace("/tmp", self.tmp), "w") as file:
                        file.write(block)

    def check(self, command, expected):
        """Check that the command shows these lines, in any order; without one, the first server."""
        if not command.startswith("$ "):
            expected.insert(0, command)
            printed = self.lines_about_callers(self.servers["10000"])
        elif "slowpoetry.py" in command:
            printed = self.serve_as_in_readme(command[2:], expected)
        elif call := re.match(r"\$ netcat localhost ([0-9]+)", command):
            printed = receive_all(self.call(self.servers[call[1]].port)).decode().splitlines()
        else:
            printed = self.run_command(command[2:], expected)
        shown, wanted = (Counter(map(normal, lines)) for lines in (printed, expected))
        any_lines = wanted.pop("...", 0) or not expected
        if wanted - shown or (shown - wanted and not any_lines):
            self.fail("\n".join(["Mend README.md or the script. The command shows:", *printed]))

    def lines_about_callers(self, server):
        """Return the lines about a server's callers; they are complete when it has another one."""
        caller = self.call(server.port)
        server.wait_for(re.escape(f"Somebody at {caller.getsockname()} wants poetry!"))
        return server.printed[1:-1]

    def serve_as_in_readme(self, command, expected):
        """Start a server on a free port, in the place of the one in the README; ^C ends it."""
        port = re.search("--port ([0-9]+)", command)
        delay = re.search("--delay ([0-9.]+)", command)
        command = re.sub("^python3|--port [0-9]+", "", command).split()
        server = self.start_server(*command[1:], "--delay", float(delay[1] if delay else 0.1) / 100)
        if expected[-1:] == ["^C"]:
            server.process.send_signal(signal.SIGINT)
            self.assertEqual(server.wait(), -signal.SIGINT, server)
            expected.pop()
        elif port:
            self.servers[port[1]] = server
        return list(server.printed)

    def run_command(self, command, expected):
        """Run a command with our ports and our /tmp, and return what it prints."""
        if (path := re.match("python3 (/tmp/[^ ]+)", command)) and path[1] not in self.written:
            return expected  # a copy that is to be edited by hand: it is not run
        ports = {port: server.port for port, server in self.servers.items()}
        if refused := re.search(":([0-9]+): Connection refused", "".join(expected)):
            ports[refused[1]] = self.hold_port("127.0.0.1")[1]
        command = re.sub(r"\b[0-9]{5}\b", lambda port: str(ports.get(port[0], 0)), command)
        command = command.replace("/tmp/", shlex.quote(self.tmp) + "/")
        command = re.sub("^python3", shlex.quote(sys.executable), command)
        program = self.start(["sh", "-c", command], stderr=subprocess.STDOUT)
        if path:  # it may go on, as exercise 4's does
            return [line for _, line in zip(expected, program.lines())]
        if program.wait() and not expected:
            self.fail(program)
        return program.printed

    def test_the_answer_to_exercise_4(self):
        """In the copy, a silent server delays no other; a refused connection is told by recv()."""
        silent, answer = re.findall("(?ms)^```python\n(# /tmp/silent.*?|def .*?)^```$", README)
        path = self.write_poem(silent.encode(), "silent.py")
        silent_port = self.start_script(path, 0).expect("Silent on port ([0-9]+).*")[1]
        with self.assertRaises(OSError):
            socket.create_connection(("127.0.0.1", silent_port), timeout=0.2)
        listener, port = self.listen()
        copy = re.sub(r"(?s)def connect.*(?=\n\ndef main)", lambda _: answer, read_text(ASYNC))
        path = self.write_poem(copy.encode(), "copy.py")
        ports = silent_port, self.hold_port("127.0.0.1")[1], port
        client = self.start_script(path, *ports, stderr=subprocess.STDOUT)
        client.wait_for("Task 2: no poetry from .*: Connection refused")
        self.send_short_poem(listener)
        client.wait_for("Task 3 finished")


class Names(Case):
    """What the README names is there."""

    def test_a_line_of_the_async_client_is_there(self):
        """In the function that is named with it; once, if something is to be written near it."""
        lines = re.findall(r"`([^`\n]+)`\s+in\s+`(\w+)\(\)`", README)
        self.assertGreaterEqual(len(lines), 5)
        for text, function in lines:
            self.assertIn(text, re.search(rf"(?ms)^def {function}\(.*?^def ", read_text(ASYNC))[0])
        for text in re.findall(r"(?s)In\s+\w+\s+copy,.*?\s(?:before|below)\s+`(.+?)`", README):
            self.assertEqual(read_text(ASYNC).count(text), 1, text)

    def test_every_name_with_parentheses_is_called_in_a_script(self):
        """In the text and in the diagram; the loop has the comments # 1., # 2. and # 3."""
        sources = "".join(map(read_text, SCRIPTS))
        prose = re.sub("(?ms)^```python\n.*?^```$", "", README)
        for name in set(re.findall(r"(\w+)\(\)", prose)):
            self.assertTrue(f"{name}(" in sources, name)
        self.assertEqual(re.findall(r"# ([0-9])\. ", sources), ["1", "2", "3"])

    def test_the_lines_that_block_are_named(self):
        """The calls on the lines that are marked in the server and in the blocking client."""
        marked = re.findall(r"\.(\w+)\(.*  # blocks", "".join(map(read_text, SCRIPTS[:2])))
        named = re.search("(?s)marked `# blocks`(.*?)\n\n", README)[1]
        self.assertEqual(re.findall(r"`(\w+)\(\)`", named), marked)

    def test_every_file_is_there(self):
        """Those it links to and those in its commands."""
        links = re.findall(r"\]\(([^):#]+)\)", README)
        for path in links + re.findall(r"(?<![\w/.])[a-z-]+/[a-z_-]+\.(?:py|txt)\b", README):
            self.assertTrue(read_text(path))


class Poems(Case):
    """Donne, Yeats and Poe, as the servers send them."""

    def test_the_poems_are_as_the_tutorial_has_them(self):
        """3003, 623 and 653 bytes, and a sum of the bytes, for misprints."""
        for name, size, checksum in (("ecstasy", 3003, 3392608533), ("science", 653, 2380871296),
                                     ("fascination", 623, 2030058835)):
            with open(os.path.join(ROOT, "poetry", f"{name}.txt"), "rb") as file:
                poem = file.read()
            self.assertEqual((len(poem), zlib.crc32(poem)), (size, checksum), name)
