import pytest

from rote.files.atomic import replacing
from rote.machine.errors import UserError


def test_what_the_disk_refuses_is_a_sentence_and_a_bug_stays_a_bug(tmp_path):
    path = tmp_path / "page.md"
    path.write_text("as it was")
    for raised, shown in (
        (OSError(28, "No space left on device"), UserError),
        (NotImplementedError("a bug in drawing"), NotImplementedError),
    ):
        with pytest.raises(shown), replacing(path) as temporary:
            temporary.write_text("half of it")
            raise raised
        assert [entry.name for entry in tmp_path.iterdir()] == ["page.md"]
        assert path.read_text() == "as it was"
