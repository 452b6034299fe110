"""The errors that a user can meet and mend: commands print their text instead of a traceback."""

from __future__ import annotations

from infra.base.installation import LogReplaced
from infra.base.kafka import TopicCreationFailed, TopicMismatch
from infra.base.months import MonthError
from infra.base.postgres import SchemaMismatch
from infra.base.readers import ReaderError
from infra.base.settings import SettingsError
from infra.embedded.accounts import NoAccount
from infra.embedded.jars import DownloadError
from infra.embedded.java import NoJava
from infra.embedded.ports import PortInUse
from infra.embedded.process import ProcessError
from infra.ops.supervisor.folder import FolderError
from infra.ops.supervisor.up import NotReachable

EXPECTED = (
    DownloadError,
    FolderError,
    LogReplaced,
    MonthError,
    NoAccount,
    NoJava,
    NotReachable,
    PortInUse,
    ProcessError,
    ReaderError,
    SchemaMismatch,
    SettingsError,
    TopicCreationFailed,
    TopicMismatch,
)
