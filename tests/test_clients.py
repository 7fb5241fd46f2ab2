"""The two clients do what the tutorial says of them, and differ where it says they do."""

import ast
import os
import re
import select
import shutil
import signal
import tempfile
import unittest

from case import CLIENTS, Case, poem_bytes
from figures import parse_duration
from support import DEADLINE, SERVER, SESSION

DURATION = r"0:0[0-9]:[0-9]{2}(?:\.[0-9]{6})?"


class Session(Case):
    """The tutorial's session, thirty times as fast: three servers, then one client and the other."""

    def setUp(self):
        self.ports = [self.server(*settings, "--delay", "0.003").port for settings in SESSION]

    def test_the_blocking_client_needs_the_sum_the_async_one_the_slowest(self):
        """23 seconds against 10; the output of the one is Figure 1 in text, of the other Figure 3."""
        blocking = self.client("blocking", *self.ports)
        self.assertEqual(blocking.wait(), 0, blocking)
        asynchronous = self.client("async", *self.ports)
        self.assertEqual(asynchronous.wait(), 0, asynchronous)
        self.assertEqual(blocking.stderr + asynchronous.stderr, [])
        self.check_blocking(blocking.stdout)
        self.check_async(asynchronous.stdout)
        totals = [parse_duration(program.stdout[-1].split(" in ")[1]) for program in (blocking, asynchronous)]
        self.assertGreater(totals[0], 1.5 * totals[1])
        self.assertGreater(totals[1], 0.3)  # 101 chunks, 0.003 seconds each

    def check_blocking(self, lines):
        """Compare with the tutorial's seven lines; the tasks' times add up to the total."""
        expected = []
        for task_num, (port, size) in enumerate(zip(self.ports, (3003, 623, 653)), 1):
            expected.append(f"Task {task_num}: get poetry from: 127.0.0.1:{port}")
            expected.append(f"Task {task_num}: got {size} bytes of poetry from 127.0.0.1:{port} in DURATION")
        expected.append("Got 3 poems in DURATION")
        self.assertEqual([re.sub(f"{DURATION}$", "DURATION", line) for line in lines], expected)
        times = [parse_duration(line.split(" in ")[1]) for line in lines if " in 0:" in line]
        self.assertAlmostEqual(sum(times[:-1]), times[-1], places=5)

    def check_async(self, lines):
        """Each task's chunks add up, it finishes once, and the tasks are mixed together."""
        tasks = []
        for task_num, (port, size) in enumerate(zip(self.ports, (3003, 623, 653)), 1):
            mine = [line for line in lines[:-4] if re.match(f"Task {task_num}\\b", line)]
            got = [re.fullmatch(f"Task {task_num}: got ([0-9]+) bytes of poetry from 127.0.0.1:{port}", line)
                   for line in mine[:-1]]
            self.assertEqual(sum(int(match[1]) for match in got), size)
            self.assertEqual(mine[-1], f"Task {task_num} finished")
            tasks.append(mine)
        self.assertEqual(sum(map(len, tasks)), len(lines) - 4)
        self.assertEqual(lines[-4:-1], ["Task 1: 3003 bytes of poetry", "Task 2: 623 bytes of poetry",
                                        "Task 3: 653 bytes of poetry"])
        self.assertRegex(lines[-1], f"^Got 3 poems in {DURATION}$")
        self.assertLess(lines.index(tasks[2][0]), lines.index("Task 1 finished"))
        self.assertGreater(len(tasks[0]), 50)


class BothClients(Case):
    """What the two have in common, with servers that the test plays."""

    def test_an_address_may_be_a_port_alone(self):
        """No hostname means 127.0.0.1; addresses are printed as they were asked for."""
        for kind in CLIENTS:
            peer, port = self.peer()
            asked = [f"{port}", f":{port}", f"127.0.0.1:{port}", f"localhost:{port}"]
            shown = [f"127.0.0.1:{port}"] * 3 + [f"localhost:{port}"]
            with self.subTest(kind):
                client = self.client(kind, *asked)
                for task_num in range(1, 5):
                    sock = self.accept(peer)
                    sock.sendall(b"poem")
                    sock.close()
                self.assertEqual(client.wait(), 0, client)
                got = sorted(line.split(" in ")[0] for line in client.stdout if ": got" in line)
                self.assertEqual(got, [f"Task {task_num}: got 4 bytes of poetry from {address}"
                                       for task_num, address in enumerate(shown, 1)])

    def test_poems_are_bytes(self):
        """Any bytes will do, in any pieces, and the number printed is bytes, not characters."""
        poem = poem_bytes("fascination.txt") + bytes(range(256))
        for kind in CLIENTS:
            with self.subTest(kind):
                server = self.server(self.poem(poem), "--num-bytes", "7", "--delay", "0")
                client = self.client(kind, server.port)
                self.assertEqual(client.wait(), 0, client)
                self.assertRegex("\n".join(client.stdout), rf"Task 1: (got )?{len(poem)} bytes of poetry")
                self.assertEqual(client.stderr, [])

    def test_an_empty_poem_is_a_poem(self):
        """A server that closes at once has sent a poem of 0 bytes."""
        for kind in CLIENTS:
            with self.subTest(kind):
                client = self.client(kind, self.server(self.poem(b"")).port)
                self.assertEqual(client.wait(), 0, client)
                self.assertRegex("\n".join(client.stdout), r"Task 1: (got )?0 bytes of poetry")
                self.assertRegex(client.stdout[-1], "^Got 1 poems in ")

    def test_each_script_stands_alone(self):
        """A copy of the one file runs anywhere, without our directory or anybody's packages."""
        server = self.server("poetry/science.txt", "--delay", "0")
        for kind, path in CLIENTS.items():
            with self.subTest(kind), tempfile.TemporaryDirectory() as directory:
                copy = shutil.copy(path, directory)
                client = self.program(copy, str(server.port), flags=("-I",), cwd=directory)
                self.assertEqual(client.wait(), 0, client)

    def test_what_is_not_about_blocking_is_the_same_text_in_both(self):
        """diff shows the lesson and nothing else."""
        functions = []
        for path in CLIENTS.values():
            with open(path) as file:
                source = file.read()
            functions.append({node.name: ast.get_source_segment(source, node)
                              for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)})
        for name in ("parse_args", "parse_address", "format_address", "report_failure"):
            with self.subTest(name):
                self.assertEqual(functions[0][name], functions[1][name])

    def test_start_up_is_light(self):
        """--help imports nothing that takes long to import."""
        for script in (SERVER, *CLIENTS.values()):
            with self.subTest(script):
                program = self.program(script, "--help", flags=("-S", "-X", "importtime"))
                self.assertEqual(program.wait(), 0, program)
                imported = {line.split("|")[-1].strip() for line in program.stderr}
                self.assertIn("argparse", imported)
                self.assertFalse(imported & {"asyncio", "logging", "subprocess", "ssl", "typing",
                                             "inspect", "pathlib", "tempfile", "urllib.parse"})


class BlockingClient(Case):
    """It does one task after the other."""

    def test_it_waits_for_a_whole_poem_before_it_starts_the_next(self):
        """While the first server is silent, the second is not even called."""
        (first, port), (second, next_port) = self.peer(), self.peer()
        client = self.client("blocking", port, next_port)
        sock = self.accept(first)
        sock.sendall(b"a few words")
        client.wait_for(f"^Task 1: get poetry from: 127.0.0.1:{port}$")
        self.assertEqual(select.select([second], [], [], 0.3)[0], [])
        self.assertEqual(len(client.stdout), 1)
        sock.close()
        client.wait_for(f"^Task 2: get poetry from: 127.0.0.1:{next_port}$")
        self.accept(second).close()
        self.assertEqual(client.wait(), 0, client)
        self.assertRegex(client.stdout[1], f"^Task 1: got 11 bytes of poetry from 127.0.0.1:{port} in ")


class AsyncClient(Case):
    """It does all tasks at once."""

    def test_it_connects_to_all_servers_at_once(self):
        """Every server is called before any of them has sent a byte."""
        peers = [self.peer() for _ in range(3)]
        client = self.client("async", *(port for _, port in peers))
        socks = [self.accept(peer) for peer, _ in peers]
        for task_num in (2, 3, 1):
            socks[task_num - 1].sendall(b"x" * task_num)
            client.wait_for(f"^Task {task_num}: got {task_num} bytes of poetry from 127.0.0.1:"
                            f"{peers[task_num - 1][1]}$")
            socks[task_num - 1].close()
            client.wait_for(f"^Task {task_num} finished$")
        self.assertEqual(client.wait(), 0, client)
        self.assertEqual(client.stdout[6:9], [f"Task {n}: {n} bytes of poetry" for n in (1, 2, 3)])

    def test_it_waits_without_work(self):
        """While all servers are silent it blocks in select(), and burns no CPU time in going round."""
        peer, port = self.peer()
        client = self.client("async", port)
        sock = self.accept(peer)
        sock.sendall(b"x")
        client.wait_for("got 1 bytes")
        before = self.cpu_seconds(client)
        select.select([sock], [], [], 0.5)
        self.assertLess(self.cpu_seconds(client) - before, 0.2)

    def cpu_seconds(self, program):
        """Return the CPU time a running process has used."""
        with open(f"/proc/{program.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def test_a_fast_server_cannot_keep_a_slow_one_from_being_heard(self):
        """In one turn it reads until the socket would block, but 1 MiB at the most."""
        peers = [self.peer() for _ in range(2)]
        client = self.client("async", *(port for _, port in peers))
        fast, slow = (self.accept(peer) for peer, _ in peers)
        fast.sendall(bytes(1 << 25))  # the kernel's buffers grow with the traffic
        with client.news:
            client.news.wait_for(lambda: sum(self.turns(client)) == 1 << 25, DEADLINE)
            num_turns = len(self.turns(client))
        client.process.send_signal(signal.SIGSTOP)
        slow.sendall(b"x")
        fast.setblocking(False)
        while select.select([], [fast], [], 0.3)[1]:
            fast.send(bytes(1 << 20))
        client.process.send_signal(signal.SIGCONT)
        client.wait_for("^Task 2: got 1 bytes")
        fast.close()
        slow.close()
        self.assertEqual(client.wait(), 0, client)
        turns = self.turns(client)[num_turns:]
        self.assertLessEqual(max(turns), 1 << 20)
        self.assertGreater(max(turns), 1 << 16)
        self.assertLessEqual([line[:11] for line in client.stdout[num_turns:]].index("Task 2: got"), 1)

    def turns(self, client):
        """Return the numbers of bytes that task 1 got, turn by turn."""
        return [int(line.split()[3]) for line in client.stdout if line.startswith("Task 1: got")]


if __name__ == "__main__":
    unittest.main()
