import Synchronization

/// Finds `$1`, `$2`, … in SQL text, outside quotes, comments and dollar quotes, so that numbered statements can be spliced into others.
enum PlaceholderScanner {
    private static let groups = Atomic<Int>(0)

    static func segments(of sql: String, parameters: [PostgresParameter]) -> [PostgresQuery.Segment] {
        if parameters.isEmpty { return [.sql(sql)] }
        let group = groups.add(1, ordering: .relaxed).newValue
        let text = Array(sql.utf8)
        var segments: [PostgresQuery.Segment] = []
        var start = 0
        var at = 0
        func flush(to end: Int) {
            if end > start { segments.append(.sql(String(decoding: text[start..<end], as: UTF8.self))) }
        }
        while at < text.count {
            if let end = skip(text, from: at) {
                at = end
                continue
            }
            guard text[at] == UInt8(ascii: "$") else {
                at += 1
                continue
            }
            let digits = text[(at + 1)...].prefix { (0x30...0x39).contains($0) }
            guard let number = Int(String(decoding: digits, as: UTF8.self)) else {
                at += 1
                continue
            }
            flush(to: at)
            let parameter =
                parameters.indices.contains(number - 1)
                ? parameters[number - 1] : .invalid("the statement names $\(number), which is not given")
            segments.append(.shared(parameter, group: group, index: number))
            at += 1 + digits.count
            start = at
        }
        flush(to: text.count)
        return segments
    }

    /// The end of the quoted text or comment that begins at `at`, if one does.
    private static func skip(_ text: [UInt8], from at: Int) -> Int? {
        switch text[at] {
        case UInt8(ascii: "'"), UInt8(ascii: "\""):
            return (text[(at + 1)...].firstIndex(of: text[at]) ?? text.count - 1) + 1
        case UInt8(ascii: "-") where text[at...].starts(with: "--".utf8):
            return text[at...].firstIndex(of: 0x0A) ?? text.count
        case UInt8(ascii: "/") where text[at...].starts(with: "/*".utf8):
            return find(Array("*/".utf8), in: text, from: at + 2)
        case UInt8(ascii: "$"):
            // $tag$ … $tag$, where a tag is no number.
            guard let close = text[(at + 1)...].firstIndex(of: UInt8(ascii: "$")) else { return nil }
            let tag = text[(at + 1)..<close]
            let isTag = tag.allSatisfy {
                $0 == 0x5F || (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
            }
            guard isTag, tag.first.map({ !(0x30...0x39).contains($0) }) ?? true else { return nil }
            return find(Array(text[at...close]), in: text, from: close + 1)
        default: return nil
        }
    }

    private static func find(_ needle: [UInt8], in text: [UInt8], from: Int) -> Int {
        var at = from
        while at + needle.count <= text.count {
            if text[at..<(at + needle.count)].elementsEqual(needle) { return at + needle.count }
            at += 1
        }
        return text.count
    }
}
