import NIOCore

/// One or several commands on their way, and who waits for the answers.
struct Submission: Sendable {
    let bytes: ByteBuffer
    /// How many replies belong to it.
    let replies: Int
    let deadline: NIODeadline
    /// Called exactly once, from the event loop or, if the connection is already closed, from the submitter.
    let complete: @Sendable (Result<[RedisValue], RedisError>) -> Void
}
