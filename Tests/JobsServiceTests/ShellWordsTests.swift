import Testing

@testable import JobsService

@Suite struct ShellWordsTests {
    @Test(arguments: [
        ("testcommand 123", ["testcommand", "123"]), ("'python train.py --lr 1e-3'", ["python train.py --lr 1e-3"]),
        ("sh -c 'echo hello; sleep 3'", ["sh", "-c", "echo hello; sleep 3"]), (#"a "b \" c" d\ e"#, ["a", #"b " c"#, "d e"]),
        (#""a\nb""#, [#"a\nb"#]), ("  ", []), ("''", [""]), ("a#b # c", ["a#b", "#", "c"]), (#"'a'"b"c"#, ["abc"]),
        ("a\nb\tc", ["a", "b", "c"]),
    ])
    func splits(text: String, words: [String]) throws {
        #expect(try ShellWords.split(text) == words)
    }

    @Test(arguments: ["\"", "'", "a\\", "\"abc\\"]) func refuses(text: String) {
        #expect(throws: ShellWords.InvalidFormat.self) { try ShellWords.split(text) }
    }
}
