"""The several-hosts test takes minutes: it runs when it is asked for, by ``-m hosts``."""

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave it out unless the marker was asked for."""
    if "hosts" in config.option.markexpr:
        return
    left_out = [each for each in items if each.get_closest_marker("hosts")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [each for each in items if each not in left_out]
