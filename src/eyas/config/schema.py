"""Every key of the configuration with its type, default and meaning; the names are those of falco.yaml."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr
from pydantic_core import PydanticCustomError

Port = Annotated[int, Field(ge=0, le=65535)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Preset = Annotated[int, Field(ge=1, le=10)]
Severity = Literal["emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"]
Priority = Annotated[
    Literal["emergency", "alert", "critical", "error", "warning", "notice", "informational", "info", "debug"],
    BeforeValidator(lambda name: str(name).lower()),
]


def _text(value: Any) -> Any:
    """A number or a boolean of YAML as the text that stands for it."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (int, float)) else value


Constant = Annotated[str, BeforeValidator(_text)]


def idle(default: Any, about: str) -> Any:
    """A key of falco.yaml that loads and does nothing here; `about` says why."""
    return Field(default=default, description=about, json_schema_extra={"idle": True})


class Section(BaseModel):
    """A mapping of settings that refuses unknown keys."""

    model_config = ConfigDict(extra="forbid")


class Kmod(Section):
    """`engine.kmod`."""

    buf_size_preset: Preset = idle(4, "there is no kernel module")
    drop_failed_exit: bool = idle(False, "there is no kernel module")


class ModernEbpf(Section):
    """`engine.modern_ebpf`."""

    hooks: Literal["auto", "fentry", "tp_btf", "raw_tp"] = Field(
        "auto",
        description="Where the probe hangs from the start on; auto takes the first that the kernel allows.",
    )
    cpus_for_each_buffer: Count = idle(2, "the rings are shared by all processors")
    buf_size_preset: Preset = idle(4, "the probe sizes its rings itself")
    drop_failed_exit: bool = idle(False, "the rules say which failed calls are needed")
    disable_iterators: bool = idle(False, "the probe chooses itself how to read the initial state")


class ReplayEngine(Section):
    """`engine.replay`."""

    capture_file: str = Field("", description="Capture that `eyas run` plays with engine kind `replay`.")


class Engine(Section):
    """`engine`."""

    kind: Literal["modern_ebpf", "kmod", "replay", "nodriver"] = Field(
        "modern_ebpf", description="Where system calls come from; kmod means the probe too."
    )
    kmod: Kmod = Field(default_factory=Kmod, description="Settings of a kernel module.")
    modern_ebpf: ModernEbpf = Field(default_factory=ModernEbpf, description="Settings of the probe.")
    replay: ReplayEngine = Field(default_factory=ReplayEngine, description="Settings of a replay.")


class Hardening(Section):
    """`hardening`: rights that the sensor gives up."""

    capabilities: bool = Field(True, description="Keep only the capabilities that watching needs.")
    seccomp: bool = Field(
        True,
        description="Deny system calls that a sensor never makes. Not with `program_output`: its "
        "program would inherit them.",
    )


class Kubernetes(Section):
    """`kubernetes`: what its API knows about the pods of this node."""

    enabled: bool = Field(False, description="Ask the API for pods, their namespaces, owners and services.")
    url: str = Field("", description="Where the API is; that of the cluster this runs in when empty.")
    node: str = Field("", description="Name of this node; `EYAS_NODE`, then the name of the host when empty.")
    token_file: str = Field(
        "/var/run/secrets/kubernetes.io/serviceaccount/token", description="File with the token to show."
    )
    ca_file: str = Field(
        "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt",
        description="File with the certificates to trust.",
    )


class Capture(Section):
    """`capture`: footage around alerts."""

    enabled: bool = Field(False, description="Keep footage around alerts.")
    path_prefix: str = Field("/tmp/falco", description="How names of footage files begin.")
    mode: Literal["rules", "all_rules"] = Field(
        "rules", description="Rules with `capture: true`, or every rule."
    )
    default_duration: Count = Field(5000, description="Milliseconds of footage after an alert.")
    max_file_size_mb: Count = Field(0, description="Limit of a file in MiB; 0 is none.")
    before: Count = Field(5000, description="Milliseconds of footage from before an alert.")
    memory_mb: Count = Field(16, description="Memory in MiB for footage from before alerts.")


class Plugin(Section):
    """An entry of `plugins`."""

    name: str = Field(description="Name, as `load_plugins` and rule files know it.")
    library_path: str = Field(description="Shared object; a relative path is below the plugin folder.")
    init_config: str | dict[str, Any] | None = Field(None, description="Configuration handed to it.")
    open_params: str = Field("", description="What its event source opens.")


class StdoutOutput(Section):
    """`stdout_output`."""

    enabled: bool = Field(True, description="Print alerts on standard output.")


class SyslogOutput(Section):
    """`syslog_output`."""

    enabled: bool = Field(False, description="Send alerts to the local syslog.")


class FileOutput(Section):
    """`file_output`."""

    enabled: bool = Field(False, description="Append alerts to a file.")
    keep_alive: bool = Field(False, description="Keep the file open between alerts.")
    filename: str = Field("./events.txt", description="The file.")


class ProgramOutput(Section):
    """`program_output`."""

    enabled: bool = Field(False, description="Hand alerts to a program on its standard input.")
    keep_alive: bool = Field(False, description="One process for all alerts, not one for each.")
    program: str = Field("", description="Command for the shell.")


class HttpOutput(Section):
    """`http_output`."""

    enabled: bool = Field(False, description="POST alerts to a URL.")
    url: str = Field("", description="Where to.")
    user_agent: str = Field("falcosecurity/falco", description="Header User-Agent.")
    insecure: bool = Field(False, description="Do not check the certificate.")
    ca_cert: str = Field("", description="File with the certificate authority.")
    ca_bundle: str = Field("", description="File with certificate authorities.")
    ca_path: str = Field("/etc/ssl/certs", description="Folder with certificate authorities.")
    mtls: bool = Field(False, description="Show a client certificate.")
    client_cert: str = Field("/etc/ssl/certs/client.crt", description="Client certificate.")
    client_key: str = Field("/etc/ssl/certs/client.key", description="Its key.")
    echo: bool = Field(False, description="Log what the server answers.")
    compress_uploads: bool = idle(
        False, "Falco sends bodies as they are too, and not every receiver unpacks them"
    )
    keep_alive: bool = idle(False, "connections are kept in any case")
    max_consecutive_timeouts: Count = idle(
        5, "an alert is tried until it arrives, for as long as alerts.max_wait says"
    )


class Webserver(Section):
    """`webserver`: health and metrics."""

    enabled: bool = Field(False, description="Serve health and metrics.")
    threadiness: Count = idle(0, "the server is not threaded")
    listen_port: Port = Field(8765, description="Port.")
    listen_address: str = Field("127.0.0.1", description="Address; loopback unless told.")
    k8s_healthz_endpoint: str = Field("/healthz", description="Path of the health answer.")
    prometheus_metrics_enabled: bool = Field(False, description="Serve /metrics.")
    ssl_enabled: bool = Field(False, description="Serve over TLS.")
    ssl_certificate: str = Field("/etc/falco/falco.pem", description="Certificate and key in one file.")


class Metrics(Section):
    """`metrics`."""

    enabled: bool = Field(False, description="Report figures at an interval.")
    interval: str = Field("1h", description="Interval, such as 15m or 1h30m.")
    output_rule: bool = Field(True, description="As an alert.")
    output_file: str = Field("", description="As lines of JSON in a file.")
    rules_counters_enabled: bool = Field(True, description="Matches per rule.")
    resource_utilization_enabled: bool = Field(True, description="Processor and memory.")
    state_counters_enabled: bool = Field(True, description="Threads and open files.")
    kernel_event_counters_enabled: bool = Field(True, description="Events and losses.")
    kernel_event_counters_per_cpu_enabled: bool = idle(False, "the ring is shared by all processors")
    libbpf_stats_enabled: bool = idle(True, "the kernel's `bpf` tools show them")
    plugins_metrics_enabled: bool = idle(True, "plugins are not asked for figures")
    kernel_iter_event_counters_enabled: bool = idle(True, "iterators run once, at start")
    jemalloc_stats_enabled: bool = idle(False, "the allocator is not jemalloc")
    convert_memory_to_mb: bool = Field(True, description="Memory in megabytes.")
    include_empty_values: bool = Field(False, description="Also figures that are zero.")


class LibsLogger(Section):
    """`libs_logger`."""

    enabled: bool = idle(True, "there are no such libraries")
    severity: str = idle("info", "there are no such libraries")


def _not_both(actions: tuple[str, ...]) -> tuple[str, ...]:
    """Refuses to ignore and to tell at once."""
    if "ignore" in actions and {"log", "alert"} & set(actions):
        raise PydanticCustomError("both", "'ignore' stands beside 'log' or 'alert'")
    return actions


class Drops(Section):
    """`syscall_event_drops`: what a loss of events does."""

    threshold: Share = idle(0.1, "every loss is told, not only a large one")
    actions: Annotated[tuple[Literal["ignore", "log", "alert", "exit"], ...], AfterValidator(_not_both)] = (
        Field(("log", "alert"), description="What is done; a loss is counted in any case.")
    )
    rate: float = idle(0.03333, "a loss is told once a second at most")
    max_burst: float = idle(1.0, "a loss is told once a second at most")
    simulate_drops: bool = idle(False, "losses are tested with real ones")


class Timeouts(Section):
    """`syscall_event_timeouts`."""

    max_consecutives: int = idle(1000, "the kernel wakes the sensor; a quiet machine is not a fault")


class Queue(Section):
    """`outputs_queue`."""

    capacity: Count = idle(0, "what waits is on disk, bounded by alerts.max_mb")


class BaseSyscalls(Section):
    """`base_syscalls`: what to collect beyond the rules."""

    custom_set: tuple[str, ...] = Field((), description="Further system calls; !NAME leaves one out.")
    repair: bool = idle(False, "what the state needs is always collected")
    all: bool = Field(False, description="Collect every system call that can be.")


class FalcoLibs(Section):
    """`falco_libs`."""

    thread_table_size: Count = idle(262144, "the size of the table is fixed")
    thread_table_auto_purging_interval_s: Count = idle(
        300, "exits are never lost, so nothing has to be purged"
    )
    thread_table_auto_purging_thread_timeout_s: Count = idle(300, "the same")
    snaplen: Count = idle(80, "the probe decides how much data it keeps")


class Match(Section):
    """`append_output[].match`: the rules that an addition concerns."""

    source: str = Field("", description="Only rules of this source.")
    rule: str = Field("", description="Only the rule of exactly this name.")
    tags: list[str] = Field(default_factory=list, description="Only rules that have all of these tags.")


class AppendOutput(Section):
    """An entry of `append_output`."""

    match: Match = Field(default_factory=Match, description="Which rules; all when absent.")
    extra_output: str = Field("", description="Text that is added to the output.")
    extra_fields: list[str | dict[str, str]] = Field(
        default_factory=list, description="Further output fields: a field, or {KEY: TEXT}."
    )
    suggested_output: bool = Field(False, description="Add the fields that are worth having.")


def _says(wanted: str) -> Any:
    """Refuses an empty mapping, which would have no effect."""

    def check(value: Any) -> Any:
        if value == {}:
            raise PydanticCustomError("empty", "expected {wanted}", {"wanted": wanted})
        return value

    return BeforeValidator(check)


Turned = Annotated[
    dict[
        Literal["enable", "disable"],
        Annotated[dict[Literal["rule", "tag"], str], _says("rule: NAME or tag: TAG")],
    ],
    _says("enable: or disable:"),
]


Place = Callable[..., str]  # from the steps of a key to its file and line


def _nowhere(*_: str) -> str:
    """The place of keys that no file named."""
    return "configuration"


class Settings(Section):
    """The whole configuration. It knows where each key stands, for faults that are found after it is loaded."""

    _places: Place = PrivateAttr(default_factory=lambda: _nowhere)

    config_files: list[str | dict[str, str]] = Field(
        default_factory=list, description="Further files or folders: a path, or {path, strategy}."
    )
    watch_config_files: bool = Field(True, description="Reload when configuration or rules change.")
    rules_files: list[str] = Field(default_factory=list, description="Rule files and folders, in order.")
    rules: list[Turned] = Field(
        default_factory=list,
        description="Turn rules on or off: {enable: {rule: NAME}}, {disable: {tag: TAG}}.",
    )
    engine: Engine = Field(default_factory=Engine, description="Where system calls come from.")
    capture: Capture = Field(default_factory=Capture, description="Footage around alerts.")
    kubernetes: Kubernetes = Field(default_factory=Kubernetes, description="What the Kubernetes API knows.")
    hardening: Hardening = Field(default_factory=Hardening, description="Rights that the sensor gives up.")
    plugins: list[Plugin] = Field(default_factory=list, description="Binary plugins.")
    load_plugins: list[str] | None = Field(None, description="Which of them to load; all when absent.")
    plugins_hostinfo: bool = idle(True, "plugins see no host paths")
    time_format_iso_8601: bool = Field(False, description="Times as ISO 8601 in UTC.")
    buffer_format_base64: bool = Field(
        False, description="Outputs show buffers as base64, not as text with dots."
    )
    priority: Priority = Field("debug", description="Least priority of rules that are loaded.")
    json_output: bool = Field(False, description="Alerts as JSON lines.")
    json_include_output_property: bool = Field(True, description="With `output`.")
    json_include_message_property: bool = Field(False, description="With `message`.")
    json_include_output_fields_property: bool = Field(True, description="With `output_fields`.")
    json_include_tags_property: bool = Field(True, description="With `tags`.")
    buffered_outputs: bool = idle(False, "an alert is written at once")
    rule_matching: Literal["all", "first"] = Field(
        "all", description="Every rule that holds gives an alert, or only the first."
    )
    outputs_queue: Queue = Field(default_factory=Queue, description="Alerts on their way.")
    append_output: list[AppendOutput] = Field(
        default_factory=list,
        description="Additions to outputs: {match, extra_output, extra_fields, suggested_output}.",
    )
    static_fields: dict[str, Constant] = Field(
        default_factory=dict, description="Constants as fields `static.KEY`."
    )
    stdout_output: StdoutOutput = Field(default_factory=StdoutOutput, description="Standard output.")
    syslog_output: SyslogOutput = Field(default_factory=SyslogOutput, description="Local syslog.")
    file_output: FileOutput = Field(default_factory=FileOutput, description="A file.")
    program_output: ProgramOutput = Field(default_factory=ProgramOutput, description="A program.")
    http_output: HttpOutput = Field(default_factory=HttpOutput, description="A URL.")
    webserver: Webserver = Field(default_factory=Webserver, description="Health and metrics over HTTP.")
    log_stderr: bool = Field(True, description="Log lines go to standard error.")
    log_syslog: bool = Field(False, description="Log lines go to the local syslog.")
    log_level: Severity = Field("info", description="Least severity of log lines.")
    libs_logger: LibsLogger = Field(default_factory=LibsLogger, description="Messages of libraries.")
    output_timeout: Count = idle(2000, "no output holds up another or the detection")
    syscall_event_timeouts: Timeouts = Field(default_factory=Timeouts, description="Quiet machines.")
    syscall_event_drops: Drops = Field(default_factory=Drops, description="Losses.")
    metrics: Metrics = Field(default_factory=Metrics, description="Figures.")
    base_syscalls: BaseSyscalls = Field(
        default_factory=BaseSyscalls, description="What to collect beyond the rules."
    )
    falco_libs: FalcoLibs = Field(default_factory=FalcoLibs, description="Sizes.")
    sources: dict[str, Any] = Field(
        default_factory=dict, description="Log sources by name, with their transport."
    )
    outputs: dict[str, Any] = Field(default_factory=dict, description="Receivers of alerts by name.")
    alerts: dict[str, Any] = Field(
        default_factory=dict, description="How alerts are grouped, routed and kept."
    )

    def remember(self, places: Place) -> None:
        """Learn where keys stand."""
        self._places = places

    def place(self, *steps: str) -> str:
        """File and line of a key, or of the nearest one above it: `eyas.yaml:12`."""
        return self._places(*steps)
