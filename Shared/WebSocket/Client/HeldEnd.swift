import NIOCore

/// Keeps the end of the connection back while the handlers of HTTP leave the pipeline.
///
/// NIO's decoder drops the bytes behind a 101 if it hears of the end before it has left, and a server that has little to say sends its answer,
/// its frames and its end in one breath.
final class HeldEnd: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private var isHolding = false
    private var hasEnded = false
    private var errors: [any Error] = []
    private var context: ChannelHandlerContext?

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func hold() { isHolding = true }

    func release() {
        isHolding = false
        for error in errors { context?.fireErrorCaught(error) }
        errors = []
        if hasEnded { context?.fireChannelInactive() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if isHolding { errors.append(error) } else { context.fireErrorCaught(error) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        hasEnded = true
        if !isHolding { context.fireChannelInactive() }
    }
}
