"""Create the table of the items, with a few to begin with."""

import sqlalchemy as sa
from alembic import context, op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SEEDS = (("teapot", 24.5), ("lantern", 18.0), ("compass", 42.25))


def upgrade() -> None:
    """Create and fill it."""
    # A database of before there were migrations has it, and items of its owner's.
    if not context.is_offline_mode() and sa.inspect(op.get_bind()).has_table("item"):
        return
    item = op.create_table(
        "item",
        # SQLite counts up only in a column whose type is INTEGER, which holds 64 bits there.
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("name", sa.String(80), nullable=False),
        # Float is 32 bits wide on MariaDB.
        sa.Column("value", sa.Double(), nullable=False),
        # SQLite would give the id of a deleted item to the next one; the others never do.
        sqlite_autoincrement=True,
        mysql_charset="utf8mb4",
        mariadb_charset="utf8mb4",
    )
    op.bulk_insert(item, [{"name": name, "value": value} for name, value in SEEDS])


def downgrade() -> None:
    """Drop it with all items."""
    op.drop_table("item")
