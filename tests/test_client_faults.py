"""Whatever the servers do, a failed task is reported with its reason, and the others go on."""

import re

from tests.case import QUICK_RESOLVER, Case, limited, reset
from tests.support import ASYNC, BLOCKING

UNKNOWN = "[A-Z][a-z ]+ (not known|in name resolution)"


class OneFails:
    """The second of three tasks fails. A subclass says for which client."""

    def fail_at(self, address, reason, play=lambda client: None, **options):
        """Check that the task with this address fails for a reason and that the others do not.

        play(client) plays the second server.
        """
        client = self.program(self.script, self.quick_server(b"first"), address,
                              self.quick_server(b"third"), **options)
        play(client)
        shown = address if ":" in str(address) else f"127.0.0.1:{address}"
        self.assertEnded(client, 1, f"Task 2: no poetry from {re.escape(shown)}: {reason}")
        printed = "\n".join(client.stdout)
        for task_num in (1, 3):
            self.assertRegex(printed, f"Task {task_num}: (got )?5 bytes of poetry")
        self.assertNotRegex(printed, r"(?m)^Task 2( finished|: [0-9]+ bytes|: got .* in )")
        self.assertRegex(client.stdout[-1], "^Got 2 poems in ")

    def test_nobody_listens(self):
        """The second server has not been started."""
        self.fail_at(self.closed_port()[1], "Connection refused")

    def test_no_such_host(self):
        """A name that nobody has, a name that nobody can have, an address that is not IPv4."""
        for host, reason in (("no-such-host.invalid", UNKNOWN), ("a..b", UNKNOWN),
                             ("::1", "Address family .*")):
            with self.subTest(host):
                self.fail_at(f"{host}:10000", reason, prefix=QUICK_RESOLVER)

    def test_a_reset_at_once(self):
        """The connection is made, and broken before a byte has come."""
        listener, port = self.listener()
        self.fail_at(port, "Connection reset by peer", lambda client: reset(self.accept(listener)))

    def test_a_reset_halfway(self):
        """The bytes that came before it do not count as a poem."""
        listener, port = self.listener()

        def break_off(client):
            sock = self.accept(listener)
            sock.sendall(b"half a poem")
            if self.script == ASYNC:
                client.wait_for("^Task 2: got 11 bytes")
            reset(sock)

        self.fail_at(port, "Connection reset by peer", break_off)

    def test_all_tasks_fail(self):
        """The last line counts 0 poems, and the status is 1."""
        client = self.program(self.script, self.closed_port()[1], self.closed_port()[1])
        self.assertEnded(client, 1, "Task 1: no poetry from .*", "Task 2: no poetry from .*")
        self.assertRegex(client.stdout[-1], "^Got 0 poems in ")


class BlockingFails(OneFails, Case):
    """In the blocking client."""

    script = BLOCKING


class AsyncFails(OneFails, Case):
    """In the async client."""

    script = ASYNC


class ManySockets(Case):
    """The async client has all its sockets at once."""

    def test_a_thousand_servers(self):
        """As many as it takes, with the 1024 files that a process may usually have."""
        client = self.program(ASYNC, *[self.quick_server()] * 1000,
                              prefix=limited("-S -n 1024"))
        self.assertEnded(client, 0)
        self.assertRegex(client.stdout[-1], "^Got 1000 poems in ")

    def test_more_servers_than_select_can_watch(self):
        """One line says so, before any server is called."""
        listener, port = self.listener()
        client = self.program(ASYNC, *[port] * 1001)
        self.assertEnded(client, 1, "get-poetry.py: more sockets than select\\(\\) can watch")
        self.assertEqual(client.stdout, [])
        listener.settimeout(0)
        with self.assertRaises(BlockingIOError):
            listener.accept()

    def test_more_servers_than_the_process_may_have_sockets(self):
        """Each task that gets no socket is reported, and the others go on."""
        port = self.quick_server()
        client = self.program(ASYNC, *[port] * 30, prefix=limited("-n 20"))
        self.assertEqual(client.wait(), 1, client)
        failed = [int(re.fullmatch(f"Task ([0-9]+): no poetry from 127.0.0.1:{port}: "
                                   "Too many open files", line)[1]) for line in client.stderr]
        came = [int(line.split()[1][:-1]) for line in client.stdout
                if line.endswith(": 4 bytes of poetry")]
        self.assertEqual(came + failed, list(range(1, 31)))
        self.assertTrue(10 < len(came) < 20, client)
        self.assertRegex(client.stdout[-1], f"^Got {len(came)} poems in ")
