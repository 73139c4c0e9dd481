from rote.machine.tail import tail


def test_the_end_of_a_file_and_nothing_of_what_is_not_there(tmp_path):
    path = tmp_path / "file"
    assert tail(path) == b""
    assert tail(tmp_path) == b""  # a folder
    path.write_bytes(b"0123456789")
    assert tail(path) == b"0123456789"
    assert tail(path, 3) == b"789"
