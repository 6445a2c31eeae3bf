/// A text that does not follow the rule of its name type. `description` is a sentence for the caller.
public struct NameError: Error, Hashable, CustomStringConvertible {
    /// What the name was meant to be: "user name", "project name", …
    public let kind: String
    /// The refused text.
    public let text: String
    /// Why, as the end of a sentence.
    public let reason: String

    public var description: String { "Invalid \(kind) '\(text)': \(reason)" }
}

/// A name that has been parsed: a value of this type is always valid.
///
/// On the wire it is a plain JSON string; decoding an invalid one throws `DecodingError` with the rule it broke.
public protocol PlatformName: Codable, Hashable, Sendable, Comparable, CustomStringConvertible, CodingKeyRepresentable {
    /// What error messages call it.
    static var kind: String { get }
    /// nil when `text` is a valid name, else the reason why not.
    static func refusal(of text: String) -> String?
    /// The name as text.
    var text: String { get }
    /// Wraps a text that has already been checked by `refusal(of:)`; only the protocol's own initialiser calls this.
    init(checked text: String)
}

extension PlatformName {
    /// Parses `text`; throws `NameError`. Nothing is trimmed.
    public init(_ text: String) throws(NameError) {
        if let reason = Self.refusal(of: text) { throw NameError(kind: Self.kind, text: text, reason: reason) }
        self.init(checked: text)
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        if let reason = Self.refusal(of: text) {
            let error = NameError(kind: Self.kind, text: text, reason: reason)
            throw DecodingError.dataCorruptedError(in: container, debugDescription: error.description)
        }
        self.init(checked: text)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }

    public var description: String { text }

    public static func < (a: Self, b: Self) -> Bool { a.text < b.text }

    public var codingKey: any CodingKey { AnyKey(text) }

    public init?<T: CodingKey>(codingKey: T) { try? self.init(codingKey.stringValue) }
}

/// A coding key made at run time.
struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(_ text: String) { stringValue = text }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}
