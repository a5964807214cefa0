"""STUB."""
from unrolled.storage import write_file
def write_report(learning, folder, score, *, show=lambda *_: None):
    write_file(folder.report, b"<html></html>")
    return folder.report
