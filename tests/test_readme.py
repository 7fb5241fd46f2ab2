"""What the README says is so: its commands print what it shows, and its tables point at lines that are there."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from case import CLIENTS, Case
from support import DEADLINE, ROOT, SERVER, environment

FAST = " --delay 0.001"

# Does what netcat does, where there is none.
NETCAT = """python3 -c 'import socket, sys
for chunk in iter(lambda sock=socket.create_connection(("localhost", %s)): sock.recv(4096), b""):
    sys.stdout.buffer.write(chunk)'"""


def read(*path):
    """Return the text of a file of ours."""
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def normal(text):
    """Return the text without what differs from run to run: ports, times, and which task is a moment ahead."""
    text = re.sub(r"\b0:00:[0-9]{2}\.[0-9]{6}", "TIME", text)
    text = re.sub(r"(port |:|', )[1-9][0-9]{3,4}\b", r"\1PORT", text)
    text = re.sub(r"Task [0-9]+: got [0-9]+ bytes of poetry from \S+$", "Task N: got some", text, flags=re.M)
    return re.sub(r"Task [0-9]+ finished", "Task N finished", text)


class Session(Case):
    """The console blocks, in the order in which they stand, with the servers a hundred times as fast."""

    def setUp(self):
        self.servers = {}  # the port in the README: our server in its place
        self.directory = self.enter(tempfile.TemporaryDirectory())

    def test_commands_print_what_the_readme_shows(self):
        """A line of three dots stands for any lines; a block without a command is the first server's."""
        blocks = re.findall(r"^```console\n(.*?)^```$", read("README.md"), re.M | re.S)
        self.assertGreater(len(blocks), 10)
        for block in blocks:
            with self.subTest(block):
                if not block.startswith("$ "):
                    self.assertShown(block, "\n".join(self.servers["10000"].stdout[1:]) + "\n")
                for command, expected in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.M):
                    if expected.startswith("Serving"):
                        self.serve(command, expected)
                    else:
                        self.assertShown(expected, self.output(command, expected))

    def assertShown(self, expected, output):
        """Compare what the README shows with what a program has printed."""
        pattern = "".join(".*" if line == "...\n" else re.escape(line) for line in normal(expected).splitlines(True))
        self.assertRegex(normal(output), re.compile(f"\\A{pattern}\\Z", re.S))

    def serve(self, command, expected):
        """Start a server, in the place of the one that has had its port; stop it at ^C."""
        port = re.search("--port ([0-9]+)", command)
        if port and port[1] in self.servers:
            self.assertEqual(self.servers.pop(port[1]).interrupt(), -2)
        args = re.sub("--port [0-9]+", "", command).split()
        self.assertEqual(args[:2], ["python3", "blocking-server/slowpoetry.py"])
        server = self.server(*args[2:], *("" if "--delay" in command else FAST).split())
        self.assertShown(expected.replace("^C\n", ""), server.stdout[0] + "\n")
        if expected.endswith("^C\n"):
            self.assertEqual(server.interrupt(), -2)
        elif port:
            self.servers[port[1]] = server

    def output(self, command, expected):
        """Run a command with our ports in the place of the README's, and return what it prints."""
        if not shutil.which("netcat"):
            command = re.sub("netcat localhost ([0-9]+)", lambda match: NETCAT % match[1], command)
        ports = {port: str(server.port) for port, server in self.servers.items()}
        stopped = re.search(":([0-9]+): Connection refused", expected)
        if stopped:
            nobody, port = self.peer()
            nobody.close()
            ports[stopped[1]] = str(port)
        for port, ours in ports.items():
            command = re.sub(rf"\b{port}\b", ours, command)
        command = command.replace("python3", sys.executable).replace("/tmp/", f"{self.directory}/")
        done = subprocess.run(["sh", "-c", command], cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=DEADLINE)
        return done.stdout.decode()

    def test_make_has_the_targets_it_names(self):
        """Every make command in the README is one the Makefile knows, and make alone lists them all."""
        targets = set(re.findall(r"(?:`|^    )make ([a-z]+)", read("README.md"), re.M))
        self.assertEqual(targets, {"demo", "servers", "test", "bench"})
        listed = subprocess.run(["make"], cwd=ROOT, stdout=subprocess.PIPE, timeout=DEADLINE).stdout.decode()
        for target in targets:
            self.assertIn(f"make {target} ", listed)
            self.assertEqual(subprocess.call(["make", "-n", target], cwd=ROOT, stdout=subprocess.DEVNULL), 0)


class Tables(unittest.TestCase):
    """Which function answers which sentence of the tutorial."""

    def rows(self):
        """Return the (script, function, text) of each table row that names them."""
        rows = re.findall(r"^\|(?:[^|]*\|)? `(\S+\.py)` \| `(\w+)\(\)` \| `(.+?)` \|", read("README.md"), re.M)
        self.assertEqual(len(rows), len(re.findall(r"^\|.*\(\)` \|", read("README.md"), re.M)))
        self.assertGreater(len(rows), 20)
        return rows

    def test_each_row_names_a_line_of_the_function(self):
        """The text stands in that function of that script."""
        for script, function, text in self.rows():
            with self.subTest(script, function=function, text=text):
                source = read(script)
                bodies = [ast.get_source_segment(source, node) for node in ast.parse(source).body
                          if isinstance(node, ast.FunctionDef) and node.name == function]
                self.assertEqual(len(bodies), 1)
                self.assertIn(text, bodies[0])

    def test_the_lines_that_wait_are_all_there(self):
        """The first table has the lines whose comment begins with "blocks", all of them and no other."""
        named = re.findall(r"^\| `(\S+\.py)` \| `\w+\(\)` \| `(.+?)` \|", read("README.md"), re.M)
        marked = [(script, line) for script in (os.path.relpath(path, ROOT) for path in (SERVER, *CLIENTS.values()))
                  for line in read(script).split("\n") if "  # blocks" in line]
        self.assertEqual(len(named), len(marked))
        for script, line in marked:
            with self.subTest(script, line=line):
                self.assertTrue(any(name == script and text in line for name, text in named))

    def test_every_file_it_links_to_is_there(self):
        """No link leads nowhere."""
        for target in re.findall(r"\]\(([^)#]+)\)", read("README.md")):
            with self.subTest(target):
                self.assertTrue(os.path.exists(os.path.join(ROOT, target)))


if __name__ == "__main__":
    unittest.main()
