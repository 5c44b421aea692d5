"""jaalnet_core.data.importing and `jaalnet data import`: whole, complete, and nothing overwritten."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from lesion_files import a_data_folder, a_picture, save, save_pair

from jaalnet_core.cli import main
from jaalnet_core.data import importing
from jaalnet_core.data.importing import TEST_FRACTION, import_pictures, is_test
from jaalnet_core.data.layout import OFFICIAL_FOLDERS, find_layout
from jaalnet_core.data.splits import held_back, id_position
from jaalnet_core.errors import DataError


def files(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, hidden ones too."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def bring(*paths: Path, out: Path, **options):
    return import_pictures(paths, out, progress=False, **options)


@pytest.fixture
def mine(tmp_path) -> Path:
    """Pictures and masks in two folders whose names tell no split."""
    for number in range(20):
        save_pair(tmp_path / f"mine/pictures/p{number}.jpg", tmp_path / f"mine/masks/p{number}.png", number)
    return tmp_path / "mine"


def test_a_split_folder_keeps_its_splits(tmp_path):
    source = a_data_folder(tmp_path / "set", train=3, test=2)
    report = bring(source, out=tmp_path / "out")
    assert files(tmp_path / "out") == files(source)
    assert len(report.copied) == 10
    assert report.divided == 0


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_named_split_takes_everything(mine, tmp_path, split):
    bring(mine, out=tmp_path / "out", split=split)
    layout = find_layout(tmp_path / "out")
    assert len(getattr(layout, split)) == 20
    assert all(one.mask for one in getattr(layout, split))
    assert len(layout.train) + len(layout.test) == 20


def test_without_a_name_that_tells_the_id_decides(mine, tmp_path):
    report = bring(mine, out=tmp_path / "out")
    layout = find_layout(tmp_path / "out")
    assert report.divided == 20
    assert [one.id for one in layout.test] == sorted(
        f"p{number}" for number in range(20) if id_position(f"p{number}") >= 1 - TEST_FRACTION
    )
    assert layout.train
    assert layout.test
    assert all(one.mask for one in (*layout.train, *layout.test))


def test_pictures_divided_by_their_ids_leave_validation_its_share():
    """Both are chosen by one hash: validation must not look where test has taken everything."""
    ids = [f"IMG_{number:04d}" for number in range(2000)]
    train = [id for id in ids if not is_test(id)]
    assert 0.17 < 1 - len(train) / len(ids) < 0.23
    assert 0.10 < len(held_back(train)) / len(train) < 0.15  # a tenth of all, an eighth of what is left


def test_a_mask_follows_its_picture_even_later(mine, tmp_path):
    out = tmp_path / "out"
    bring(mine / "pictures", out=out, split="test")
    bring(mine / "masks", out=out)
    layout = find_layout(out)
    assert len(layout.test) == 20
    assert all(one.mask for one in layout.test)


def test_the_official_archives_flat_or_in_folders(tmp_path):
    archives = []
    for split, id in (("train", "ISIC_0000001"), ("test", "ISIC_0000003")):
        pictures, masks = OFFICIAL_FOLDERS[split]
        save_pair(tmp_path / f"{id}.jpg", tmp_path / f"{id}_Segmentation.png", len(archives))
        with zipfile.ZipFile(tmp_path / f"{pictures}.zip", "w") as archive:
            archive.write(tmp_path / f"{id}.jpg", f"{pictures}/{id}.jpg")
            archive.writestr(f"__MACOSX/{pictures}/._{id}.jpg", b"litter")
        with tarfile.open(tmp_path / f"{masks}.tar.gz", "w:gz") as archive:
            archive.add(tmp_path / f"{id}_Segmentation.png", f"{id}_Segmentation.png")
        archives += [tmp_path / f"{pictures}.zip", tmp_path / f"{masks}.tar.gz"]
    bring(*archives, out=tmp_path / "out")
    assert set(files(tmp_path / "out")) == {
        "train/images/ISIC_0000001.jpg",
        "train/masks/ISIC_0000001_Segmentation.png",
        "test/images/ISIC_0000003.jpg",
        "test/masks/ISIC_0000003_Segmentation.png",
    }


def test_a_second_time_changes_nothing(mine, tmp_path):
    bring(mine, out=tmp_path / "out")
    before = files(tmp_path / "out")
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.jpg")}
    report = bring(mine, out=tmp_path / "out")
    assert report.copied == ()
    assert len(report.already_there) == 40
    assert files(tmp_path / "out") == before
    assert all(path.stat().st_mtime_ns == time for path, time in times.items())


@pytest.mark.parametrize("name", ["p3.jpg", "p3.png"])
def test_a_different_file_of_the_same_id_is_never_overwritten(mine, tmp_path, name):
    out = tmp_path / "out"
    save(out / "train/images" / name, a_picture(99))
    before = files(out)
    with pytest.raises(DataError, match=rf"p3\.jpg and .*{name}: the same id with different content"):
        bring(mine, out=out, split="train")
    assert files(out) == before  # not one of the other nineteen either


def test_length_and_time_do_not_make_two_files_the_same(tmp_path):
    for folder, seed in (("one", 1), ("two", 2)):  # BMP: as long, whatever it shows
        os.utime(save(tmp_path / folder / "a.bmp", a_picture(seed)), ns=(1, 1))
    assert (tmp_path / "one/a.bmp").stat().st_size == (tmp_path / "two/a.bmp").stat().st_size
    with pytest.raises(DataError, match="different content"):
        bring(tmp_path / "one", tmp_path / "two", out=tmp_path / "out", split="train")


def test_two_sources_with_one_id_clash_unless_they_are_the_same(tmp_path):
    save(tmp_path / "one/a.png", a_picture(1))
    save(tmp_path / "two/a.png", a_picture(2))
    save(tmp_path / "three/a.png", a_picture(1))
    with pytest.raises(DataError, match=r"two/a\.png and .*one/a\.png"):
        bring(tmp_path / "one", tmp_path / "two", out=tmp_path / "out", split="train")
    assert not (tmp_path / "out").exists()
    report = bring(tmp_path / "one", tmp_path / "three", out=tmp_path / "out", split="train")
    assert len(report.copied) == 1
    assert len(report.already_there) == 1


def test_many_clashes_are_counted(mine, tmp_path):
    for number in range(8):
        save(tmp_path / f"out/train/p{number}.jpg", a_picture(200 + number))
    with pytest.raises(DataError, match="and 3 more such pairs"):
        bring(mine, out=tmp_path / "out", split="train")


def test_a_folder_that_holds_the_official_set_is_refused(mine, tmp_path):
    save(tmp_path / "out" / OFFICIAL_FOLDERS["test"][0] / "ISIC_1.jpg", a_picture())
    with pytest.raises(DataError, match=r"--out data/mine"):
        bring(mine, out=tmp_path / "out")


def test_a_failure_while_copying_leaves_nothing(mine, tmp_path, monkeypatch):
    def full(source, target):
        if Path(source).name == "p7.jpg":
            raise OSError(28, "No space left on device")
        return real(source, target)

    real = shutil.copyfile
    monkeypatch.setattr(importing.shutil, "copyfile", full)
    with pytest.raises(DataError, match=r"No space left on device.*nothing was copied"):
        bring(mine, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_failure_while_moving_takes_back_what_was_moved(mine, tmp_path, monkeypatch):
    out = a_data_folder(tmp_path / "out", train=1, test=1)
    before = files(out)
    moved = []

    def interrupted(source, target):
        if len(moved) == 5:
            raise KeyboardInterrupt
        real(source, target)
        moved.append(target)

    real = importing.move_to_new
    monkeypatch.setattr(importing, "move_to_new", interrupted)
    with pytest.raises(KeyboardInterrupt):
        bring(mine, out=out)
    assert len(moved) == 5
    assert files(out) == before


def test_a_file_that_appears_meanwhile_is_kept(mine, tmp_path, monkeypatch):
    out = tmp_path / "out"

    def and_another_writes(jobs, scratch, progress):
        save(jobs[3].target, a_picture(99))
        real(jobs, scratch, progress)

    real = importing._copy
    monkeypatch.setattr(importing, "_copy", and_another_writes)
    with pytest.raises(DataError, match="exists"):
        bring(mine, out=out, split="train")
    assert len(files(out)) == 1


def test_a_damaged_archive_leaves_nothing(tmp_path):
    (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(DataError, match=r"bad\.zip"):
        bring(tmp_path / "bad.zip", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_data_folder_that_is_a_file(mine, tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(DataError, match="nothing was copied"):
        bring(mine, out=tmp_path / "out")
    assert (tmp_path / "out").read_text() == "a file"


def test_odd_names_arrive_as_they_are(tmp_path):
    names = ["a b.PNG", "Läsion №1.png", "x.y.z.png"]
    for number, name in enumerate(names):
        save(tmp_path / "mine" / name, a_picture(number))
    bring(tmp_path / "mine", out=tmp_path / "out", split="test")
    assert {path.name for path in (tmp_path / "out/test/images").iterdir()} == set(names)


def test_command(mine, tmp_path, capsys):
    (mine / "readme.txt").touch()
    out = tmp_path / "out"
    assert main(["data", "import", str(mine), "--out", str(out), "--split", "train"]) == 0
    printed = capsys.readouterr().out
    assert f"copied 20 to {out / 'train' / 'images'}" in printed
    assert f"copied 20 to {out / 'train' / 'masks'}" in printed
    assert "passed over 1 that are no pictures (readme.txt)" in printed
    assert f"jaalnet data check {out}" in printed
    assert main(["data", "import", str(mine), "--out", str(out), "--split", "train"]) == 0
    assert "40 were there already" in capsys.readouterr().out


def test_command_says_how_it_divided(mine, tmp_path, capsys):
    assert main(["data", "import", str(mine), "--out", str(tmp_path / "out")]) == 0
    assert "for 20 pictures: about one in 5 went to test" in capsys.readouterr().out


def test_command_failures(tmp_path, capsys):
    assert main(["data", "import", str(tmp_path / "nowhere"), "--out", str(tmp_path / "out")]) == 1
    assert "nowhere: found nothing there" in capsys.readouterr().err
    assert main(["data", "import", "--out", str(tmp_path / "out")]) != 0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_what_is_no_file_is_passed_over_by_name(mine, tmp_path):
    (mine / "pictures" / "gone.jpg").symlink_to("nowhere.jpg")
    os.mkfifo(mine / "pictures" / "pipe.jpg")
    report = bring(mine, out=tmp_path / "out")
    assert len(report.copied) == 40
    assert [path.name for path in report.passed_over] == ["gone.jpg", "pipe.jpg"]
    assert "gone.jpg, pipe.jpg" in " ".join(report.sentences())


def test_a_folder_that_may_not_be_read_stops_the_import(mine, tmp_path, monkeypatch):
    """`os.walk` alone would leave it out in silence."""

    def forbid(folder, onerror=None):
        onerror(PermissionError(13, "Permission denied", str(folder)))
        return iter(())

    monkeypatch.setattr(os, "walk", forbid)
    with pytest.raises(DataError, match=r"Permission denied: .*mine"):
        bring(mine, out=tmp_path / "out")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems only allow names that are text")
def test_a_name_passed_over_that_is_no_text_is_printed_as_escapes(mine, tmp_path):
    (mine / "\udcff.txt").touch()
    command = [sys.executable, "-m", "jaalnet_core", "data", "import", str(mine), "--out", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONUTF8": "1"})
    assert done.returncode == 0, done.stderr
    assert "\\udcff.txt" in done.stdout
