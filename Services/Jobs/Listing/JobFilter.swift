import PlatformModel

/// What a list asks for. Different conditions combine with AND, the values of one with OR; an empty set means no condition.
struct JobFilter: Hashable, Sendable {
    var statuses: Set<JobStatus> = []
    var name: String?
    var owners: Set<String> = []
    var baseOwners: Set<String> = []
    var clusters: Set<String> = []
    var orgs: Set<String> = []
    var projects: Set<String> = []
    /// All of them.
    var tags: Set<String> = []
    /// Both ends count.
    var since: UTCTime?
    var until: UTCTime?
    var materialized: Bool?
    var beingDropped: Bool?
    var logsRemoved: Bool?
    var hostname: JobHostname?
}

/// The label of a public host name: a job id, or a job's name with the hash of its org and project (jobs-api.md 8.3).
enum JobHostname: Hashable, Sendable {
    case id(String)
    case named(String, hash: String)

    /// Takes the text before the first dot; the domain does not matter.
    init(_ hostname: String) throws(Problem) {
        let label = String(hostname.prefix { $0 != "." })
        guard !label.isEmpty, label.utf8.allSatisfy({ $0 == UInt8(ascii: "-") || Self.isAlphanumeric($0) }) else {
            throw .message("Invalid hostname '\(hostname)'")
        }
        guard let range = label.range(ofLast: "--") else {
            self = .id(label)
            return
        }
        let name = String(label[..<range.lowerBound])
        let hash = label[range.upperBound...]
        try Check.jobName(name)
        guard hash.utf8.count == 10, hash.allSatisfy(\.isHexDigit) else { throw .message("Invalid hostname '\(hostname)'") }
        self = .named(name, hash: hash.lowercased())
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        default: false
        }
    }
}

extension String {
    fileprivate func range(ofLast pattern: String) -> Range<String.Index>? {
        var found: Range<String.Index>?
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(pattern) { found = start..<index(start, offsetBy: pattern.count) }
            start = index(after: start)
        }
        return found
    }
}
