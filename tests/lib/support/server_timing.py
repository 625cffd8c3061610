"""A second opinion on ``Server-Timing``: the algorithms of the specifications, step by step, as a browser runs them."""

from dataclasses import dataclass, field

SPACE = " \t\r\n\f"


@dataclass
class Metric:
    """What a script sees of one metric: ``name``, and ``dur`` and ``desc`` among its parameters."""

    name: str
    params: dict[str, str] = field(default_factory=dict)


class _Cursor:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    @property
    def here(self) -> str:
        return self.text[self.position : self.position + 1]

    def until(self, stops: str) -> str:
        start = self.position
        while self.here and self.here not in stops:
            self.position += 1
        return self.text[start : self.position]

    def skip_space(self) -> None:
        while self.here and self.here in SPACE:
            self.position += 1

    def quoted_string(self) -> tuple[str, str]:
        """Collect an HTTP quoted string (Fetch, section 2.2): as it is written, and its value."""
        start, value = self.position, ""
        self.position += 1
        while self.here:
            value += self.until('"\\')
            stop = self.here
            self.position += 1
            if stop != "\\":
                break
            value += self.here or "\\"
            self.position += 1
        return self.text[start : self.position], value


def split(value: str) -> list[str]:
    """Get, decode and split (Fetch, section 2.2.2): at commas, but not at those inside of quotes."""
    cursor, values, one = _Cursor(value), [], ""
    while True:
        one += cursor.until('",')
        if cursor.here == '"':
            one += cursor.quoted_string()[0]
            if cursor.here:
                continue
        values.append(one.strip(" \t"))
        one = ""
        if not cursor.here:
            return values
        cursor.position += 1


def parse(value: str) -> list[Metric]:
    """Parse a server-timing header field (W3C Server Timing, section 3), for each of its elements."""
    metrics = []
    for text in split(value):
        cursor = _Cursor(text)
        name = cursor.until(";").strip(SPACE)
        if not name:
            continue
        metric = Metric(name)
        while cursor.here:
            cursor.position += 1
            param = cursor.until("=").strip(SPACE).lower()
            if not param or param in metric.params:
                cursor.until(";")
                continue
            cursor.position += 1
            cursor.skip_space()
            if cursor.here == '"':
                metric.params[param] = cursor.quoted_string()[1]
                cursor.until(";")
            else:
                metric.params[param] = cursor.until(";").strip(SPACE)
        metrics.append(metric)
    return metrics
