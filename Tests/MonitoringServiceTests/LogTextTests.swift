import NIOCore
import PlatformModel
import Testing

@testable import MonitoringService

/// One line of a container's log as the kubelet prints it.
struct SourceLine {
    var time: Int64
    var text: String

    var printed: String { stamp + " " + text }
    var stamp: String {
        let fraction = String(time % 1_000_000_000)
        let seconds = UTCTime(microseconds: time / 1_000_000_000 * 1_000_000).description.prefix(19)
        return "\(seconds).\(String(repeating: "0", count: 9 - fraction.count))\(fraction)Z"
    }
}

@Suite struct LogTextTests {
    private func text(_ pieces: [LogPiece]) -> String { pieces.map { String(buffer: $0.bytes) }.joined() }

    @Test func timesAreReadToTheNanosecondAndPrintedInUTC() {
        let stamp = LogStamp("2026-11-21T06:30:00.123456789Z")
        #expect(stamp?.nanoseconds == 1_795_242_600_123_456_789)
        #expect(LogStamp("2026-11-21T08:30:00.100000000+02:00")?.text == "2026-11-21T06:30:00.100000000Z")
        #expect(LogStamp("2026-11-21T06:30:00Z")?.nanoseconds == 1_795_242_600_000_000_000)
        for wrong in ["", "rpc", "2026-11-21", "2026-11-21T06:30:00.Z", "2026-11-21T06:30:00.1234567890Z"] {
            #expect(LogStamp(wrong) == nil)
        }
    }

    @Test func linesArePassedOnAsTheyCome() {
        var parser = LogParser()
        let line = SourceLine(time: 1_795_242_600_000_000_001, text: "hello\n").printed
        #expect(parser.feed(ByteBuffer(string: String(line.prefix(12)))).isEmpty)
        let rest = parser.feed(ByteBuffer(string: String(line.dropFirst(12).dropLast(2))))
        #expect(text(rest) == "hell")
        #expect(rest.first?.startsLine == true)
        let last = parser.feed(ByteBuffer(string: "o\n"))
        #expect(text(last) == "o\n")
        #expect(last.first?.endsLine == true)
        #expect(last.first?.stamp?.nanoseconds == 1_795_242_600_000_000_001)
        #expect(text(parser.feed(ByteBuffer(string: "rpc error: code = X\n"))) == "rpc error: code = X\n")
        #expect(parser.feed(ByteBuffer(string: "tail")).isEmpty)
        #expect(text(parser.finish()) == "tail")
    }

    @Test(arguments: [1, 7, 36, 4096, 1 << 20]) func timesWithinLongLinesAreRemoved(step: Int) {
        let part = String(repeating: "x", count: 16 * 1024)
        let time = SourceLine(time: 1_795_242_600_000_000_001, text: "").printed
        let source = Array((time + part + time + part + time + "end\n" + time + part + "\n" + time + "next\n").utf8)
        var parser = LogParser()
        var found = ""
        for start in stride(from: 0, to: source.count, by: step) {
            found += text(parser.feed(ByteBuffer(bytes: source[start..<min(start + step, source.count)])))
        }
        found += text(parser.finish())
        #expect(found == part + part + "end\n" + part + "\nnext\n")
    }

    /// Lines slightly out of order, many with the same time, cut off anywhere and taken up again by whole seconds: nothing is lost or repeated.
    @Test(arguments: 0..<40) func aBrokenStreamIsTakenUpAtTheByte(seed: Int) {
        var random = Linear(state: UInt64(seed) &* 7919 &+ 1)
        var clock: Int64 = 1_795_242_600_000_000_000
        let lines = (0..<300).map { index in
            clock += Int64.random(in: 0...3, using: &random) * 400_000
            if Int.random(in: 0..<40, using: &random) == 0 { clock += 700_000_000 }
            let jitter = Int64.random(in: -200_000...200_000, using: &random)
            return SourceLine(time: Bool.random(using: &random) ? clock : clock + jitter, text: "line \(index)\n")
        }
        var cursor = LogCursor()
        var found = ""
        var rounds = 0
        while true {
            let from = cursor.resumeFrom.map { $0 / 1_000_000_000 * 1_000_000_000 } ?? 0
            let source = lines.filter { $0.time >= from }.map(\.printed).joined()
            let isLast = rounds == 20
            let known = found.utf8.count / 40
            let cut = isLast ? source.utf8.count : min(source.utf8.count, known + Int.random(in: 0...4000, using: &random))
            cursor.begin(sameRun: true)
            var parser = LogParser()
            var pieces = parser.feed(ByteBuffer(bytes: Array(source.utf8.prefix(cut))))
            if isLast { pieces += parser.finish() }
            for piece in pieces { if let news = cursor.admit(piece) { found += String(buffer: news) } }
            if isLast { break }
            rounds += 1
        }
        #expect(found == lines.map(\.text).joined())
    }

    /// A writer reads thousands of lines in one go and gives them one time.
    @Test func manyLinesOfOneTimeAreNotRepeated() {
        let source = (0..<6000).map { SourceLine(time: 1_795_242_600_000_000_000 + Int64($0 / 3000), text: "\($0)\n") }
        var cursor = LogCursor()
        var found = ""
        for length in [4000, 5500, 6000, 6000] {
            cursor.begin(sameRun: true)
            var parser = LogParser()
            for piece in parser.feed(ByteBuffer(string: source.prefix(length).map(\.printed).joined())) {
                if let news = cursor.admit(piece) { found += String(buffer: news) }
            }
        }
        #expect(found == source.map(\.text).joined())
    }

    @Test func linesBeforeSinceAreLeftOut() {
        let lines = [1, 2, 3].map { SourceLine(time: 1_795_242_600_000_000_000 + $0 * 1000, text: "\($0)\n") }
        var cursor = LogCursor(since: lines[1].time)
        cursor.begin(sameRun: false)
        var parser = LogParser()
        let pieces = parser.feed(ByteBuffer(string: lines.map(\.printed).joined()))
        #expect(pieces.compactMap { cursor.admit($0) }.map { String(buffer: $0) } == ["2\n", "3\n"])
    }

    @Test func aNewRunIsAllNews() {
        let first = SourceLine(time: 1_795_242_600_000_000_500, text: "first\n")
        // The node's clock went back between the runs.
        let second = SourceLine(time: 1_795_242_599_000_000_000, text: "second\n")
        var cursor = LogCursor()
        for (run, lines) in [[first], [first, second]].enumerated() {
            cursor.begin(sameRun: false)
            var parser = LogParser()
            let news = parser.feed(ByteBuffer(string: lines.map(\.printed).joined())).compactMap { cursor.admit($0) }
            #expect(news.map { String(buffer: $0) } == (run == 0 ? ["first\n"] : ["second\n"]))
        }
    }

    private func filtered(_ fragments: [String], finish: Bool = true) -> [String] {
        var filter = TrailingErrorFilter()
        var out: [String] = []
        var starts = true
        for fragment in fragments {
            let bytes = ByteBuffer(string: fragment)
            let ends = fragment.hasSuffix("\n")
            out.append(String(buffer: filter.admit(bytes, payload: bytes, startsLine: starts, endsLine: ends)))
            starts = ends
        }
        out.append(String(buffer: finish ? filter.finish() : filter.release()))
        return out.filter { !$0.isEmpty }
    }

    @Test func theLastLineIsDroppedWhenTheRuntimeWroteIt() {
        #expect(filtered(["a\n", "rpc error: code = NotFound desc = x\n"]) == ["a\n"])
        #expect(filtered(["a\n", "Unable to retrieve container logs for containerd://x"]) == ["a\n"])
        #expect(filtered(["failed to try resolving symlinks\n"]) == [])
        #expect(filtered(["rpc error: code = A\n", "rpc error: code = B\n"]) == ["rpc error: code = A\n"])
        #expect(filtered(["rpc error: code = A\n", "b\n"]).joined() == "rpc error: code = A\nb\n")
        #expect(filtered(["rpc error: code"]) == ["rpc error: code"])
        // A stream that broke did not end with what it brought last.
        #expect(filtered(["rpc error: code = A\n"], finish: false) == ["rpc error: code = A\n"])
    }

    @Test func shortFragmentsAreJoinedUntilTheLineCanBeToldApart() {
        let fragments = (1...5).map { "chunk0\($0)\r" } + ["end\n"]
        #expect(filtered(fragments) == ["chunk01\rchunk02\rchunk03\r", "chunk04\r", "chunk05\r", "end\n"])
    }
}

/// A small generator with a seed, so that a failure can be repeated.
struct Linear: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 29)
    }
}
