"""Tokens: what each role may ask, whose they are, and what a reload makes of them. And pages from
elsewhere, which have none."""
import json
import os
import signal
import subprocess
import unittest

from harness.orderly import GUARD, ORDERLYD, Daemon, Shared, fake, main

ROLES = ("read", "operate", "admin")
SECRETS = {role: f"{role}-0123456789abcdef" for role in ROLES}
LINES = "# people\n" + "".join(f"{role}er {role} {SECRETS[role]}\n" for role in ROLES)


def routes():
    """The rows of the REST contract that the daemon prints."""
    run = subprocess.run([ORDERLYD, "--help-api"], stdout=subprocess.PIPE, check=True,
                         timeout=GUARD)
    return json.loads(run.stdout)["routes"]


def write_tokens(d, text, mode=0o600):
    with open(d.token_file, "w", opener=lambda p, f: os.open(p, f, 0o600)) as f:
        f.write(text)
    os.chmod(d.token_file, mode)


class Roles(Shared):
    services = {"backend": fake()}
    tcp = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        write_tokens(cls.d, LINES)
        assert cls.d.http("POST", "/daemon/reload").json["errors"] == []

    def test_every_route_refuses_each_lower_role_and_nobody(self):
        for route in routes():
            path = route["path"].replace("<service>", "backend").replace("<operation>", "1")
            path = path.replace("<id>", "1")
            for role in ROLES:
                if route["role"] in ROLES and ROLES.index(role) < ROLES.index(route["role"]):
                    with self.subTest(route["method"] + " " + path, role=role):
                        answer = self.d.tcp(route["method"], path, token=SECRETS[role])
                        self.assertEqual(answer.status, 403, answer)
                        self.assertEqual(answer.json["code"], "forbidden")
                        self.assertIn(route["role"], answer.json["detail"])
            if route["role"] in ROLES:
                with self.subTest(route["method"] + " " + path, role=None):
                    self.assertEqual(self.d.tcp(route["method"], path).status, 401)

    def test_what_is_not_there_is_not_told_to_strangers(self):
        for path in ("/", "/status/none", "/nowhere", "/operations/99999"):
            self.assertEqual(self.d.tcp("GET", path).status, 401, path)
            self.assertEqual(self.d.tcp("PATCH", path).status, 401, path)

    def test_an_operation_names_the_token(self):
        record = self.d.tcp("POST", "/restart/backend?wait", token=SECRETS["operate"]).json
        self.assertEqual(record["requested_by"], "token:operateer")

    def test_a_secret_counts_whole_or_not_at_all(self):
        secret = SECRETS["admin"]
        for wrong in (secret[:-1], secret + "x", secret.upper(), secret + " x", f'"{secret}"',
                      "", "x" * 5000, secret[1:], f"admin {secret}", f"adminer:{secret}"):
            answer = self.d.tcp("GET", "/status", token=wrong)
            self.assertEqual(answer.status, 401, wrong)
        for scheme in ("Bearer", "bearer", "BEARER", "Bearer  "):
            answer = self.d.tcp("GET", "/status", headers={"Authorization": f"{scheme} {secret}"})
            self.assertEqual(answer.status, 200, scheme)
        for scheme in ("Basic", "Token", "Bearer:"):
            answer = self.d.tcp("GET", "/status", headers={"Authorization": f"{scheme} {secret}"})
            self.assertEqual(answer.status, 401, scheme)

    def test_answers_are_not_kept_nor_guessed_at(self):
        for path in ("/status", "/status/backend", "/operations", "/version", "/logs/backend",
                     "/healthz", "/readyz", "/nowhere"):
            headers = self.d.tcp("GET", path, token=SECRETS["read"]).headers
            self.assertEqual(headers["X-Content-Type-Options"], "nosniff", path)
            self.assertIn(headers["Cache-Control"], ("no-store", "no-cache"), path)


class Reread(unittest.TestCase):
    def setUp(self):
        self.d = self.enterContext(Daemon({"backend": fake()}, tcp=True))
        self.first = self.d.admin_token()

    def status(self, token):
        return self.d.tcp("GET", "/status", token=token).status

    def test_a_reload_takes_new_tokens_and_drops_old_ones_at_once(self):
        self.assertEqual(self.status(self.first), 200)
        write_tokens(self.d, LINES)
        self.assertEqual(self.status(SECRETS["read"]), 401)
        self.assertEqual(self.d.http("POST", "/daemon/reload").json["errors"], [])
        self.assertEqual(self.status(self.first), 401)
        self.assertEqual(self.status(SECRETS["read"]), 200)

    def test_so_does_a_hangup(self):
        write_tokens(self.d, LINES, mode=0o640)
        self.d.process.send_signal(signal.SIGHUP)
        self.d.wait_log("the tokens have been read again")
        self.assertEqual(self.status(self.first), 401)
        self.assertEqual(self.status(SECRETS["admin"]), 200)

    def test_a_wrong_file_keeps_the_old_tokens_and_says_where_it_is_wrong(self):
        wrong = {
            LINES + "half operate\n": 5,
            LINES + "boss chief 0123456789abcdef0\n": 5,
            LINES + "short read 0123456789\n": 5,
            LINES + f"reader admin {SECRETS['read']}x\n": 5,      # the name is there already
            LINES + f"other admin {SECRETS['read']}\n": 5,        # the secret is
            "../x admin 0123456789abcdef0\n" + LINES: 1,
            LINES + "four words are 0123456789abcdef toomany\n": 5,
            "": None, "# nothing\n\n": None,
        }
        for text, line in wrong.items():
            with self.subTest(text[-60:]):
                write_tokens(self.d, text)
                answer = self.d.http("POST", "/daemon/reload")
                self.assertEqual(answer.status, 200)
                error, = answer.json["errors"]
                self.assertEqual(error["file"], self.d.token_file)
                self.assertEqual(error["line"], line)
                for secret in SECRETS.values():
                    self.assertNotIn(secret, error["message"])
                answer = self.d.http("POST", "/daemon/reload?strict")
                self.assertEqual(answer.status, 409)
                self.assertEqual(self.status(self.first), 200)
                self.assertEqual(self.status(SECRETS["read"]), 401)
        before = self.d.log_text().count("what was read before stays")
        self.d.process.send_signal(signal.SIGHUP)
        self.d.wait_log("what was read before stays", before + 1)
        self.assertEqual(self.status(self.first), 200)

    def test_a_file_that_others_may_read_or_own_is_refused(self):
        for mode in (0o644, 0o660, 0o604):
            write_tokens(self.d, LINES, mode)
            self.assertIn("lets others in", str(self.d.http("POST", "/daemon/reload").json))
        write_tokens(self.d, LINES)
        if os.geteuid() == 0:
            os.chown(self.d.token_file, 54321, -1)
            self.assertIn("uid 54321", str(self.d.http("POST", "/daemon/reload").json))
            os.chown(self.d.token_file, 0, -1)
        os.unlink(self.d.token_file)
        self.assertNotEqual(self.d.http("POST", "/daemon/reload").json["errors"], [])
        self.assertEqual(self.status(self.first), 200)

    def test_the_daemon_does_not_start_on_a_wrong_file(self):
        self.d.stop()
        write_tokens(self.d, LINES + "half operate\n")
        self.d.start(wait=False)
        self.assertEqual(self.d.process.wait(GUARD), 1)
        self.d.process = None
        self.assertIn(f"{self.d.token_file}:5", self.d.log_text())


class Pages(unittest.TestCase):
    """A browser asks for a page: the page's origin decides, not the token it may have."""

    def setUp(self):
        self.d = self.enterContext(Daemon({"backend": fake()}, tcp=True, config={
            "api": {"server_names": "orderly.example"}}))
        self.token = self.d.admin_token()

    def ask(self, method="GET", path="/status", tcp=True, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.d.http(method, path, headers=headers, tcp=tcp, token=self.token)

    def refused(self, **kwargs):
        for method, path in (("GET", "/status"), ("POST", "/restart/backend"),
                             ("GET", "/logs/backend"), ("GET", "/operations")):
            answer = self.ask(method, path, **kwargs)
            self.assertEqual(answer.status, 403, answer)
            self.assertEqual(answer.json["code"], "forbidden")
        self.assertEqual([o for o in self.d.operations() if o["origin"] == "api"], [])

    def test_pages_from_elsewhere_are_refused(self):
        for origin in ("http://evil.example", "null", f"https://127.0.0.1:{self.d.port}",
                       "http://127.0.0.1", f"http://localhost:{self.d.port}",
                       f"http://127.0.0.1:{self.d.port}.evil.example", "file://", ""):
            self.refused(Origin=origin)
        for site in ("cross-site", "same-site"):
            self.refused(Sec_Fetch_Site=site)

    def test_our_own_are_served(self):
        for headers in ({"Origin": f"http://127.0.0.1:{self.d.port}"},
                        {"Origin": "https://orderly.example"},
                        {"Origin": "https://orderly.example", "Sec_Fetch_Site": "cross-site"},
                        {"Sec_Fetch_Site": "same-origin"}, {"Sec_Fetch_Site": "none"}, {}):
            self.assertEqual(self.ask(**headers).status, 200, headers)

    def test_the_unix_socket_looks_at_the_origin_too(self):
        self.refused(tcp=False, Origin="http://evil.example")
        self.refused(tcp=False, Sec_Fetch_Site="cross-site")
        self.assertEqual(self.ask(tcp=False, Origin="https://localhost").status, 200)

    def test_what_anybody_may_know_any_page_may(self):
        self.assertEqual(self.ask(path="/healthz", Sec_Fetch_Site="cross-site").status, 200)

    def test_the_host_must_be_ours(self):
        for host, status in (("127.0.0.1", 200), ("localhost:1", 200), ("[::1]:8091", 200),
                             ("orderly.example", 200), ("ORDERLY.example:443", 200),
                             ("evil.example", 403), ("orderly.example.evil", 403),
                             ("127.0.0.1.evil.example", 403), ("", 403), ("a b", 403)):
            self.assertEqual(self.ask(Host=host).status, status, host)


if __name__ == "__main__":
    main()
