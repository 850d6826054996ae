"""TLS on the TCP listener: what is spoken, whose certificate, and its renewal under load."""
import http.client
import os
import signal
import socket
import ssl
import subprocess
import threading
import unittest

from harness.orderly import GUARD, Daemon, check_config, fake, main

READ_AGAIN = "the tokens and the certificate have been read again"


def make_certificate(folder, name):
    """A self-signed certificate of localhost and its key, as folder/name.crt and .key."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                    f"/CN={name}", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.crt"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.chmod(f"{folder}/{name}.key", 0o600)


def put(d, name):
    """What the daemon is told to read becomes this certificate."""
    for end in ("key", "crt"):
        with open(f"{d.folder}/{name}.{end}", "rb") as f:
            data = f.read()
        with open(f"{d.folder}/tls.{end}", "wb", opener=lambda p, f: os.open(p, f, 0o600)) as f:
            f.write(data)


class Tls(unittest.TestCase):
    def setUp(self):
        self.d = Daemon({"backend": fake()}, tcp=True, start=False,
                        config={"api": {"tls_cert": "@FOLDER@/tls.crt",
                                        "tls_key": "@FOLDER@/tls.key"}})
        for name in ("first", "second"):
            make_certificate(self.d.folder, name)
        put(self.d, "first")
        self.enterContext(self.d)
        self.d.start()
        self.token = self.d.admin_token()

    def context(self, *names):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        for name in names or ("first", "second"):
            context.load_verify_locations(f"{self.d.folder}/{name}.crt")
        return context

    def connect(self, *names):
        return http.client.HTTPSConnection("127.0.0.1", self.d.port, timeout=GUARD,
                                           context=self.context(*names))

    def ask(self, connection, method="GET", path="/status", **headers):
        headers = {"Authorization": f"Bearer {self.token}", **headers}
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()

    def shown(self):
        """The name in the certificate that a new connection is shown."""
        with socket.create_connection(("127.0.0.1", self.d.port), GUARD) as s, \
                self.context().wrap_socket(s, server_hostname="localhost") as t:
            return dict(x[0] for x in t.getpeercert()["subject"])["commonName"]

    def reload(self, query=""):
        return self.d.http("POST", f"/daemon/reload{query}")

    def test_requests_and_operations_go_over_it(self):
        connection = self.connect("first")
        self.assertEqual(self.ask(connection)[0], 200)
        self.assertEqual(self.ask(connection, "POST", "/restart/backend?wait")[0], 200)
        self.assertEqual(self.ask(connection, path="/healthz")[0], 200)
        self.assertEqual(self.ask(connection, Authorization="Bearer wrong")[0], 401)
        connection.close()

    def test_plain_text_is_not_answered(self):
        got = self.d.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", tcp=True)
        self.assertNotIn(b"HTTP/1.1", got)
        self.assertEqual(self.ask(self.connect())[0], 200)

    def test_tls_1_2_and_1_3_are_spoken_and_nothing_older(self):
        for version, spoken in ((ssl.TLSVersion.TLSv1_3, True), (ssl.TLSVersion.TLSv1_2, True),
                                (ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1, False)):
            context = self.context()
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = version
            with socket.create_connection(("127.0.0.1", self.d.port), GUARD) as s:
                if spoken:
                    with context.wrap_socket(s, server_hostname="localhost") as t:
                        self.assertEqual(t.version(), version.name.replace("_", "."))
                else:
                    with self.assertRaises((ssl.SSLError, ConnectionError)):
                        context.wrap_socket(s, server_hostname="localhost")

    def test_a_renewed_certificate_is_shown_to_who_comes_and_disturbs_nobody(self):
        kept = self.connect("first")
        self.assertEqual(self.ask(kept)[0], 200)
        self.assertEqual(self.shown(), "first")
        put(self.d, "second")
        self.assertEqual(self.shown(), "first")
        answer = self.reload()
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.json["errors"], [])
        self.assertEqual(self.shown(), "second")
        self.assertEqual(self.ask(kept)[0], 200)
        put(self.d, "first")
        before = self.d.log_text().count(READ_AGAIN)
        self.d.process.send_signal(signal.SIGHUP)
        self.d.wait_log(READ_AGAIN, before + 1)
        self.assertEqual(self.shown(), "first")
        self.assertEqual(self.ask(kept)[0], 200)
        kept.close()

    def test_what_cannot_be_read_leaves_the_old_one_and_says_so(self):
        with open(f"{self.d.folder}/second.key", "rb") as f:
            other = f.read()
        with open(f"{self.d.folder}/tls.key", "wb") as f:
            f.write(other)
        answer = self.reload()
        self.assertEqual(answer.status, 200)
        error, = answer.json["errors"]
        self.assertIn("tls.key", error["message"])
        self.assertIsNone(error["line"])
        self.assertEqual(self.shown(), "first")
        answer = self.reload("?strict")
        self.assertEqual(answer.status, 409)
        self.assertEqual(answer.json["code"], "config_refused")
        before = self.d.log_text().count("what was read before stays")
        self.d.process.send_signal(signal.SIGHUP)
        self.d.wait_log("what was read before stays", before + 1)
        os.unlink(f"{self.d.folder}/tls.crt")
        self.assertNotEqual(self.reload().json.get("errors"), [])
        self.assertEqual(self.shown(), "first")
        put(self.d, "second")
        os.chmod(f"{self.d.folder}/tls.key", 0o644)
        self.assertIn("lets others in", str(self.reload().json))
        self.assertEqual(self.shown(), "first")
        os.chmod(f"{self.d.folder}/tls.key", 0o600)
        self.assertEqual(self.reload().json["errors"], [])
        self.assertEqual(self.shown(), "second")

    def test_renewals_under_load_break_no_connection(self):
        stop, troubles, counts = threading.Event(), [], []

        def client(keep):
            connection, count = self.connect(), 0
            try:
                while not stop.is_set() or count < 20:
                    status, _ = self.ask(connection)
                    if status != 200:
                        troubles.append(status)
                    count += 1
                    if not keep:
                        connection.close()  # the next request opens it anew
            except Exception as e:  # pylint: disable=broad-except
                troubles.append(e)
            counts.append(count)
            connection.close()

        threads = [threading.Thread(target=client, args=(i % 2 == 0,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for turn in range(30):
            put(self.d, "second" if turn % 2 else "first")
            self.assertEqual(self.reload().json["errors"], [])
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(troubles, [])
        self.assertEqual(len(counts), 4)

    def test_a_page_must_come_by_the_same_scheme(self):
        own = f"https://127.0.0.1:{self.d.port}"
        self.assertEqual(self.ask(self.connect(), Origin=own)[0], 200)
        self.assertEqual(self.ask(self.connect(), Origin=own.replace("https", "http"))[0], 403)

    def test_who_never_ends_the_handshake_is_cut_off(self):
        with socket.create_connection(("127.0.0.1", self.d.port), GUARD) as silent, \
                socket.create_connection(("127.0.0.1", self.d.port), GUARD) as half:
            half.sendall(b"\x16\x03\x01\x02\x00\x01\x00")
            self.assertEqual(self.ask(self.connect())[0], 200)
            for s in (silent, half):
                try:
                    self.assertEqual(s.recv(100), b"")
                except ConnectionResetError:
                    pass


class OffLoopback(unittest.TestCase):
    def daemon(self, **api):
        d = Daemon({"backend": fake()}, tcp=True, start=False,
                   config={"api": {"listen": "0.0.0.0:0", **api}})
        d._write_conf({"api": {"listen": f"0.0.0.0:{d.port}", **api}})
        return self.enterContext(d)

    def test_plain_text_off_loopback_is_refused(self):
        d = self.daemon()
        checked = check_config(d.conf)
        self.assertEqual(checked.returncode, 1, checked.stdout)
        self.assertIn("allow_plain_http", checked.stdout)

    def test_unless_it_is_said_and_then_it_is_loud(self):
        d = self.daemon(allow_plain_http="yes", server_names="box.example")
        d.start()
        self.assertIn("plain text", d.log_text())
        token = d.admin_token()
        self.assertEqual(d.tcp("GET", "/status", token=token).status, 200)
        self.assertEqual(d.tcp("GET", "/status", token=token,
                               headers={"Host": "box.example"}).status, 200)
        self.assertEqual(d.tcp("GET", "/status", token=token,
                               headers={"Host": "evil.example"}).status, 403)

    def test_with_tls_it_is_fine(self):
        d = self.daemon(tls_cert="@FOLDER@/own.crt", tls_key="@FOLDER@/own.key")
        make_certificate(d.folder, "own")
        d.start()
        self.assertNotIn("plain text", d.log_text())

    def test_a_key_that_others_may_read_is_refused_at_the_start(self):
        d = self.daemon(tls_cert="@FOLDER@/own.crt", tls_key="@FOLDER@/own.key")
        make_certificate(d.folder, "own")
        os.chmod(f"{d.folder}/own.key", 0o644)
        d.start(wait=False)
        self.assertEqual(d.process.wait(GUARD), 1)
        d.process = None
        self.assertIn("own.key", d.log_text())


if __name__ == "__main__":
    main()
