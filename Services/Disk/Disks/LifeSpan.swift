import Foundation
import PlatformModel

/// How long a disk may stay unused, in seconds: more than nothing, and less than a million years.
struct LifeSpan: Hashable, Sendable {
    let seconds: Double
    private static let limit = 3.0e13

    init?(seconds: Double) {
        guard seconds > 0, seconds < Self.limit else { return nil }
        self.seconds = seconds
    }

    /// As annotations have it. A text that is none must not cost anybody his disk.
    init?(annotation: String?) {
        guard let seconds = annotation.flatMap({ Double($0) }) else { return nil }
        self.init(seconds: seconds)
    }

    var annotation: String { "\(seconds)" }

    /// nil for an end beyond the times that can be written.
    func end(after start: UTCTime) -> UTCTime? {
        let end = Double(start.microseconds) + seconds * 1_000_000
        return end < 9e18 ? UTCTime(microseconds: Int64(end)) : nil
    }
}
