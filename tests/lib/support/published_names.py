"""Names that standards publish, as facts to hold the maps of ``RequestLog(names=...)`` against."""

OTEL_SOURCE = "OpenTelemetry semantic conventions 1.44, attribute registry: client, code, error, exception, http, ..."
OTEL_ATTRIBUTES = frozenset({
    "client.address", "client.port", "code.column.number", "code.file.path", "code.function.name", "code.line.number",
    "code.stacktrace", "error.type", "exception.message", "exception.stacktrace", "exception.type",
    "http.connection.state", "http.request.body.size", "http.request.method", "http.request.method_original",
    "http.request.resend_count", "http.request.size", "http.response.body.size", "http.response.size",
    "http.response.status_code", "http.route", "network.local.address", "network.local.port", "network.peer.address",
    "network.peer.port", "network.protocol.name", "network.protocol.version", "network.transport", "network.type",
    "server.address", "server.port", "url.fragment", "url.full", "url.path", "url.query", "url.scheme",
    "user_agent.original",
})  # fmt: skip
#: A name follows; the value is a list of texts.
OTEL_TEMPLATES = ("http.request.header", "http.response.header")
OTEL_METHODS = frozenset({
    "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE", "_OTHER",
})  # fmt: skip

OTEL_LOGS_SOURCE = "OpenTelemetry specification, logs data model: the fields of a log record, in snake case"
OTEL_LOG_FIELDS = frozenset({
    "timestamp", "observed_timestamp", "trace_id", "span_id", "trace_flags", "severity_text", "severity_number", "body",
    "resource", "instrumentation_scope", "attributes", "event_name",
})  # fmt: skip

ECS_SOURCE = "elastic/ecs, generated/csv/fields.csv of 8.12.0-dev, and schemas/{source,tracing,user_agent}.yml"
#: Name and type.
ECS_FIELDS = {
    "@timestamp": "date",
    "message": "match_only_text",
    "labels": "object",
    "client.address": "keyword",
    "client.domain": "keyword",
    "client.ip": "ip",
    "client.port": "long",
    "ecs.version": "keyword",
    "error.code": "keyword",
    "error.id": "keyword",
    "error.message": "match_only_text",
    "error.stack_trace": "wildcard",
    "error.type": "keyword",
    "event.action": "keyword",
    "event.category": "keyword[]",
    "event.dataset": "keyword",
    "event.duration": "long",
    "event.kind": "keyword",
    "event.outcome": "keyword",
    "event.type": "keyword[]",
    "http.request.body.bytes": "long",
    "http.request.bytes": "long",
    "http.request.id": "keyword",
    "http.request.method": "keyword",
    "http.request.mime_type": "keyword",
    "http.request.referrer": "keyword",
    "http.response.body.bytes": "long",
    "http.response.bytes": "long",
    "http.response.mime_type": "keyword",
    "http.response.status_code": "long",
    "http.version": "keyword",
    "log.level": "keyword",
    "log.logger": "keyword",
    "log.origin.file.line": "long",
    "log.origin.file.name": "keyword",
    "log.origin.function": "keyword",
    "source.address": "keyword",
    "source.ip": "ip",
    "span.id": "keyword",
    "trace.id": "keyword",
    "transaction.id": "keyword",
    "url.domain": "keyword",
    "url.full": "wildcard",
    "url.path": "wildcard",
    "url.port": "long",
    "url.query": "keyword",
    "url.scheme": "keyword",
    "user_agent.original": "keyword",
}
#: What the categorization fields may hold, of what a web server logs.
ECS_VALUES = {
    "event.kind": {"alert", "event", "metric", "state"},
    "event.category": {"network", "session", "web"},
    "event.type": {"access", "end", "error", "info", "start"},
    "event.outcome": {"failure", "success", "unknown"},
}
#: The names at the top of a document; another one may become one of the schema's.
ECS_TOP = frozenset(name.split(".")[0] for name in ECS_FIELDS) | {
    "agent", "cloud", "container", "data_stream", "destination", "device", "dll", "dns", "email", "faas", "file",
    "group", "host", "network", "observer", "orchestrator", "organization", "os", "package", "process", "registry",
    "related", "rule", "server", "service", "tags", "threat", "tls", "user", "volume", "vulnerability",
}  # fmt: skip

GCP_SOURCE = "Google Cloud Logging API v2, LogEntry: HttpRequest and LogSeverity; structured logging, special fields"
#: Name and type in JSON; an int64 is a string there.
GCP_HTTP_REQUEST = {
    "requestMethod": str,
    "requestUrl": str,
    "requestSize": str,
    "status": int,
    "responseSize": str,
    "userAgent": str,
    "remoteIp": str,
    "serverIp": str,
    "referer": str,
    "latency": str,
    "cacheLookup": bool,
    "cacheHit": bool,
    "cacheValidatedWithOriginServer": bool,
    "cacheFillBytes": str,
    "protocol": str,
}
GCP_SEVERITIES = frozenset({
    "DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY",
})  # fmt: skip
GCP_SPECIAL = frozenset({
    "severity", "message", "log", "httpRequest", "time", "timestamp", "timestampSeconds", "timestampNanos",
    "logging.googleapis.com/insertId", "logging.googleapis.com/labels", "logging.googleapis.com/operation",
    "logging.googleapis.com/sourceLocation", "logging.googleapis.com/spanId", "logging.googleapis.com/trace",
    "logging.googleapis.com/trace_sampled", "stack_trace",
})  # fmt: skip
