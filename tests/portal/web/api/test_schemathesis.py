"""The description holds: generated requests, right and wrong ones, find no answer against it.

Bounded here; ``SCHEMATHESIS_EXAMPLES`` raises the number of requests of each operation.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.config import SchemathesisConfig
from schemathesis.generation import GenerationMode

from portal.web.api.description import description
from portal.web.api.news import News
from portal.web.app import create_app
from tests.portal.web.api.test_uploads import announce, send
from tests.portal.web.api.world import PDF, World, opened_world
from tests.portal.web.signing import HERE, bearer

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "4"))
STREAMS = ("streamEvents",)
"""A stream has no end that a check could wait for; it has a test of its own."""
