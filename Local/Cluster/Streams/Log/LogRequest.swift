import Foundation
import Kubernetes
import ServiceKit

/// Which part of a container's log is asked for.
struct LogRequest: Sendable, Equatable {
    enum Stream: String, Sendable {
        case all = "All"
        case stdout = "Stdout"
        case stderr = "Stderr"
    }

    var container: String?
    var follow = false
    var previous = false
    var timestamps = false
    /// Lines before it are left out.
    var since: LogTimestamp?
    var tailLines: Int?
    var limitBytes: Int?
    var stream = Stream.all

    init() {}

    /// - Parameter now: what `sinceSeconds` counts from.
    /// - Throws: ``StatusError`` 400 for what is no number or time, 422 for what makes no sense.
    init(_ query: QueryItems, pod: String, now: Date) throws(StatusError) {
        container = query.first("container").flatMap { $0.isEmpty ? nil : $0 }
        follow = query.flag("follow")
        previous = query.flag("previous")
        timestamps = query.flag("timestamps")
        tailLines = try Self.number(query, "tailLines")
        limitBytes = try Self.number(query, "limitBytes")
        let sinceSeconds = try Self.number(query, "sinceSeconds")
        var faults: [FieldFault] = []
        if let tailLines, tailLines < 0 {
            faults.append(.invalid("tailLines", .integer(Int64(tailLines)), "must be greater than or equal to 0"))
        }
        if let limitBytes, limitBytes < 1 { faults.append(.invalid("limitBytes", .integer(Int64(limitBytes)), "must be greater than 0")) }
        if let sinceSeconds {
            if sinceSeconds < 1 { faults.append(.invalid("sinceSeconds", .integer(Int64(sinceSeconds)), "must be greater than 0")) }
            since = LogTimestamp(seconds: Int(now.timeIntervalSince1970.rounded(.down)) - sinceSeconds)
        }
        if let text = query.first("sinceTime"), !text.isEmpty {
            // An unescaped `+00:00` arrives with a space in place of its sign.
            guard let time = LogTimestamp(text.replacingOccurrences(of: " ", with: "+").utf8) else {
                throw .badRequest("sinceTime: \"\(text)\" is not a time of RFC 3339")
            }
            if sinceSeconds != nil {
                faults.append(
                    FieldFault(
                        field: "sinceSeconds", reason: "FieldValueForbidden",
                        message: "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"))
            }
            // The API's times have whole seconds.
            since = LogTimestamp(seconds: time.seconds)
        }
        if let text = query.first("stream"), !text.isEmpty {
            if let stream = Stream(rawValue: text) {
                self.stream = stream
            } else {
                faults.append(.unsupported("stream", text, ["All", "Stdout", "Stderr"]))
            }
        }
        guard faults.isEmpty else {
            throw .invalid(ResourceKind(plural: "podlogoptions", kind: "PodLogOptions"), pod, faults)
        }
    }

    private static func number(_ query: QueryItems, _ name: String) throws(StatusError) -> Int? {
        guard let text = query.first(name), !text.isEmpty else { return nil }
        guard let value = Int(text) else {
            throw .badRequest("strconv.ParseInt: parsing \"\(text)\": invalid syntax")
        }
        return value
    }
}
