r"""Short answers that a layer gives instead of the app.

>>> from overcoat.middleware._answers import plain_text
>>> answer = plain_text("400 Bad Request", "No.")
>>> answer({"REQUEST_METHOD": "GET"}, lambda status, headers: print(status, headers))
400 Bad Request [('Content-Type', 'text/plain; charset=utf-8'), ('Content-Length', '4')]
[b'No.\n']
"""

from overcoat.middleware._exchange import HeaderList
from overcoat.middleware._wsgi import Application, answer_with


def plain_text(status: str, text: str, headers: HeaderList | None = None) -> Application:
    """A WSGI application that answers every request with this text.

    Args:
        status: The status line, such as ``"400 Bad Request"``.
        text: A sentence for whoever asked; nothing of the request belongs in it.
        headers: More headers, with nothing in them that could split the response.
    """
    body = f"{text}\n".encode()
    about = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
    return answer_with(status, [*about, *(headers or ())], body)
