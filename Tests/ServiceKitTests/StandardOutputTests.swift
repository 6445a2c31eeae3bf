import Foundation
import Testing

@testable import ServiceKit

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

@Suite("Standard output", .timeLimit(.minutes(5))) struct StandardOutputTests {
    /// A pipe: the log writes into one end, the test reads what came out of the other.
    private struct Ends {
        let output: StandardOutput
        let reader: FileHandle
        private let writer: FileHandle

        init() {
            let pipe = Pipe()
            (reader, writer) = (pipe.fileHandleForReading, pipe.fileHandleForWriting)
            output = StandardOutput(descriptor: pipe.fileHandleForWriting.fileDescriptor)
        }

        /// Everything that was written, once the writer's end is closed.
        func rest() throws -> String {
            try writer.close()
            return String(decoding: try reader.readToEnd() ?? Data(), as: UTF8.self)
        }

        func close() throws { try writer.close() }
    }

    @Test("Lines of many writers are whole, each writer's in order, and none is missing") func whole() async throws {
        let ends = Ends()
        async let text = Task.detached { String(decoding: try ends.reader.readToEnd() ?? Data(), as: UTF8.self) }.value
        await withTaskGroup(of: Void.self) { group in
            for writer in 0..<16 {
                group.addTask {
                    for number in 0..<2_000 {
                        ends.output.write("\(writer) \(number) \(String(repeating: "x", count: number % 90))|\n", urgent: number % 500 == 0)
                        if number % 100 == 0 { await Task.yield() }
                    }
                }
            }
        }
        ends.output.flush()
        try ends.close()
        var next = Array(repeating: 0, count: 16)
        for line in try await text.split(separator: "\n") {
            let parts = line.split(separator: " ", omittingEmptySubsequences: false)
            try #require(parts.count == 3, "\(line)")
            let (writer, number) = (try #require(Int(parts[0])), try #require(Int(parts[1])))
            #expect(number == next[writer] && parts[2] == String(repeating: "x", count: number % 90) + "|")
            next[writer] = number + 1
        }
        #expect(next == Array(repeating: 2_000, count: 16))
    }

    @Test("An urgent line is there when the call returns, behind all that came before it") func urgent() throws {
        let ends = Ends()
        ends.output.write("first\n", urgent: false)
        ends.output.write("second\n", urgent: true)
        #expect(try ends.rest() == "first\nsecond\n")
    }

    @Test("A line that is not urgent is written soon, by itself") func soon() async throws {
        let ends = Ends()
        ends.output.write("alone\n", urgent: false)
        // Blocks until there is something.
        let data = await Task.detached { ends.reader.availableData }.value
        #expect(String(decoding: data, as: UTF8.self) == "alone\n")
        try ends.close()
    }

    @Test("A reader that is slow holds the writers back; what waits has a bound and nothing is lost") func slow() async throws {
        let ends = Ends()
        let line = String(repeating: "y", count: 1023) + "\n"
        let count = 4 * StandardOutput.capacity / line.utf8.count
        let writing = Task.detached {
            for _ in 0..<count { ends.output.write(line, urgent: false) }
            ends.output.flush()
            try ends.close()
        }
        var read = 0
        let reading = Task.detached {
            var read = 0
            while true {
                let part = ends.reader.availableData
                if part.isEmpty { return read }
                #expect(ends.output.waitingBytes <= StandardOutput.capacity + line.utf8.count)
                read += part.count
            }
        }
        read = await reading.value
        try await writing.value
        #expect(read == count * line.utf8.count)
    }

    @Test("A reader that went away costs the lines, not the process") func gone() throws {
        signal(SIGPIPE, SIG_IGN)
        let ends = Ends()
        try ends.reader.close()
        ends.output.write("to nobody\n", urgent: true)
        ends.output.write("nor this\n", urgent: true)
        try ends.close()
    }
}
