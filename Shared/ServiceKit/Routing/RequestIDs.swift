import Hummingbird

/// Ids of requests.
enum RequestIDs {
    /// The caller's own `X-Request-ID` when it is sane (64 characters of letters, digits, `-`, `_`, `.`), else a new one.
    static func id(for request: Request) -> String {
        if let id = request.headers[.requestID], (1...64).contains(id.utf8.count), id.utf8.allSatisfy(isSane) { return id }
        let hex = String(UInt64.random(in: .min ... .max), radix: 16)
        return String(repeating: "0", count: 16 - hex.count) + hex
    }

    private static func isSane(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
        default: false
        }
    }
}
