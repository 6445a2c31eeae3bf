import AsyncHTTPClient
import HTTPTypes

/// The headers that tie a request to the requests it causes: `traceparent` and `tracestate` (W3C Trace Context), `b3` and its
/// long form (Zipkin), `sentry-trace` and `baggage`, and our `X-Request-ID`.
///
/// The responder sets ``current`` while a route runs; a client copies it with `request.carryTrace()`.
public struct TraceHeaders: Sendable, Equatable {
    /// The headers of the request that this task works for.
    @TaskLocal public static var current: TraceHeaders?

    /// What is carried on, in order.
    public private(set) var fields: [(name: String, value: String)]

    static let names = [
        "traceparent", "tracestate", "b3", "x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid", "x-b3-sampled", "x-b3-flags", "sentry-trace",
        "baggage",
    ].compactMap { HTTPField.Name($0) }

    /// Takes the known headers out of a request's.
    public init(_ headers: HTTPFields, requestID: String) {
        fields = TraceHeaders.names.compactMap { name in
            guard let value = headers[name], value.utf8.count <= 1024 else { return nil }
            return (name.rawName, value)
        }
        fields.append(("x-request-id", requestID))
    }

    public static func == (left: TraceHeaders, right: TraceHeaders) -> Bool {
        left.fields.elementsEqual(right.fields) { $0 == $1 }
    }
}

extension HTTPClientRequest {
    /// Adds the trace headers of the request being served, if one is.
    public mutating func carryTrace() {
        for (name, value) in TraceHeaders.current?.fields ?? [] { headers.replaceOrAdd(name: name, value: value) }
    }
}
