"""A refusal over HTTP: one line that teaches, a stable rule id, and for lists every finding.

Rules of requests, beside those of lists (F1-F4, S1-S4, M1):

    A1  no token, or one that is unknown, expired or revoked     R1  the week's runs are used up
    A2  a token of another scope, or of another team              R2  too many requests
    Q1  a request that does not say what it should                L1  a lease that is lost or not yours
    W1  a record of a run that is none or was edited              W2  another law, pool or software kind
    W3  another seed                                              W4  another submission
    W5  outputs or metrics that do not follow                     W6  a trace of losses that does not fit
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

TYPE = "application/problem+json"


@dataclass(eq=False)
class ProblemError(Exception):
    """Something that the server refuses.

    Attributes:
        status: Of HTTP.
        detail: One line: what is wrong, what was got, what to do.
        rule: Stable rule id, or nothing.
        findings: What validation found, as `assay validate --json` has it.
        report: The whole report of a list, or None.
        retry_after: Seconds after which to ask again, or None.
    """

    status: int
    detail: str
    rule: str = ""
    findings: tuple[dict[str, Any], ...] = ()
    report: dict[str, Any] | None = None
    retry_after: float | None = None

    def document(self) -> dict[str, Any]:
        """Return the body of the answer.

        Source:
            RFC 9457, Problem Details for HTTP APIs.
        """
        status = HTTPStatus(self.status)
        document: dict[str, Any] = {
            "type": f"urn:assay:rule:{self.rule}" if self.rule else "about:blank",
            "title": status.phrase,
            "status": self.status,
            "detail": self.detail,
        }
        if self.rule:
            document["rule"] = self.rule
        if self.findings:
            document["findings"] = list(self.findings)
        if self.report is not None:
            document["report"] = self.report
        return document


def not_found(what: str) -> ProblemError:
    """Say that there is no such thing."""
    return ProblemError(404, f"there is no {what}")


def bad_request(detail: str) -> ProblemError:
    """Say that a request does not hold what it should."""
    return ProblemError(422, detail, "Q1")
