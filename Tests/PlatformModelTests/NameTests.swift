import Foundation
import PlatformModel
import Testing

@Suite struct NameTests {
    @Test(arguments: ["abc", "a-b-c", "0ab", "user-1"]) func acceptsDashedNames(_ text: String) throws {
        #expect(try ProjectName(text).text == text)
        #expect(try UserName(text).text == text)
    }

    @Test(arguments: ["", "ab", "a--b", "-ab", "ab-", "aBc", "a_b", "a.b", "abc\n", " abc", "äbc"])
    func refusesWhatIsNotADashedName(_ text: String) {
        #expect(throws: NameError.self) { try ProjectName(text) }
        #expect(throws: NameError.self) { try ClusterName(text) }
        #expect(throws: NameError.self) { try OrgName(text) }
    }

    @Test func boundsLengths() throws {
        #expect(throws: NameError.self) { try UserName(String(repeating: "a", count: 22)) }
        #expect(try ClusterName(String(repeating: "a", count: 255)).text.count == 255)
        #expect(throws: NameError.self) { try ClusterName(String(repeating: "a", count: 256)) }
        #expect(throws: NameError.self) { try JobName(String(repeating: "a", count: 41)) }
    }

    @Test func jobNamesBeginWithALetterAndAreNoIDs() throws {
        #expect(try JobName("job").text == "job")
        #expect(throws: NameError.self) { try JobName("job-x") }
        #expect(throws: NameError.self) { try JobName("1st") }
        #expect(try JobID(JobID.random().text).text.count == 40)
        #expect(throws: NameError.self) { try JobID("job-00000000-0000-0000-0000-00000000000G") }
        #expect(throws: NameError.self) { try JobID("job-ABCDEF00-0000-4000-8000-000000000000") }
    }

    @Test func principalsHaveAPathForm() throws {
        let name = try PrincipalName("alice/service-accounts/ci.x--y")
        #expect(name.pathForm == "alice:service-accounts:ci.x--y")
        #expect(try PrincipalName(pathForm: name.pathForm) == name)
        #expect(try PrincipalName(pathForm: "alice/roles/x").text == "alice/roles/x")
        #expect(name.base.text == "alice")
        #expect(name.userURI.canonical == "user://alice/service-accounts/ci.x--y")
        #expect(name.roleURI.segments == ["alice", "service-accounts", "ci.x--y"])
    }

    @Test(arguments: ["", "/a", "a/", "a//b", "A", "a/..", "a/./b", ".a", "a:b", String(repeating: "a", count: 64)])
    func refusesBadPrincipals(_ text: String) {
        #expect(throws: NameError.self) { try PrincipalName(text) }
    }

    @Test func theServicesOfAClusterAreNobodyElse() throws {
        let principal = try PrincipalName(servicesOf: ClusterName("default"))
        #expect(principal.text == "cluster/default" && principal.servedCluster?.text == "default")
        for other in ["default", "cluster", "cluster/default/x", "default/cluster", "cluster/a_b"] {
            #expect(try PrincipalName(other).servedCluster == nil)
        }
    }

    @Test func decodingNamesTheRule() throws {
        struct Body: Codable { let name: ProjectName }
        #expect(try JSONDecoder().decode(Body.self, from: Data(#"{"name":"vision"}"#.utf8)).name.text == "vision")
        do {
            _ = try JSONDecoder().decode(Body.self, from: Data(#"{"name":"Vision"}"#.utf8))
            Issue.record("an invalid name was decoded")
        } catch DecodingError.dataCorrupted(let context) {
            #expect(context.codingPath.map(\.stringValue) == ["name"])
            #expect(context.debugDescription.contains("Vision"))
        }
    }
}
