"""What `status` tells of a run from its folder alone."""

import re

from rlplat.jobs.overview import status
from rlplat.jobs.report import print_status, status_results
from rlplat.runs.folder import RunFolder


def test_status_tells_what_limits_the_run_with_the_cluster_down(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    folder = RunFolder.create(tmp_path / "run", config_text="training: {max_updates: 5}\n", info={})
    assert status(folder.path, None).advice == ""
    folder.update("running", advice="collectors wait; lower agent.x", updates=3)
    folder.update(updates=4)
    found = status(folder.path, None)
    print_status(found)
    assert re.search(r"^advice +collectors wait; lower agent.x$", capsys.readouterr().out, re.MULTILINE)
    assert status_results(found)[0].fields["advice"] == "collectors wait; lower agent.x"
