"""What each client asks for: a stream that its seed alone decides, whatever is answered."""
import random

from tempers import NAMES, SIGNALS, TEMPERS, meant

# How often what is asked for.
KINDS = {"start": 16, "stop": 14, "restart": 30, "reload": 8, "signal": 14, "cancel": 16,
         "batch": 5, "goal": 8, "look": 10, "list": 3, "again": 5}
MODES = [None] * 14 + ["fail"] * 3 + ["replace"]
WAITS = [None] * 11 + ["wait", "wait", "wait=0.02", "wait=0.3", "wait=5"]
TIMEOUTS = [None] * 14 + ["0.004", "0.02", "0.05", "0.2", "20", "60"]
COALESCE = [None] * 8 + ["yes", "yes", "no"]
PATTERNS = ["@web", "@loud", "@chain", "l*", "*a*", "?????", "quick", "shaky", "joining", "deaf"]
MEET_EVERY = 25     # of so many requests one is sent by two clients at once, with the same key


class Ask:
    """One request. path may hold a mark: which of the client's own operations, counted from the
    newest, is meant; it is filled in when it is sent."""

    def __init__(self, kind, method, path, body=None, key=None, meet=False):
        self.kind, self.method, self.path, self.body = kind, method, path, body
        self.key, self.meet = key, meet
        self.own = None         # cancel, look: which of its own
        self.again = None       # which of its keyed requests, counted from the newest

    def __repr__(self):
        return f"{self.method} {self.path}{' ' + self.body if self.body else ''}"


def _query(words):
    return "?" + "&".join(words) if words else ""


def _parameters(rng, action, reason, mode=True):
    wait, timeout = rng.choice(WAITS), rng.choice(TIMEOUTS)
    chosen, coalesce = rng.choice(MODES), rng.choice(COALESCE)
    signal = rng.choice(SIGNALS)
    words = [f"reason={reason}"]
    if action == "signal":
        words.append(f"signal={signal}")
    if wait:
        words.append(wait)
    if timeout:
        words.append(f"timeout={timeout}")
    if chosen and mode:
        words.append(f"mode={chosen}")
    if coalesce:
        words.append(f"coalesce={coalesce}")
    return words


def _service(rng):
    return rng.choices(NAMES, [TEMPERS[name].weight for name in NAMES])[0]


def _batch(rng, reason, key):
    items = []
    for _ in range(rng.randint(1, 3)):
        action = rng.choice(["start", "stop", "restart", "restart", "signal"])
        pattern, signal = rng.choice(PATTERNS), rng.choice(SIGNALS)
        more = f',"signal":"{signal}"' if action == "signal" else ""
        items.append(f'{{"action":"{action}","service":"{pattern}"{more}}}')
    words = _parameters(rng, None, reason)
    return Ask("batch", "POST", "/operations" + _query(words),
               body=f'{{"operations":[{",".join(items)}]}}', key=key)


def _one(rng, kind, reason, key):
    """Draws the same number of times whatever comes out, as far as one kind goes."""
    name = _service(rng)
    nth = rng.choice([1, 1, 1, 2, 2, 3, 5, 12])
    if kind in ("start", "stop", "restart", "reload", "signal"):
        return Ask(kind, "POST", f"/{kind}/{name}{_query(_parameters(rng, kind, reason))}",
                   key=key)
    if kind == "batch":
        return _batch(rng, reason, key)
    if kind == "goal":
        goal = rng.choice(["up", "down"])
        return Ask(kind, "PUT", f"/goal/{name}{_query(_parameters(rng, None, reason))}",
                   body=f'{{"goal":"{goal}"}}', key=key)
    if kind == "cancel":
        ask = Ask(kind, "DELETE", "/operations/@")
        ask.own = nth
        return ask
    if kind == "look":
        ask = Ask(kind, "GET", "/operations/@" + rng.choice(["", "", "?wait=0.05", "?wait=2"]))
        ask.own = nth
        return ask
    if kind == "list":
        return Ask(kind, "GET", f"/operations?service={name}&limit={rng.choice([3, 20, 60])}")
    ask = Ask("again", None, None)
    ask.again = nth
    return ask


def stream(seed, client, count):
    """All that the client asks for, in order."""
    rng = random.Random(f"{seed} client {client}")
    shared = random.Random(f"{seed} pair {client // 2}")
    asks = []
    for number in range(count):
        if number % MEET_EVERY == MEET_EVERY - 1:   # both of a pair draw the same
            name = f"p{client // 2}-{number}"
            kind = shared.choice(["restart", "stop", "start", "signal", "batch", "goal"])
            ask = _one(shared, kind, name, name)
            ask.meet = True
        else:
            name = f"c{client}-{number}"
            kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
            keyed = rng.random() < 0.15
            ask = _one(rng, kind, name, name if keyed else None)
        asks.append(ask)
    return asks


def expected_operations(body):
    """[(action, service)] of a batch's body, as the daemon expands it."""
    return [(item["action"], name) for item in body["operations"]
            for name in meant(item["service"])]
