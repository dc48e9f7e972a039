"""Cells on a Ray cluster of two machines, one of which is lost in the middle: the bytes of a plain run."""

import subprocess
from pathlib import Path

import pytest
from side_by_side import alive, install_actor, processes, results, run, settings, until, words

pytest.importorskip("ray", reason="Ray is not installed (the extra `ray`)")
SMALL = {"num_cpus": 1, "object_store_memory": 80 * 1024**2, "memory": 4 * 1024**3}


def test_a_cell_whose_machine_is_lost_is_computed_on_another(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ray.cluster_utils import Cluster

    environment = {**install_actor(tmp_path / "site"), "RAY_memory_monitor_refresh_ms": "0"}
    for name in ("PYTHONPATH", "RAY_memory_monitor_refresh_ms"):  # the machines have the suite, and the plugin
        monkeypatch.setenv(name, environment[name])
    acts = settings(*(f"{label}.{key}" for label in "ab" for key in ("action=wait", f"mark={tmp_path / label}")))
    try:
        cluster = Cluster(initialize_head=True, head_node_args={**SMALL, "include_dashboard": False})
    except Exception as error:
        if "timed out during startup" in str(error):
            pytest.skip("Ray gives a node 30 s to start, and this machine is too busy for that")
        raise
    try:
        lost = cluster.add_node(**SMALL)
        command = words(
            shop, tmp_path / "ray", "a=actor,b=actor", *acts, "--executor", f"ray:address={cluster.address}"
        )
        started = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        until(lambda: len(processes(tmp_path)) == 2 or started.poll() is not None)  # one on each machine
        cluster.remove_node(lost, allow_graceful=False)
        until(lambda: not all(map(alive, processes(tmp_path))))
        for label in "ab":
            (tmp_path / f"{label}-go").touch()
        _, said = started.communicate(timeout=300)
    finally:
        cluster.shutdown()
    assert started.returncode == 0, said
    assert len(processes(tmp_path)) == 3, said  # one cell began twice
    run(words(shop, tmp_path / "plain", "a=actor,b=actor", *acts, "--workers", "1"), environment)
    assert results(tmp_path / "ray") == results(tmp_path / "plain")
