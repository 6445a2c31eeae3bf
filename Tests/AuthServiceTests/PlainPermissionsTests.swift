import Foundation
import NIOCore
import PlatformModel
import Testing

@testable import AuthService

/// The short way of reading a check decides nothing: it says what the general decoder says, or nothing.
@Suite struct PlainPermissionsTests {
    @Test(
        arguments: [
            #"[{"uri":"job://c/o/p","action":"read"}]"#,
            #" [ { "action" : "manage" , "uri" : "storage://C/ü/%20x/" } ,{"uri":"user:","action":"list"}]  "#,
            "[\n\t{\"uri\":\"job://c\",\r\n\"action\":\"deny\"}\n]\n",
        ])
    func plainBodiesAreRead(body: String) throws {
        let read = try #require(PlainPermissions.read(ByteBuffer(string: body)))
        let decoded = try JSONDecoder().decode([Permission].self, from: Data(body.utf8))
        #expect(read == decoded && read.map(\.uri.text) == decoded.map(\.uri.text))
    }

    @Test(
        arguments: [
            "", "[", "[]", "[ ]", "{}", "null", "[null]", "[{}]", #"[{"uri":"job://c","action":"read"}"#,
            #"[{"uri":"job://c","action":"read"}]]"#,
            #"[{"uri":"job://c","action":"read"},]"#, #"[{"uri":"job://c","action":"read"} {"uri":"job://c","action":"read"}]"#,
            #"[{"uri":"job://c"}]"#, #"[{"uri":"job://c","action":"own"}]"#, #"[{"uri":"job:c","action":"read"}]"#,
            #"[{"uri":"nothing://c","action":"read"}]"#, #"[{"uri":"job://c","action":"read","more":"x"}]"#,
            #"[{"uri":"job://c","uri":"job://d","action":"read"}]"#, #"[{"uri":"job://c","uri":"job://d"}]"#,
            #"[{"uri":"job:\/\/c","action":"read"}]"#, #"[{"uri":"job://c\u002fx","action":"read"}]"#, #"[{"uri":1,"action":"read"}]"#,
            #"[{"uri":"job://c","action":null}]"#, #"[{'uri':"job://c","action":"read"}]"#, "[{\"uri\":\"job://c\n\",\"action\":\"read\"}]",
            #"[{"uri":"job://c","action":"read"}] x"#, #"[{"uri":"job://c","action":"read"#, "\u{FEFF}[]",
        ])
    func everythingElseIsLeftToTheDecoder(body: String) {
        #expect(PlainPermissions.read(ByteBuffer(string: body)) == nil)
    }

    @Test func bytesThatAreNoTextAreLeftToTheDecoder() {
        var body = ByteBuffer(string: "[{\"uri\":\"job://c/")
        body.writeBytes([0xC3, 0x28])
        body.writeString("\",\"action\":\"read\"}]")
        #expect(PlainPermissions.read(body) == nil)
    }
}
