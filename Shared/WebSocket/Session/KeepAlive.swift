import NIOCore

extension Channel {
    /// A peer that vanished without a word is noticed within some minutes. Not every channel is a TCP socket: failures do not matter.
    func keepAlive() {
        guard let options = syncOptions else { return }
        try? options.setOption(.socketOption(.so_keepalive), value: 1)
        #if os(Linux)
            // TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT of linux/tcp.h.
            for (option, value) in [(4, 60), (5, 15), (6, 4)] as [(CInt, Int)] {
                try? options.setOption(.tcpOption(.init(rawValue: option)), value: value)
            }
        #endif
    }
}
