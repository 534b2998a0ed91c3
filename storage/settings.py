"""The one place that reads the environment: every setting, prefix ``CUSTODY_``.

All settings are listed, with their defaults, in ``deploy/example.env``; a test compares.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from storage.errors import HostError


class Settings(BaseSettings):
    """Settings of one installation."""

    model_config = SettingsConfigDict(env_prefix="CUSTODY_", frozen=True, extra="ignore")

    home: Path = Field(Path("var"), description="Folder that holds all state.")
    language: Literal["zh", "en"] = Field("zh", description="Language of pages and printouts.")
    timezone: str = Field("Asia/Shanghai", description="Zone of printed times and of all clocks.")

    store: str = Field(
        "directory", description="'directory', or s3://BUCKET?endpoint=URL for an S3 server."
    )
    s3_access_key: str = Field("", description="S3 access key; empty: boto3's own lookup.")
    s3_secret_key: SecretStr = Field(SecretStr(""), description="S3 secret key.")
    s3_region: str = Field("us-east-1", description="S3 region name.")
    s3_public_endpoint: str = Field(
        "", description="Address of that server as agencies reach it; empty: they get no links."
    )
    s3_request_checksum: Literal["when_required", "when_supported"] = Field(
        "when_required", description="When boto3 adds checksums; some servers refuse them."
    )
    database: str = Field("", description="SQLAlchemy URL; empty: SQLite in the workspace.")

    log_origin: str = Field("zhenglian.local/custody", description="Name of the custody log.")
    log_keeper: Literal["here", "elsewhere"] = Field(
        "here",
        description="'elsewhere': another host signs the log, by 'custody keep-log'; no key here.",
    )
    log_wait_seconds: float = Field(
        60.0, gt=0, description="Seconds to wait for that host before a step is given up for now."
    )
    timestamp_authorities: str = Field(
        "", description="RFC 3161 authorities: JSON list, or a file with one (docs/anchoring.md)."
    )
    witnesses: str = Field(
        "", description="Witnesses of the log: JSON list of url and vkey, or a file with one."
    )
    witnesses_needed: int = Field(
        0, ge=0, description="Witnesses that a verifier wants to see on a checkpoint."
    )
    receiver_name: str = Field("值班接收员", description="Who receives bundles, as on receipts.")
    receiver_id: str = Field("INTAKE", description="Identifier of the receiver.")
    receiver_unit: str = Field("证据保管中心", description="Unit that keeps the evidence.")
    receiver_phone: str = Field("", description="Telephone of the receiver.")

    retention_years: int = Field(30, ge=1, le=100, description="Object Lock retention, years.")
    audit_bytes_per_day: int = Field(
        200_000_000_000, gt=0, description="Bytes that the fixity sweep reads a day."
    )
    audit_period_days: int = Field(
        90, ge=2, description="Days within which the sweep reads every kept object."
    )
    handover_days: int = Field(
        3, ge=0, description="Days after which a hand-over without receipt is listed."
    )
    access_days: int = Field(
        30, ge=0, description="Days that an agency may fetch a package after its commission ended."
    )
    opinion_trust: str = Field(
        "",
        description="PEM file of the authorities that vouch for signers of opinions; "
        "empty: keys/opinion-trust.pem in the workspace, if it is there.",
    )
    scan_seconds: float = Field(2.0, gt=0, description="Interval of the drop folder scan.")
    settle_seconds: float = Field(
        10.0, ge=0, description="Seconds without change after which a bundle counts as complete."
    )
    patience_seconds: float = Field(
        3600.0, gt=0, description="Seconds after which an incomplete bundle raises an alert."
    )
    batch_size: int = Field(100, ge=1, le=1000, description="Documents in one Prefect task.")

    max_manifest_bytes: int = Field(8 << 20, description="Largest manifest read, bytes.")
    max_entries: int = Field(100_000, description="Most files in one bundle.")
    max_total_bytes: int = Field(1 << 40, description="Largest bundle, bytes, when expanded.")
    max_file_bytes: int = Field(1 << 38, description="Largest single file or member, bytes.")
    max_path_bytes: int = Field(4096, description="Longest path inside a bundle, bytes.")
    upload_days: float = Field(
        7.0, gt=0, description="Days after its last byte at which an unfinished upload is dropped."
    )
    uploads_at_once: int = Field(
        20, ge=1, description="Uploads that one agency may have under way at the same time."
    )
    poll_seconds: float = Field(
        1.0, gt=0, description="Interval at which the web server looks for news in the log."
    )
    max_depth: int = Field(5, ge=1, le=20, description="Containers inside containers opened.")
    max_ratio: int = Field(200, description="Largest expansion of an archive member, times.")

    cell: Literal["full", "reduced"] = Field(
        "full", description="'reduced': open documents even where namespaces cannot be had."
    )
    cell_processes: int = Field(0, ge=0, description="Reading processes; 0: one a core.")
    cell_memory_bytes: int = Field(2 << 30, description="Memory limit of a reading process.")
    document_seconds: float = Field(180.0, gt=0, description="Time limit for opening a document.")
    document_seconds_per_mb: float = Field(
        2.0, ge=0, description="Added to that limit for each million bytes of the document."
    )
    page_seconds: float = Field(60.0, gt=0, description="Time limit for reading one page by OCR.")
    ocr_engine: Literal["auto", "rapid", "tesseract"] = Field(
        "auto", description="Who reads pages: 'auto' is 'rapid' (RapidOCR) where it can run."
    )
    ocr_languages: str = Field("chi_sim+eng", description="Tesseract languages.")
    ocr_recycle_pages: int = Field(
        500, ge=1, description="Pages after which RapidOCR's process is replaced by a fresh one."
    )
    ocr_recycle_bytes: int = Field(
        224 << 20,
        ge=1 << 27,
        description="Memory above which it is replaced, times (pages read at a time + 2).",
    )

    public_url: str = Field(
        "", description="Address of the queue as browsers see it; empty: loopback over plain http."
    )
    trusted_proxies: str = Field(
        "", description="Addresses or networks, by commas, whose X-Forwarded-For is believed."
    )
    link_hours: int = Field(72, ge=1, le=720, description="Hours that a one-time link is valid.")
    session_idle_minutes: int = Field(
        60, ge=1, le=1440, description="Minutes without a request after which a session ends."
    )
    session_hours: int = Field(12, ge=1, le=168, description="Hours after which a session ends.")
    requests_per_minute: int = Field(
        600, ge=1, description="Requests a minute of one account, and of one address without one."
    )
    polls_per_account: int = Field(
        4, ge=1, description="Requests of one account that may wait for news at the same time."
    )
    max_request_bytes: int = Field(1 << 20, description="Largest request but uploads, bytes.")
    max_upload_bytes: int = Field(8 << 30, description="Largest upload of an opinion, bytes.")
    oidc_issuer: str = Field("", description="Sign-in service (OpenID Connect); empty: none.")
    oidc_client_id: str = Field("", description="Name of the queue at that service.")
    oidc_client_secret: SecretStr = Field(SecretStr(""), description="Its secret there.")
    oidc_name: str = Field("统一身份认证", description="Name of that service, as people know it.")

    smtp_host: str = Field("", description="Mail server for notices; empty: no mail is sent.")
    smtp_port: int = Field(587, ge=1, le=65535, description="Its port.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="How it is spoken to; 'none' only to a server on this machine."
    )
    smtp_user: str = Field("", description="Account at that server; empty: none is needed.")
    smtp_password: SecretStr = Field(SecretStr(""), description="Its password.")
    smtp_from: str = Field("", description="Address that notices come from.")
    notice_webhook: str = Field(
        "", description="Address that gets each notice as signed JSON; https, or this machine."
    )
    notice_webhook_secret: SecretStr = Field(
        SecretStr(""), description="Key of those signatures, 32 characters or more."
    )
    notice_ca: str = Field(
        "", description="PEM file of authorities for mail server and webhook; empty: the system's."
    )
    notice_seconds: float = Field(
        20.0, gt=0, le=300, description="Time in which one notice must be delivered."
    )
    notice_email: str = Field(
        "", description="Addresses, by commas, of officers that no account gives one for."
    )
    escalation_email: str = Field(
        "", description="Addresses, by commas, of whoever is told when something stays overdue."
    )

    runs: Literal["here", "workers"] = Field(
        "here",
        description="'workers': ingests are handed to Prefect's workers, and they help reading.",
    )
    dask: str = Field(
        "",
        description="Dask helps reading: tcp://HOST:PORT of a scheduler, or a number of processes "
        "on this machine; empty: it does not.",
    )
    log_format: Literal["people", "json"] = Field(
        "people", description="'json': commands that go on running print one JSON object a line."
    )
    metrics_listen: str = Field(
        "",
        description="HOST:PORT on which 'custody serve' gives metrics and its health; empty: none.",
    )
    metrics_networks: str = Field(
        "127.0.0.0/8, ::1", description="Addresses or networks, by commas, that may ask there."
    )
    debug: bool = Field(False, description="Show tracebacks instead of one line.")
    prefect_api_url: str = Field("", description="Prefect server; empty: a temporary one.")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        """Refuse a zone that the machine does not know, before a time is written in it."""
        try:
            ZoneInfo(name)
        except (OSError, ValueError, KeyError) as error:
            raise ValueError("no such time zone") from error
        return name

    @property
    def processes(self) -> int:
        """Reading processes to run at once."""
        return self.cell_processes or os.cpu_count() or 1


@cache
def settings() -> Settings:
    """Return the settings of this process, read once.

    Raises:
        HostError: a value in the environment is not of its kind; every such value is named.
    """
    try:
        return Settings()
    except ValidationError as error:
        wrong = [
            f"CUSTODY_{str(each['loc'][0]).upper()}={each['input']!r}: {each['msg']}"
            for each in error.errors(include_url=False)
        ]
        raise HostError(
            f"{len(wrong)} wrong settings: " + "; ".join(wrong)
            if len(wrong) > 1
            else f"wrong setting: {wrong[0]}",
            remedy="every setting is explained in deploy/example.env",
        ) from error


def relocate(home: Path, **others: str | Path) -> Settings:
    """Give this process and its children another workspace (the demo's) and return settings.

    Other settings are given by name, as in ``relocate(home, language="en")``.
    """
    for name, value in {"home": home, **others}.items():
        os.environ[f"CUSTODY_{name.upper()}"] = str(value)
    settings.cache_clear()
    return settings()
