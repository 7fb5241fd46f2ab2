"""Whatever the servers do, each failed task is named once with its reason, and the other poems come whole."""

import re
import socket
import unittest

from case import CLIENTS, Case, reset
NO_LIMIT = ("sh", "-c", 'ulimit -n "$(ulimit -Hn)"; exec "$@"', "sh")
IMPATIENT = ("env", "RES_OPTIONS=timeout:1 attempts:1")  # for the look-up of names


class BothClients(Case):
    """One server that fails between two that do not."""

    def assertOneFails(self, kind, address, reason, act=None, **options):
        """Check that the second of three tasks fails for a reason and that the first and third do not.

        act, if given, plays the second server.
        """
        client = self.client(kind, self.poet(b"first"), address, self.poet(b"third"), **options)
        if act:
            act(client)
        shown = address if ":" in str(address) else f"127.0.0.1:{address}"
        shown = re.escape(shown.encode(errors="backslashreplace").decode())
        self.assertEnded(client, 1, f"Task 2: no poetry from {shown}: {reason}")
        self.assertRegex(client.stdout[-1], "^Got 2 poems in ")
        for task_num in (1, 3):
            self.assertRegex("\n".join(client.stdout), f"Task {task_num}: (got )?5 bytes of poetry")
        self.assertNotIn("Task 2 finished", client.stdout)
        self.assertNotRegex("\n".join(client.stdout), "(?m)^Task 2: [0-9]+ bytes")

    def test_nobody_listens(self):
        """The tutorial's reader who has not started the second server."""
        for kind in CLIENTS:
            with self.subTest(kind):
                sock, port = self.peer()
                sock.close()
                self.assertOneFails(kind, port, "Connection refused")

    def test_a_failure_is_reported_at_once(self):
        """Even into a pipe, and while another task has still to wait."""
        for kind in CLIENTS:
            with self.subTest(kind):
                _, port = self.peer()
                client = self.client(kind, "a..b:10000", port)
                client.wait_for("^Task 1: no poetry from a..b:10000", stream="stderr")
                self.assertIsNone(client.process.poll())

    def test_no_such_host(self):
        """A name nobody has, one that cannot be a name, an empty part, bytes that are no text."""
        unknown = "(Name or service not known|Temporary failure in name resolution)"
        for kind in CLIENTS:
            for host, reason in (("no-such-host.invalid", unknown), ("x" * 70, ".*label.* too long.*"),
                                 ("a..b", ".*label.* empty.*"), (".", ".*label.* empty.*"),
                                 ("\u00fc" * 70, ".*label.* too long.*"), ("\udcff", ".*'idna' codec.*|Invalid character.*")):
                with self.subTest(kind, host=ascii(host)):
                    self.assertOneFails(kind, f"{host}:10000", reason, prefix=IMPATIENT)

    def test_a_reset_at_once(self):
        """The connection is made, and broken before a byte has come."""
        for kind in CLIENTS:
            with self.subTest(kind):
                peer, port = self.peer()
                self.assertOneFails(kind, port, "Connection reset by peer", lambda client: reset(self.accept(peer)))

    def test_a_reset_halfway(self):
        """The bytes that had come are counted in the report, and in no poem."""
        for kind in CLIENTS:
            with self.subTest(kind):
                peer, port = self.peer()

                def break_off(client):
                    sock = self.accept(peer)
                    sock.sendall(b"half a poem")
                    if kind == "async":
                        client.wait_for("^Task 2: got 11 bytes")
                    reset(sock)

                self.assertOneFails(kind, port, "Connection reset by peer after 11 bytes", break_off)

    def test_an_address_that_cannot_be_reached(self):
        """A connect that fails on the spot: nobody may connect to the broadcast address."""
        for kind in CLIENTS:
            with self.subTest(kind):
                self.assertOneFails(kind, "255.255.255.255:10000", "(Permission denied|Network is unreachable)")

    def test_every_task_can_fail(self):
        """The count is honest at none, too."""
        for kind in CLIENTS:
            with self.subTest(kind):
                client = self.client(kind, "a..b:1", "a..b:2")
                self.assertEnded(client, 1, "Task 1: no poetry from a..b:1: .*", "Task 2: no poetry from a..b:2: .*")
                self.assertRegex(client.stdout[-1], "^Got 0 poems in ")


class AsyncClient(Case):
    """What only the async client has to cope with."""

    def test_a_server_that_never_answers_the_connect(self):
        """Connecting does not block either: the others' poems arrive meanwhile."""
        client = self.client("async", self.full_peer(), self.poet(b"poem"))
        client.wait_for("^Task 2 finished$")
        self.assertIsNone(client.process.poll())

    def test_readiness_that_turns_out_to_be_none(self):
        """select() says ready, recv() would block: not the end of the poem, only an empty read is.

        A byte out of band makes a socket exceptional, and is no byte of the poem.
        """
        peers = [self.peer() for _ in range(2)]
        client = self.client("async", *(port for _, port in peers))
        odd, even = (self.accept(peer) for peer, _ in peers)
        odd.send(b"!", socket.MSG_OOB)
        even.sendall(b"x")
        client.wait_for("^Task 2: got 1 bytes")
        odd.sendall(b"the poem")
        client.wait_for("^Task 1: got 8 bytes")
        odd.close()
        even.close()
        self.assertEnded(client, 0)
        about_task_1 = [re.sub(" from .*", "", line) for line in client.stdout if line.startswith("Task 1")]
        self.assertEqual(about_task_1, [
            "Task 1: got 8 bytes of poetry", "Task 1 finished", "Task 1: 8 bytes of poetry"])

    def test_a_thousand_servers_at_once(self):
        """As many as select() can watch, and a few less."""
        client = self.client("async", *[self.poet()] * 1000, prefix=NO_LIMIT)
        self.assertEnded(client, 0)
        self.assertRegex(client.stdout[-1], "^Got 1000 poems in ")

    def test_more_servers_than_select_can_watch(self):
        """Each task beyond is named with the reason, the others go on."""
        self.check_too_many(1100, NO_LIMIT, r"filedescriptor out of range in select\(\)|Too many open files", 900)

    def test_more_servers_than_the_process_may_have_sockets(self):
        """A full descriptor table ends the tasks that find it full, and no other."""
        self.check_too_many(30, ("sh", "-c", 'ulimit -n 20; exec "$@"', "sh"), "Too many open files", 10)

    def check_too_many(self, num_tasks, prefix, reason, at_least):
        """Check that some tasks fail for the reason, that the others do not, and that none is forgotten."""
        port = self.poet(b"poem")
        client = self.client("async", *[port] * num_tasks, prefix=prefix)
        self.assertEqual(client.wait(), 1, client)
        failed = [re.fullmatch(f"Task ([0-9]+): no poetry from 127.0.0.1:{port}: (?:{reason})", line)
                  for line in client.stderr]
        came = [re.fullmatch("Task ([0-9]+): 4 bytes of poetry", line) for line in client.stdout]
        came = [match for match in came if match]
        self.assertEqual(sorted(int(match[1]) for match in failed + came), list(range(1, num_tasks + 1)))
        self.assertGreater(len(came), at_least)
        self.assertGreater(len(failed), 0)
        self.assertRegex(client.stdout[-1], f"^Got {len(came)} poems in ")


if __name__ == "__main__":
    unittest.main()
