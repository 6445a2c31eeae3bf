import Kubernetes

/// Finds fields that a built-in kind does not have: a mistyped name would be lost without a word on a genuine server, unless the client
/// asked for strict validation, as `kubectl` does.
enum FieldCheck {
    private struct Field {
        /// The message in it; nil is not looked into.
        let message: Substring?
        let isMap: Bool
    }

    private static let messages: [Substring: [Substring: Field]] = {
        var messages: [Substring: [Substring: Field]] = [:]
        var name: Substring = ""
        for line in FieldNames.text.split(separator: "\n") {
            var words = line.split(separator: " ")[...]
            if !line.hasPrefix(" "), let first = words.popFirst() { name = first }
            for word in words {
                let parts = word.split(separator: ":")
                var message = parts.count > 1 ? parts[1] : nil
                let isMap = message?.hasPrefix("{}") == true
                if isMap || message?.hasPrefix("[]") == true { message = message?.dropFirst(2) }
                messages[name, default: [:]][parts[0]] = Field(message: message, isMap: isMap)
            }
        }
        return messages
    }()

    /// The paths of the fields of an object that its kind does not have; none for a kind whose fields are not known here.
    static func unknown(in object: Object, kind: ResourceKind) -> [String] {
        guard messages[Substring(kind.kind)] != nil, ResourceKind.builtIn.contains(kind), kind != .newEvents else { return [] }
        var found: [String] = []
        collect(object, message: Substring(kind.kind), path: "", into: &found)
        return found.sorted()
    }

    /// - Throws: ``StatusError`` 400 when there are any.
    static func refuse(_ duplicates: [String], _ unknown: [String], kind: ResourceKind) throws(StatusError) {
        let texts = duplicates.map { "duplicate field \"\($0)\"" } + unknown.map { "unknown field \"\($0)\"" }
        guard !texts.isEmpty else { return }
        throw .badRequest(
            "\(kind.kind) in version \"\(kind.version)\" cannot be handled as a \(kind.kind): strict decoding error: "
                + texts.joined(separator: ", "))
    }

    private static func collect(_ value: JSONValue, message: Substring, path: String, into found: inout [String]) {
        guard let fields = messages[message] else { return }
        switch value {
        case .array(let elements):
            for (index, element) in elements.enumerated() {
                collect(element, message: message, path: "\(path)[\(index)]", into: &found)
            }
        case .object(let members):
            for (name, member) in members {
                let place = path.isEmpty ? name : "\(path).\(name)"
                guard let field = fields[Substring(name)] else {
                    found.append(place)
                    continue
                }
                guard let inner = field.message else { continue }
                if field.isMap {
                    for (key, element) in member.object ?? [:] {
                        collect(element, message: inner, path: "\(place).\(key)", into: &found)
                    }
                } else {
                    collect(member, message: inner, path: place, into: &found)
                }
            }
        default: return
        }
    }
}
