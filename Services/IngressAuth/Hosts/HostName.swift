/// A host name in the one form in which hosts are compared: lower case, without a port and without the dot at its end.
struct HostName: Hashable, Sendable, CustomStringConvertible {
    let text: String

    /// nil for what is no name of a host on the web: an address, user info, white space, control characters, anything beyond ASCII, empty
    /// labels, more than 253 characters.
    init?(_ received: some StringProtocol) {
        var text = received.lowercased()
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
        if let colon = text.firstIndex(of: ":") {
            let port = text[text.index(after: colon)...]
            guard !port.isEmpty, port.utf8.count <= 5, port.utf8.allSatisfy(Self.isDigit) else { return nil }
            text = String(text[..<colon])
        }
        if text.hasSuffix(".") { text.removeLast() }
        guard (1...253).contains(text.utf8.count), !text.contains(where: { "[]@/\\?#%,;".contains($0) }) else { return nil }
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.allSatisfy({ !$0.isEmpty }), let last = labels.last else { return nil }
        // A name that ends with a number is an IPv4 address for browsers (URL standard, "ends in a number").
        guard !last.utf8.allSatisfy(Self.isDigit), !last.hasPrefix("0x") else { return nil }
        self.text = text
    }

    var labels: [Substring] { text.split(separator: ".") }

    var description: String { text }

    static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
