/// meta/v1 Status: the API server's answer when it is not an object. Kept whole in `KubernetesError.api`.
public struct Status: Codable, Sendable, Hashable {
    public struct Details: Codable, Sendable, Hashable {
        public var name: String?
        public var kind: String?
        public var uid: String?
        public var causes: [Cause]?
        /// Seconds the client should wait.
        public var retryAfterSeconds: Int?
    }
    public struct Cause: Codable, Sendable, Hashable {
        public var reason: String?
        public var message: String?
        public var field: String?
    }

    /// `Success` or `Failure`.
    public var status: String?
    public var message: String?
    /// `NotFound`, `AlreadyExists`, `Conflict`, `Expired`, `Forbidden`, `Invalid` …
    public var reason: String?
    public var details: Details?
    /// The HTTP status.
    public var code: Int

    public init(code: Int, reason: String? = nil, message: String? = nil) {
        self.code = code
        self.reason = reason
        self.message = message
        status = code < 400 ? "Success" : "Failure"
    }

    public init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        status = try box.decodeIfPresent(String.self, forKey: .status)
        message = try box.decodeIfPresent(String.self, forKey: .message)
        reason = try box.decodeIfPresent(String.self, forKey: .reason)
        details = try box.decodeIfPresent(Details.self, forKey: .details)
        code = try box.decodeIfPresent(Int.self, forKey: .code) ?? 0
    }
}
