import Foundation
import PlatformModel
import Testing

@Suite struct StorageBackendsTests {
    @Test(arguments: [
        ("1", "b: expected a list"), ("x", "b: is not JSON"), ("[1]", "b[0]: expected an object"),
        ("[{}]", "b[0]: either host_path or nfs is required"),
        (#"[{"host_path": {"path": "/a"}, "nfs": {"server": "s", "path": "/"}}]"#, "b[0]: either host_path or nfs is required"),
        (#"[{"host_path": {"path": "a"}}]"#, "b[0].host_path.path: must be an absolute path"),
        (#"[{"host_path": {"path": "/a/../b"}}]"#, "b[0].host_path.path: must not hold empty parts, '.' and '..'"),
        (#"[{"host_path": {"path": "/a", "type": "Socket"}}]"#, #"b[0].host_path.type: must be "", "Directory" or "DirectoryOrCreate""#),
        (#"[{"nfs": {"path": "/a"}}]"#, "b[0].nfs.server: is required"),
        (#"[{"path": "x", "host_path": {"path": "/a"}}]"#, "b[0].path: must be an absolute path"),
        (#"[{"host_path": {"path": "/a"}}, {"path": "/", "host_path": {"path": "/b"}}]"#, "b[1].path: two back ends hold '/'"),
    ])
    func whatIsNoTable(_ text: String, _ refusal: String) {
        do {
            _ = try StorageBackends(text: text, name: "b")
            Issue.record("\(text) was taken")
        } catch {
            #expect(error.description == refusal)
        }
    }

    @Test func aDocumentKeepsItBesideTheKubeconfig() throws {
        let text = #"[{"path":"/x","host_path":{"path":"/a","type":"Directory"}},{"path":null,"nfs":{"server":"s","path":"/"}}]"#
        let table = try StorageBackends(text: text, name: "b")
        #expect(try StorageBackends(table.json, name: "b") == table && table.all.map(\.place) == [["x"], []])
        var document = ClusterDocument(blank: try ClusterName("default"), dnsName: "d.example.org")
        #expect(try document.storageBackends.isEmpty)
        document.credentials = .object(["kubernetes": .object(["storage_backends": table.json])])
        document.kubernetes = KubernetesCredentials(kubeconfig: "apiVersion: v1")
        #expect(try document.storageBackends == table && document.kubernetes?.kubeconfig == "apiVersion: v1")
    }
}
