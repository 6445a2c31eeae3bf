import Kubernetes

/// Which objects a list or a watch wants: by labels and by fields.
struct Selector: Sendable, Hashable {
    var labels: [LabelRequirement] = []
    var fields: [FieldRequirement] = []

    /// No condition at all.
    static let everything = Selector()

    /// Conditions by equal labels.
    init(labels: [String: String] = [:]) {
        self.labels = labels.sorted { $0.key < $1.key }.map { LabelRequirement(key: $0.key, condition: .isIn([$0.value])) }
    }

    /// Conditions by equal fields, `["spec.nodeName": "local"]`.
    init(fields: [String: String]) {
        self.fields = fields.sorted { $0.key < $1.key }.map { FieldRequirement(path: $0.key, value: $0.value, isEqual: true) }
    }

    /// Reads the selectors of a query.
    /// - Throws: ``StatusError`` 400.
    init(labels: String?, fields: String?) throws(StatusError) {
        if let labels, !labels.isEmpty { self.labels = try LabelRequirement.parse(labels) }
        if let fields, !fields.isEmpty { self.fields = try FieldRequirement.parse(fields) }
    }

    var isEverything: Bool { labels.isEmpty && fields.isEmpty }

    /// The name, when the fields ask for one object alone.
    var name: String? { fields.first { $0.path == "metadata.name" && $0.isEqual }?.value }

    func matches(_ object: Object) -> Bool {
        if !labels.isEmpty {
            let present = object["metadata"]?["labels"]
            guard labels.allSatisfy({ $0.matches(present?[$0.key]?.string) }) else { return false }
        }
        return fields.allSatisfy { $0.matches(object) }
    }
}

/// A condition on one label.
struct LabelRequirement: Sendable, Hashable {
    enum Condition: Sendable, Hashable {
        case isIn([String])
        case isNotIn([String])
        case exists
        case isAbsent
        case isGreater(Int64)
        case isLess(Int64)
    }

    let key: String
    let condition: Condition

    func matches(_ value: String?) -> Bool {
        switch condition {
        case .isIn(let values): value.map(values.contains) ?? false
        case .isNotIn(let values): value.map { !values.contains($0) } ?? true
        case .exists: value != nil
        case .isAbsent: value == nil
        case .isGreater(let bound): value.flatMap { Int64($0) }.map { $0 > bound } ?? false
        case .isLess(let bound): value.flatMap { Int64($0) }.map { $0 < bound } ?? false
        }
    }

    /// Reads `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1`.
    /// - Throws: ``StatusError`` 400.
    static func parse(_ text: String) throws(StatusError) -> [LabelRequirement] {
        var found: [LabelRequirement] = []
        for part in split(text) {
            let part = part.trimmed
            guard !part.isEmpty else {
                if text.trimmed.isEmpty { continue }
                throw refusal("found ',', expected: identifier")
            }
            found.append(try requirement(part))
        }
        return found
    }

    /// Splits at commas outside of parentheses.
    private static func split(_ text: String) -> [Substring] {
        var parts: [Substring] = []
        var depth = 0
        var start = text.startIndex
        for index in text.indices {
            switch text[index] {
            case "(": depth += 1
            case ")": depth -= 1
            case "," where depth == 0:
                parts.append(text[start..<index])
                start = text.index(after: index)
            default: break
            }
        }
        return parts + [text[start...]]
    }

    private static func requirement(_ part: String) throws(StatusError) -> LabelRequirement {
        if part.hasPrefix("!"), !part.contains("=") { return try make(String(part.dropFirst()), .isAbsent) }
        if part.hasSuffix(")"), let open = part.firstIndex(of: "(") {
            let head = part[..<open].split(separator: " ")
            let values = part[part.index(after: open)...].dropLast().split(separator: ",", omittingEmptySubsequences: false)
                .map { $0.trimmed }
            guard head.count == 2 else { throw refusal("unable to parse requirement: \(part)") }
            switch head[1] {
            case "in": return try make(String(head[0]), .isIn(values))
            case "notin": return try make(String(head[0]), .isNotIn(values))
            default: throw refusal("unable to parse requirement: found '\(head[1])', expected: in, notin, =, ==, !=, gt, lt")
            }
        }
        for (sign, negated) in [("!=", true), ("==", false), ("=", false)] {
            guard let range = part.range(of: sign) else { continue }
            let value = part[range.upperBound...].trimmed
            return try make(part[..<range.lowerBound].trimmed, negated ? .isNotIn([value]) : .isIn([value]))
        }
        for (sign, greater) in [(">", true), ("<", false)] {
            guard let range = part.range(of: sign) else { continue }
            guard let bound = Int64(part[range.upperBound...].trimmed) else {
                throw refusal("unable to parse requirement: values: Invalid value: for 'Gt', 'Lt' operators, the value must be an integer")
            }
            return try make(part[..<range.lowerBound].trimmed, greater ? .isGreater(bound) : .isLess(bound))
        }
        return try make(part, .exists)
    }

    private static func make(_ key: String, _ condition: Condition) throws(StatusError) -> LabelRequirement {
        let key = key.trimmed
        guard NameRules.isQualifiedName(key) else {
            throw refusal("unable to parse requirement: <nil>: Invalid value: \"\(key)\": \(NameRules.qualifiedNameText)")
        }
        return LabelRequirement(key: key, condition: condition)
    }

    private static func refusal(_ text: String) -> StatusError { .badRequest("unable to parse selector: \(text)") }
}

/// A condition on one field.
struct FieldRequirement: Sendable, Hashable {
    let path: String
    let value: String
    let isEqual: Bool

    func matches(_ object: Object) -> Bool { (FieldRequirement.text(path, of: object) == value) == isEqual }

    /// A field as a selector compares it: absent is empty.
    static func text(_ path: String, of object: Object) -> String {
        if path == "source" { return object["source"]?["component"]?.string ?? object["reportingComponent"]?.string ?? "" }
        switch object[path: path.split(separator: ".").map(String.init)] {
        case .string(let text): return text
        case .bool(let flag): return flag ? "true" : "false"
        case .integer(let number): return String(number)
        case nil where path == "spec.unschedulable" || path == "spec.hostNetwork": return "false"
        default: return ""
        }
    }

    /// Reads `a=b,c!=d`.
    /// - Throws: ``StatusError`` 400.
    static func parse(_ text: String) throws(StatusError) -> [FieldRequirement] {
        var found: [FieldRequirement] = []
        for part in text.split(separator: ",") {
            guard let sign = ["!=", "==", "="].compactMap({ part.range(of: $0) }).min(by: { $0.lowerBound < $1.lowerBound }) else {
                throw .badRequest("invalid selector: '\(text)'; can't understand '\(part)'")
            }
            found.append(
                FieldRequirement(
                    path: part[..<sign.lowerBound].trimmed, value: part[sign.upperBound...].trimmed,
                    isEqual: part[sign.lowerBound] != "!"))
        }
        return found
    }
}

extension StringProtocol {
    /// Without the spaces around it.
    var trimmed: String {
        var part = self[...]
        while part.first?.isWhitespace == true { part = part.dropFirst() }
        while part.last?.isWhitespace == true { part = part.dropLast() }
        return String(part)
    }
}
