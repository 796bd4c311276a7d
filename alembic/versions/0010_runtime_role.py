"""The role that Slomix runs as may read and write rows, also of tables that come later; it may change no schema.

Migrations make no login: where the role is missing nothing is granted, and `slomix db grant` does it later. The role
may not say which migrations were run, and takes no right from itself where it is the owner too.

Revision: 0010
Revises: 0009
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_WHERE_THERE_IS_ONE = """
DO $$
BEGIN
    IF current_user <> 'website_app' AND EXISTS (SELECT FROM pg_roles WHERE rolname = 'website_app') THEN
        {}
    END IF;
END
$$
"""


def upgrade() -> None:
    op.execute(
        _WHERE_THERE_IS_ONE.format(
            """
        GRANT USAGE ON SCHEMA public TO website_app;
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO website_app;
        GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO website_app;
        REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM website_app;
        ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO website_app;
        ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO website_app;
        """
        )
    )


def downgrade() -> None:
    op.execute(
        _WHERE_THERE_IS_ONE.format(
            """
        ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON SEQUENCES FROM website_app;
        ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM website_app;
        REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM website_app;
        REVOKE ALL ON ALL TABLES IN SCHEMA public FROM website_app;
        REVOKE ALL ON SCHEMA public FROM website_app;
        """
        )
    )
