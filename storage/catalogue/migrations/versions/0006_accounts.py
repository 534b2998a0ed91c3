"""Accounts of the queue: rows of events, and working data that no event holds."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    _recorded()
    _secrets()
    _counters()


def _recorded() -> None:
    """Rows that follow from events."""
    op.create_table(
        "queue_account",
        sa.Column("account_id", sa.String(32), nullable=False),
        sa.Column("login", sa.String(64), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("agency_id", sa.String(64), nullable=False),
        sa.Column("email", sa.String(255), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("person_id", sa.String(255), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_at", sa.String(40), nullable=False),
        sa.Column("last_signed_in", sa.String(40), nullable=False),
        sa.Column("changes", _WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_queue_account")),
        sa.UniqueConstraint("login", name=op.f("uq_queue_account_login")),
    )
    op.create_index("ix_queue_account_agency_id", "queue_account", ["agency_id"])
    op.create_index("ix_queue_account_email", "queue_account", ["email"])
    op.create_index("ix_queue_account_subject", "queue_account", ["subject"])
    op.create_table(
        "queue_token",
        sa.Column("token_id", sa.String(32), nullable=False),
        sa.Column("account_id", sa.String(32), nullable=False),
        sa.Column("label", sa.String(255), nullable=False),
        sa.Column("scopes", sa.String(64), nullable=False),
        sa.Column("created_at", sa.String(40), nullable=False),
        sa.Column("expires_at", sa.String(40), nullable=False),
        sa.Column("revoked_at", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_queue_token")),
    )
    op.create_index("ix_queue_token_account_id", "queue_token", ["account_id"])


def _secrets() -> None:
    """Hashes of what people show."""
    op.create_table(
        "account_password",
        sa.Column("account_id", sa.String(32), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_account_password")),
    )
    op.create_table(
        "account_code",
        sa.Column("account_id", sa.String(32), nullable=False),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("ends", _WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_account_code")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_account_code_code_hash")),
    )
    op.create_table(
        "account_session",
        sa.Column("session_hash", sa.String(64), nullable=False),
        sa.Column("account_id", sa.String(32), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("agency_id", sa.String(64), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("began", _WHOLE, nullable=False),
        sa.Column("seen", _WHOLE, nullable=False),
        sa.Column("ends", _WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("session_hash", name=op.f("pk_account_session")),
    )
    op.create_index("ix_account_session_account_id", "account_session", ["account_id"])
    op.create_index("ix_account_session_ends", "account_session", ["ends"])
    op.create_table(
        "token_secret",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("token_id", sa.String(32), nullable=False),
        sa.Column("used", _WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_token_secret")),
        sa.UniqueConstraint("token_id", name=op.f("uq_token_secret_token_id")),
    )
    op.create_table(
        "account_device",
        sa.Column("device_hash", sa.String(64), nullable=False),
        sa.Column("account_id", sa.String(32), nullable=False),
        sa.Column("ends", _WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("device_hash", name=op.f("pk_account_device")),
    )
    op.create_index("ix_account_device_account_id", "account_device", ["account_id"])
    op.create_index("ix_account_device_ends", "account_device", ["ends"])


def _counters() -> None:
    """What is counted, and what is under way."""
    op.create_table(
        "sign_in_counter",
        sa.Column("key", sa.String(96), nullable=False),
        sa.Column("failures", _WHOLE, nullable=False),
        sa.Column("last", _WHOLE, nullable=False),
        sa.Column("until", _WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sign_in_counter")),
    )
    op.create_index("ix_sign_in_counter_last", "sign_in_counter", ["last"])
    op.create_table(
        "sign_in_refusal",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("account_id", sa.String(32), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("asked", sa.String(255), nullable=False),
        sa.Column("began", _WHOLE, nullable=False),
        sa.Column("count", _WHOLE, nullable=False),
        sa.Column("told", _WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sign_in_refusal")),
    )
    op.create_index("ix_sign_in_refusal_began", "sign_in_refusal", ["began"])
    op.create_table(
        "pending_sign_in",
        sa.Column("state_hash", sa.String(64), nullable=False),
        sa.Column("nonce", sa.String(64), nullable=False),
        sa.Column("verifier", sa.String(64), nullable=False),
        sa.Column("after", sa.String(255), nullable=False),
        sa.Column("ends", _WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("state_hash", name=op.f("pk_pending_sign_in")),
    )
    op.create_index("ix_pending_sign_in_ends", "pending_sign_in", ["ends"])
