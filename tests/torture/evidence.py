"""What the three witnesses left: the journal, what the services wrote, what the clients saw.

Nothing here judges. It can be saved to a folder and judged again later.
"""
import collections
import json
import os
import sqlite3

# A request: when it was sent and answered (monotonic ns), what was asked and what came back.
# answered and status are None when the answer was lost with the daemon.
FIELDS = ("client", "number", "kind", "sent", "answered", "method", "path", "body", "key",
          "status", "answer")
Line = collections.namedtuple("Line", "word life pid mono_ns utc_us detail")


class Request(collections.namedtuple("Request", FIELDS)):
    __slots__ = ()

    def text(self):
        took = ("no answer" if self.answered is None
                else f"{(self.answered - self.sent) / 1e6:.2f} ms")
        said = json.dumps(self.answer) if self.answer is not None else ""
        return (f"client {self.client} #{self.number} sent {self.sent / 1e9:.6f} ({took}) "
                f"{self.method} {self.path} {self.body or ''}"
                f"{' key ' + self.key if self.key else ''} -> {self.status} {said[:420]}")


class Evidence:
    def __init__(self):
        self.about = {}         # seed, clients, requests, kill; lateness_us; epochs
        self.rows = []          # journal: operations, as dicts, by id
        self.keys = []          # journal: keys
        self.services = {}      # journal: name -> row
        self.lives = {}         # name -> [Line]
        self.requests = []      # [Request], in the order in which they were sent
        self.final = []         # [Request]: what was listed when all was quiet
        self.status = {}        # name -> row, when all was quiet

    @property
    def epochs(self):
        """[(alive still, dead, the next one ready)] of each kill, monotonic ns."""
        return self.about.get("epochs", [])

    @property
    def unwritten_us(self):
        """So long it may take until what nobody waits for is written down; a daemon that is killed
        before forgets what it had begun by itself."""
        return 50000 + 4 * self.about.get("lateness_us", 0)

    @property
    def killed(self):
        return bool(self.epochs)

    # ---- taking it ----

    def take_journal(self, path):
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
            db.row_factory = sqlite3.Row
            self.rows = [dict(row) for row in db.execute("SELECT * FROM operations ORDER BY id")]
            self.keys = [dict(row) for row in db.execute("SELECT * FROM keys ORDER BY key")]
            self.services = {row["name"]: dict(row) for row in db.execute("SELECT * FROM services")}
        db.close()

    def take_lives(self, folder, names):
        for name in names:
            self.lives[name] = []
            try:
                with open(f"{folder}/{name}.witness") as f:
                    lines = f.read().splitlines()
            except FileNotFoundError:
                continue
            for line in lines:
                word, *numbers = line.split()
                self.lives[name].append(Line(word, *map(int, numbers)))

    # ---- keeping it ----

    def save(self, folder):
        os.makedirs(folder, exist_ok=True)
        with open(f"{folder}/evidence.json", "w") as f:
            json.dump({**vars(self)}, f)

    @classmethod
    def load(cls, folder):
        with open(f"{folder}/evidence.json") as f:
            kept = json.load(f)
        self = cls()
        vars(self).update(kept)
        self.requests = [Request(*r) for r in self.requests]
        self.final = [Request(*r) for r in self.final]
        self.lives = {name: [Line(*line) for line in lines] for name, lines in self.lives.items()}
        return self
