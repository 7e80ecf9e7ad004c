"""A file is written as a whole, or it stays as it was and nothing is left beside it."""

import os
import stat
from pathlib import Path

import pytest

from tasks.operator_files.kept_file import KeptFile
from tasks.whole_file import write_whole


@pytest.mark.promise("disk-full")
def test_the_new_content_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "a"
    write_whole(file, b"old")
    write_whole(file, b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"new")]


def test_a_file_of_secrets_is_its_owner_s_from_the_first_byte_whatever_stood_there(tmp_path: Path) -> None:
    file, elsewhere = tmp_path / "a", tmp_path / "elsewhere"
    elsewhere.write_text("theirs")
    file.symlink_to(elsewhere)
    write_whole(file, b"secret", 0o600)
    assert (file.is_symlink(), stat.S_IMODE(file.stat().st_mode)) == (False, 0o600)
    file.chmod(0o644)
    write_whole(file, b"secret", 0o600)
    assert (stat.S_IMODE(file.stat().st_mode), elsewhere.read_text()) == (0o600, "theirs")


@pytest.mark.promise("disk-full")
def test_a_write_that_fails_leaves_no_draft(tmp_path: Path) -> None:
    taken = tmp_path / "a"
    (taken / "full").mkdir(parents=True)
    with pytest.raises(OSError, match="a"):
        write_whole(taken, b"new")
    assert list(tmp_path.iterdir()) == [taken]


def test_a_draft_that_a_killed_process_left_goes_with_a_later_write(tmp_path: Path) -> None:
    left, others, fresh = tmp_path / f"{'0a' * 16}.part", tmp_path / "film.part", tmp_path / f"{'0b' * 16}.part"
    for file in (left, others, fresh):
        file.write_bytes(b"x")
    for file in (left, others):
        os.utime(file, (file.stat().st_atime, file.stat().st_mtime - 3700))
    write_whole(tmp_path / "a", b"new")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["a", others.name, fresh.name])


@pytest.mark.promise("disk-full")
def test_a_copy_of_the_operator_s_file_that_fails_leaves_no_draft(tmp_path: Path) -> None:
    source = tmp_path / "chats.yaml"
    source.write_text("a: 1\n")
    kept = KeptFile(tmp_path / "home", source)
    kept.keep()
    (copy,) = (tmp_path / "home" / "kept-files").iterdir()
    copy.unlink()
    (copy / "full").mkdir(parents=True)
    kept.keep()
    assert list(copy.parent.iterdir()) == [copy]
