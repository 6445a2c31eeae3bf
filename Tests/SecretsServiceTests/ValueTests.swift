import Foundation
import Logging
import PlatformModel
import ServiceKit
import TestSupport
import Testing

@testable import SecretsService

/// What a key, a value and a place may be (secrets.md 4, 5).
@Suite struct ValueTests {
    @Test(
        arguments: [
            "", "?", "\n", "\t", " ", ".", "..", "...", "..-", "/", "\\", "---neuro---", "---NEURO---", "---Neuro---", "k\n", "ключ", "a b",
            "a~b", "k\u{0}", "é",
        ])
    func keysThatAreRefused(_ text: String) { #expect(throws: SecretRefusal.self) { try SecretKey(text) } }

    @Test(arguments: ["a", ".-", "-", "_", "0", "A", ".env", "data.with.dots", "---neuro--", String(repeating: "k", count: 253)])
    func keysThatAreTaken(_ text: String) throws { #expect(try SecretKey(text).text == text) }

    @Test func aKeyOf254CharactersIsTooLong() {
        #expect(throws: SecretRefusal("String is longer than 253 characters")) { try SecretKey(String(repeating: "k", count: 254)) }
        #expect(throws: SecretRefusal(#"does not match pattern \A(?!\.\Z|\.\.)[a-zA-Z0-9_\-.]+\Z"#)) { try SecretKey("...") }
        #expect(throws: SecretRefusal("Illegal key '---neuro---'")) { try SecretKey("---Neuro---") }
    }

    @Test(
        arguments: [
            ("vvvvv", "Invalid base64-encoded string: number of data characters (5) cannot be 1 more than a multiple of 4"),
            ("", "blank value is not allowed"), ("ab", "Incorrect padding"), ("abc", "Incorrect padding"), ("ab=", "Incorrect padding"),
        ])
    func valuesThatAreRefused(_ text: String, _ reason: String) {
        #expect(throws: SecretRefusal(reason)) { try SecretText(text) }
    }

    @Test func theLengthOfAValue() throws {
        #expect(try SecretText(String(repeating: "v", count: 1_048_576)).value?.data.count == 786_432)
        #expect(throws: SecretRefusal("String is longer than 1048576 characters")) {
            try SecretText(String(repeating: "v", count: 1_048_577))
        }
    }

    /// What lenient readers take and Kubernetes does not, and the other way round.
    @Test(
        arguments: [
            ("dmFsdWU=", "value"), ("dmFs\ndWU=\n", "value"), ("dmFs\r\ndWU=", "value"), ("!!!!", nil), ("=", nil), ("-_-_", nil),
            ("dmFs dWU=", nil), ("dmFsdWU=junk", nil), ("====", nil), ("\n", nil),
        ] as [(String, String?)])
    func whatAValueHolds(_ text: String, _ wanted: String?) throws {
        #expect(try SecretText(text).value?.data == wanted.map { Data($0.utf8) })
    }

    @Test func valuesShowThemselvesToNobody() throws {
        let text = try SecretText("aHVudGVyMg==")
        let value = try #require(text.value)
        let place = SecretPlace(org: try OrgName("acme"), project: try ProjectName("vision"))
        let all: [Any] = [text, value, try SecretKey("k"), SecretWithValue(key: try SecretKey("k"), value: value, place: place)]
        for one in all {
            var dumped = ""
            dump(one, to: &dumped)
            for shown in ["\(one)", String(reflecting: one), dumped] {
                #expect(!shown.contains("hunter2") && !shown.contains("aHVudGVyMg"))
            }
        }
        let log = TestLog()
        log.logger("l").error("x", metadata: ["value": "\(value)", "text": "\(text)"])
        #expect(!log.lines.joined().contains("aHVudGVyMg"))
    }

    @Test func places() throws {
        func place(_ org: String, _ project: String) throws -> SecretPlace {
            SecretPlace(org: try OrgName(org), project: try ProjectName(project))
        }
        let usual = try place("org", "proj")
        #expect(usual.namespace.name == "platform--org--proj--405d80a888a4045e4dd515b6")
        #expect(usual.objectName == "project--org--proj--secrets" && usual.isStorable)
        #expect(usual.uri(in: try ClusterName("default")).text == "secret://default/org/proj")
        let long = try place(String(repeating: "a", count: 30), String(repeating: "b", count: 30))
        #expect(long.namespace.name == "platform--aaaaaaaaaaaa--bbbbbbbbbbbbb--ecbf86d75b7cd9ef8f1ab6f1" && long.isStorable)
        #expect(try place("org", String(repeating: "p", count: 40)).namespace.name.hasPrefix("platform--or--ppppppppppppppppppppppp--"))
        #expect(try !place(String(repeating: "a", count: 64), "bbb").isStorable)
        // Two that would share a namespace.
        #expect(throws: NameError.self) { try OrgName("a--b") }
        for name in ["a/b", "A", "a=b", "a,b", "!a", "my org", "a_b", "..", "a.b"] { #expect(throws: NameError.self) { try OrgName(name) } }
    }
}
