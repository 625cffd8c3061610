"""What is tried again, and what is not."""

import pymysql
import pytest
from psycopg import errors
from sqlalchemy.exc import IntegrityError, OperationalError
from werkzeug.exceptions import Conflict

from overcoat.demo.store import retried


def raised(kind, original):
    return kind("UPDATE item", {}, original)


LOST = {
    "an id twice": raised(IntegrityError, Exception("UNIQUE constraint failed")),
    "deadlock on postgresql": raised(OperationalError, errors.DeadlockDetected()),
    "serialization failure on postgresql": raised(OperationalError, errors.SerializationFailure()),
    "deadlock on mariadb": raised(OperationalError, pymysql.err.OperationalError(1213, "Deadlock found")),
}
BROKEN = {
    "server gone on mariadb": raised(OperationalError, pymysql.err.OperationalError(2006, "gone away")),
    "server gone on postgresql": raised(OperationalError, errors.AdminShutdown()),
    "locked for too long on sqlite": raised(OperationalError, Exception("database is locked")),
    "without words": raised(OperationalError, Exception()),
}


@pytest.fixture(autouse=True)
def _context(make_app):
    with make_app().app_context():
        yield


@pytest.mark.parametrize("error", LOST.values(), ids=LOST)
def test_lost_and_tried_again(error):
    outcomes = [error, error, "done"]

    @retried
    def work(argument):
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome, argument

    assert work("given") == ("done", "given")


@pytest.mark.parametrize("error", LOST.values(), ids=LOST)
def test_lost_each_time(error):
    tries = []

    @retried
    def work():
        tries.append(1)
        raise error

    with pytest.raises(Conflict):
        work()
    assert len(tries) == 5


@pytest.mark.parametrize("error", BROKEN.values(), ids=BROKEN)
def test_broken_is_not_tried_again(error):
    tries = []

    @retried
    def work():
        tries.append(1)
        raise error

    with pytest.raises(OperationalError):
        work()
    assert len(tries) == 1
