import Foundation
import PlatformModel
import ServiceKit

/// Reads the fields of a request, and refuses all that is wrong with them in one sentence.
struct SecretFields {
    /// nil for what is no text.
    private var values: [String: String?]
    private var faults: [(field: String, reason: String)] = []

    /// The body of a request.
    /// - Throws: 400 unless it is a JSON object.
    init(body: Data) throws {
        // Other encodings would be read, too.
        guard !body.contains(0), String(validating: body, as: UTF8.self) != nil,
            let json = try? JSONSerialization.jsonObject(with: body, options: .fragmentsAllowed)
        else { throw PlatformError.badRequest("Expecting value: the body is not JSON in UTF-8") }
        guard let values = json as? [String: Any] else { throw PlatformError.badRequest("value is not a dict") }
        self.values = values.mapValues { $0 as? String }
    }

    /// The query; of what is given twice the first counts.
    init(query: QueryItems) {
        values = Dictionary(query.items.map { ($0.name, $0.value) }) { first, _ in first }
    }

    /// nil when the field is absent or wrong, which `finish` then tells.
    mutating func read<T>(_ field: String, isRequired: Bool = true, _ parse: (String) throws -> T) -> T? {
        guard let value = values.removeValue(forKey: field) else {
            if isRequired { faults.append((field, "is required")) }
            return nil
        }
        guard let text = value else {
            faults.append((field, "value is not a string"))
            return nil
        }
        do {
            return try parse(text)
        } catch let refusal as SecretRefusal {
            faults.append((field, refusal.reason))
        } catch {
            faults.append((field, "\(error)"))
        }
        return nil
    }

    mutating func org(isRequired: Bool = true) -> OrgName? { read("org_name", isRequired: isRequired) { try OrgName(Self.name($0)) } }
    mutating func project(isRequired: Bool = true) -> ProjectName? {
        read("project_name", isRequired: isRequired) { try ProjectName(Self.name($0)) }
    }

    /// - Throws: 400 naming every field that is wrong, missing or unknown.
    mutating func finish() throws {
        for field in values.keys.sorted().prefix(10) { faults.append((field, "\(Self.short(field)) is not allowed key")) }
        guard !faults.isEmpty else { return }
        throw PlatformError.badRequest(faults.map { "\(Self.short($0.field)): \($0.reason)" }.joined(separator: "; "))
    }

    private static func name(_ text: String) throws(SecretRefusal) -> String {
        try SecretRefusal.checkLength(text, limit: 253)
        return text
    }

    /// What came as a name of a field is repeated only as far as people read it.
    private static func short(_ text: String) -> String { text.utf8.count <= 100 ? text : String(text.prefix(20)) + "…" }
}
