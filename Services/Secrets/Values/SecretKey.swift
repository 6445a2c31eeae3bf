/// The name of a secret in its project, which is a key of a Kubernetes Secret.
struct SecretKey: Hashable, Sendable, Comparable {
    /// No more than Kubernetes takes.
    static let limit = 253
    private static let reserved = "---neuro---"
    private static let pattern = #"\A(?!\.\Z|\.\.)[a-zA-Z0-9_\-.]+\Z"#

    let text: String

    init(_ text: String) throws(SecretRefusal) {
        try SecretRefusal.checkLength(text, limit: Self.limit)
        guard text.utf8.allSatisfy(Self.isAllowed), text != ".", !text.hasPrefix("..") else {
            throw SecretRefusal("does not match pattern \(Self.pattern)")
        }
        guard text.lowercased() != Self.reserved else { throw SecretRefusal("Illegal key '\(Self.reserved)'") }
        self.text = text
    }

    /// A key that Kubernetes holds; nil for what this API would not have stored.
    init?(stored text: String) {
        guard let key = try? SecretKey(text) else { return nil }
        self = key
    }

    static func < (one: SecretKey, other: SecretKey) -> Bool { one.text < other.text }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}

/// Why a text is no key, no value or no name: the end of a sentence that names the field.
struct SecretRefusal: Error, Equatable {
    let reason: String
    init(_ reason: String) { self.reason = reason }

    static func checkLength(_ text: String, limit: Int) throws(SecretRefusal) {
        guard !text.isEmpty else { throw SecretRefusal("blank value is not allowed") }
        // No text has more characters than bytes, and most have as many.
        guard text.utf8.count <= limit || text.unicodeScalars.count <= limit else {
            throw SecretRefusal("String is longer than \(limit) characters")
        }
    }
}
