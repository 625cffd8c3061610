import pytest

from overcoat.middleware._answers import plain_text


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", None])
def test_each_request_gets_lists_of_its_own(method):
    answer = plain_text("400 Bad Request", "No.", [("X-One", "1")])
    for _ in range(2):
        seen = []
        body = answer(
            {} if method is None else {"REQUEST_METHOD": method}, lambda *start, seen=seen: seen.append(start)
        )
        assert body == ([] if method == "HEAD" else [b"No.\n"])
        ((status, headers),) = seen
        assert status == "400 Bad Request"
        assert headers == [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", "4"), ("X-One", "1")]
        headers.append(("Date", "now"))
        body.append(b"more")
