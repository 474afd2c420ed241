"""Pages as a browser's parser sees them."""

from html.parser import HTMLParser

VOID = {"meta", "input"}


class Reader(HTMLParser):
    """The elements of a page: the open ones, and of each table cell its tag, attributes and text."""

    def __init__(self):
        super().__init__()
        self.open, self.rows, self.tags, self.notes, self.captions = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        """An element opens."""
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        elif tag == "caption":
            self.captions.append("")

    def handle_endtag(self, tag):
        """An element closes; it must be the one that opened last."""
        assert self.open.pop() == tag

    def handle_data(self, data):
        """Text between the tags."""
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data
        elif self.open and self.open[-1] == "caption":
            self.captions[-1] += data


def read(text):
    """The page as a browser's parser sees it, every element closed."""
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader
