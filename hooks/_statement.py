r"""A statement as a log line may show it: on one line, without values and comments, and not long.

>>> from overcoat.hooks._statement import shown
>>> shown("SELECT *\n  FROM coats -- for O'Neill\n WHERE name = 'O''Neill' AND size > 42", "postgresql")
'SELECT * FROM coats WHERE name = ? AND size > ?'

What SQLAlchemy binds never stands in the text; what somebody has written into it does, and may be anybody's.
"""

import re
from functools import lru_cache

from overcoat.middleware._text import visible

#: Characters of a statement that are looked at, and characters that are shown.
READ = 2000
SHOWN = 300

# Comments and literals first, as what is in them is no number. One that is cut off or never closed goes to the end, so
# none of these can fail once it has begun, and all together are linear.
_BLOCK_COMMENT = r"/\*(?:[^*]|\*(?!/))*(?:\*/|\Z)"
_STRING = r"'(?:[^']|'')*(?:'|\Z)"
_ESCAPED = r"'(?:[^'\\]|''|\\.)*(?:'|\\?\Z)"
_ESCAPED_DOUBLE = r'"(?:[^"\\]|""|\\.)*(?:"|\\?\Z)'
_DOLLAR = r"\$(?P<tag>(?:[A-Za-z_]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z)"
_NUMBER = r"(?<![\w$:@%.])[+-]?(?:0[xX][0-9A-Fa-f]+|[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?)\b"

_ANSI = re.compile(
    rf"(?P<comment>--[^\n]*|{_BLOCK_COMMENT})|(?P<value>(?<!\w)[eE]{_ESCAPED}|{_STRING}|{_DOLLAR}|{_NUMBER})"
    r'|"(?:[^"]|"")*"',
    re.DOTALL,
)
# There a backslash escapes, and what stands in double quotes is a string, unless the server is told otherwise.
_MYSQL = re.compile(
    rf"(?P<comment>--(?=\s|\Z)[^\n]*|\#[^\n]*|{_BLOCK_COMMENT})|(?P<value>{_ESCAPED}|{_ESCAPED_DOUBLE}|{_NUMBER})"
    r"|`(?:[^`]|``)*`",
    re.DOTALL,
)
# "(?, ?), (?, ?)": the rows and lists of values say nothing once the values are gone.
_LIST = re.compile(r"\((?:\?|%s|:\w+|%\(\w+\)s|\$[0-9]+)(?:, ?(?:\?|%s|:\w+|%\(\w+\)s|\$[0-9]+))+\)")
_ROWS = re.compile(r"\(\.\.\.\)(?:, ?\(\.\.\.\))+")


def shown(statement: str, dialect: str) -> str:
    """The statement as a log line may show it.

    Args:
        statement: The text as it was sent.
        dialect: SQLAlchemy's name of the database, as quotes do not mean the same in all.
    """
    return _shown(statement[:READ], dialect)


# The same few statements come again and again, and a wide one costs a third of a millisecond.
@lru_cache(maxsize=512)
def _shown(statement: str, dialect: str) -> str:
    pattern = _MYSQL if dialect in {"mysql", "mariadb"} else _ANSI
    text = " ".join(pattern.sub(_without_value, statement).split())
    text = visible(_ROWS.sub("(...)", _LIST.sub("(...)", text)))
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _without_value(match: re.Match[str]) -> str:
    if match["comment"] is not None:
        return " "
    return "?" if match["value"] is not None else match[0]
