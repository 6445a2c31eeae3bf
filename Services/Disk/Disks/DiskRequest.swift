import Foundation
import PlatformModel

/// A request for a new disk, checked (disk.md 5.1).
struct DiskRequest: Hashable, Sendable {
    /// Bytes.
    let storage: Int64
    let lifeSpan: LifeSpan?
    let name: DiskName?
    let place: DiskPlace

    /// - Throws: ``DiskRequestProblems`` with everything that is wrong.
    init(_ body: JSON) throws(DiskRequestProblems) {
        guard case .object(let members) = body else { throw DiskRequestProblems(["body: Invalid input type."]) }
        var problems: [String] = []
        func read<T>(_ field: String, _ parse: (JSON?) throws(DiskFieldProblem) -> T) -> T? {
            do {
                return try parse(members[field])
            } catch {
                problems.append("\(field): \(error.text)")
                return nil
            }
        }
        let storage = read("storage", Self.storage)
        let lifeSpan = read("life_span", Self.lifeSpan)
        let name = read("name", Self.name)
        let project = read("project_name") { value throws(DiskFieldProblem) in try Self.owner(value, ProjectName.self) }
        let org = read("org_name") { value throws(DiskFieldProblem) in try Self.owner(value, OrgName.self) }
        let known: Set = ["storage", "life_span", "name", "project_name", "org_name"]
        for field in members.keys.sorted() where !known.contains(field) { problems.append("\(field.prefix(100)): Unknown field.") }
        guard problems.isEmpty, let storage, let lifeSpan, let name, let project, let org else { throw DiskRequestProblems(problems) }
        self.storage = storage
        self.lifeSpan = lifeSpan
        self.name = name
        place = DiskPlace(org: org, project: project)
    }
}

/// What is wrong with a request: a sentence for each field.
struct DiskRequestProblems: Error, Hashable {
    let sentences: [String]
    init(_ sentences: [String]) { self.sentences = sentences }
}

/// What is wrong with a field.
struct DiskFieldProblem: Error, Hashable {
    let text: String
    init(_ text: String) { self.text = text }

    static let missing = DiskFieldProblem("Missing data for required field.")
    static let null = DiskFieldProblem("Field may not be null.")
    static let noString = DiskFieldProblem("Not a valid string.")
}

// MARK: - Fields

extension DiskRequest {
    private static func storage(_ value: JSON?) throws(DiskFieldProblem) -> Int64 {
        let bytes: Int64
        switch value {
        case nil: throw .missing
        case .null: throw .null
        case .integer(let number): bytes = number
        case .number(let number):
            guard let whole = Int64(exactly: number.rounded(.towardZero)) else { throw DiskFieldProblem("Number too large.") }
            bytes = whole
        case .string(let text):
            let digits = text.trimmingCharacters(in: .whitespaces)
            guard digits.wholeMatch(of: /[+-]?[0-9]{1,400}/) != nil else { throw DiskFieldProblem("Not a valid integer.") }
            guard let number = Int64(digits) else { throw DiskFieldProblem("Number too large.") }
            bytes = number
        default: throw DiskFieldProblem("Not a valid integer.")
        }
        guard bytes >= 0 else { throw DiskFieldProblem("Must be greater than or equal to 0.") }
        // Kubernetes has no claims of nothing.
        guard bytes > 0 else { throw DiskFieldProblem("Must be greater than 0.") }
        return bytes
    }

    /// Nothing and zero are the same: the disk is never too long unused.
    private static func lifeSpan(_ value: JSON?) throws(DiskFieldProblem) -> LifeSpan? {
        let seconds: Double?
        switch value {
        case nil, .null: return nil
        case .integer(let number): seconds = Double(number)
        case .number(let number): seconds = number
        case .string(let text): seconds = Double(text.trimmingCharacters(in: .whitespaces))
        default: seconds = nil
        }
        if seconds == 0 { return nil }
        guard let span = seconds.flatMap({ LifeSpan(seconds: $0) }) else { throw DiskFieldProblem("Not a valid period of time.") }
        return span
    }

    private static func name(_ value: JSON?) throws(DiskFieldProblem) -> DiskName? {
        guard let value, value != .null else { return nil }
        guard let text = value.string else { throw .noString }
        if let rule = DiskName.refusal(of: text) { throw DiskFieldProblem(rule) }
        return DiskName(checked: text)
    }

    private static func owner<Name: PlatformName>(_ value: JSON?, _ type: Name.Type) throws(DiskFieldProblem) -> Name {
        guard let value else { throw .missing }
        guard value != .null else { throw .null }
        guard let text = value.string else { throw .noString }
        // It becomes a label.
        guard text.utf8.count <= 63 else { throw DiskFieldProblem("Longer than 63 characters, which no disk can be labelled with.") }
        if let reason = Name.refusal(of: text) { throw DiskFieldProblem("Invalid \(Name.kind): \(reason).") }
        return Name(checked: text)
    }
}
