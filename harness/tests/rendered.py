# SPDX-License-Identifier: MIT
"""What a page makes of Markdown: rendered as CommonMark with tables and HTML, and taken apart."""

from html.parser import HTMLParser

from markdown_it import MarkdownIt  # rich brings it

VOID = ("br", "hr", "img")
OURS = {"h3", "p", "strong", "code", "pre", "details", "summary", "b", "ul", "li", "sub", "br"}
OURS |= {"table", "thead", "tbody", "tr", "th", "td"}  # all that a report is made of


class Page(HTMLParser):
    """A rendered page: the tags that were opened, the text of blocks of code, what was not closed well."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.blocks: list[str] = []
        self.wrong: list[str] = []
        self._open: list[str] = []
        self.feed(MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown))
        self.close()
        self.wrong += [f"{tag} is not closed" for tag in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self._open.append(tag)
        if tag == "pre":
            self.blocks.append("")

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.wrong.append(f"</{tag}> closes something else")

    def handle_data(self, data: str) -> None:
        if "pre" in self._open:
            self.blocks[-1] += data
