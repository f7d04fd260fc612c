"""The figures, each beside what it is to be compared with."""

import json

from lib import OUT


class Results:
    def __init__(self):
        self.rows = []

    def add(self, figure, value, unit, limit=None, beside="", beside_value=None):
        """`limit` is the most that was asked for; `beside` names another figure of the same kind, shown as a ratio."""
        row = {"figure": figure, "value": value, "unit": unit, "limit": limit, "beside": beside, "beside_value": beside_value,
               "ratio": value / beside_value if beside_value else (value / limit if limit else None),
               "reached": None if limit is None else value <= limit}
        self.rows.append(row)
        print("  " + line(row), flush=True)

    def note(self, text):
        print(f"  {text}", flush=True)

    def write(self, measured):
        """Keeps the figures of earlier runs that were not measured this time."""
        path = OUT / "results.json"
        kept = json.loads(path.read_text()) if path.exists() else {}
        for name in measured:
            kept[name] = [row for row in self.rows if row["measure"] == name]
        path.write_text(json.dumps(kept, indent=1) + "\n")


def _number(value):
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def line(row):
    limit = "" if row["limit"] is None else f"at most {_number(row['limit'])}"
    ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}x"
    beside = "" if not row["beside"] else f"of {row['beside']} ({_number(row['beside_value'])} {row['unit']})"
    verdict = {None: "", True: "reached", False: "NOT REACHED"}[row["reached"]]
    return f"{row['figure']:<58} {_number(row['value']):>8} {row['unit']:<9} {limit:<13} {verdict:<12} {ratio:>7} {beside}".rstrip()


HEADER = f"{'figure':<58} {'measured':>8} {'':<9} {'asked for':<13} {'':<12} {'ratio':>7}"
