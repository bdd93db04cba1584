import re
import sys

import numpy as np

from benchmarks.peers.memory import with_peak
from benchmarks.synthetic_votes import both_class, sample, with_chain
from benchmarks.tennis import main


def match(folder):
    """Frames of two classes that persist, in the format of FlyingSquid's tutorials."""
    folder.mkdir()
    votes, truth = sample(with_chain(both_class(2), stay=0.95, persistence=0.5), 1500, 1)
    signed = np.where(votes < 0, 0, 2 * votes.astype(int) - 1)
    np.save(folder / "L_train_video.npy", signed[:1000].astype(float))
    np.save(folder / "L_dev_video.npy", signed[1000:])
    np.save(folder / "Y_dev_video.npy", 2 * truth[1000:].astype(int) - 1)
    return folder, votes[1000:], truth[1000:]


def test_the_table_has_what_each_model_got_right(tmp_path, capsys):
    folder, votes, truth = match(tmp_path / "match")
    output = tmp_path / "result.md"
    assert main([str(folder), "--output", str(output)]) == 0
    written = output.read_text(encoding="utf-8")
    assert capsys.readouterr().out.strip() == written.strip()
    number = r"([\d.]+)"
    rows = re.findall(rf"\| (.+?) \| {number} \| {number} \| {number} \| (\S+) \|", written)
    accuracy = {name: float(value) for name, value, *_ in rows}
    for_class = np.stack([(votes == 0).sum(axis=1), (votes == 1).sum(axis=1)], axis=1)
    top = for_class == for_class.max(axis=1, keepdims=True)
    right = (top / top.sum(axis=1, keepdims=True))[np.arange(len(truth)), truth].mean()
    assert accuracy["majority vote"] == round(100 * right, 1)
    assert accuracy["ours: temporal chain"] > max(accuracy["ours: auto"], accuracy["majority vote"])
    assert "Match: every model is fitted on the votes of 1,000 unlabelled frames" in written
    assert "would choose *chain* here" in written


def test_without_the_files_or_the_peers_it_says_so(tmp_path, capsys):
    folder, _, _ = match(tmp_path / "match")
    assert main([str(tmp_path)]) == 1
    assert "L_train_video.npy" in capsys.readouterr().err
    output = tmp_path / "result.md"
    assert main([str(folder), "--peers", sys.executable, "--output", str(output)]) == 1
    assert "requirements.txt" in capsys.readouterr().err
    assert not output.exists()


def test_the_peak_is_that_of_the_call_alone():
    held = np.ones(20 * 2**20, np.uint8)
    total, peak = with_peak(lambda: int(np.ones(60 * 2**20, np.uint8).sum()))
    assert total == 60 * 2**20
    assert held.sum() == 20 * 2**20
    assert 55 < peak < 75
    assert with_peak(lambda: None)[1] < 5
