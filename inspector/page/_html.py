"""Markup of the page: every text of a log goes through `shown`."""

from html import escape as escape_markup

from overcoat.inspector._text import escape


def shown(value: str, *, limit: int | None = 4096) -> str:
    r"""A text for the page: no markup, and nothing invisible that would turn the text around it.

    >>> shown("<b>\u202etxt")
    '&lt;b&gt;\\u202etxt'
    """
    return escape_markup(escape(value, limit=limit))


def document(title: str, body: str, *, scripts: tuple[str, ...] = (), version: str) -> str:
    """A whole page.

    Args:
        title: its title, as markup.
        body: what it shows, as markup.
        scripts: files of `static/`, in the order in which they run.
        version: of the files, so that a browser asks for new ones.
    """
    styles = "".join(f'<link rel="stylesheet" href="static/{name}?{version}">' for name in ("uplot.css", "page.css"))
    loaded = "".join(f'<script defer src="static/{name}?{version}"></script>' for name in scripts)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f'<title>{title}</title>\n<link rel="icon" href="static/icon.svg?{version}" type="image/svg+xml">\n'
        f"{styles}\n{loaded}\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )
