"""Nodes that come and go under a run: three simulated ones, of which one is taken away and another added while it reads; and one that is small."""

import random
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def three_nodes(ray_nodes) -> Iterator[Any]:
    """Return a cluster of a head without CPUs for actors, and three nodes with two."""
    with ray_nodes.cluster(num_cpus=0) as cluster:
        for _ in range(3):
            ray_nodes.add_node(cluster, cpus=2)
        yield cluster


@pytest.mark.parametrize("place", ["files"], indirect=True)
def test_a_node_is_taken_away_and_another_comes(place, three_nodes, ray_nodes, nights, undisturbed, moments, seed):
    """The run ends by itself, with exit code 0 and the values of an undisturbed one; a moment is when the node goes, another when one comes."""
    rng = random.Random(seed)  # noqa: S311 (no secret)
    for _ in range(moments):
        night = place(own_ray=True, changes={"workers": {"cpus": 6}})
        night.ray = three_nodes
        night.fill(nights.documents())
        running = night.start()
        first, second = undisturbed.moments(rng, 2)
        if running.until_written(first):
            three_nodes.remove_node(rng.choice(list(three_nodes.worker_nodes)), allow_graceful=False)
            running.until_written(second)
            ray_nodes.add_node(three_nodes, cpus=2)
        code, said, complained = running.end()
        assert code == 0, complained
        assert nights.RunSummary.model_validate_json(said).tally.requests == undisturbed.summary.tally.requests
        undisturbed.assert_same(night)


@pytest.fixture
def small_node(ray_nodes) -> Iterator[Any]:
    """Return a cluster of a head without CPUs for actors, and a node with one."""
    with ray_nodes.cluster(num_cpus=0) as cluster:
        ray_nodes.add_node(cluster, cpus=1)
        yield cluster


@pytest.mark.parametrize("place", ["files"], indirect=True)
def test_a_node_of_one_cpu_is_enough(place, small_node, nights, undisturbed):
    """Nobody waits for a whole CPU, which no node may have left: where one is lost, its actors move in with the others."""
    night = place(own_ray=True, changes={"workers": {"cpus": 1}})
    night.ray = small_node
    night.fill(nights.documents())
    night.run()
    undisturbed.assert_same(night)
