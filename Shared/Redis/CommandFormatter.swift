import CHiredis
import NIOCore

/// Commands in the form of the wire, written by hiredis.
enum CommandFormatter {
    /// Appends one command to `buffer`. An empty command, or one beyond the memory of the process, is refused by hiredis.
    static func append(_ words: [RedisArgument], to buffer: inout ByteBuffer) throws {
        guard !words.isEmpty else { throw RedisError.server("ERR an empty command") }
        // All words in one stretch of memory, so that their addresses stay valid together.
        var bytes: [CChar] = []
        bytes.reserveCapacity(words.reduce(1) { $0 + $1.bytes.count })
        var lengths: [Int] = []
        lengths.reserveCapacity(words.count)
        for word in words {
            word.bytes.withUnsafeBytes { bytes.append(contentsOf: $0.bindMemory(to: CChar.self)) }
            lengths.append(word.bytes.count)
        }
        bytes.append(0)
        var target: UnsafeMutablePointer<CChar>?
        let length = bytes.withUnsafeBufferPointer { all in
            var addresses: [UnsafePointer<CChar>?] = []
            addresses.reserveCapacity(words.count)
            var offset = 0
            for length in lengths {
                addresses.append(all.baseAddress.map { $0 + offset })
                offset += length
            }
            return redisFormatCommandArgv(&target, Int32(words.count), &addresses, lengths)
        }
        guard length > 0, let target else { throw RedisError.server("ERR the command could not be formatted") }
        buffer.writeBytes(UnsafeRawBufferPointer(start: target, count: Int(length)))
        redisFreeCommand(target)
    }
}
