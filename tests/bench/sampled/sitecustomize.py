"""What Python runs at the start of every process of a benchmark that is sampled.

``tests.bench.profiling`` puts this folder on the path of those processes, and of no others.
"""

from tests.bench.sampling import begin_if_asked

begin_if_asked()
