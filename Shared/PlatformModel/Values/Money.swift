import Foundation

/// An amount of credits: a decimal string on the wire, `numeric(38,18)` in databases. Exact; never a floating-point number.
public struct Money: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let value: Decimal

    public init(_ value: Decimal) { self.value = value }

    public init(_ value: Int) { self.value = Decimal(value) }

    public static let zero = Money(0)

    /// Parses `-?digits[.digits]` with at most 20 digits before and 18 after the point; no exponent, separator or special value.
    public init?(_ text: some StringProtocol) {
        let unsigned = text.hasPrefix("-") ? text.dropFirst() : text[...]
        let parts = unsigned.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(NameRules.isDigit) }),
            parts[0].drop(while: { $0 == "0" }).count <= 20, parts.count == 1 || parts[1].count <= 18,
            let value = Decimal(string: String(text), locale: Locale(identifier: "en_US_POSIX"))
        else { return nil }
        self.value = value
    }

    /// Plain digits without exponent or trailing zeros: "486.63", "-3.1", "0".
    public var description: String {
        var value = self.value
        return NSDecimalString(&value, Locale(identifier: "en_US_POSIX"))
    }

    public static func < (a: Money, b: Money) -> Bool { a.value < b.value }
    public static func + (a: Money, b: Money) -> Money { Money(a.value + b.value) }
    public static func - (a: Money, b: Money) -> Money { Money(a.value - b.value) }
    public static func * (a: Money, b: Decimal) -> Money { Money(a.value * b) }
    public static func += (a: inout Money, b: Money) { a = a + b }
}

extension Money: Codable {
    /// Accepts the decimal string, and a JSON number from careless writers.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
            guard let money = Money(text) else {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "'\(text)' is not a decimal number")
            }
            self = money
        } else {
            value = try container.decode(Decimal.self)
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension KeyedDecodingContainer {
    /// An amount where a missing key, `null` and the empty string all mean "no value", that is unlimited.
    public func decodeMoneyIfPresent(forKey key: Key) throws -> Money? {
        if let text = try? decodeIfPresent(String.self, forKey: key), text.isEmpty { return nil }
        return try decodeIfPresent(Money.self, forKey: key)
    }
}
