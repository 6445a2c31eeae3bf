import PlatformModel
import ServiceKit

/// The query of `GET /api/v1/jobs` (jobs-api.md 8.1). Unknown parameters are ignored.
struct JobListQuery: Sendable {
    var filter = JobFilter()
    /// Newest first.
    var reverse = false
    var limit: Int?

    /// Tells a bad parameter with its name.
    init(_ query: QueryItems) throws(PlatformError) {
        do {
            filter = try Self.filter(query)
            reverse = try Self.flag(query, "reverse") ?? false
            limit = try Self.limit(query)
        } catch {
            throw .badRequest(error.description)
        }
    }

    private static func filter(_ query: QueryItems) throws(Problem) -> JobFilter {
        var filter = JobFilter()
        for text in query.all("status") {
            guard let status = JobStatus(rawValue: text) else { throw .message("'\(text)' is not a valid JobStatus") }
            filter.statuses.insert(status)
        }
        filter.tags = Set(query.all("tag"))
        filter.materialized = try flag(query, "materialized")
        filter.beingDropped = try flag(query, "being_dropped")
        filter.logsRemoved = try flag(query, "logs_removed")
        if let hostname = query.first("hostname") {
            for other in ["name", "project_name", "cluster_name", "since", "until"] where query.first(other) != nil {
                throw .message("Invalid request")
            }
            filter.hostname = try named("hostname") { () throws(Problem) in try JobHostname(hostname) }
            return filter
        }
        if let name = query.first("name") {
            try named("name") { () throws(Problem) in try Check.jobName(name) }
            filter.name = name
        }
        filter.owners = try all(query, "owner") { text throws(Problem) in try Check.owner(text) }
        filter.baseOwners = try all(query, "base_owner") { text throws(Problem) in try Check.entityName(text, length: 3...21) }
        filter.clusters = try all(query, "cluster_name") { text throws(Problem) in try Check.entityName(text) }
        filter.orgs = try all(query, "org_name") { text throws(Problem) in try Check.entityName(text) }
        filter.projects = try all(query, "project_name") { text throws(Problem) in try Check.entityName(text) }
        filter.since = try time(query, "since")
        filter.until = try time(query, "until")
        return filter
    }

    private static func named<T>(_ name: String, _ body: () throws(Problem) -> T) throws(Problem) -> T {
        do {
            return try body()
        } catch {
            throw .members([.field(name, error)])
        }
    }

    private static func all(
        _ query: QueryItems, _ name: String, _ check: (String) throws(Problem) -> Void
    ) throws(Problem) -> Set<String> {
        let values = query.all(name)
        for value in values { try named(name) { () throws(Problem) in try check(value) } }
        return Set(values)
    }

    private static func flag(_ query: QueryItems, _ name: String) throws(Problem) -> Bool? {
        switch query.first(name)?.lowercased() {
        case nil: nil
        case "0", "false": false
        case "1", "true": true
        default: throw .message("Required \"0\", \"1\", \"false\" or \"true\"")
        }
    }

    /// An empty value is none; a time without offset is UTC.
    private static func time(_ query: QueryItems, _ name: String) throws(Problem) -> UTCTime? {
        guard let text = query.first(name), !text.isEmpty else { return nil }
        guard let time = UTCTime(text) else { throw .message("Invalid isoformat string: '\(text)'") }
        return time
    }

    private static func limit(_ query: QueryItems) throws(Problem) -> Int? {
        guard let text = query.first("limit") else { return nil }
        let digits = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text[...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            throw .message("invalid literal for int() with base 10: '\(text)'")
        }
        // More than 64 bits of jobs are all jobs.
        let limit = Int(text) ?? (text.hasPrefix("-") ? -1 : .max)
        guard limit > 0 else { throw .message("limit should be > 0") }
        return limit
    }
}
