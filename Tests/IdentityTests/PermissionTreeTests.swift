import Foundation
import Identity
import PlatformModel
import Testing

@Suite struct PermissionTreeTests {
    private func tree(_ uri: String, _ grants: [(String, Action)], depth: Int? = nil) throws -> PermissionTree {
        try PermissionTree(of: ResourceURI(uri), grants: grants.map { Permission(try ResourceURI($0.0), $0.1) }, depth: depth)
    }

    @Test func showsWhatLiesBelow() throws {
        let tree = try tree(
            "storage://default/acme",
            [("storage://default/acme/vision", .write), ("storage://default/acme/nlp/data", .read), ("job://default", .manage)])
        #expect(tree.path == "/default/acme")
        #expect(
            tree.root
                == .init(
                    action: .list,
                    children: [
                        "vision": .init(action: .write), "nlp": .init(action: .list, children: ["data": .init(action: .read)]),
                    ]))
        #expect(try tree.action(on: ResourceURI("storage://default/acme/vision/deep/er")) == .write)
        #expect(try tree.action(on: ResourceURI("storage://default/acme/nlp")) == .list)
        #expect(try tree.action(on: ResourceURI("storage://default/acme/nlp/other")) == .deny)
        #expect(try tree.action(on: ResourceURI("storage://other")) == .deny)
    }

    @Test func inheritsAndLeavesOutWhatAddsNothing() throws {
        let tree = try tree("job:", [("job://c", .write), ("job://c/o/p", .read), ("job://c/o/p/job-1", .manage)])
        #expect(tree.path == "/")
        #expect(tree.root.action == .list)
        let project = try #require(tree.root.children["c"]?.children["o"]?.children["p"])
        #expect(project.action == .write)
        #expect(project.children == ["job-1": .init(action: .manage)])
        #expect(try self.tree("job:", [("job://c", .write), ("job://c/o/p", .read)]).root.children["c"]?.children == [:])
    }

    @Test func aBroaderGrantRulesTheRoot() throws {
        let tree = try tree("job://c/o", [("job:", .read), ("job://c/o/p", .read)])
        #expect(tree.root == .init(action: .read))
        #expect(try self.tree("job://c", []).root == .init(action: .deny))
    }

    @Test(arguments: [(2, 1), (1, 0), (0, 0)]) func depthHidesDeeperGrants(_ depth: Int, _ children: Int) throws {
        let tree = try tree("storage://c", [("storage://c/a/b", .read)], depth: depth)
        #expect(tree.root.action == .list)
        #expect(tree.root.children.count == children)
    }

    @Test func isAFlatObjectOnTheWire() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let tree = try tree("storage://c", [("storage://c/a", .read)])
        let text = #"{"action":"list","children":{"a":{"action":"read","children":{}}},"path":"/c"}"#
        #expect(String(decoding: try encoder.encode(tree), as: UTF8.self) == text)
        #expect(try JSONDecoder().decode(PermissionTree.self, from: Data(text.utf8)) == tree)
    }
}
