import PlatformModel

/// User names made of what a provider tells.
enum AccountNames {
    /// Names to try in turn: what the provider calls the person, else the address before its `@`, and the same with numbers.
    static func candidates(name: String?, email: String) -> [PrincipalName] {
        let local = String(email.prefix { $0 != "@" })
        let texts = [name.map { String($0.prefix { $0 != "@" }) }, local].compactMap { $0 }.map(plain).filter { $0.count >= 3 }
        let numbered = texts.first.map { text in (2...20).map { "\(text.prefix(18))-\($0)" } } ?? []
        return (texts + numbered).compactMap { try? UserName($0) }.map(\.principal)
    }

    /// Lower-case letters, digits and single dashes, at most 21.
    private static func plain(_ text: String) -> String {
        var plain = ""
        for byte in text.lowercased().utf8 {
            let isKept = (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte)
            if isKept {
                plain.unicodeScalars.append(Unicode.Scalar(byte))
            } else if !plain.isEmpty, !plain.hasSuffix("-") {
                plain += "-"
            }
        }
        plain = String(plain.prefix(21))
        while plain.hasSuffix("-") { plain.removeLast() }
        return plain
    }
}
