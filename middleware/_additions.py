"""Which of a layer's headers are missing beside those that the app has set: looked up, once it has been found out."""

from overcoat.middleware._exchange import Exchange, HeaderList

# How many sequences of names are kept, and how long one may be: an app that makes names up shall not fill the memory.
_MOST_KEPT = 256
_LONGEST = 1024


class Addition:
    """Headers to add, and which of them are missing beside what apps have set so far.

    Apps set the same few names again and again, so the answer is kept for each sequence of names.
    """

    __slots__ = ("by_names", "pairs")

    def __init__(self, pairs: HeaderList) -> None:
        self.pairs = pairs
        self.by_names: dict[tuple[str, ...], HeaderList] = {}

    def beside(self, exchange: Exchange) -> HeaderList:
        """What is to be added to the exchange's headers."""
        present = present_names(exchange)
        missing = [pair for pair in self.pairs if pair[0].lower() not in present]
        names = [pair[0] for pair in exchange.headers if type(pair) is tuple and pair and type(pair[0]) is str]
        if len(names) == len(exchange.headers) and len(self.by_names) < _MOST_KEPT and sum(map(len, names)) < _LONGEST:
            self.by_names[*names,] = missing
        return missing


def present_names(exchange: Exchange) -> set[str]:
    """The names of the app's headers; one that says when a response expires has said how to cache it."""
    present = exchange.header_names()
    if "expires" in present:
        present.add("cache-control")
    return present
