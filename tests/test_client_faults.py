"""Whatever the servers do, a failed task is told with its reason, and the others go on."""

import re
import socket
import unittest

from case import CLIENTS, QUICK_RESOLVER, Case, limited, reset


class BothClients(Case):
    """One server that fails between two that do not."""

    def assertOneFails(self, kind, address, reason, act=lambda client: None, **options):
        """Check that the second of three tasks fails for a reason and that the others do not.

        act plays the second server.
        """
        client = self.client(kind, self.poet(b"first"), address, self.poet(b"third"), **options)
        act(client)
        shown = address if ":" in str(address) else f"127.0.0.1:{address}"
        self.assertEnded(client, 1, f"Task 2: no poetry from {re.escape(shown)}: {reason}")
        printed = "\n".join(client.stdout)
        for task_num in (1, 3):
            self.assertRegex(printed, f"Task {task_num}: (got )?5 bytes of poetry")
        self.assertNotRegex(printed, r"(?m)^Task 2( finished|: [0-9]+ bytes|: got .* in )")
        self.assertRegex(client.stdout[-1], "^Got 2 poems in ")

    def test_nobody_listens(self):
        """The second server has not been started."""
        for kind in CLIENTS:
            with self.subTest(kind):
                _, port = self.closed_port()
                self.assertOneFails(kind, port, "Connection refused")

    def test_a_failure_is_told_at_once(self):
        """Even into a pipe, and while another task has still to wait."""
        for kind in CLIENTS:
            with self.subTest(kind):
                peer, port = self.peer()
                client = self.client(kind, "a..b:10000", port)
                client.wait_for("^Task 1: no poetry from a..b:10000", stream="stderr")
                self.assertIsNone(client.poll())
                self.accept(peer).close()
                self.assertEqual(client.wait(), 1)

    def test_no_such_host(self):
        """A name that nobody has, names that nobody can have, an address that is not IPv4."""
        unknown = "[A-Z][a-z ]+ (not known|in name resolution)"
        for kind in CLIENTS:
            for host, reason in (("no-such-host.invalid", unknown), ("a..b", unknown),
                                 ("x" * 70, unknown), ("::1", "Address family .*")):
                with self.subTest(kind, host=ascii(host)):
                    self.assertOneFails(kind, f"{host}:10000", reason, prefix=QUICK_RESOLVER)

    def test_a_reset_at_once(self):
        """The connection is made, and broken before a byte has come."""
        for kind in CLIENTS:
            with self.subTest(kind):
                peer, port = self.peer()
                self.assertOneFails(kind, port, "Connection reset by peer",
                                    lambda client: reset(self.accept(peer)))

    def test_a_reset_halfway(self):
        """What had come is no poem."""
        for kind in CLIENTS:
            with self.subTest(kind):
                peer, port = self.peer()

                def break_off(client):
                    sock = self.accept(peer)
                    sock.sendall(b"half a poem")
                    if kind == "async":
                        client.wait_for("^Task 2: got 11 bytes")
                    reset(sock)

                self.assertOneFails(kind, port, "Connection reset by peer", break_off)

    def test_an_address_that_cannot_be_reached(self):
        """A connect that fails on the spot: nobody may connect to the broadcast address."""
        for kind in CLIENTS:
            with self.subTest(kind):
                self.assertOneFails(kind, "255.255.255.255:10000",
                                    "(Permission denied|Network is unreachable)")

    def test_every_task_can_fail(self):
        """The count is honest at none, too."""
        for kind in CLIENTS:
            with self.subTest(kind):
                client = self.client(kind, "a..b:1", "a..b:2")
                self.assertEnded(client, 1, *(f"Task {number}: no poetry from a..b:{number}: .*"
                                              for number in (1, 2)))
                self.assertRegex(client.stdout[-1], "^Got 0 poems in ")


class AsyncClient(Case):
    """What only the async client has to cope with."""

    def test_a_thousand_servers_at_once(self):
        """Almost as many as select() can watch."""
        client = self.client("async", *[self.poet()] * 1000, prefix=limited("-n 2000"))
        self.assertEnded(client, 0)
        self.assertRegex(client.stdout[-1], "^Got 1000 poems in ")

    def test_more_servers_than_select_can_watch(self):
        """One clear line, before a line of poetry."""
        client = self.client("async", *[self.poet()] * 1100, prefix=limited("-n 2000"))
        self.assertEnded(client, 1, "get-poetry.py: more sockets than select\\(\\) can watch")
        self.assertEqual(client.stdout, [])

    def test_more_servers_than_the_process_may_have_sockets(self):
        """Each task that finds no room for its socket is told, and the others go on."""
        port = self.poet()
        client = self.client("async", *[port] * 30, prefix=limited("-n 20"))
        self.assertEqual(client.wait(), 1, client)
        failed = [int(re.fullmatch(f"Task ([0-9]+): no poetry from 127.0.0.1:{port}: "
                                   "Too many open files", line)[1]) for line in client.stderr]
        came = [int(line.split()[1][:-1]) for line in client.stdout
                if line.endswith(": 4 bytes of poetry")]
        self.assertEqual(came + failed, list(range(1, 31)))
        self.assertGreater(len(came), 10)
        self.assertGreater(len(failed), 10)
        self.assertRegex(client.stdout[-1], f"^Got {len(came)} poems in ")


if __name__ == "__main__":
    unittest.main()
