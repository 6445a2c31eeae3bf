import Foundation
import Injection
import Kubernetes
import PlatformModel
import Testing

/// The pieces of storage that pods ask for, and what they get.
@Suite struct StorageInjectionTests {
    private func refusal(_ item: String) -> String? {
        do {
            _ = try StorageInjection.parse("[\(item)]", cluster: "default")
            return nil
        } catch {
            return error.description
        }
    }

    @Test func aPieceIsRead() throws {
        let text = """
            [{"storage_uri": "storage://default/org/proj", "mount_path": "/var/a", "more": 1},
             {"storage_uri": "storage://default/org/proj/my%20data/x/", "mount_path": "/var/b", "mount_mode": "r"}]
            """
        let items = try StorageInjection.parse(text, cluster: "default")
        #expect(items.map(\.path) == [["org", "proj"], ["org", "proj", "my data", "x"]])
        #expect(items.map(\.mode) == [.write, .read] && items.map(\.mountPath) == ["/var/a", "/var/b"])
        #expect(items.first?.org == "org" && items.first?.project == "proj")
    }

    @Test func theContractsFourMessages() {
        let uri = #""storage_uri": "storage://default/org/proj""#
        #expect(refusal(#"{"mount_path": "tmp", \#(uri)}"#) == "`tmp` is not an absolute path")
        #expect(refusal(#"{"mount_path": "/tmp", "storage_uri": "x"}"#) == "`x` does not follow the storage:// schema")
        #expect(
            refusal(#"{"mount_path": "/tmp", "storage_uri": "storage://org"}"#)
                == "`storage://org` is invalid. Cluster, org and project names must be present in the storage URI")
        #expect(refusal(#"{"mount_path": "/tmp", \#(uri), "mount_mode": "X"}"#) == "Input should be 'r' or 'rw'")
    }

    @Test(arguments: [
        "storage://default/org/proj/../other", "storage://default/org/./proj", "storage://default/org//proj", "storage://default//proj",
        "storage://default/org/", "storage://default/org/%2e%2e", "storage://default/org/a%2Fb", "storage://default/org/a%00b",
        "storage://default/org/%zz", "storage://default/org/%ff", "storage://default/org/proj?x=1", "storage://default/org/proj#x",
        "storage://default/org/proj//", "storage://other/org/proj", "storage:///org/proj", "storage://default/org/a/\u{301}b",
    ])
    func whatIsNoPlaceOfThisCluster(_ uri: String) {
        #expect(refusal(#"{"mount_path": "/tmp", "storage_uri": "\#(uri)"}"#) != nil)
    }

    @Test func whatIsNoAnnotation() {
        for text in ["spec", "{}", "[1]", #"[{"mount_path": "/a"}]"#, ""] {
            #expect(throws: InvalidInjection.self) { try StorageInjection.parse(text, cluster: "default") }
        }
        let one = #"{"mount_path": "/a/b", "storage_uri": "storage://default/o/p"}"#
        #expect(refusal(#"\#(one), {"mount_path": "/a//./b/", "storage_uri": "storage://default/o/p/x"}"#) == "`/a//./b/` is mounted twice")
        #expect(refusal(#"{"mount_path": "/a/../b", "storage_uri": "storage://default/o/p"}"#) != nil)
        let many = (0...100).map { #"{"mount_path": "/\#($0)", "storage_uri": "storage://default/o/p"}"# }.joined(separator: ",")
        #expect(refusal(many) == "101 pieces are more than 100")
    }

    // MARK: Volumes

    private func inject(_ uris: [(String, StorageInjection.Mode)], _ backends: String) throws -> InjectedStorage {
        let table = try StorageBackends(text: backends, name: "backends")
        let items = try uris.enumerated().map { index, item in
            try StorageInjection(mountPath: "/mnt/\(index)", uri: "storage://default/\(item.0)", mode: item.1, cluster: "default")
        }
        return try InjectedStorage(items, find: table.find)
    }

    @Test func aVolumeIsTheProjectsFolder() throws {
        let made = try inject(
            [("org/proj", .write), ("org/proj/a/b", .read)], #"[{"host_path": {"path": "/var/exports"}}]"#)
        let volume = try #require(made.volumes.first)
        #expect(made.volumes.count == 1 && volume.hostPath == HostPath(path: "/var/exports/org/proj", type: ""))
        #expect(volume.name.wholeMatch(of: /storage-auto-injected-volume-[0-9a-f]{8}/) != nil)
        #expect(
            made.mounts == [
                VolumeMount(name: volume.name, mountPath: "/mnt/0"),
                VolumeMount(name: volume.name, mountPath: "/mnt/1", subPath: "a/b", readOnly: true),
            ])
    }

    @Test func theLongestPlaceWins() throws {
        let backends = """
            [{"path": null, "nfs": {"server": "nfs.local", "path": "/all"}}, {"path": "/org", "nfs": {"server": "nfs.local", "path": "/"}},
             {"path": "/org/proj/deep", "host_path": {"path": "/deep", "type": "Directory"}}]
            """
        let made = try inject([("organ/proj/x", .write), ("org/proj/x", .write), ("org/proj/deep/er", .write)], backends)
        #expect(made.volumes.compactMap(\.nfs).map(\.path) == ["/all/organ/proj", "/proj"])
        #expect(made.volumes.compactMap(\.hostPath) == [HostPath(path: "/deep", type: "Directory")])
        #expect(made.mounts.map(\.subPath) == ["x", "x", "er"] && Set(made.mounts.map(\.name)).count == 3)
        #expect(throws: InjectedStorage.Unresolvable.self) {
            try inject([("other/proj", .write)], #"[{"path": "/org", "host_path": {"path": "/x"}}]"#)
        }
    }

    @Test func whetherAPodHasWhatItAskedFor() throws {
        let made = try inject([("org/proj", .write), ("org/proj/a", .read)], #"[{"host_path": {"path": "/x"}}]"#)
        let wanted = [(mountPath: "/mnt/0", readOnly: false), (mountPath: "/mnt/1", readOnly: true)]
        func pod(_ containers: [[VolumeMount]], _ volumes: [Volume]) -> Pod {
            var spec = PodSpec(
                containers: containers.enumerated().map { index, mounts in
                    var container = Container(name: "c\(index)")
                    container.volumeMounts = mounts
                    return container
                })
            spec.volumes = volumes
            return Pod(metadata: ObjectMeta(name: "x"), spec: spec)
        }
        func isComplete(_ containers: [[VolumeMount]], _ volumes: [Volume]) -> Bool {
            InjectedStorage.isComplete(pod(containers, volumes), for: wanted)
        }
        #expect(isComplete([made.mounts, made.mounts], made.volumes))
        #expect(!isComplete([], made.volumes) && !isComplete([made.mounts], []) && !isComplete([made.mounts, []], made.volumes))
        #expect(!isComplete([Array(made.mounts.dropLast())], made.volumes))
        // Something else in the same place, or with writing where it was not asked for.
        var mounts = made.mounts
        mounts[1].readOnly = nil
        #expect(!isComplete([mounts], made.volumes))
        var other = Volume(name: "work")
        other.emptyDir = EmptyDirectory()
        mounts = made.mounts
        mounts[0].name = "work"
        #expect(!isComplete([mounts], made.volumes + [other]))
    }
}
