import Foundation

/// A value as it came, which whoever decodes leniently takes for base64. It shows itself to nobody: not in logs, not in errors.
struct SecretText: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    static let limit = 1 << 20

    private let text: String

    init(_ text: String) throws(SecretRefusal) {
        try SecretRefusal.checkLength(text, limit: Self.limit)
        try Self.checkLeniently(text)
        self.text = text
    }

    /// What Kubernetes will keep; nil unless the text is base64 in the standard alphabet (RFC 4648 §4), broken into lines or not.
    var value: SecretValue? {
        let text = text.filter { !$0.isNewline }
        // Foundation reads some texts that are no base64.
        guard text.utf8.count % 4 == 0, text.utf8.dropLast(2).allSatisfy(Self.isInAlphabet),
            let bytes = Data(base64Encoded: text), !bytes.isEmpty
        else { return nil }
        return SecretValue(bytes)
    }

    var description: String { "***" }
    var debugDescription: String { "***" }
    var customMirror: Mirror { Mirror(self, children: []) }

    /// As clients of this API know it: what is outside the alphabet is skipped, what follows the padding is not looked at.
    private static func checkLeniently(_ text: String) throws(SecretRefusal) {
        var count = 0
        var padding = 0
        for byte in text.utf8 {
            if byte == UInt8(ascii: "=") {
                padding += 1
                if count % 4 >= 2, count % 4 + padding >= 4 { return }
            } else if isInAlphabet(byte) {
                count += 1
                padding = 0
            }
        }
        switch count % 4 {
        case 0: return
        case 1:
            throw SecretRefusal(
                "Invalid base64-encoded string: number of data characters (\(count)) cannot be 1 more than a multiple of 4")
        default: throw SecretRefusal("Incorrect padding")
        }
    }

    private static func isInAlphabet(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "+"), UInt8(ascii: "/"):
            true
        default: false
        }
    }
}

/// The bytes of a secret. They are shown where `base64` is asked for and nowhere else.
struct SecretValue: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let bytes: Data

    init(_ bytes: Data) { self.bytes = bytes }

    var base64: String { bytes.base64EncodedString() }
    var data: Data { bytes }

    var description: String { "***" }
    var debugDescription: String { "***" }
    var customMirror: Mirror { Mirror(self, children: []) }
}
