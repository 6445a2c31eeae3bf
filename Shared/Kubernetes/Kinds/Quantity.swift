import Foundation

/// A resource quantity (`100m`, `1.5`, `2Gi`, `1e3`), kept as written.
public struct Quantity: Codable, Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
    public let text: String

    public init(_ text: String) { self.text = text }
    public init(stringLiteral value: String) { text = value }

    public init(from decoder: any Decoder) throws {
        let box = try decoder.singleValueContainer()
        if let text = try? box.decode(String.self) {
            self.text = text
        } else if let number = try? box.decode(Int64.self) {
            text = String(number)
        } else {
            text = String(try box.decode(Double.self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var box = encoder.singleValueContainer()
        try box.encode(text)
    }

    public var description: String { text }

    /// The amount in units (cores, bytes, pieces), or nil when the text is no quantity.
    public var value: Double? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == "." || $0 == "+" || $0 == "-") }
        guard let number = Double(digits) else { return nil }
        let suffix = text[digits.endIndex...]
        if let factor = Self.suffixes[String(suffix)] { return number * factor }
        guard let first = suffix.first, first == "e" || first == "E", let exponent = Int(suffix.dropFirst()) else { return nil }
        return number * pow(10, Double(exponent))
    }

    /// The amount in thousandths, rounded up, as the scheduler does.
    public var milliValue: Int64? {
        value.flatMap { Int64(exactly: ($0 * 1000).rounded(.up)) }
    }

    /// The amount in whole units, rounded up.
    public var wholeValue: Int64? {
        value.flatMap { Int64(exactly: $0.rounded(.up)) }
    }

    private static let suffixes: [String: Double] = [
        "": 1, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
        "Ki": 1024, "Mi": 1_048_576, "Gi": 1_073_741_824, "Ti": 1_099_511_627_776, "Pi": 1_125_899_906_842_624,
        "Ei": 1_152_921_504_606_846_976,
    ]
}
