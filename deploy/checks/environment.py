"""``deploy/example.env`` lists every setting, in order, with its default and description.

Run with ``--write`` it makes the file from ``storage.settings.Settings``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic import SecretStr

from storage.settings import Settings

FILE = Path(__file__).resolve().parents[1] / "example.env"
_HEAD = """\
# Every setting with its default; made by 'python -m deploy.checks.environment --write'.
# Settings are read from the environment. To use a file: set -a; . ./my.env; set +a
"""


def example() -> str:
    """Return the text that the file must have."""
    prefix = Settings.model_config.get("env_prefix", "")
    parts = [_HEAD]
    for name, field in Settings.model_fields.items():
        default = field.default
        value = default.get_secret_value() if isinstance(default, SecretStr) else default
        parts.append(f"\n# {field.description}\n#{prefix}{name.upper()}={_quoted(value)}\n")
    return "".join(parts)


def _quoted(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"'{text}'" if text and not text.replace("/", "").isalnum() else text


def main() -> int:
    """Compare, or write with ``--write``."""
    if sys.argv[1:] == ["--write"]:
        FILE.write_text(example(), "utf-8")
    elif not FILE.is_file() or FILE.read_text("utf-8") != example():
        print("deploy/example.env does not list the settings as they are", file=sys.stderr)
        print("  -> run 'python -m deploy.checks.environment --write'", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
