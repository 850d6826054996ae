"""A thousand dashboards look on while services are restarted, removed and added: as many as may are
parked, the others are told so at once, and all of them see the same story."""
import asyncio
import json
import os
import resource
import unittest

from harness.orderly import GUARD, SANITIZE, Daemon, main, on_fd

POLLERS = 1000
PLACES = 512           # half of the connections of the TCP listener
SOURCES = 4            # addresses that the pollers come from: one may not have all connections
RESTARTS = 12 if SANITIZE else 40
NEEDED_FILES = POLLERS + 300


class Poller:
    """One client that keeps what it was told, and looks at every answer."""

    def __init__(self, number, port, token):
        self.number, self.port, self.token = number, port, token
        self.rows, self.revision, self.removed = {}, None, set()
        self.refusals = 0

    async def connect(self):
        source = (f"127.0.0.{2 + self.number % SOURCES}", 0)
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port,
                                                                 local_addr=source, limit=1 << 20)

    async def get(self, path):
        self.writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n"
                          f"Authorization: Bearer {self.token}\r\n\r\n".encode())
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length:")[1].split("\r\n")[0])
        return int(head.split()[1]), json.loads(await self.reader.readexactly(length))

    def take(self, body):
        number = int(body["revision"].split("-")[1])
        if self.revision:
            before = int(self.revision.split("-")[1])
            assert body["revision"].split("-")[0] == self.revision.split("-")[0]
            assert number >= before, f"{self.revision} and then {body['revision']}"
        if body["full"]:
            self.rows = {}
        for row in body["services"]:
            old = self.rows.get(row["name"])
            assert not old or row["generation"] >= old["generation"], (old, row)
            self.rows[row["name"]] = row
        for name in body["removed"]:
            assert name not in {row["name"] for row in body["services"]}
            self.rows.pop(name, None)
            self.removed.add(name)
        self.revision = body["revision"]

    async def look(self, wait=None):
        """One poll; False: there was no place to wait."""
        since = f"?since={self.revision}" if self.revision else ""
        status, body = await self.get(f"/status{since}" + (f"&wait={wait}" if wait else ""))
        if status == 429:
            assert body["code"] == "queue_full", body
            self.refusals += 1
            return False
        assert status == 200, (status, body)
        self.take(body)
        return True


class Crowd:
    def __init__(self, d, pollers):
        self.d, self.pollers = d, pollers
        self.over = False            # no new waits
        self.news = asyncio.Event()  # for those without a place

    async def follow(self, poller):
        """Waits, or without a place looks at every piece of news; until it is over."""
        while not self.over:
            if await poller.look(wait=60):
                continue
            news = self.news
            await news.wait()
            await poller.look()

    def tell(self):
        news, self.news = self.news, asyncio.Event()
        news.set()


async def in_thread(call, *args):
    return await asyncio.get_running_loop().run_in_executor(None, call, *args)


class StatusLoad(unittest.TestCase):
    def setUp(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY and hard < 2 * NEEDED_FILES:
            self.skipTest(f"{2 * NEEDED_FILES} open files are needed, {hard} are allowed")
        if soft != resource.RLIM_INFINITY and soft < 2 * NEEDED_FILES:
            resource.setrlimit(resource.RLIMIT_NOFILE, (2 * NEEDED_FILES, hard))
            self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))

    def test_a_thousand_pollers_see_the_same_story(self):
        services = {f"web{i}": on_fd() for i in range(12)}
        with Daemon(services, tcp=True) as d:
            d.wait_all_running()
            asyncio.run(asyncio.wait_for(self.story(d), 4 * GUARD))

    async def settled(self, d):
        def idle(rows):
            return all(r["state"] == "running" and r["ready"] and not r["active_operation"]
                       for r in rows.values())
        await in_thread(d.wait_status, idle)
        # the end of an operation is one more change: the last one has been told when it is written
        for record in await in_thread(d.operations, "?limit=1"):
            await in_thread(d.operation, record["id"])

    async def change(self, crowd):
        d = crowd.d
        for turn in range(RESTARTS):
            await in_thread(d.do, "restart", f"web{turn % 8}")
            crowd.tell()
            if turn == RESTARTS // 3:
                os.unlink(d.service_file("web11"))
                await in_thread(d.http, "POST", "/daemon/reload")
                await in_thread(d.wait_status, lambda rows: "web11" not in rows)
            if turn == RESTARTS // 2:
                d.write_service("new", on_fd())
                await in_thread(d.http, "POST", "/daemon/reload")

    async def story(self, d):
        token = d.admin_token()
        pollers = [Poller(i, d.port, token) for i in range(POLLERS)]
        for poller in pollers:
            await poller.connect()
            await poller.look()     # at once: who says nothing is soon sent away
        await self.settled(d)
        await asyncio.gather(*(poller.look() for poller in pollers))
        self.assertEqual(len({poller.revision for poller in pollers}), 1, "nothing changes yet")

        crowd = Crowd(d, pollers)
        followers = [asyncio.create_task(crowd.follow(poller)) for poller in pollers]
        while sum(poller.refusals for poller in pollers) < POLLERS - PLACES:
            await asyncio.sleep(0)
        # nothing has changed: who was not refused is parked, and others are served meanwhile
        self.assertEqual(sum(poller.refusals for poller in pollers), POLLERS - PLACES)
        self.assertEqual((await in_thread(d.http, "GET", "/healthz")).status, 200)

        await self.change(crowd)
        crowd.over = True
        await in_thread(d.do, "restart", "web0")  # lets go who is parked
        crowd.tell()
        await asyncio.gather(*followers)
        await self.settled(d)
        await asyncio.gather(*(poller.look() for poller in pollers))
        self.compare(pollers, (await in_thread(d.http, "GET", "/status")).json)
        for poller in pollers:
            poller.writer.close()

    def compare(self, pollers, last):
        rows = {row["name"]: row for row in last["services"]}
        self.assertIn("new", rows)
        self.assertNotIn("web11", rows)
        for poller in pollers:
            self.assertEqual(poller.rows, rows)
            self.assertEqual(poller.revision, last["revision"])
            self.assertEqual(poller.removed, {"web11"})


class Epochs(unittest.TestCase):
    def test_a_revision_of_another_daemon_gives_everything_and_a_new_epoch(self):
        with Daemon({"web": on_fd(), "db": on_fd()}) as d:
            d.wait_all_running()
            old = d.status()["revision"]
            d.restart_daemon()
            d.wait_all_running()
            for query in (f"since={old}", f"since={old}&wait=60"):
                body = d.http("GET", f"/status?{query}").json
                self.assertTrue(body["full"])
                self.assertEqual([r["name"] for r in body["services"]], ["db", "web"])
                self.assertNotEqual(body["revision"].split("-")[0], old.split("-")[0])
            future = body["revision"].split("-")[0] + "-99999999"
            self.assertTrue(d.http("GET", f"/status?since={future}&wait=60").json["full"])

    def test_one_snapshot_is_shared_by_all_who_read_the_same_revision(self):
        with Daemon({"web": on_fd()}) as d:
            d.wait_all_running()
            d.do("restart", "web")
            first, second = (d.http("GET", "/status") for _ in range(2))
            self.assertEqual(first.headers["ETag"], second.headers["ETag"])
            # its time is when it was written: by the first reader, for both
            self.assertEqual(first.body, second.body)
            self.assertEqual(d.http("GET", "/status", headers={
                "If-None-Match": first.headers["ETag"]}).status, 304)


if __name__ == "__main__":
    main()
