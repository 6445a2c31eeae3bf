/// The parts of a `ws`, `wss`, `http` or `https` address; path and query as they stand.
struct WebSocketURL: Equatable {
    let isSecure: Bool
    /// Without the brackets of an IPv6 address.
    let host: String
    let port: Int
    /// What the `Host` field says.
    let authority: String
    /// Path and query, as in the request line.
    let target: String

    init(_ text: String) throws(WebSocketError) {
        let invalid = WebSocketError.invalidURL(text)
        guard let colon = text.firstRange(of: "://") else { throw invalid }
        switch text[..<colon.lowerBound].lowercased() {
        case "ws", "http": isSecure = false
        case "wss", "https": isSecure = true
        default: throw invalid
        }
        let rest = text[colon.upperBound...].prefix { $0 != "#" }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        let target = rest[end...]
        self.target = target.hasPrefix("/") ? String(target) : "/" + target
        authority = String(rest[..<end])
        guard !authority.isEmpty, !authority.contains("@"), self.target.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { throw invalid }

        var portText: Substring?
        if authority.hasPrefix("[") {
            guard let close = authority.firstIndex(of: "]") else { throw invalid }
            host = String(authority[authority.index(after: authority.startIndex)..<close])
            let after = authority[authority.index(after: close)...]
            guard after.isEmpty || after.hasPrefix(":") else { throw invalid }
            portText = after.isEmpty ? nil : after.dropFirst()
        } else {
            let parts = authority.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            host = String(parts[0])
            portText = parts.count > 1 ? parts[1] : nil
        }
        if let portText {
            guard let number = UInt16(portText), number > 0 else { throw invalid }
            port = Int(number)
        } else {
            port = isSecure ? 443 : 80
        }
        guard !host.isEmpty else { throw invalid }
    }
}
