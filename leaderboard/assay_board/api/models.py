"""What requests and answers hold, for OpenAPI; the texts are checked where they are used."""

from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Item = TypeVar("Item")


class Request(BaseModel):
    """A body that somebody sends: what is not known is refused."""

    model_config = ConfigDict(extra="forbid")


class ProblemDocument(BaseModel):
    """RFC 9457, with the rule that was broken and, of a list, every finding."""

    type: str
    title: str
    status: int
    detail: str
    rule: str | None = None
    findings: list[dict[str, Any]] | None = None
    report: dict[str, Any] | None = None


class Page(BaseModel, Generic[Item]):
    """A part of a list, and where the next begins."""

    items: list[Item]
    next: str | None


class NewTeam(Request):
    """Who registers."""

    name: Annotated[str, Field(max_length=500)]


class Team(BaseModel):
    """A team."""

    id: int
    name: str


class Registered(BaseModel):
    """A team, and its token, which is shown once."""

    team: Team
    token: str
    expires: str


class Progress(Request):
    """How far a run is."""

    unit: Annotated[str, Field(max_length=20, pattern=r"^[A-Za-z0-9_./ -]*$")] = "step"
    done: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    total: Annotated[float | None, Field(ge=0, allow_inf_nan=False)] = None
    rate: Annotated[float | None, Field(ge=0, allow_inf_nan=False)] = None


class RunView(BaseModel):
    """One seed of a submission."""

    seed_index: int
    state: str
    level: str
    attempts: int
    worker: str
    heartbeat_age_seconds: float | None
    progress: dict[str, Any] | None
    reason: str
    record: str | None


class SubmissionView(BaseModel):
    """A submission."""

    id: str
    digest: str
    track: str
    scale: str
    label: str
    name: str
    team: str
    state: str
    manifest: dict[str, Any]
    report: dict[str, Any]
    position: int | None
    eta_seconds: float | None
    runs: list[RunView]
    created: str
    updated: str
    url: str


class Accepted(BaseModel):
    """The answer to a list that was handed in."""

    submission: SubmissionView


class Line(BaseModel):
    """A line of a run's log."""

    seed_index: int
    attempt: int
    time: str
    line: str


class Objection(Request):
    """Why a submission should not stand; `contact` is for the operator and is not published."""

    text: Annotated[str, Field(max_length=10_000)]
    contact: Annotated[str, Field(max_length=500)] = ""


class Retraction(Request):
    """Why the scores of a submission should not count any more."""

    reason: Annotated[str, Field(max_length=10_000)]


class TrackScale(Request):
    """A track at a scale."""

    track: Annotated[str, Field(max_length=100, pattern=r"^[^\x00]*$")]
    scale: Annotated[str, Field(max_length=100, pattern=r"^[^\x00]*$")]


class Capabilities(BaseModel):
    """What a worker can run; no tracks means all of them."""

    tracks: Annotated[list[TrackScale], Field(max_length=500)] = []
    device: Any = None
    software: Any = None


class LeaseRequest(Request):
    """A worker that has nothing to do."""

    worker: Annotated[str, Field(max_length=500)]
    capabilities: Capabilities = Capabilities()


class JobSubmission(BaseModel):
    """The list that a job trains on."""

    id: str
    digest: str
    unit: str
    name: str
    manifest: dict[str, Any]


class Job(BaseModel):
    """A run to do."""

    run: int
    submission: JobSubmission
    track: str
    scale: str
    label: str
    seal: str
    pool: str
    seed: int
    seed_index: int
    epoch: str


class LeaseView(BaseModel):
    """A run in a worker's hands; `secret` is shown once."""

    id: str
    secret: str
    expires: str
    heartbeat_seconds: float
    job: Job


class Heartbeat(Request):
    """A sign of life."""

    progress: Progress | None = None
    log: Annotated[list[Annotated[str, Field(max_length=4000)]], Field(max_length=1000)] = []


class Beat(BaseModel):
    """Until when a lease is good."""

    expires: str


class Failure(Request):
    """A run that came to nothing."""

    reason: Annotated[str, Field(max_length=4000)]
    retryable: bool = True


class Return(Request):
    """A run that its worker was kept from ending."""

    reason: Annotated[str, Field(max_length=4000)]


class Published(BaseModel):
    """A record that is in the ledger."""

    record: str
    entry: int


class Reported(Published):
    """A record of a run that its team trained."""

    level: str
