import CZlib
import NIOCore

/// What a header block says. Names are in lower case; one name may have several values.
typealias SPDYHeaders = [String: [String]]

/// Packs the header blocks of one direction of a connection: one zlib stream, cut behind each block. Belongs to one task.
final class SPDYHeaderPacker {
    private let stream: UnsafeMutablePointer<z_stream>

    init() throws(SPDYError) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let dictionary = SPDYDictionary.bytes
        // The usual level, window and memory would do for any peer; header blocks are small.
        guard deflateInit_(stream, Z_DEFAULT_COMPRESSION, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size)) == Z_OK,
            deflateSetDictionary(stream, dictionary, uInt(dictionary.count)) == Z_OK
        else { throw SPDYError("zlib cannot be used") }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    func pack(_ headers: SPDYHeaders) throws(SPDYError) -> ByteBuffer {
        var block = ByteBuffer()
        block.writeInteger(UInt32(headers.count))
        for (name, values) in headers.sorted(by: { $0.key < $1.key }) {
            for text in [name, values.joined(separator: "\0")] {
                block.writeInteger(UInt32(text.utf8.count))
                block.writeString(text)
            }
        }
        var input = Array(block.readableBytesView)
        var output = [UInt8](repeating: 0, count: Int(deflateBound(stream, uLong(input.count))) + 64)
        let capacity = output.count
        let status = input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                stream.pointee.next_in = input.baseAddress
                stream.pointee.avail_in = uInt(input.count)
                stream.pointee.next_out = output.baseAddress
                stream.pointee.avail_out = uInt(output.count)
                return deflate(stream, Z_SYNC_FLUSH)
            }
        }
        guard status == Z_OK, stream.pointee.avail_in == 0, stream.pointee.avail_out > 0 else {
            throw SPDYError("a header block could not be packed")
        }
        return ByteBuffer(bytes: output[..<(capacity - Int(stream.pointee.avail_out))])
    }
}

/// Unpacks the header blocks of the other direction. Belongs to one task.
final class SPDYHeaderUnpacker {
    /// An unpacked block may be no longer, so that a few bytes do not become a gigabyte.
    static let limit = 64 << 10

    private let stream: UnsafeMutablePointer<z_stream>

    init() throws(SPDYError) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard inflateInit_(stream, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size)) == Z_OK else { throw SPDYError("zlib cannot be used") }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    func unpack(_ packed: ByteBuffer) throws(SPDYError) -> SPDYHeaders {
        var input = Array(packed.readableBytesView)
        var output = [UInt8](repeating: 0, count: Self.limit)
        let status = input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                stream.pointee.next_in = input.baseAddress
                stream.pointee.avail_in = uInt(input.count)
                stream.pointee.next_out = output.baseAddress
                stream.pointee.avail_out = uInt(output.count)
                var status = inflate(stream, Z_SYNC_FLUSH)
                if status == Z_NEED_DICT {
                    let dictionary = SPDYDictionary.bytes
                    status = inflateSetDictionary(stream, dictionary, uInt(dictionary.count))
                    if status == Z_OK { status = inflate(stream, Z_SYNC_FLUSH) }
                }
                return status
            }
        }
        // Nothing moved is "buffer error", which an empty block may give.
        guard status == Z_OK || status == Z_BUF_ERROR, stream.pointee.avail_in == 0, stream.pointee.avail_out > 0 else {
            throw SPDYError("a header block could not be unpacked, or has more than \(Self.limit) bytes")
        }
        return try Self.parse(ByteBuffer(bytes: output[..<(Self.limit - Int(stream.pointee.avail_out))]))
    }

    private static func parse(_ block: ByteBuffer) throws(SPDYError) -> SPDYHeaders {
        var block = block
        var headers: SPDYHeaders = [:]
        func text() -> String? {
            block.readInteger(as: UInt32.self).flatMap { Int($0) <= block.readableBytes ? block.readString(length: Int($0)) : nil }
        }
        guard let count = block.readInteger(as: UInt32.self) else { throw SPDYError("an empty header block") }
        for _ in 0..<count {
            guard let name = text(), !name.isEmpty, let value = text() else { throw SPDYError("a header block that is cut short") }
            guard headers[name] == nil else { throw SPDYError("a header block with one name twice") }
            headers[name] = value.split(separator: "\0", omittingEmptySubsequences: false).map(String.init)
        }
        return headers
    }
}

/// The other end does not speak SPDY/3.1, or this machine's zlib is broken: the connection cannot go on.
struct SPDYError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
