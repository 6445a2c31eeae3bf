import Foundation
import Kubernetes

/// The time in front of a log line, to the nanosecond.
struct LogStamp: Hashable, Comparable, Sendable {
    /// Since 1970.
    let nanoseconds: Int64
    /// As printed: RFC 3339 with nanoseconds and `Z`.
    let text: String

    /// The longest text: nine digits of fraction and an offset.
    static let maximumLength = 35

    /// Nil for anything but an RFC 3339 time.
    init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard (20...Self.maximumLength).contains(bytes.count) else { return nil }
        var end = 19
        var fraction: Int64 = 0
        if bytes[19] == UInt8(ascii: ".") {
            end = 20
            while end < bytes.count, (0x30...0x39).contains(bytes[end]) { end += 1 }
            let digits = bytes[20..<end]
            guard (1...9).contains(digits.count) else { return nil }
            fraction = digits.reduce(0) { $0 * 10 + Int64($1 - 0x30) }
            for _ in digits.count..<9 { fraction *= 10 }
        }
        let whole = String(decoding: bytes[..<19], as: UTF8.self)
        let zone = String(decoding: bytes[end...], as: UTF8.self)
        guard let seconds = KubernetesTime.parse(whole + zone) else { return nil }
        nanoseconds = Int64(seconds.timeIntervalSince1970) * 1_000_000_000 + fraction
        if zone == "Z" {
            self.text = String(text)
        } else {
            // A node that does not keep UTC.
            let digits = String(fraction)
            self.text =
                KubernetesTime.format(seconds).dropLast() + "." + String(repeating: "0", count: 9 - digits.count) + digits + "Z"
        }
    }

    static func < (a: LogStamp, b: LogStamp) -> Bool { a.nanoseconds < b.nanoseconds }
}
