"""The models, the migrations and the revision the code expects are one schema."""

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from player.storage.database import SCHEMA_REVISION, migrations_folder
from player.storage.models import Base


def test_the_expected_revision_is_the_newest_migration():
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    assert ScriptDirectory.from_config(config).get_heads() == [SCHEMA_REVISION]


def test_a_new_database_is_at_the_newest_revision(database):
    with database.engine.connect() as connection:
        assert MigrationContext.configure(connection).get_current_revision() == SCHEMA_REVISION


def is_modelled(name, kind, _parents):
    """The search index is SQLite's own: no model describes it."""
    return not (kind == "table" and name.startswith(("track_words", "file_words", "track_vocabulary")))


def test_the_migrations_make_exactly_what_the_models_describe(database):
    with database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True, "include_name": is_modelled}
        )
        assert compare_metadata(context, Base.metadata) == []
