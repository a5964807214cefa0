"""stub"""


def write_report(learning, folder, score, *, show=lambda *_: None):
    return folder.report
