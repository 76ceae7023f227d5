"""Addresses: the same pages on a server and in a folder of files, and only harmless ones from strangers."""

from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

from assay.submission.manifest import URL_SCHEMES
from assay_board.pages.snapshot import Table

LOCAL = "http://localhost:8000/"
"""Where `python -m http.server` serves a copy of an export; a script puts in where the export really is."""


@dataclass(frozen=True)
class Links:
    """How a page refers to others.

    Attributes:
        root: Before every path: where the server is mounted, or `../` as often as the page lies deep.
        exported: Whether pages are files, which have an ending and take no query.
    """

    root: str = ""
    exported: bool = False

    @classmethod
    def of_file(cls, path: str) -> "Links":
        """Return the links of the exported page at this path."""
        return cls("../" * path.count("/"), exported=True)

    def page(self, path: str = "", query: dict[str, str] | None = None) -> str:
        """Return the address of a page."""
        if self.exported:
            return f"{self.root}{quote(path or 'index')}.html"
        return f"{self.root}/{quote(path)}" + (f"?{urlencode(query)}" if query else "")

    def file(self, path: str) -> str:
        """Return the address of a file: styles, scripts, downloads."""
        return f"{self.root}{quote(path)}" if self.exported else f"{self.root}/{quote(path)}"

    def absolute(self, public: str, address: str) -> str:
        """Return an address of this site for use elsewhere.

        Args:
            public: Address of the server as participants reach it.
            address: What `page` or `file` returned.
        """
        return LOCAL + address.removeprefix(self.root) if self.exported else public + address


def board_path(table: Table) -> str:
    """Return the path of a table's board."""
    return f"boards/{table.track}/{table.scale}/{table.key}"


def compare_path(table: Table) -> str:
    """Return the path of comparisons on a board."""
    return f"compare/{table.track}/{table.scale}/{table.key}"


def progress_path(table: Table) -> str:
    """Return the path of a board's record over time."""
    return f"progress/{table.track}/{table.scale}/{table.key}"


def entry_path(digest: str) -> str:
    """Return the path of a submission's page."""
    return f"entries/{digest.removeprefix('sha256:')}"


def safe_url(text: str) -> str | None:
    """Return a stranger's address if it leads to the web, or None."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    return text if parts.scheme in URL_SCHEMES and parts.netloc else None
