import Foundation

/// The name a user gave a job: 3 to 40 characters, beginning with a letter, not with `job-`.
public struct JobName: PlatformName {
    public static let kind = "job name"
    public let text: String
    public init(checked text: String) { self.text = text }

    public static func refusal(of text: String) -> String? {
        if let reason = NameRules.dashed(text, length: 3...40) { return reason }
        guard let first = text.utf8.first, NameRules.isLower(first) else { return "it must begin with a letter" }
        // Whatever begins so is taken for an id in permission URIs.
        return text.hasPrefix("job-") ? "it must not start with 'job-'" : nil
    }
}

/// `job-` and a version-4 UUID in lower case.
public struct JobID: PlatformName {
    public static let kind = "job id"
    public let text: String
    public init(checked text: String) { self.text = text }

    public static func refusal(of text: String) -> String? {
        guard text.hasPrefix("job-"), text.utf8.count == 40 else { return "it is not 'job-' followed by a UUID" }
        let uuid = text.dropFirst(4)
        return uuid == uuid.lowercased() && UUID(uuidString: String(uuid)) != nil ? nil : "it is not 'job-' followed by a UUID"
    }

    /// A new random id.
    public static func random() -> JobID { JobID(checked: "job-" + UUID().uuidString.lowercased()) }

    /// True when `text` is treated as an id rather than a name wherever either is accepted.
    public static func looksLikeID(_ text: String) -> Bool { text.hasPrefix("job-") }
}
