import PlatformModel

/// What one principal holds itself, as the copy keeps it.
struct AccessRecord: Sendable {
    /// Grants of a principal beyond which its record is not written at once: Redis serves nobody else meanwhile.
    static let largest = 2_000

    var name: String
    /// Grows with every change of the principal; 0 for a name that never was.
    var version: Int
    /// Nil for a principal that does not exist.
    var validFrom: Double?
    /// Canonical URI and action.
    var grants: [(uri: String, action: Action)] = []
    /// The existing or once existing principals whose members it is by a grant on exactly their `role://` URI.
    var roles: [String] = []
    /// Whether it has more than ``largest`` grants and they were left out.
    var isLarge = false
}
