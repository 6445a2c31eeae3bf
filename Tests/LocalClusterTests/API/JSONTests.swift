import Foundation
import Kubernetes
import Testing

@testable import LocalCluster

@Suite struct JSONTests {
    @Test(arguments: [
        "null", "true", "[]", "{}", "-12", "1.5", #""a\"b\\c\n\u00e9""#, #"{"a":[1,{"b":null}],"c":"d"}"#, "9223372036854775807",
    ])
    func whatIsWrittenIsReadAgain(text: String) throws {
        let value = try JSONParser.parse(Data(text.utf8))
        #expect(try JSONParser.parse(JSONWriter.data(value)) == value)
        #expect(try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)) == value)
    }

    @Test func escapesBecomeTheirCharacters() throws {
        #expect(try JSONParser.parse(Data(#""\ud83d\ude00 \/ \t""#.utf8)) == "😀 / \t")
        #expect(JSONWriter.text("a\u{1}b") == #""a\u0001b""#)
    }

    @Test(arguments: ["", "{", "[1,]", #"{"a"}"#, "tru", "1 2", #""a"#, "{\"a\":1,}", "nan", #""\x""#, String(repeating: "[", count: 5000)])
    func whatIsNoJSONIsRefused(text: String) {
        #expect(throws: JSONParser.Failure.self) { try JSONParser.parse(Data(text.utf8)) }
    }

    @Test func membersThatStandTwiceAreTold() throws {
        let (value, duplicates) = try JSONParser.read(Data(#"{"a":1,"b":[{"c":1,"c":2}],"a":3}"#.utf8))
        #expect(value["a"] == 3)
        #expect(duplicates == ["b[0].c", "a"])
    }
}

@Suite struct SelectorTests {
    private func object(_ labels: [String: String]) -> Object {
        var object: Object = ["metadata": ["name": "x"], "spec": ["nodeName": "n"], "status": ["phase": "Running"]]
        object.labels = labels
        return object
    }

    @Test(arguments: [
        ("a=1", true), ("a==1,b=2", true), ("a!=1", false), ("c!=1", true), ("a in (1, 2)", true), ("a notin (1)", false),
        ("c notin (1)", true), ("a", true), ("c", false), ("!c", true), ("!a", false), ("b>1", true), ("b<1", false), ("", true),
        ("a in (1),b", true), ("app.kubernetes.io/x=y", false),
    ])
    func labelsAreMatched(text: String, expected: Bool) throws {
        #expect(try Conditions(labels: text, fields: nil).matches(object(["a": "1", "b": "2"])) == expected)
    }

    @Test(arguments: ["a=1,,b", "a of (1)", "=1", "a b", "-x=1"])
    func whatIsNoSelectorIsRefused(text: String) {
        #expect(throws: StatusError.self) { try Conditions(labels: text, fields: nil) }
    }

    @Test(arguments: [("spec.nodeName=n,status.phase!=Failed", true), ("metadata.name=y", false), ("spec.missing=", true)])
    func fieldsAreMatched(text: String, expected: Bool) throws {
        #expect(try Conditions(labels: nil, fields: text).matches(object([:])) == expected)
    }
}
