/// Reads the members of one JSON object and remembers everything that is wrong with them, so that one answer names all of it.
///
///     var fields = Fields(of: object)
///     let port = fields.required("port") { try Check.integer($0, in: 0...65535) }
///     try fields.finish()
struct Fields {
    private let members: [OrderedJSON.Member]
    private var known: Set<String> = []
    private(set) var problems: [Problem.Member] = []

    init(of value: OrderedJSON) throws(Problem) {
        guard case .object(let members) = value else { throw .message("value is not a dict") }
        self.members = members
    }

    /// The raw member, noted as known.
    mutating func raw(_ key: String) -> OrderedJSON? {
        known.insert(key)
        return members.first { $0.key == key }?.value
    }

    /// nil when absent or wrong (then `finish` throws). An explicit null is given to the check like any value.
    mutating func optional<T>(_ key: String, _ check: (OrderedJSON) throws(Problem) -> T) -> T? {
        guard let value = raw(key) else { return nil }
        do {
            return try check(value)
        } catch {
            problems.append(.field(key, error))
            return nil
        }
    }

    mutating func required<T>(_ key: String, _ check: (OrderedJSON) throws(Problem) -> T) -> T? {
        guard raw(key) != nil else {
            problems.append(.field(key, .message("is required")))
            return nil
        }
        return optional(key, check)
    }

    mutating func report(_ key: String, _ problem: Problem) { problems.append(.field(key, problem)) }

    /// Throws all that was wrong, unknown keys included.
    mutating func finish() throws(Problem) {
        for member in members where !known.contains(member.key) {
            problems.append(.field(member.key, .message("\(member.key) is not allowed key")))
        }
        if !problems.isEmpty { throw .members(problems) }
    }
}
