"""A sealed folder or file is used only as it was written, and only for what it is of."""

import logging
import shutil
from pathlib import Path

import pytest

from benchmark.sealing import SEAL, damage, file_damage, is_whole, looks_whole, note_damage, sealed, sealed_file


def write(target: Path, text: str = "12345") -> Path:
    with sealed(target) as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "data").write_text(text)
        (folder / "other").write_text("x")
    return target


DAMAGES = {
    "truncated": (lambda folder: (folder / "deep" / "data").write_text("12"), "deep/data was changed"),
    "garbage": (lambda folder: (folder / "deep" / "data").write_text("54321"), "deep/data was changed"),
    "gone": (lambda folder: (folder / "deep" / "data").unlink(), "deep/data is missing"),
    "added": (lambda folder: (folder / "more").write_text(""), "more is not its own"),
    "seal gone": (lambda folder: (folder / SEAL).unlink(), "it has no valid seal"),
    "seal broken": (lambda folder: (folder / SEAL).write_text("{"), "it has no valid seal"),
    "seal of a list": (lambda folder: (folder / SEAL).write_text("[]"), "it has no valid seal"),
    "a file": (lambda folder: (shutil.rmtree(folder), folder.write_text("file")), "it has no valid seal"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_folder_is_recognised_and_makes_way(tmp_path: Path, name: str) -> None:
    target = write(tmp_path / "folder")
    assert is_whole(target) and looks_whole(target) and not is_whole(tmp_path / "absent")
    change, reason = DAMAGES[name]
    change(target)
    assert damage(target) == reason and not is_whole(target)
    write(target, "again")
    assert damage(target) == "" and (target / "deep" / "data").read_text() == "again"


def test_a_folder_of_another_key_is_foreign(tmp_path: Path) -> None:
    shutil.copytree(write(tmp_path / "one"), tmp_path / "two")
    assert damage(tmp_path / "two") == "it belongs to 'one'" and not looks_whole(tmp_path / "two")


def test_what_a_file_manager_puts_into_a_folder_is_no_damage(tmp_path: Path) -> None:
    (write(tmp_path / "folder") / ".DS_Store").write_text("x")
    assert damage(tmp_path / "folder") == ""


def test_a_sealed_file_is_known_before_and_after_it_is_overwritten_and_for_no_other_use(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    for text in ("one", "two"):
        with sealed_file(path, of="a") as part:
            part.write_text(text)
        assert file_damage(path, of="a") == "" and path.read_text() == text
    assert file_damage(path, of="b") == "it belongs to 'a'"
    path.write_text("one")  # a process may be killed after the seal was written, before the file was
    assert file_damage(path, of="a") == ""
    path.write_text("other")
    assert file_damage(path, of="a") == "it was changed"


def test_damage_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            note_damage(tmp_path / "x", "it was changed")
    assert caplog.messages == [f"damaged: {tmp_path / 'x'}: it was changed; it counts as absent"]
