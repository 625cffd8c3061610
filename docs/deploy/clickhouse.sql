-- The table of docs/clickhouse.md, which has the questions to ask it.
CREATE TABLE IF NOT EXISTS overcoat.requests
(
    timestamp DateTime64(6, 'UTC'),
    level LowCardinality(String),
    event LowCardinality(String),
    method LowCardinality(String),
    path String,
    route LowCardinality(String),
    endpoint LowCardinality(String),
    query String,
    status UInt16,
    duration_ms Float64,
    first_byte_ms Nullable(Float64),
    response_bytes UInt64,
    request_bytes UInt64,
    client String,
    peer String,
    scheme LowCardinality(String),
    host LowCardinality(String),
    http_version LowCardinality(String),
    user_agent String,
    request_id String,
    client_request_id String,
    trace_id String,
    span_id String,
    outcome LowCardinality(String),
    error_type LowCardinality(String),
    error_message String,
    error_at LowCardinality(String),
    timings Map(String, Tuple(duration_ms Float64, count UInt64)),
    request_headers Map(String, String),
    response_headers Map(String, String),
    sample_rate Float64 DEFAULT 1,
    line String CODEC(ZSTD(3)),
    INDEX by_request_id request_id TYPE bloom_filter GRANULARITY 4,
    INDEX by_trace_id trace_id TYPE bloom_filter GRANULARITY 4
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(timestamp)
ORDER BY (host, route, timestamp)
TTL toDateTime(timestamp) + INTERVAL 90 DAY;
