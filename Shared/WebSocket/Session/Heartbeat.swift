import NIOCore

/// Whether the other end lives: it must be heard, or take data, between a ping and the check after it.
struct Heartbeat {
    let interval: TimeAmount
    var timer: Scheduled<Void>?
    private(set) var isStopped = false
    private(set) var isSilent = false

    init(interval: TimeAmount) { self.interval = interval }

    mutating func pinged() { isSilent = true }
    mutating func heard() { isSilent = false }
    /// The kernel took a message: on a slow line the pong stands in a queue behind much data.
    mutating func progressed() { isSilent = false }

    mutating func stop() {
        isStopped = true
        timer?.cancel()
        timer = nil
    }
}
