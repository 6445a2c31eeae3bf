import NIOCore
import NIOHTTP1

/// Asks the channel to send a part of a file as the next bytes of the response's body, without copying it through the process.
struct SendFile: Sendable {
    let file: OpenFile
    let range: Range<Int64>
}

/// Stands between the encoder, which alone can take a file region, and the codec, whose parts know bytes only. The encoder would also end the
/// answer to a HEAD as a chunked body is ended, were it told of the end.
final class SendFileHandler: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// The response under way answers a HEAD.
    var leavesBody = false

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if leavesBody {
            switch unwrapOutboundIn(data) {
            case .head: break
            case .body, .end:
                // Nothing, in its turn: the promise is kept when what stands before it is out.
                return context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer()))), promise: promise)
            }
        }
        context.write(data, promise: promise)
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard let send = event as? SendFile else { return context.triggerUserOutboundEvent(event, promise: promise) }
        // The region's handle does not own the descriptor: it is told to forget it when the region has been written or has failed.
        let handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: send.file.descriptor)
        let region = FileRegion(fileHandle: handle, readerIndex: Int(send.range.lowerBound), endIndex: Int(send.range.upperBound))
        let done = context.eventLoop.makePromise(of: Void.self)
        done.futureResult.assumeIsolated().whenComplete { _ in
            _ = try? handle.takeDescriptorOwnership()
            // Keeps the file open until here, whatever became of the task that asked.
            withExtendedLifetime(send.file) {}
        }
        if let promise { done.futureResult.cascade(to: promise) }
        context.writeAndFlush(wrapOutboundOut(.body(.fileRegion(region))), promise: done)
    }
}
