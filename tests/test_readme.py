"""What the README says is so: its commands show what it shows, and what it names is there."""

import ast
import os
import re
import shlex
import subprocess
import sys

from tests.case import Case, read
from tests.support import (
    DEADLINE,
    ROOT,
    SCRIPTS,
    SERVER,
    environment,
    python,
    wait_until,
)

README = read("README.md")

# As OpenBSD's netcat it stays after the server's end, until its own input ends or a line is typed.
STAND_IN = """#!/bin/sh
exec python3 -c '
import socket, sys
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
    """The console blocks, in their order and at a terminal, with the servers faster."""

    def setUp(self):
        self.servers = {}  # {the port in the README: our server in its place}
        self.python = self.command("python3", f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
        self.stand_in = self.command("netcat", STAND_IN)

    def command(self, name, script):
        """Write a command, and return the directory that it is in."""
        path = self.poem_file(script.encode(), name)
        os.chmod(path, 0o755)
        return os.path.dirname(path)

    def test_commands_show_what_the_readme_shows(self):
        """A line of three dots stands for any lines; a block without a command is a server's."""
        blocks = re.findall(r"^```console\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
        self.assertGreater(len(blocks), 10)
        for block in blocks:
            with self.subTest(block):
                if not block.startswith("$ "):
                    self.wait_for_screen(self.servers["10000"], block)
                for command, expected in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
                    if expected.startswith("Serving"):
                        self.serve(command, expected)
                    elif command.startswith("netcat"):
                        self.run_command(command, expected, self.stand_in)
                        self.run_command(command, expected)
                    else:
                        self.run_command(command, expected)

    def wait_for_screen(self, terminal, expected):
        """Wait until a terminal shows what the README shows; for a server, of its last caller."""
        text, kinds = split_progress(normal(expected))
        pattern = re.compile("".join("(?:.*\n)*?" if line == "...\n" else re.escape(line)
                                     for line in text.splitlines(True)))

        def shown():
            printed = normal("".join(line + "\n" for line in terminal.stdout))
            if expected.startswith("Somebody"):
                printed = printed[printed.rindex("Somebody"):]
            printed, printed_kinds = split_progress(printed)
            return pattern.fullmatch(printed) and kinds <= printed_kinds

        wait_until(shown, lambda: f"it does not show {text}; {terminal}")

    def serve(self, command, expected):
        """Start a server on a free port, in the place of the one in the README; ^C ends it."""
        asked = re.search("--port ([0-9]+)", command)
        if asked and asked[1] in self.servers:
            self.servers.pop(asked[1]).press(b"\x03")
        args = re.sub("--port [0-9]+", "", command).split()
        self.assertEqual(args[:2], ["python3", "blocking-server/slowpoetry.py"])
        fast = [] if "--delay" in args else ["--delay", "0.001"]
        server = self.terminal(*python(SERVER, *args[2:], *fast))
        self.wait_for_screen(server, expected.replace("^C\n", ""))
        if expected.endswith("^C\n"):
            server.press(b"\x03")
            self.assertEqual(server.wait(), -2, server)
        elif asked:
            server.port = re.search("port ([0-9]+)", server.stdout[0])[1]
            self.servers[asked[1]] = server

    def run_command(self, command, expected, *path):
        """Run a command with our ports, a directory of ours for /tmp, and first this path."""
        ports = {port: server.port for port, server in self.servers.items()}
        refused = re.search(":([0-9]+): Connection refused", expected)
        if refused:
            ports[refused[1]] = self.closed_port()[1]
        listener = None
        if "EWOULDBLOCK\n" in expected:  # a server of ours is the clock
            listener, ports["10001"] = self.listener()
        for port, ours in ports.items():
            command = re.sub(rf"\b{port}\b", str(ours), command)
        command = command.replace("/tmp/", shlex.quote(self.stand_in) + "/")
        path = os.pathsep.join([self.python, *path, os.environ["PATH"], self.stand_in])
        terminal = self.terminal("sh", "-c", command, env=environment(PATH=path))
        if listener:
            sock = self.accept(listener)
            sock.sendall(b"ten bytes.")
            terminal.wait_for("got 10 bytes")
            sock.close()
        text, enter = re.fullmatch("(.*?)(⏎\n)?", expected, re.DOTALL).groups()
        if enter:
            self.wait_for_screen(terminal, text)
            terminal.press(b"\n")
            terminal.wait()
        else:
            terminal.wait()
            self.wait_for_screen(terminal, text)


class Names(Case):
    """What the README names is there."""

    def functions(self, script):
        """Return {name: source} of a script's functions."""
        source = read(script)
        return {node.name: "\n".join(source.split("\n")[node.lineno - 1:node.end_lineno])
                for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}

    def test_each_row_of_a_table_names_a_line_of_the_function(self):
        """The text stands in that function of that script."""
        rows = re.findall(r"^\|(?:[^|]*\|)? `(\S+\.py)` \| `(\w+)\(\)` \| `(.+?)` \|", README, re.MULTILINE)
        self.assertEqual(len(rows), len(re.findall(r"^\|.*\(\)` \|", README, re.MULTILINE)))
        self.assertGreater(len(rows), 15)
        for script, function, text in rows:
            with self.subTest(script, function=function, text=text):
                self.assertIn(text, self.functions(script)[function])

    def test_the_lines_that_block_are_all_there(self):
        """One table has the lines whose comment begins with "blocks", and no other line."""
        named = re.findall(r"^\| `(\S+\.py)` \| `(\w+)\(\)` \| `(.+?)` \|", README, re.MULTILINE)
        marked = [(os.path.relpath(script, ROOT), name, line) for script in SCRIPTS
                  for name, source in self.functions(script).items()
                  for line in source.split("\n") if "  # blocks" in line]
        self.assertEqual(len(named), len(marked))
        for row, line in zip(named, marked):
            self.assertEqual(row[:2], line[:2])
            self.assertIn(row[2], line[2])

    def test_the_names_in_the_diagrams_are_those_of_the_scripts(self):
        """A function that is drawn is called in the clients."""
        diagrams = "".join(re.findall(r"^```mermaid\n(.*?)^```$", README, re.MULTILINE | re.DOTALL))
        names = set(re.findall(r"([\w.]+)\(\)", diagrams))
        self.assertLessEqual({"connect", "recv", "select.select", "read_available"}, names)
        for name in names:
            self.assertTrue(any(f"{name}(" in read(script) for script in SCRIPTS[1:]), name)
        self.assertIn("BlockingIOError", diagrams)

    def test_every_file_is_there(self):
        """Those it links to and those in its commands."""
        links = re.findall(r"\]\(([^):#]+)\)", README)
        for path in links + re.findall(r"(?<![\w/.])[a-z-]+/[a-z_-]+\.(?:py|txt)\b", README):
            with self.subTest(path):
                self.assertTrue(os.path.exists(os.path.join(ROOT, path)))

    def test_make_has_the_targets_it_names(self):
        """Every make command in the README is one the Makefile knows, and make alone lists them."""
        targets = set(re.findall(r"(?:`|^    )make ([a-z]+)", README, re.MULTILINE))
        self.assertEqual(targets, {"demo", "servers", "test", "bench"})
        listed = subprocess.check_output(["make"], cwd=ROOT, timeout=DEADLINE)
        for target in targets:
            self.assertIn(f"make {target} ", listed.decode())
            self.assertEqual(subprocess.call(["make", "-n", target], cwd=ROOT, timeout=DEADLINE,
                                             stdout=subprocess.DEVNULL), 0)
