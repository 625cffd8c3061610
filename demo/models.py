"""The one table: items.

>>> from overcoat.demo.models import Item
>>> Item(name="teapot", value=12.5).name
'teapot'
"""

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, Double, Integer, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

#: The largest id that any of the databases can hold.
LARGEST_ID = 2**63 - 1


class Base(DeclarativeBase):
    """The declarative base that Flask-SQLAlchemy and the models share."""


db = SQLAlchemy(model_class=Base, disable_autonaming=True)


class Item(Base):
    """Something with a name and a value."""

    __tablename__ = "item"
    # SQLite would give the id of a deleted item to the next one; the others never do.
    __table_args__ = {"sqlite_autoincrement": True, "mysql_charset": "utf8mb4"}  # noqa: RUF012

    # SQLite counts up only in a column whose type is INTEGER, which holds 64 bits there.
    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    # Float is 32 bits wide on MariaDB.
    value: Mapped[float] = mapped_column(Double)
