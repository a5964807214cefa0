"""What a user may call a source."""

import pytest

from unrolled.errors import ReaderError
from unrolled.readers import addresses
from unrolled.readers.addresses import parse_address


@pytest.mark.parametrize(
    ("source", "url", "form", "is_live"),
    [
        ("-", "pipe:0", None, False),
        ("/dev/video3", "/dev/video3", "v4l2", True),
        ("rtsp://camera/1", "rtsp://camera/1", None, True),
        ("udp://@:1234", "udp://@:1234", None, True),
        ("http://host/a.mp4", "http://host/a.mp4", None, None),
        ("lavfi:testsrc=rate=10", "testsrc=rate=10", "lavfi", False),
    ],
)
def test_sources(source: str, url: str, form: str | None, is_live: bool | None) -> None:
    address = parse_address(source)
    assert (address.url, address.format, address.is_live) == (url, form, is_live)
    assert not address.is_file


def test_a_camera_has_a_number(monkeypatch) -> None:
    monkeypatch.setattr(addresses.sys, "platform", "linux")
    assert parse_address("2").url == "/dev/video2"
    monkeypatch.setattr(addresses.sys, "platform", "darwin")
    camera = parse_address("2")
    assert (camera.name, camera.url, camera.format) == ("camera 2", "2", "avfoundation")


def test_a_file_is_a_file_whatever_its_name(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "concat:a.mp4").touch()
    address = parse_address("concat:a.mp4")
    assert address.is_file
    assert address.url == "file:concat:a.mp4"


@pytest.mark.parametrize("source", ["nothing.mp4", "", "a\0b", "concat:/etc/passwd"])
def test_what_is_not_there_is_named(source: str, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ReaderError, match="a source of video"):
        parse_address(source)
