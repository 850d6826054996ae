"""What was found, and how it is told: the law, and the lines of all witnesses about it."""
import json

_SHOWN = 5          # violations that are told with all that is known of them
_LINES = 14         # of each witness


class Violation:
    """witness: who it was that could not be believed. ids: operations; more: further lines."""

    def __init__(self, witness, law, text, service=None, ids=(), requests=()):
        self.witness, self.law, self.text, self.service = witness, law, text, service
        self.ids, self.requests, self.more = list(ids), list(requests), []

    def __repr__(self):
        return f"{self.law} ({self.witness}): {self.text}"


def _row_text(row):
    return " ".join(f"{key}={value}" for key, value in row.items()
                    if value is not None and key not in ("boot", "output", "requested_by"))


def _rows_about(evidence, violation):
    """The operations themselves, and their neighbours on the service."""
    mine = [row for row in evidence.rows if row["service"] == violation.service]
    places = [n for n, row in enumerate(mine) if row["id"] in violation.ids]
    near = sorted({n for place in places for n in range(place - 1, place + 2)})
    return [mine[n] for n in near if 0 <= n < len(mine)] or [
        row for row in evidence.rows if row["id"] in violation.ids]


def _lines_about(evidence, violation, rows):
    """What the service wrote from a little before these operations until a little after them."""
    mine = [row for row in rows if row["id"] in violation.ids] or rows
    times = [row[key] for row in mine for key in ("started_utc", "finished_utc") if row[key]]
    if not times:
        return []
    return [line for line in evidence.lives.get(violation.service, [])
            if min(times) - 20000 <= line.utc_us <= max(times) + 20000 and line.word != "beat"]


def _requests_about(evidence, violation):
    found = list(violation.requests)
    for request in evidence.requests:
        text = json.dumps(request.answer)
        if any(f'"id": {number},' in text or f"/operations/{number}" in request.path
               for number in violation.ids) and request not in found:
            found.append(request)
    return found


def _print_some(title, lines, out):
    print(f"  {title}", file=out)
    for line in lines[:_LINES]:
        print(f"    {line}", file=out)
    if len(lines) > _LINES:
        print(f"    ... and {len(lines) - _LINES} more", file=out)


def tell(evidence, violations, out):
    """Every violation; of the first ones, what each witness says."""
    for violation in violations[:_SHOWN]:
        print(f"VIOLATED {violation}", file=out)
        _print_some("it is about:", violation.more, out)
        rows = _rows_about(evidence, violation)
        _print_some("the journal:", [_row_text(row) for row in rows], out)
        _print_some("the service:", [" ".join(map(str, line)) for line in
                                     _lines_about(evidence, violation, rows)], out)
        _print_some("the clients:", [r.text() for r in _requests_about(evidence, violation)], out)
    for violation in violations[_SHOWN:]:
        print(f"VIOLATED {violation}", file=out)
