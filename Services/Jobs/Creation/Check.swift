/// Checks of single values. Strict about types: only JSON numbers are numbers, and an integral float is an integer (jobs-api.md 5.3).
enum Check {
    static func bool(_ value: OrderedJSON) throws(Problem) -> Bool {
        guard case .bool(let flag) = value else { throw .message("value should be True or False") }
        return flag
    }

    static func text(_ value: OrderedJSON, length: ClosedRange<Int>? = nil) throws(Problem) -> String {
        guard case .string(let text) = value else { throw .message("value is not a string") }
        if text.isEmpty { throw .message("blank value is not allowed") }
        try check(text, length: length)
        return text
    }

    /// A string that may be empty.
    static func anyText(_ value: OrderedJSON) throws(Problem) -> String {
        guard case .string(let text) = value else { throw .message("value is not a string") }
        return text
    }

    private static func check(_ text: String, length: ClosedRange<Int>?) throws(Problem) {
        guard let length else { return }
        let count = text.unicodeScalars.count
        if count < length.lowerBound { throw .message("String is shorter than \(length.lowerBound) characters") }
        if count > length.upperBound { throw .message("String is longer than \(length.upperBound) characters") }
    }

    static func integer(_ value: OrderedJSON, atLeast minimum: Int64, atMost maximum: Int64 = .max) throws(Problem) -> Int64 {
        let number: Int64
        switch value {
        case .integer(let integer): number = integer
        case .number(let double):
            guard let integer = Int64(exactly: double) else { throw .message("value is not int") }
            number = integer
        default: throw .message("value is not int")
        }
        if number < minimum { throw .message("value is less than \(minimum)") }
        if number > maximum { throw .message("value is greater than \(maximum)") }
        return number
    }

    static func number(_ value: OrderedJSON, atLeast minimum: Double, below limit: Double = .infinity) throws(Problem) -> Double {
        let number: Double
        switch value {
        case .integer(let integer): number = Double(integer)
        case .number(let double): number = double
        case .string: throw .message("value can't be converted to float")
        default: throw .message("value is not float")
        }
        if number < minimum { throw .message("value is less than \(plain(minimum))") }
        if number >= limit { throw .message("value should be less than \(plain(limit))") }
        return number
    }

    private static func plain(_ number: Double) -> String {
        Int64(exactly: number).map(String.init) ?? String(number)
    }

    static func variant<T: RawRepresentable & CaseIterable>(_ value: OrderedJSON, of type: T.Type) throws(Problem) -> T
    where T.RawValue == String {
        guard case .string(let text) = value, let variant = T(rawValue: text) else {
            throw .message("value doesn't match any variant")
        }
        return variant
    }

    static func list<T>(_ value: OrderedJSON, atMost: Int? = nil, _ check: (OrderedJSON) throws(Problem) -> T) throws(Problem) -> [T] {
        guard case .array(let items) = value else { throw .message("value is not a list") }
        if let atMost, items.count > atMost { throw .message("list length is greater than \(atMost)") }
        var results: [T] = []
        var problems: [Problem.Member] = []
        for (index, item) in items.enumerated() {
            do {
                results.append(try check(item))
            } catch {
                problems.append(.init(key: .index(index), problem: error))
            }
        }
        if !problems.isEmpty { throw .members(problems) }
        return results
    }

    /// Members in request order; keys must not be empty.
    static func map<T>(_ value: OrderedJSON, _ check: (OrderedJSON) throws(Problem) -> T) throws(Problem) -> [(key: String, value: T)] {
        guard case .object(let members) = value else { throw .message("value is not a dict") }
        var results: [(key: String, value: T)] = []
        var problems: [Problem.Member] = []
        for member in members {
            if member.key.isEmpty {
                problems.append(.field("", .members([.field("key", .message("blank value is not allowed"))])))
                continue
            }
            do {
                results.append((member.key, try check(member.value)))
            } catch {
                problems.append(.field(member.key, .members([.field("value", error)])))
            }
        }
        if !problems.isEmpty { throw .members(problems) }
        return results
    }
}

// MARK: - Names

extension Check {
    private static let jobNamePattern = "^[a-z](?:-?[a-z0-9])*$"
    private static let dashedPattern = "^[a-z0-9](?:-?[a-z0-9])*$"

    /// 3 to 40 characters, a letter first. Whether it starts with `job-` is another question, with an answer of its own.
    static func jobName(_ text: String) throws(Problem) {
        if text.isEmpty { throw .message("blank value is not allowed") }
        try check(text, length: 3...40)
        guard isDashed(text), let first = text.utf8.first, first >= UInt8(ascii: "a") else {
            throw .message("does not match pattern \(jobNamePattern)")
        }
    }

    /// A name, or null for none.
    static func jobNameOrNull(_ value: OrderedJSON) throws(Problem) -> String? {
        if value == .null { return nil }
        do throws(Problem) {
            guard case .string(let text) = value else { throw .message("value is not a string") }
            try jobName(text)
            return text
        } catch {
            throw .alternatives([.message("value should be None"), error])
        }
    }

    /// The name of a cluster, an org or a project.
    static func entityName(_ value: OrderedJSON) throws(Problem) -> String {
        let text = try text(value)
        try entityName(text)
        return text
    }

    static func entityName(_ text: String, length: ClosedRange<Int> = 3...255) throws(Problem) {
        if text.isEmpty { throw .message("blank value is not allowed") }
        try check(text, length: length)
        guard isDashed(text) else { throw .message("does not match pattern \(dashedPattern)") }
    }

    /// A full principal name; the limit is the first segment's.
    static func owner(_ text: String) throws(Problem) {
        if text.isEmpty { throw .message("blank value is not allowed") }
        try check(text, length: 3...255)
        let segments = text.split(separator: "/", omittingEmptySubsequences: false)
        guard segments.allSatisfy({ isDashed(String($0)) }) else {
            throw .message("does not match pattern ^[a-z0-9](?:[-/]?[a-z0-9])*$")
        }
        if (segments.first?.count ?? 0) > 21 { throw .message("String is longer than 21 characters") }
    }

    /// A tag: 1 to 256 characters, none of them white space.
    static func tag(_ value: OrderedJSON) throws(Problem) -> String {
        let text = try text(value, length: 1...256)
        guard !text.unicodeScalars.contains(where: \.properties.isWhitespace) else {
            throw .message("does not match pattern ^\\S+$")
        }
        return text
    }

    /// Lower-case letters and digits with single dashes between them.
    private static func isDashed(_ text: String) -> Bool {
        var afterDash = true
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): afterDash = false
            case UInt8(ascii: "-") where !afterDash: afterDash = true
            default: return false
            }
        }
        return !afterDash
    }
}
