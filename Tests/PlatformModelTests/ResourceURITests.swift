import Foundation
import PlatformModel
import Testing

@Suite struct ResourceURITests {
    @Test(arguments: [
        ("storage:", [String]()), ("storage://", []), ("storage://default", ["default"]), ("storage://default/", ["default"]),
        ("storage://Default/Acme", ["default", "Acme"]), ("storage://c/a%20b/%C3%A4", ["c", "a b", "ä"]),
        ("storage://c/a:b@c", ["c", "a:b@c"]),
    ]) func parses(_ text: String, _ segments: [String]) throws {
        let uri = try ResourceURI(text)
        #expect(uri.segments == segments)
        #expect(uri.text == text)
        #expect(try ResourceURI(uri.canonical) == uri)
    }

    @Test(arguments: [
        "storage:/x", "storage:///", "storage:/", "storage:x", "storage://c//x", "storage://c/x//", "storage://c/./x", "storage://c/../x",
        "storage://c/%2e%2e/x", "storage://c/a%2Fb", "storage://c/%zz", "storage://c/%ff", "storage://c?x=1", "storage://c/x#y",
        "storage://user@c/x", "storage://c:80/x", "storage", "://x",
    ]) func refusesMalformed(_ text: String) {
        #expect { try ResourceURI(text) } throws: { error in
            guard case ResourceURIError.malformed = error else { return false }
            return true
        }
    }

    @Test func knowsItsSchemes() throws {
        #expect(throws: ResourceURIError.unknownScheme("nosuch")) { try ResourceURI("nosuch://c") }
        #expect(try ResourceURI("system-user:").scheme == .systemUser)
    }

    @Test(arguments: [
        ("storage://default/acme", "storage://default/acme/vision/x", true), ("storage://default/acme", "storage://default/acme2", false),
        ("storage:", "storage://default", true), ("storage://default/acme/", "storage://default/acme", true),
        ("storage://default/acme/vision", "storage://default/acme", false), ("cluster://default", "cluster://default/access", true),
        ("cluster://default", "storage://default", false), ("storage://c/A", "storage://c/a", false),
        ("storage://C/a", "storage://c/a", true),
    ]) func covers(_ grant: String, _ asked: String, _ covered: Bool) throws {
        #expect(try ResourceURI(grant).covers(ResourceURI(asked)) == covered)
    }

    @Test func echoesWhatItReceived() throws {
        let text = #"[{"uri":"storage://C/x/","action":"read"}]"#
        let permissions = try JSONDecoder().decode([Permission].self, from: Data(text.utf8))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        #expect(String(decoding: try encoder.encode(permissions), as: UTF8.self) == #"[{"action":"read","uri":"storage://C/x/"}]"#)
        #expect(permissions[0].uri == (try ResourceURI("storage://c/x")))
    }

    @Test func actionsAreOrdered() {
        #expect(Action.allCases.sorted() == [.deny, .list, .read, .write, .manage])
        #expect(Action.allCases.filter(\.isGrantable) == [.read, .write, .manage])
        #expect(Permission(ResourceURI(.job, ["c"]), .write).covers(Permission(ResourceURI(.job, ["c", "o"]), .read)))
        #expect(!Permission(ResourceURI(.job, ["c"]), .read).covers(Permission(ResourceURI(.job, ["c", "o"]), .write)))
    }
}
