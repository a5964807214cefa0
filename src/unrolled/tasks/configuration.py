"""What a configuration may say, whatever its task."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unrolled.errors import ReaderError
from unrolled.tasks.network_options import unlike
from unrolled.training.configuration import check_section, comments_on, read_configuration

_WORDS = {
    "model": "a network or a cell: `unrolled list` names them",
    "options": "of the model",
    "training": "how long and how",
    "describing": "what looks at the pictures, and how captions are searched for",
}


@dataclass(frozen=True)
class TaskConfiguration:
    """The keys of a task's configuration, and words on them.

    Args:
        task: the type of its name, such as ``Literal["language"]``.
        sections: a dataclass of options for each of its sections, such as reading and training.
        data: words on that key.
        reading: words on that section.
        default_model: the network where none is named.
        usual_options: returns the options that the network of a request has by itself.
    """

    task: Any
    sections: dict[str, Any]
    data: str
    reading: str
    default_model: str
    usual_options: Callable[[Mapping[str, Any]], Mapping[str, Any]]

    def unusual_options(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return those options of a request's network that are not what they usually are."""
        return unlike(self.usual_options(request), request["options"])

    def read(self, path: Path) -> dict[str, Any]:
        """Read a configuration; any key may be left out of it.

        Raises:
            ReaderError: the file cannot be read.
            ConfigError: a key that does not exist, or a value of the wrong type.
        """
        schema = {"task": self.task, "data": str | None, "model": str | None, "options": dict}
        return read_configuration(path, schema | self.sections)

    def read_request(self, path: Path) -> dict[str, Any]:
        """Read the configuration in the folder of a run, which leaves no section out.

        Raises:
            ReaderError: there is no such file, or a section is missing in it.
            ConfigError: one of its keys or values is none of the task.
        """
        request = self.read(path)
        for key in ("task", "data", "model", "options", *self.sections):
            if key not in request:
                raise ReaderError(f"the configuration of a run in {path}", f"no {key} in it")
        for section, kind in self.sections.items():
            check_section(kind, request[section], path)
        return request

    def comments(self) -> dict[str, str]:
        """Return words on every key, from the documentation of the options."""
        found = _WORDS | {
            "data": f"{self.data}; $NAME is taken from the environment",
            "reading": self.reading,
        }
        for section, kind in self.sections.items():
            found |= {f"{section}.{key}": words for key, words in comments_on(kind).items()}
        return found
