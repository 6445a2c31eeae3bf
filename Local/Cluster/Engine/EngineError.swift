/// Why podman could not do what was asked.
struct EngineError: Error, Sendable, CustomStringConvertible {
    let message: String
    /// The HTTP status of podman's answer; nil when there was none.
    var status: Int?
    /// podman's short word for the error, `no such container`.
    var cause: String?

    init(_ message: String, status: Int? = nil, cause: String? = nil) {
        self.message = message
        self.status = status
        self.cause = cause
    }

    var description: String { message }
    var isNotFound: Bool { status == 404 }
    var isConflict: Bool { status == 409 }
}
