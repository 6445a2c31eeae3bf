/// One word of a command: bytes as they are, or a number in decimal.
public struct RedisArgument: Sendable, Hashable {
    public let bytes: [UInt8]

    public init(_ bytes: [UInt8]) { self.bytes = bytes }
    public init(_ text: some StringProtocol) { bytes = Array(text.utf8) }
    public init(_ number: some BinaryInteger) { bytes = Array(String(number).utf8) }
}

extension RedisArgument: ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral {
    public init(stringLiteral value: String) { self.init(value) }
    public init(integerLiteral value: Int) { self.init(value) }
    public init(arrayLiteral elements: UInt8...) { self.init(elements) }
}
