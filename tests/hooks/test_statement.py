import pytest
from hypothesis import given
from hypothesis import strategies as st

from overcoat.hooks._statement import READ, SHOWN, shown


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("", ""),
        ("select 1", "select ?"),
        ("select  a\n\tfrom b", "select a from b"),
        ("select 'x', 1.5, -2, 0x1F, 1e-9", "select ?, ?, ?, ?, ?"),
        ("select a1, t2.c3 from t2", "select a1, t2.c3 from t2"),
        ('select "order", "it\'s" from "t 1" where x = \'y\'', 'select "order", "it\'s" from "t 1" where x = ?'),
        ("where a = 'O''Neill' or b = 'z'", "where a = ? or b = ?"),
        (r"where a = 'C:\' and b = 'z'", "where a = ? and b = ?"),
        (r"where a = E'C:\' and b = ' and c = 'z'", "where a = ? and c = ?"),
        (r"where a like'x\' and b = 'z'", "where a like? and b = ?"),
        ("select $$it's $1$$, $tag$ $$ $tag$, $1", "select ?, ?, $1"),
        ("/* it's a */ select 1 -- 'not closed\n, 2", "select ? , ?"),
        ("/*** ** */select 1 /* never closed 'x", "select ?"),
        ("select 'never closed -- x", "select ?"),
        ("select '", "select ?"),
        ("insert into t values (?, ?, ?)", "insert into t values (...)"),
        ("insert into t values (1, 'a'), (2, 'b'), (3, 'c')", "insert into t values (...)"),
        ("where id in (%(id_1)s, %(id_2)s)", "where id in (...)"),
        ("where id in ($1, $2) and x = :x", "where id in (...) and x = :x"),
        ("select \x1b[31m, \u202e", "select \\x1b[31m, \\u202e"),
    ],
)
def test_statements(statement: str, expected: str) -> None:
    assert shown(statement, "postgresql") == expected


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ('select "secret", `it\'s` from t', "select ?, `it's` from t"),
        (r"where a = 'O\'Neill' and b = 'z'", "where a = ? and b = ?"),
        (r"where a = 'C:\\' and b = 'z'", "where a = ? and b = ?"),
        ("select 1 # it's\n, 2", "select ? , ?"),
        ("select 5--'a\nb'", "select ?--?"),
        ("select 1 -- it's\n, 2", "select ? , ?"),
        ("where a = 'x\\", "where a = ?"),
    ],
)
@pytest.mark.parametrize("dialect", ["mysql", "mariadb"])
def test_statements_of_mysql(statement: str, expected: str, dialect: str) -> None:
    assert shown(statement, dialect) == expected


def quoted(value: str, dialect: str) -> str:
    value = value.replace("'", "''")
    return f"'{value}'" if dialect == "postgresql" else "'{}'".format(value.replace("\\", "\\\\"))


@given(st.lists(st.text(st.sampled_from("'\"\\$-/*#`\n;E %x"), max_size=12), max_size=4), st.data())
@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_no_value_is_ever_shown(dialect: str, values: list[str], data: st.DataObject) -> None:
    secrets = [f"{value}SECRET{value}" for value in values]
    statement = "select a from t where " + " or ".join(f"a = {quoted(secret, dialect)}" for secret in secrets)
    cut = data.draw(st.integers(0, len(statement)))
    assert "SECRET" not in shown(statement, dialect)
    assert "SECRET" not in shown(statement[:cut], dialect)


@given(st.text(max_size=200))
@pytest.mark.parametrize("dialect", ["sqlite", "mysql"])
def test_anything_is_one_short_printable_line(dialect: str, statement: str) -> None:
    text = shown(statement, dialect)
    assert len(text) <= SHOWN
    assert len(text.splitlines()) <= 1


@pytest.mark.parametrize(
    "piece",
    ["'", "''", "\\'", '"', "/*", "*", "$$", "$a$", "1", "1e", "-", "(?, ", "(...), ", " ", "E'\\", "`"],
    ids=repr,
)
@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_long_statements_are_cut_before_they_are_read(piece: str, dialect: str) -> None:
    whole = piece * 1_000_000
    assert shown(whole, dialect) == shown(whole[:READ], dialect)
    assert len(shown("a " * 5000, dialect)) == SHOWN
