"""Nodes that come and go under a run: three simulated ones, of which one is taken away and another added while it reads."""

import random
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def three_nodes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return a cluster of a head without CPUs for actors, and three nodes with two."""
    from ray.cluster_utils import Cluster

    folder = tempfile.mkdtemp(prefix="pm-", dir="/tmp")
    monkeypatch.setenv("RAY_TMPDIR", folder)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    for _ in range(3):
        cluster.add_node(num_cpus=2, object_store_memory=100_000_000)
    yield cluster
    cluster.shutdown()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("place", ["files"], indirect=True)
def test_a_node_is_taken_away_and_another_comes(place, three_nodes, nights, undisturbed, moments, seed):
    """The run ends by itself, with exit code 0 and the values of an undisturbed one; a moment is when the node goes, another when one comes."""
    rng = random.Random(seed)  # noqa: S311 (no secret)
    for _ in range(moments):
        night = place(settings={"seconds_per_request": 0.1}, changes={"workers": {"cpus": 6}})
        night.ray = three_nodes
        night.fill(nights.documents())
        running = night.start()
        first, second = sorted(rng.sample(range(1, undisturbed.writes - 3), 2))
        if running.until_written(first):
            three_nodes.remove_node(rng.choice(list(three_nodes.worker_nodes)), allow_graceful=False)
            running.until_written(second)
            three_nodes.add_node(num_cpus=2, object_store_memory=100_000_000)
        code, said, complained = running.end()
        assert code == 0, complained
        assert nights.RunSummary.model_validate_json(said).tally.requests == undisturbed.summary.tally.requests
        undisturbed.assert_same(night)
