"""Well-known data sets that are missing, and the command that gets them."""

import re
import shlex
from pathlib import Path

import pytest

from unrolled.readers.known_data import how_to_get


@pytest.mark.parametrize(
    ("path", "command"),
    [
        ("a/input.txt", "-o a/input.txt https://.*/tinyshakespeare/input.txt$"),
        ("a/ptb.valid.txt", "-o a/ptb.valid.txt https://.*/lstm/master/data/ptb.valid.txt$"),
        ("a/ptb", r"-o a/ptb/'ptb.#1.txt' 'https://.*/data/ptb.\{train,valid,test\}.txt'$"),
        ("a/enwik8", "-o a/enwik8.zip .*/dc/enwik8.zip && unzip a/enwik8.zip -d a$"),
        ("text8", "-o ./text8.zip .*/dc/text8.zip && unzip ./text8.zip -d .$"),
        ("a/wikitext-2/wiki.train.tokens", "/wikitext-2-v1.zip && .* -d a$"),
        ("a/wikitext-103-raw/wiki.valid.raw", "/wikitext-103-raw-v1.zip && .* -d a$"),
        ("a/wikitext-103", "/wikitext-103-v1.zip && .* -d a$"),
        ("glove.840B.300d.txt", "/glove.840B.300d.zip && .* -d .$"),
    ],
)
def test_the_command_puts_the_file_where_it_was_looked_for(path: str, command: str) -> None:
    found = how_to_get(Path(path))
    assert found.startswith("get ")
    assert re.search(command, found), found
    assert "\n" not in found
    assert "{" not in found.replace("{train,valid,test}", "")


def test_a_path_with_blanks_is_quoted() -> None:
    command = how_to_get(Path("my books/input.txt")).partition(" with: ")[2]
    assert shlex.split(command)[3] == "my books/input.txt"


@pytest.mark.parametrize("path", ["book.txt", "input.text", "wiki.train.tokens", "glove.txt"])
def test_other_files_are_not_claimed(path: str) -> None:
    assert how_to_get(Path(path)) == ""
