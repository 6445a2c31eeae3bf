import Foundation
import PlatformModel

/// Times in annotations: Unix seconds with a fraction.
enum UnixStamp {
    /// Until the year 9999.
    private static let range = 0.0...253_402_300_799.0

    static func text(_ time: UTCTime) -> String {
        let fraction = String(time.microseconds % 1_000_000)
        return "\(time.microseconds / 1_000_000)." + String(repeating: "0", count: 6 - fraction.count) + fraction
    }

    /// nil for what is no time.
    static func time(_ text: String) -> UTCTime? {
        guard let seconds = Double(text), range.contains(seconds) else { return nil }
        // A Double tells microseconds apart for another two centuries.
        return UTCTime(microseconds: Int64((seconds * 1_000_000).rounded()))
    }
}
